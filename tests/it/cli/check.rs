//! `creditgate schemas check`: anybody's submission files.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use flate2::{Compression, write::GzEncoder};
use pboc::pack::{FileKey, Packer};
use serde_json::Value;

use super::{complaint, creditgate, expect};

const NAME: &str = "T99999999H00012024060121000010";
const KEY: &[u8] = b"0123456789abcdeF";

fn sample() -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas/testdata/pboc-submit-files");
    fs::read_to_string(folder.join(format!("file-{NAME}.txt"))).unwrap()
}

/// A folder with a submission file of that text.
fn folder(text: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(format!("{NAME}.txt"));
    fs::write(&file, text).unwrap();
    (folder, file)
}

/// Each line of the output as an object.
fn rows(printed: &str) -> Vec<Value> {
    let lines = printed.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn a_clean_file_says_so_and_a_program_reads_nothing() {
    let (folder, _) = folder(&sample());
    let line = format!("schemas check {NAME}.txt --lang en");
    let said = expect(folder.path(), 0, &line);
    let expected = "2 records, 0 wrong, 0 warnings; would be accepted";
    assert_eq!(said, format!("{NAME}.txt: {expected}\n"));
    assert_eq!(expect(folder.path(), 0, &format!("{line} --json")), "");
}

#[test]
fn a_program_reads_one_object_a_finding() {
    let bad = sample()
        .replacen("2.0.0", "3.0.0", 1)
        .replacen("<LoanAmt>", "<LoanAmt>x", 1);
    let (folder, _) = folder(&bad);
    let line = format!("schemas check {NAME}.txt --json --lang en");
    let rows = rows(&expect(folder.path(), 1, &line));
    let file = Value::from(format!("{NAME}.txt"));
    let keys = |row: &Value| -> Vec<String> { row.as_object().unwrap().keys().cloned().collect() };
    assert_eq!(rows.len(), 2);
    assert_eq!(
        keys(&rows[0]),
        ["file", "message", "rule", "tag", "warning"]
    );
    assert_eq!(
        (&rows[0]["file"], &rows[0]["warning"]),
        (&file, &"ABH006".into())
    );
    assert_eq!(
        keys(&rows[1]),
        ["code", "file", "message", "record", "rule", "tag"]
    );
    assert_eq!(
        (&rows[1]["record"], &rows[1]["code"]),
        (&1.into(), &"ABE001".into())
    );
    assert_eq!(rows[1]["tag"], "LoanAmt");
    let message = rows[1]["message"].as_str().unwrap();
    assert!(message.starts_with("AcctBsInfSgmt/LoanAmt: "), "{message}");
}

#[test]
fn a_warning_alone_does_not_change_the_exit_status() {
    let (folder, _) = folder(&sample().replacen("0000002\r", "0000009\r", 1));
    let line = format!("schemas check {NAME}.txt --json");
    let rows = rows(&expect(folder.path(), 0, &line));
    assert_eq!(rows[0]["warning"], "header-count-true");
    assert_eq!(rows[0].get("record"), None);
}

#[test]
fn the_feedback_file_stands_beside_the_file_in_the_mandated_form() {
    let (folder, file) = folder(&sample().replacen("<LoanAmt>", "<LoanAmt>x", 1));
    let at = |flag| folder.path().join(format!("{}{flag}.txt", &NAME[..29]));
    expect(
        folder.path(),
        1,
        &format!("schemas check {NAME}.txt --feedback"),
    );
    let answer = fs::read_to_string(at(3)).unwrap();
    let lines: Vec<&str> = answer.split("\r\n").collect();
    assert_eq!(lines.len(), 3, "{answer}");
    assert!(lines[0].starts_with(&format!("A0722.0.0{}32.0.0", &NAME[..29])));
    assert!(lines[0].len() == 72 && lines[0].ends_with("00000010000001"));
    let told =
        "<FbErrNum>1</FbErrNum><ErrInf><FbCode>ABE001</FbCode><FbMsg>LoanAmt</FbMsg></ErrInf>";
    assert!(lines[1].contains(&format!("<ErrRecId>2</ErrRecId>{told}")));
    // The same file mended, then without the end of its last line, which has no answer.
    fs::write(&file, sample()).unwrap();
    expect(
        folder.path(),
        0,
        &format!("schemas check {NAME}.txt --feedback"),
    );
    assert!(at(1).exists());
    fs::remove_file(at(1)).unwrap();
    fs::write(&file, sample().trim_end()).unwrap();
    expect(
        folder.path(),
        1,
        &format!("schemas check {NAME}.txt --feedback"),
    );
    let names = fs::read_dir(folder.path()).unwrap();
    let mut names: Vec<_> = names.map(|it| it.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(
        names,
        [file.file_name().unwrap(), at(3).file_name().unwrap()]
    );
}

#[test]
fn packed_and_sealed_files_are_looked_into() {
    let (folder, _) = folder(&sample());
    let at = |name: &str| folder.path().join(name);
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(sample().as_bytes()).unwrap();
    let packed = packed.finish().unwrap();
    fs::write(at(&format!("{NAME}.txt.zip")), &packed).unwrap();
    let key = FileKey::parse(KEY).unwrap();
    let mut sealed = Packer::new(Vec::new(), &key);
    sealed.write_all(sample().as_bytes()).unwrap();
    fs::write(at(&format!("{NAME}.enc")), sealed.finish().unwrap()).unwrap();
    fs::write(at("key"), KEY).unwrap();
    fs::write(at("other"), b"0123456789abcdeX").unwrap();
    let check =
        |code, line: &str| expect(folder.path(), code, &format!("schemas check {line} --json"));
    assert_eq!(check(0, &format!("{NAME}.txt.zip")), "");
    assert_eq!(check(0, &format!("{NAME}.enc --key key")), "");
    let rows_of = |code, line: &str| rows(&check(code, line));
    assert_eq!(
        rows_of(1, &format!("{NAME}.enc --key other"))[0]["code"],
        "ABF000"
    );
    fs::write(at(&format!("{NAME}.txt.zip")), &packed[..packed.len() - 9]).unwrap();
    let cut = rows_of(1, &format!("{NAME}.txt.zip"));
    assert_eq!(cut.last().unwrap()["code"], "ABF001");
    let said = complaint(folder.path(), 2, &format!("schemas check {NAME}.enc"));
    assert!(said.contains("--key"), "{said}");
}

#[test]
fn a_file_that_cannot_be_read_is_unusable_and_the_others_are_still_checked() {
    let (folder, _) = folder(&sample().replacen("<LoanAmt>", "<LoanAmt>x", 1));
    let line = format!("schemas check nowhere.txt . {NAME}.txt --json");
    let arguments: Vec<_> = line.split(' ').collect();
    let output = creditgate(folder.path(), &arguments);
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(said.lines().count(), 2, "{said}");
    assert_eq!(rows(&String::from_utf8(output.stdout).unwrap()).len(), 1);
    assert!(complaint(folder.path(), 2, "schemas check").contains("FILES"));
}
