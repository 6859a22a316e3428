//! Imports against both databases.

use std::{collections::HashMap, sync::Arc};

use super::*;
use crate::{
    authorizations::{
        sample,
        tests::{NOW, Remember, caller, house},
    },
    operators::Role,
    testing::databases,
};

struct Scans(HashMap<&'static str, Vec<u8>>);

impl Originals for Scans {
    fn read(&self, name: &str) -> io::Result<Zeroizing<Vec<u8>>> {
        let bytes = self.0.get(name).ok_or(io::ErrorKind::NotFound)?;
        Ok(Zeroizing::new(bytes.clone()))
    }
}

fn scans() -> Scans {
    Scans([("a.pdf", b"signed".to_vec()), ("empty.pdf", Vec::new())].into())
}

const GOOD: &str = "R,inquire,person,10,999999199001010016,测试甲,pboc;baihang,loan_approval,credit,\
    2026-03-02T03:00:00Z,,,privacy,1,1,a.pdf";

fn file(rows: &[String]) -> String {
    format!("\u{feff}{}\n{}\n", COLUMNS.join(","), rows.join("\n"))
}

/// The good row with another value in one column.
fn with(reference: &str, column: &str, value: &str) -> String {
    let mut fields: Vec<&str> = GOOD.split(',').collect();
    fields[0] = reference;
    let place = COLUMNS.iter().position(|it| *it == column).unwrap();
    fields[place] = value;
    fields.join(",")
}

async fn import(
    all: &Authorizations,
    by: &Caller,
    text: &[u8],
) -> (
    Result<Imported, ImportError>,
    Vec<(u64, &'static str, &'static str)>,
) {
    let mut findings = Vec::new();
    let result = all
        .import(by, text, &scans(), NOW, |it| {
            findings.push((it.line, it.field, it.code));
            Ok(())
        })
        .await;
    (result, findings)
}

#[tokio::test]
async fn good_rows_go_on_and_the_same_file_again_changes_nothing() {
    let remember = Arc::<Remember>::default();
    for test in databases(remember.clone()).await {
        let (all, by) = house(&test.db).await;
        let mut rows: Vec<String> = (0..200)
            .map(|n| with(&format!("ref-{n}"), "name", "测试甲"))
            .collect();
        rows[7] = with("ref-7", "id_number", "999999199001010017");
        rows[9] = with("ref-8", "name", "测试甲");
        rows[10] = with("ref-8", "purposes", "post_loan");
        let text = file(&rows);
        let bad = [
            (9, "id_number", "ident_checksum"),
            (12, "external_ref", "reference_taken"),
        ];
        let (told, findings) = import(&all, &by, text.as_bytes()).await;
        let expected = Imported {
            rows: 200,
            recorded: 197,
            already: 1,
            set_aside: 2,
        };
        assert_eq!(told.unwrap(), expected, "{}", test.name);
        assert_eq!(findings, bad, "{}", test.name);
        remember.take();
        let (told, findings) = import(&all, &by, text.as_bytes()).await;
        let expected = Imported {
            rows: 200,
            recorded: 0,
            already: 198,
            set_aside: 2,
        };
        assert_eq!(told.unwrap(), expected, "{}", test.name);
        assert_eq!(findings, bad, "{}", test.name);
        assert!(remember.take().is_empty(), "{}", test.name);
        let listed = all.of_subject(&by, sample::me().document()).await.unwrap();
        assert_eq!(listed.len(), 197, "{}", test.name);
    }
}

#[tokio::test]
async fn a_finding_names_line_field_and_code_of_all_that_is_wrong() {
    let long = "9".repeat(15);
    let cases: [(&str, &str, &[&str]); 24] = [
        ("external_ref", &long, &["reference_malformed"]),
        ("external_ref", "", &["empty"]),
        ("kind", "ask", &["kind_unknown"]),
        ("subject_kind", "human", &["subject_kind_unknown"]),
        ("id_type", "77", &["ident_type"]),
        ("id_number", "99999919900101", &["ident_length"]),
        ("name", "测试1", &["name_malformed"]),
        ("bureaus", "", &["empty"]),
        ("bureaus", ";", &["list_unknown"]),
        ("bureaus", "征信", &["list_unknown"]),
        ("purposes", "loan_approval;02", &["list_unknown"]),
        ("purposes", "", &["empty"]),
        ("categories", "all", &["list_unknown"]),
        ("signed_at", "", &["empty"]),
        ("signed_at", "yesterday", &["time_malformed"]),
        ("signed_at", "2026-03-03", &["signed_in_future"]),
        ("signed_at", "2026-02-28", &["policy_unknown"]),
        ("valid_from", "2026-03-01", &["one_day_only"]),
        ("valid_until", "tomorrow", &["date_malformed"]),
        ("policy_version", "2", &["policy_unknown"]),
        ("subjects_on_form", "2", &["form_of_several"]),
        ("evidence_file", "b.pdf", &["original_unreadable"]),
        ("evidence_file", "empty.pdf", &["original_size"]),
        ("evidence_file", "a.pdf,", &["row_length"]),
    ];
    let test = databases(Arc::<Remember>::default()).await.remove(0);
    let (all, by) = house(&test.db).await;
    let rows: Vec<String> = cases
        .iter()
        .map(|(column, value, _)| with("one", column, value))
        .collect();
    let (told, findings) = import(&all, &by, file(&rows).as_bytes()).await;
    let told = told.unwrap();
    assert_eq!(told.set_aside, cases.len() as u64, "{findings:?}");
    for (n, (column, value, codes)) in cases.iter().enumerate() {
        let line = n as u64 + 2;
        let found: Vec<_> = findings
            .iter()
            .filter(|it| it.0 == line)
            .map(|it| it.2)
            .collect();
        assert_eq!(found, *codes, "{column} = {value}");
    }

    let two = "one,ask,person,10,999999199001010017,测试1,pboc,,,,2026-03-02,2026-03-01,,,1,a.pdf";
    let mut bytes = file(&[two.to_owned()]).into_bytes();
    bytes.extend(
        GOOD.replace("测试甲", "@")
            .bytes()
            .map(|b| if b == b'@' { 0xff } else { b }),
    );
    let (_, findings) = import(&all, &by, &bytes).await;
    let codes: Vec<_> = findings.iter().map(|it| it.2).collect();
    let expected = [
        "kind_unknown",
        "ident_checksum",
        "empty",
        "days_reversed",
        "empty",
        "empty",
        "not_utf8",
    ];
    assert_eq!(codes, expected, "{findings:?}");
}

#[tokio::test]
async fn a_wrong_header_or_role_imports_nothing() {
    let test = databases(Arc::<Remember>::default()).await.remove(0);
    let (all, by) = house(&test.db).await;
    let text = file(&[GOOD.to_owned()]).replace("signed_at", "signed");
    let (told, findings) = import(&all, &by, text.as_bytes()).await;
    assert!(matches!(told, Err(ImportError::Header)));
    let expected = [
        (1, "", "column_unknown"),
        (1, "signed_at", "column_missing"),
    ];
    assert_eq!(findings, expected);
    let mut regulator = caller("bank");
    regulator.roles = [Role::Regulator].into();
    let (told, _) = import(&all, &regulator, file(&[GOOD.to_owned()]).as_bytes()).await;
    assert!(matches!(told, Err(ImportError::Authorization(_))));
    assert!(
        all.of_subject(&by, sample::me().document())
            .await
            .unwrap()
            .is_empty()
    );
}

#[test]
fn originals_outside_the_folder_are_not_read() {
    let whole = tempfile::tempdir().unwrap();
    let inside = whole.path().join("scans");
    fs::create_dir(&inside).unwrap();
    fs::write(inside.join("a.pdf"), b"signed").unwrap();
    fs::write(whole.path().join("secret"), b"key").unwrap();
    std::os::unix::fs::symlink(whole.path().join("secret"), inside.join("link")).unwrap();
    let folder = Folder::new(&inside).unwrap();
    assert_eq!(&**folder.read("a.pdf").unwrap(), b"signed");
    let secret = whole.path().join("secret");
    for outside in [
        "../secret",
        "link",
        "scans/../../secret",
        secret.to_str().unwrap(),
        "",
    ] {
        assert!(folder.read(outside).is_err(), "{outside}");
    }
}

#[test]
fn a_findings_file_says_what_is_wrong_and_right_in_both_languages() {
    let mut bytes = Vec::new();
    let mut file = FindingsFile::new(&mut bytes).unwrap();
    file.add(&problem(3, "kind", &finding::KIND)).unwrap();
    file.finish().unwrap();
    let text = String::from_utf8(bytes).unwrap();
    assert_eq!(
        text,
        "line,field,code,wrong_zh,right_zh,wrong_en,right_en\n\
         3,kind,kind_unknown,未知的授权种类,inquire 或 provide,\
         unknown kind of authorization,inquire or provide\n"
    );
}
