//! No synthetic name or number may stand anywhere that it need not: the whole
//! demo at the most talkative level, and then a search in all its forms.

pub(crate) mod forms;

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use forms::{Secret, find};

/// The people of the demo, and the number of each.
fn people() -> Vec<Secret> {
    let mut secrets = Vec::new();
    for (name, seq) in [
        ("测试甲", 1),
        ("测试丙", 902),
        ("测试乙", 901),
        ("测试戊", 11),
        ("测试庚", 12),
    ] {
        secrets.push(Secret::new(name));
        secrets.push(Secret::new(&mocks::synthetic_resident_id(seq)));
    }
    // The borrowers of the submission; their names begin as those above.
    for seq in [300, 303, 349] {
        secrets.push(Secret::new(&mocks::synthetic_resident_id(seq)));
    }
    // The telephone numbers of the sample reports.
    secrets.push(Secret::new("10000000001"));
    secrets
}

/// Every file below a folder but those that a newcomer asked for: a bundle
/// discloses what its reader may know, and the configuration names nobody.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(files(&path));
        } else {
            all.push(path);
        }
    }
    all
}

#[test]
fn the_search_finds_a_secret_in_each_of_its_forms() {
    forms::tests();
}

#[test]
fn the_whole_demo_at_trace_level_leaves_no_personal_datum() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("demo-data");
    let log = folder.path().join("log.txt");
    let mut demo = Command::new(env!("CARGO_BIN_EXE_creditgate"))
        .args(["demo", "--log", "trace", "--folder"])
        .arg(&data)
        .stdout(Stdio::piped())
        .stderr(fs::File::create(&log).unwrap())
        .spawn()
        .unwrap();
    let mut said = String::new();
    let mut out = BufReader::new(demo.stdout.take().unwrap());
    let operations = loop {
        let mut line = String::new();
        assert!(
            out.read_line(&mut line).unwrap() > 0,
            "the demo ended:\n{said}"
        );
        said.push_str(&line);
        if let Some(url) = line
            .trim()
            .strip_prefix("curl ")
            .filter(|l| l.ends_with("/readyz"))
        {
            break url.strip_suffix("/readyz").unwrap().to_owned();
        }
    };
    let metrics = http_get(operations.strip_prefix("http://").unwrap(), "/metrics");
    assert!(metrics.contains("inquiries_ended_total"), "{metrics}");
    let pid = demo.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-TERM", &pid])
            .status()
            .unwrap()
            .success()
    );
    let deadline = Instant::now() + Duration::from_secs(30);
    while demo.try_wait().unwrap().is_none() {
        assert!(Instant::now() < deadline, "the demo does not stop");
        std::thread::sleep(Duration::from_millis(20));
    }
    out.read_to_string(&mut said).unwrap();

    let secrets = people();
    let mut searched = 0_u64;
    let mut check = |what: &str, bytes: &[u8]| {
        searched += bytes.len() as u64;
        for secret in &secrets {
            if let Some(form) = find(bytes, secret) {
                panic!("{what} holds a personal datum as {form}");
            }
        }
    };
    check("standard output", said.as_bytes());
    check("the metrics", metrics.as_bytes());
    check("the log", &fs::read(&log).unwrap());
    for file in files(&data) {
        let name = file.display().to_string();
        check("a file name", name.as_bytes());
        check(&name, &fs::read(&file).unwrap());
    }
    // The search saw what it was to see.
    assert!(searched > 1_000_000, "only {searched} bytes were searched");
}

fn http_get(address: &str, path: &str) -> String {
    use std::io::Write as _;
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).unwrap();
    reply
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dump_of_postgresql_holds_no_personal_datum() {
    let Some(database) = crate::support::postgres_database().await else {
        return;
    };
    let plan = creditgate::demo::Plan {
        database: Some(database.clone()),
        ..creditgate::demo::Plan::new(creditgate::platform::clock::Clock::system())
    };
    let test = crate::support::TestGateway::start_with(plan).await;
    let subject = test.person("测试甲", &mocks::synthetic_resident_id(1));
    test.authorize(
        &subject,
        &[creditgate::authorizations::Purpose::LoanApproval],
    )
    .await;
    let body = crate::support::inquiry(&subject, "loan_approval");
    let asked = test
        .officer
        .inquire(&body, &crate::support::key(), 20)
        .await
        .unwrap();
    assert_eq!(crate::support::state(&asked), "answered");
    let dump = Command::new(pg_dump()).arg(&database).output().unwrap();
    assert!(
        dump.status.success(),
        "{}",
        String::from_utf8_lossy(&dump.stderr)
    );
    assert!(String::from_utf8_lossy(&dump.stdout).contains("audit_entries"));
    for secret in people() {
        assert_eq!(find(&dump.stdout, &secret), None);
    }
    test.stop().await;
}

/// The newest `pg_dump` of this machine.
fn pg_dump() -> PathBuf {
    let mut found: Vec<_> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|version| Some(version.ok()?.path().join("bin/pg_dump")))
        .filter(|path| path.exists())
        .collect();
    found.sort();
    found.pop().unwrap_or_else(|| PathBuf::from("pg_dump"))
}
