//! The desk, by its folders and by its door.

mod database;
mod door;
mod lies;

use std::{
    fs,
    path::Path,
    process::Command,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use mocks::{Desk, DeskConfig, Lie};

use crate::parcel::{self, KEY, ORG, opened};

const NAME: &str = "T99999999H0001202606012100001";

fn keys() -> std::collections::BTreeMap<String, [u8; 16]> {
    [(ORG.to_owned(), KEY)].into()
}

fn clock() -> mocks::Clock {
    let at: Timestamp = "2026-06-01T02:00:00Z".parse().unwrap();
    Arc::new(move || at)
}

/// A file of these loans, sealed.
fn sealed(lines: &[String]) -> Vec<u8> {
    parcel::sealed("210", lines)
}

fn loan(number: u32, edits: &[(&str, &str)]) -> String {
    let mut line = parcel::loan(number);
    for (from, to) in edits {
        assert!(line.contains(from), "{from}");
        line = line.replace(from, to);
    }
    line
}

struct Folders {
    root: tempfile::TempDir,
    desk: Desk,
}

impl Folders {
    fn open() -> Self {
        let root = tempfile::tempdir().unwrap();
        let (out, inside) = (root.path().join("out"), root.path().join("in"));
        fs::create_dir(&out).unwrap();
        fs::create_dir(&inside).unwrap();
        let desk = Desk::open(DeskConfig {
            keys: keys(),
            folders: Some((out, inside)),
            clock: clock(),
        });
        Self { root, desk }
    }

    fn put(&self, name: &str, bytes: &[u8]) {
        let out = self.root.path().join("out");
        fs::write(out.join(".part"), bytes).unwrap();
        fs::rename(out.join(".part"), out.join(format!("{name}.enc"))).unwrap();
    }

    /// The bytes of a file that appears inside, soon.
    fn wait(&self, file: &str) -> Vec<u8> {
        let path = self.root.path().join("in").join(file);
        let since = Instant::now();
        loop {
            if let Ok(bytes) = fs::read(&path) {
                return bytes;
            }
            assert!(since.elapsed() < Duration::from_secs(60), "no {file}");
            thread::sleep(Duration::from_millis(5));
        }
    }
}

#[test]
fn a_file_takes_effect_once_and_is_answered_record_by_record() {
    let folders = Folders::open();
    let name = format!("{NAME}0");
    let file = sealed(&[
        loan(1, &[]),
        loan(2, &[("<Cy>CNY</Cy>", "<Cy>CNX</Cy>")]),
        loan(3, &[]),
    ]);
    folders.put(&name, &file);
    let ack = String::from_utf8(folders.wait(&format!("{name}.ack"))).unwrap();
    assert_eq!(ack.len(), 65);
    let feedback = opened(&folders.wait(&format!("{NAME}3.enc")));
    let mut lines = feedback.lines();
    let header = lines.next().unwrap();
    assert_eq!(header.len(), 72);
    assert_eq!(&header[9..39], format!("{NAME}3"));
    assert_eq!(&header[58..], "00000020000001");
    assert!(lines.next().unwrap().contains("<ErrRecId>3</ErrRecId><FbErrNum>1</FbErrNum><ErrInf><FbCode>ABE001</FbCode><FbMsg>Cy</FbMsg>"));
    folders.put(&name, &file);
    assert_eq!(folders.wait(&format!("{name}.nak")), b"ABF009\n");
    let seen = &folders.desk.files()[&name];
    assert_eq!(
        (seen.arrivals, seen.effects, seen.accepted, seen.rejected),
        (2, 1, 2, 1)
    );
    assert_eq!(seen.digests[0], seen.digests[1]);
    assert_eq!(folders.desk.accounts("210"), 2);
    let account = folders
        .desk
        .account("210", "T99999999H0001DK0000000001")
        .unwrap();
    assert_eq!(
        (account.account_type.as_str(), account.taken.len()),
        ("D1", 1)
    );
}

#[test]
fn its_database_refuses_what_cannot_follow() {
    let folders = Folders::open();
    let again = |number| loan(number, &[]);
    let closed = [
        ("<AcctStatus>1<", "<AcctStatus>3<"),
        ("<AcctBal>500000<", "<AcctBal>0<"),
        ("<RpyStatus>*<", "<RpyStatus>C<"),
        ("<CloseDate><", "<CloseDate>2024-06-18<"),
        ("<RptDate>2024-05-20<", "<RptDate>2024-06-18<"),
        ("<Month>2024-05<", "<Month>2024-06<"),
    ];
    let card = include_str!("../../../schemas/testdata/pboc-submit-personal/210-r2.xml");
    let (before, after) = card.split_once("<AcctCode>").unwrap();
    let (_, after) = after.split_once('<').unwrap();
    let card = format!("{before}<AcctCode>T99999999H0001DK0000000001<{after}");
    let files = [
        (1, vec![loan(1, &[])], "1"),
        (2, vec![again(1)], "BLR027"),
        (3, vec![card], "BLR019"),
        (4, vec![loan(1, &closed)], "1"),
        (5, vec![loan(1, &closed)], "BLR020"),
        (6, vec![loan(7, &[]), loan(7, &[])], "ABR002"),
    ];
    for (serial, lines, expected) in files {
        let first = format!("T99999999H0001202606012100{serial:03}");
        folders.put(&format!("{first}0"), &sealed(&lines));
        if expected == "1" {
            folders.wait(&format!("{first}1.enc"));
        } else {
            let text = opened(&folders.wait(&format!("{first}3.enc")));
            assert!(
                text.contains(&format!("<FbCode>{expected}</FbCode>")),
                "{serial}: {text}"
            );
        }
    }
    let account = folders
        .desk
        .account("210", "T99999999H0001DK0000000001")
        .unwrap();
    assert!(account.closed);
}

#[test]
fn what_is_no_file_is_refused_whole_and_lies_are_told_on_demand() {
    let folders = Folders::open();
    let name = format!("{NAME}0");
    folders.put(&name, b"0123456789abcdef");
    let text = opened(&folders.wait(&format!("{NAME}2.enc")));
    assert!(text.contains("<FbCode>ABF00"), "{text}");
    assert_eq!(folders.desk.files()[&name].effects, 0);
    folders.desk.lie(Lie::WrongLines);
    folders.desk.spite("T99999999H0001DK0000000009", "BLR024");
    folders.desk.lose_acknowledgments(1);
    let second = "T99999999H0001202606012100002";
    folders.put(
        &format!("{second}0"),
        &sealed(&[loan(9, &[]), loan(8, &[])]),
    );
    let text = opened(&folders.wait(&format!("{second}3.enc")));
    assert!(
        text.contains("<ErrRecId>3</ErrRecId>") && text.contains("BLR024"),
        "{text}"
    );
    assert!(
        !folders
            .root
            .path()
            .join(format!("in/{second}0.ack"))
            .exists()
    );
    assert!(is_sealed(&folders.wait(&format!("{second}3.enc"))));
}

/// Whether openssl, which knows nothing of us, finds the same text in it.
fn is_sealed(sealed: &[u8]) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sealed");
    fs::write(&path, sealed).unwrap();
    let hex: String = KEY.iter().map(|byte| format!("{byte:02x}")).collect();
    let out = Command::new("openssl")
        .args(["enc", "-d", "-sm4-ecb", "-K", &hex, "-in"])
        .arg(Path::new(&path))
        .output()
        .expect("openssl is installed");
    out.stdout.starts_with(&[0x1f, 0x8b])
}
