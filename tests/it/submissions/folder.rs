//! What lies in the exchange folder is what was handed in, and nothing lies
//! anywhere in clear.

use std::{collections::BTreeMap, fs, path::Path, process::Command};

use quick_xml::{Reader, events::Event};
use serde_json::Value;

use super::{sealed::open, site::Site};
use crate::privacy::forms::{Secret, find};

/// The values of a line by their paths, without those that are empty.
fn values(line: &str) -> BTreeMap<String, String> {
    let mut reader = Reader::from_str(line);
    let (mut path, mut all) = (Vec::<String>::new(), BTreeMap::new());
    loop {
        match reader.read_event().unwrap() {
            Event::Start(start) => path.push(start.name().into_inner().to_owned()),
            Event::Text(text) => {
                // Below the document and the record.
                let before = all.insert(path[2..].join("/"), text.to_string());
                assert_eq!(before, None, "no group is in it");
            }
            Event::End(_) => drop(path.pop()),
            Event::Eof => return all,
            other => panic!("{other:?}"),
        }
    }
}

/// The same of what was handed in; what the gateway adds is added.
fn handed_in(line: &Value) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    for (segment, items) in line["data"].as_object().unwrap() {
        for (tag, value) in items.as_object().unwrap() {
            let value = value.as_str().unwrap();
            if !value.is_empty() {
                all.insert(format!("{segment}/{tag}"), value.to_owned());
            }
        }
    }
    let ours = [("InfRecType", "210"), ("RptDateCode", "31")];
    all.extend(ours.map(|(tag, value)| (format!("AcctBsSgmt/{tag}"), value.to_owned())));
    all
}

/// Every file below a folder.
fn files(folder: &Path, all: &mut Vec<(String, Vec<u8>)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, all);
        } else {
            all.push((path.display().to_string(), fs::read(&path).unwrap()));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivered_file_is_line_by_line_what_was_handed_in_and_only_it_is_sealed() {
    let site = Site::start().await;
    site.desk().go_away(true);
    let loans: Vec<_> = (1..=40).map(|number| site.loan(number)).collect();
    let mut lines = Vec::new();
    for loan in &loans {
        site.consent(loan).await;
        lines.push(loan.record());
    }
    let id = site.hand_in(&lines).await;
    let file = site.last_file("delivered").await;
    let name = file["name"].as_str().unwrap();
    let sealed = fs::read(site.out(name)).unwrap();

    let text = open(&site.key(), &sealed);
    let mut told = text.split_terminator("\r\n");
    let header = told.next().unwrap();
    assert!(header.starts_with("A0502102.0.0"), "{header}");
    let told: Vec<&str> = told.collect();
    assert_eq!(told.len(), lines.len());
    assert!(header.ends_with(&format!("{:07}", lines.len())), "{header}");
    for (line, sent) in lines.iter().zip(&told) {
        assert_eq!(values(sent), handed_in(line));
    }

    // A reader of XML that knows the published form only.
    let edition = schemas::edition::Edition::embedded("pboc-submit-personal", site.month_end(0));
    let outside = tempfile::tempdir().unwrap();
    let form = outside.path().join("210.xsd");
    fs::write(&form, edition.unwrap().plan("210").unwrap().xsd()).unwrap();
    let mut command = Command::new("xmllint");
    command.args(["--noout", "--schema"]).arg(&form);
    for (n, line) in told.iter().enumerate() {
        let path = outside.path().join(format!("{n}.xml"));
        fs::write(&path, line).unwrap();
        command.arg(&path);
    }
    let read = command.output().unwrap();
    let complaint = String::from_utf8_lossy(&read.stderr).into_owned();
    assert!(read.status.success(), "{complaint}");

    // Anywhere in the house, before, while and after the file is on its way.
    let mut secrets = vec![Secret::new("测试甲"), Secret::new("<AcctCode>")];
    for loan in [&loans[0], &loans[39]] {
        secrets.push(Secret::new(&loan.borrower.0));
        secrets.push(Secret::new(&loan.code()));
    }
    let search = |when: &str| {
        let mut all = Vec::new();
        files(&site.test.house.folder, &mut all);
        assert!(all.iter().any(|(path, _)| path.contains("creditgate.db")));
        for (path, bytes) in &all {
            for secret in &secrets {
                let found = find(bytes, secret).or_else(|| find(path.as_bytes(), secret));
                assert_eq!(found, None, "{when}: {path}");
            }
        }
    };
    search("on its way");
    site.desk().go_away(false);
    site.all(&id, "accepted").await;
    search("answered");
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn by_the_bureaus_own_door_the_same_records_take_effect_once() {
    let site = Site::by_https().await;
    let (loan, other) = (site.loan(1), site.loan(2));
    site.desk().spite(&other.code(), "BLR024");
    site.consent(&other).await;
    site.consent(&loan).await;
    let id = site.hand_in(&[loan.record(), other.record()]).await;
    let file = site.last_file("answered").await;
    let records = site.records(&id).await;
    assert_eq!(records[0]["state"], "accepted");
    assert_eq!(records[1]["state"], "rejected");
    let received = site.desk().files();
    let received = &received[file["name"].as_str().unwrap()];
    assert_eq!(
        (received.effects, received.accepted, received.rejected),
        (1, 1, 1)
    );
    site.stop().await;
}
