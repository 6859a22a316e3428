//! Sealing by our codec and by a component, which is a shell script here.

use std::{
    io::{Read as _, Write as _},
    time::Duration,
};

use super::*;

const TEXT: &[u8] = "A0502102.0.0\r\n<Document>测试甲</Document>\r\n".as_bytes();

async fn load(config: &SealConfig) -> Result<Seal, SealError> {
    Seal::load(config, &pboc::Pboc::new()).await
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

async fn component(seal: &[&str], open: &[&str]) -> Seal {
    let config = SealConfig::Component {
        seal: words(seal),
        open: words(open),
        timeout_seconds: 1,
    };
    load(&config).await.unwrap()
}

fn text(seal: &Seal, path: &Path) -> std::io::Result<Vec<u8>> {
    let mut text = Vec::new();
    seal.open(path)?.read_to_end(&mut text)?;
    Ok(text)
}

fn sealed(seal: &Seal, path: &Path, text: &[u8]) -> std::io::Result<FileFacts> {
    let mut sealing = seal.begin(path)?;
    sealing.write_all(text)?;
    sealing.finish()
}

#[tokio::test]
async fn a_key_comes_from_a_file_or_a_program_and_is_of_its_form() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file.key");
    write_secret(&file, b"demo0123456789ab\n", Existing::Keep).unwrap();
    let by_file = load(&SealConfig::File { file: file.clone() })
        .await
        .unwrap();
    let by_command = SealConfig::Command {
        command: words(&["echo", "demo0123456789ab"]),
    };
    let by_command = load(&by_command).await.unwrap();
    let (one, other) = (folder.path().join("one"), folder.path().join("other"));
    let facts = sealed(&by_file, &one, TEXT).unwrap();
    assert_eq!(facts, FileFacts::of(&one).unwrap());
    assert_eq!(sealed(&by_command, &other, TEXT).unwrap(), facts);
    assert_eq!(text(&by_command, &one).unwrap(), TEXT);
    for (command, expected) in [
        (&["echo", "short"][..], "16 characters"),
        (&["false"], "the command for the key gave none"),
        (&["/no/such/program"], "the command for the key gave none"),
    ] {
        let command = words(command);
        let error = load(&SealConfig::Command { command }).await.unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }
    fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    let error = load(&SealConfig::File { file }).await.unwrap_err();
    assert!(matches!(error, SealError::Secret(_)), "{error}");
}

#[tokio::test]
async fn a_file_is_there_only_when_it_is_finished_and_nothing_clear_before() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.enc");
    let command = words(&["echo", "demo0123456789ab"]);
    let seal = load(&SealConfig::Command { command }).await.unwrap();
    let mut sealing = seal.begin(&path).unwrap();
    sealing.write_all(&TEXT.repeat(50_000)).unwrap();
    assert!(!path.exists());
    for entry in fs::read_dir(folder.path()).unwrap() {
        let bytes = fs::read(entry.unwrap().path()).unwrap();
        let clear = "测试甲".as_bytes();
        assert!(!bytes.windows(clear.len()).any(|window| window == clear));
    }
    drop(sealing);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);

    sealed(&seal, &path, TEXT).unwrap();
    let mut bytes = fs::read(&path).unwrap();
    bytes[3] ^= 1;
    fs::write(&path, bytes).unwrap();
    let error = text(&seal, &path).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidData);
    assert!(seal.defect(&error).is_some());
}

#[tokio::test]
async fn a_component_seals_and_opens_through_pipes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.enc");
    let key = hex(b"demo0123456789ab");
    let command = words(&["echo", "demo0123456789ab"]);
    let by_us = load(&SealConfig::Command { command }).await.unwrap();
    let seal = format!("gzip -n | openssl enc -e -sm4-ecb -K {key}");
    let open = format!("openssl enc -d -sm4-ecb -K {key} | gzip -d");
    let theirs = component(&["sh", "-c", &seal], &["sh", "-c", &open]).await;
    let facts = sealed(&theirs, &path, TEXT).unwrap();
    assert_eq!(facts, FileFacts::of(&path).unwrap());
    assert_eq!(text(&theirs, &path).unwrap(), TEXT);
    assert_eq!(text(&by_us, &path).unwrap(), TEXT);
    sealed(&by_us, &path, TEXT).unwrap();
    assert_eq!(text(&theirs, &path).unwrap(), TEXT);
}

#[tokio::test]
async fn a_component_that_fails_seals_and_opens_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.enc");
    let big = vec![b'x'; 1 << 20];
    for (case, script) in [
        ("ends badly", "cat; exit 3"),
        ("writes nothing", "cat >/dev/null"),
        ("reads nothing", "exit 0"),
    ] {
        let seal = component(&["sh", "-c", script], &["false"]).await;
        assert!(sealed(&seal, &path, &big).is_err(), "{case}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "{case}");
    }
    let began = std::time::Instant::now();
    let slow = component(&["sleep", "60"], &["sleep", "60"]).await;
    assert!(sealed(&slow, &path, &big).is_err());
    fs::write(&path, b"x").unwrap();
    let error = text(&slow, &path).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidData);
    assert!(began.elapsed() < Duration::from_secs(30));
    // What came before the bad end does not count.
    let bad = component(&["false"], &["sh", "-c", "cat; exit 3"]).await;
    let error = text(&bad, &path).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidData);
    let none = component(&["/no/such/program"], &["/no/such/program"]).await;
    assert!(none.begin(&folder.path().join("y")).is_err());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}
