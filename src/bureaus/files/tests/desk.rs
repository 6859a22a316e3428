//! Against the mock bureau's desk, which has written seal and names by itself.

use std::{
    io::{Read as _, Write as _},
    time::Duration,
};

use mocks::{Desk, DeskConfig, MockBureau, MockConfig, MutualTls};

use super::*;
use crate::bureaus::tls::tests::{Pki, validity};

/// A file with the header alone, which is accepted: feedback flag 1.
const TEXT: &str = "A0502102.0.0  T99999999H00012024060112000000000000\r\n";
const ACCEPTED: &str = "T99999999H00012024060121000011";

/// A desk by both ways, and the lines to it.
struct House {
    desk: Desk,
    folder: tempfile::TempDir,
    /// It serves as long as it is held.
    _bureau: MockBureau,
    lines: [FileLine; 2],
}

impl House {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in ["out", "in"] {
            fs::create_dir(at(name)).unwrap();
        }
        let clock = || "2024-06-01T05:00:00Z".parse().unwrap();
        let desk = Desk::open(DeskConfig {
            keys: [("T99999999H0001".to_owned(), *b"demo0123456789ab")].into(),
            folders: Some((at("out"), at("in"))),
            clock: Arc::new(clock),
        });
        let pki = Pki::new();
        let far = validity("2098-01-01T00:00:00Z");
        let identity = pki.ca.server(&["bureau.test"], far).unwrap();
        let mut mock = MockConfig::new(Arc::new(clock));
        mock.tls = Some(MutualTls {
            identity: mocks::Identity {
                certificate_pem: identity.certificate_pem,
                key_pem: identity.key_pem.to_string(),
            },
            client_roots_pem: pki.ca.certificate_pem().to_owned(),
            expired: None,
            wrong_authority: None,
            wrong_name: None,
        });
        mock.desk = Some(desk.clone());
        let bureau = MockBureau::start(mock).await.unwrap();
        let exchange = FileTransport::Exchange {
            out: at("out"),
            r#in: at("in"),
        };
        let https = FileTransport::Https {
            address: Some(bureau.address().to_string()),
            base_path: String::new(),
            protection: Some(pki.mtls()),
        };
        let lines = [
            line(exchange, |_| {}).await.unwrap(),
            line(https, |_| {}).await.unwrap(),
        ];
        Self {
            desk,
            folder,
            _bureau: bureau,
            lines,
        }
    }

    /// Seals `text` as the file of that serial number.
    fn seal(&self, line: &FileLine, serial: u32) -> (FileToSend, PathBuf) {
        let name = format!("T99999999H0001202406012100{serial:03}0");
        let path = self.folder.path().join(format!("{name}.outbox"));
        let seal = line.seal(&"demo-bank".into()).unwrap();
        let mut sealing = seal.begin(&path).unwrap();
        sealing.write_all(TEXT.as_bytes()).unwrap();
        let FileFacts { size_bytes, sha256 } = sealing.finish().unwrap();
        let file = FileToSend {
            name,
            size_bytes,
            sha256,
        };
        (file, path)
    }

    fn times(&self, file: &FileToSend) -> (usize, usize) {
        let files = self.desk.files();
        let received = &files[&file.name];
        let ours = hex(&file.sha256);
        assert!(received.digests.iter().all(|digest| *digest == ours));
        (received.arrivals, received.effects)
    }
}

/// Asks until the bureau has said something.
async fn word(line: &FileLine, file: &FileToSend) -> Delivery {
    for _ in 0..500 {
        if let Some(word) = line.arrived(file).await.unwrap() {
            return word;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("no word on {}", file.name);
}

#[tokio::test]
async fn a_sealed_file_arrives_and_its_feedback_opens() {
    let house = House::new().await;
    let [exchange, https] = &house.lines;
    let (file, path) = house.seal(exchange, 1);
    assert_eq!(exchange.deliver(&file, &path).await, Delivery::Placed);
    assert_eq!(word(exchange, &file).await, Delivery::Arrived);
    assert_eq!(exchange.deliver(&file, &path).await, Delivery::Arrived);
    assert_eq!(house.times(&file), (1, 1));
    // The same feedback by both ways.
    for line in &house.lines {
        assert_eq!(line.feedback().await, Ok(vec![ACCEPTED.to_owned()]));
        let to = house.folder.path().join("feedback.enc");
        line.fetch(ACCEPTED, &to).await.unwrap().unwrap();
        let mut text = String::new();
        let seal = line.seal(&"demo-bank".into()).unwrap();
        seal.open(&to).unwrap().read_to_string(&mut text).unwrap();
        assert!(text.starts_with("A072"), "{text}");
        assert!(text.contains(ACCEPTED), "{text}");
    }
    let (second, path) = house.seal(https, 2);
    assert_eq!(https.deliver(&second, &path).await, Delivery::Arrived);
    let again = https.deliver(&second, &path).await;
    assert_eq!(again, Delivery::AlreadyReceived);
    assert_eq!(house.times(&second), (2, 1));
}

#[tokio::test]
async fn after_a_lost_acknowledgment_received_before_means_arrived() {
    let house = House::new().await;
    let [exchange, https] = &house.lines;
    house.desk.lose_acknowledgments(1);
    let (file, path) = house.seal(https, 1);
    let lost = https.deliver(&file, &path).await;
    assert_eq!(lost, unknown("status_5xx"));
    assert!(lost.may_go_again());
    let again = https.deliver(&file, &path).await;
    assert!(again.has_arrived(), "{again:?}");
    assert_eq!(house.times(&file), (2, 1));

    house.desk.lose_acknowledgments(1);
    let (file, path) = house.seal(exchange, 2);
    assert_eq!(exchange.deliver(&file, &path).await, Delivery::Placed);
    let put = house.folder.path().join(format!("out/{}.enc", file.name));
    for _ in 0..500 {
        if !put.exists() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(exchange.arrived(&file).await, Ok(None));
    assert_eq!(exchange.deliver(&file, &path).await, Delivery::Placed);
    assert_eq!(word(exchange, &file).await, Delivery::AlreadyReceived);
    assert_eq!(house.times(&file), (2, 1));
}

#[tokio::test]
async fn a_file_under_another_key_is_answered_and_not_taken_in() {
    let house = House::new().await;
    let [exchange, https] = &house.lines;
    for (line, serial) in [(exchange, 1), (https, 2)] {
        let (mut file, path) = house.seal(line, serial);
        let mut bytes = fs::read(&path).unwrap();
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        fs::write(&path, &bytes).unwrap();
        file.sha256 = sha256(&bytes);
        let delivery = line.deliver(&file, &path).await;
        assert!(matches!(delivery, Delivery::Placed | Delivery::Arrived));
        if delivery == Delivery::Placed {
            word(line, &file).await;
        }
        assert_eq!(house.times(&file), (1, 0));
    }
}
