//! Two folders, and a bureau that is this test.

use std::os::unix::fs::{PermissionsExt as _, symlink};

use super::*;

/// The two folders.
struct Folders(tempfile::TempDir);

impl Folders {
    fn new() -> Self {
        let folders = Self(tempfile::tempdir().unwrap());
        for name in ["out", "in"] {
            fs::create_dir(folders.0.path().join(name)).unwrap();
        }
        folders
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    async fn line(&self) -> FileLine {
        let transport = FileTransport::Exchange {
            out: self.at("out"),
            r#in: self.at("in"),
        };
        line(transport, |_| {}).await.unwrap()
    }

    fn say(&self, name: &str, text: &str) {
        fs::write(self.at("in").join(name), text).unwrap();
    }

    /// What lies in `out`.
    fn out(&self) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(self.at("out"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

#[tokio::test]
async fn a_file_is_put_whole_and_arrives_when_it_is_acknowledged() {
    let (folders, sent) = (Folders::new(), sent(&[7; 700_000]));
    let line = folders.line().await;
    // A crash left half of it.
    fs::write(folders.at(&format!("out/.{NAME}.enc.part")), b"half").unwrap();
    let delivery = line.deliver(&sent.file, &sent.path).await;
    assert_eq!(delivery, Delivery::Placed);
    assert_eq!(folders.out(), [format!("{NAME}.enc")]);
    let put = folders.at(&format!("out/{NAME}.enc"));
    assert_eq!(fs::read(&put).unwrap(), fs::read(&sent.path).unwrap());
    let mode = fs::metadata(&put).unwrap().permissions().mode();
    assert_eq!(mode & 0o007, 0, "others can read it");
    assert_eq!(line.arrived(&sent.file).await, Ok(None));

    folders.say(&format!("{NAME}.ack"), &hex(&sent.file.sha256)[..40]);
    let half = unknown("acknowledgment_unreadable");
    assert_eq!(line.arrived(&sent.file).await, Ok(Some(half)));
    folders.say(
        &format!("{NAME}.ack"),
        &format!("{}\n", hex(&sent.file.sha256)),
    );
    let arrived = line.arrived(&sent.file).await;
    assert_eq!(arrived, Ok(Some(Delivery::Arrived)));
}

#[tokio::test]
async fn delivering_again_has_effect_once() {
    let (folders, sent) = (Folders::new(), sent(b"sealed"));
    let line = folders.line().await;
    for _ in 0..2 {
        let delivery = line.deliver(&sent.file, &sent.path).await;
        assert_eq!(delivery, Delivery::Placed);
        assert_eq!(folders.out(), [format!("{NAME}.enc")]);
    }
    // The bureau took it, and what it said of that was lost: again the same
    // bytes, and it has them.
    let put = folders.at(&format!("out/{NAME}.enc"));
    fs::remove_file(&put).unwrap();
    let delivery = line.deliver(&sent.file, &sent.path).await;
    assert_eq!(delivery, Delivery::Placed);
    assert_eq!(fs::read(&put).unwrap(), b"sealed");
    folders.say(&format!("{NAME}.nak"), "ABF009\n");
    let word = line.arrived(&sent.file).await;
    assert_eq!(word, Ok(Some(Delivery::AlreadyReceived)));
    // Where its word lies, nothing is put any more.
    fs::remove_file(&put).unwrap();
    let delivery = line.deliver(&sent.file, &sent.path).await;
    assert_eq!(delivery, Delivery::AlreadyReceived);
    assert_eq!(folders.out(), Vec::<String>::new());
}

#[tokio::test]
async fn a_word_on_other_bytes_is_no_arrival() {
    let (folders, sent) = (Folders::new(), sent(b"sealed"));
    let line = folders.line().await;
    folders.say(&format!("{NAME}.ack"), &hex(&sha256(b"other")));
    let delivery = line.deliver(&sent.file, &sent.path).await;
    let code = "digest_mismatch".to_owned();
    assert_eq!(delivery, Delivery::Refused { code });
    assert_eq!(folders.out(), Vec::<String>::new());
    fs::remove_file(folders.at(&format!("in/{NAME}.ack"))).unwrap();
    folders.say(&format!("{NAME}.nak"), "ABN003");
    let code = "ABN003".to_owned();
    let delivery = line.deliver(&sent.file, &sent.path).await;
    assert_eq!(delivery, Delivery::Refused { code });
}

#[tokio::test]
async fn what_cannot_be_put_was_not_sent() {
    let (folders, sent) = (Folders::new(), sent(b"sealed"));
    let line = folders.line().await;
    let mut changed = sent.file.clone();
    changed.sha256 = sha256(b"frozen");
    let delivery = line.deliver(&changed, &sent.path).await;
    assert_eq!(delivery, not_sent("file_changed"));
    let delivery = line
        .deliver(&sent.file, &sent.folder.path().join("none"))
        .await;
    assert_eq!(delivery, not_sent("file_unreadable"));
    let put = folders.at(&format!("out/{NAME}.enc"));
    for (case, other) in [("other bytes", true), ("a folder", false)] {
        if other {
            fs::write(&put, b"other").unwrap();
        } else {
            fs::create_dir(&put).unwrap();
        }
        let delivery = line.deliver(&sent.file, &sent.path).await;
        assert_eq!(delivery, not_sent("name_taken"), "{case}");
        if other {
            assert_eq!(fs::read(&put).unwrap(), b"other");
            fs::remove_file(&put).unwrap();
        } else {
            fs::remove_dir(&put).unwrap();
        }
    }
    assert_eq!(folders.out(), Vec::<String>::new());
    fs::remove_dir(folders.at("out")).unwrap();
    let delivery = line.deliver(&sent.file, &sent.path).await;
    assert_eq!(delivery, not_sent("folder"));
    // Where its words cannot be read, they are not taken for absent.
    fs::create_dir(folders.at("out")).unwrap();
    fs::create_dir(folders.at(&format!("in/{NAME}.ack"))).unwrap();
    let delivery = line.deliver(&sent.file, &sent.path).await;
    assert_eq!(delivery, not_sent("folder"));
    assert!(line.arrived(&sent.file).await.is_err());
}

#[tokio::test]
async fn feedback_is_listed_for_those_who_report_and_fetched_whole() {
    let folders = Folders::new();
    let line = folders.line().await;
    let bytes = vec![9; 600_000];
    folders.say(&format!("{NAME}.ack"), "x");
    folders.say(&format!(".{FEEDBACK}.enc.part"), "half");
    folders.say("T99999999H00022024060121000013.enc", "another institution");
    folders.say("readme.txt", "x");
    fs::write(folders.at(&format!("in/{FEEDBACK}.enc")), &bytes).unwrap();
    assert_eq!(line.feedback().await, Ok(vec![FEEDBACK.to_owned()]));

    let inbox = tempfile::tempdir().unwrap();
    let to = inbox.path().join("feedback.enc");
    for _ in 0..2 {
        let facts = line.fetch(FEEDBACK, &to).await.unwrap().unwrap();
        assert_eq!(facts, FileFacts::of(&to).unwrap());
        assert_eq!(fs::read(&to).unwrap(), bytes);
    }
    assert_eq!(fs::read_dir(inbox.path()).unwrap().count(), 1);
    let mode = fs::metadata(&to).unwrap().permissions().mode();
    assert_eq!(mode & 0o077, 0);
    // It stays where the bureau put it.
    assert_eq!(line.feedback().await, Ok(vec![FEEDBACK.to_owned()]));

    let gone = FEEDBACK.replace("013", "023");
    assert_eq!(line.fetch(&gone, &to).await, Ok(None));
    symlink(&to, folders.at(&format!("in/{gone}.enc"))).unwrap();
    let elsewhere = inbox.path().join("elsewhere.enc");
    assert!(line.fetch(&gone, &elsewhere).await.is_err());
    let strange = line.fetch("../../etc/passwd", &elsewhere).await;
    assert_eq!(strange, Err(Failure::NotSent { cause: "name" }));
    assert!(!elsewhere.exists());
    fs::remove_dir_all(folders.at("in")).unwrap();
    assert!(line.feedback().await.is_err());
}

#[tokio::test]
async fn an_institution_has_its_code_and_its_seal() {
    let line = Folders::new().line().await;
    let bank = "demo-bank".into();
    assert_eq!(line.organization_code(&bank), Some("T99999999H0001"));
    assert_eq!(line.reporter("T99999999H0001"), Some(&bank));
    assert_eq!(line.reporter("T99999999H0002"), None);
    assert!(line.seal(&bank).is_some());
    assert!(line.seal(&"demo-platform".into()).is_none());
    assert!(!format!("{line:?} {:?}", line.seal(&bank)).contains("0123456789"));
}
