//! One engine: a record that is not embedded comes in as a folder of tables.

use std::fs;
use std::path::Path;

use schemas::edition::{Edition, EditionError};
use tempfile::TempDir;

use crate::support::{codes, findings, personal, samples, testdata};

/// A copy of the tables of record 510 in a folder of its own.
fn dropped() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(testdata("overlay-510")).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, folder.path().join(path.file_name().unwrap())).unwrap();
    }
    folder
}

fn problems(result: Result<Edition, EditionError>) -> Vec<String> {
    match result {
        Err(EditionError::Tables(errors)) => errors.iter().map(ToString::to_string).collect(),
        other => panic!(
            "tables should be refused: {:?}",
            other.map(|e| e.plans().len())
        ),
    }
}

/// Replaces text in one table of a folder.
fn change(folder: &Path, file: &str, from: &str, to: &str) {
    let path = folder.join(file);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{file} holds {from}");
    fs::write(&path, text.replacen(from, to, 1)).unwrap();
}

#[test]
fn a_record_laid_over_the_edition_validates_and_comes_back() {
    assert!(personal().plan("510").is_none());
    let folder = dropped();
    let edition = personal().overlay(folder.path()).unwrap();
    let plan = edition.plan("510").unwrap();
    for (name, line) in samples("510") {
        assert_eq!(findings(plan, &line), [], "sample {name}");
        let mut written = Vec::new();
        plan.write(&plan.read(line.as_bytes()).unwrap(), &mut written)
            .unwrap();
        assert_eq!(String::from_utf8(written).unwrap(), line, "sample {name}");
    }
    let (_, line) = samples("510").remove(1);
    let broken = [
        (
            "<GuarType>1</GuarType>",
            "<GuarType>2</GuarType>",
            vec!["BPR001", "BPR001"],
        ),
        ("<PleNm>1</PleNm>", "<PleNm>2</PleNm>", vec!["ABE010"]),
        ("<CcExpDate>2034", "<CcExpDate>2014", vec!["BPE001"]),
        (
            "<CcValDate>2024-05-20",
            "<CcValDate>2024-05-32",
            vec!["ABE008"],
        ),
    ];
    for (from, to, expected) in broken {
        assert!(line.contains(from), "sample holds {from}");
        assert_eq!(
            codes(&findings(plan, &line.replace(from, to))),
            expected,
            "case {to}"
        );
    }
    assert!(edition.plan("210").is_some(), "what is not overlaid stays");
    assert_eq!(edition.official("BPE001").next().unwrap().record, "510");
}

#[test]
fn an_overlay_replaces_the_rows_of_a_record_table_by_table() {
    let folder = tempfile::tempdir().unwrap();
    let rules = "rule\trecord\twhen\tmust\tcode\ttags\tnote\n\
                 X1\t214\t\tlen(DelRecCode) <= 3\tXXX001\tDelRecCode\t\n";
    fs::write(folder.path().join("rules.tsv"), rules).unwrap();
    let edition = personal().overlay(folder.path()).unwrap();
    let (_, line) = samples("214").remove(0);
    let found = findings(edition.plan("214").unwrap(), &line);
    assert_eq!(codes(&found), ["XXX001"]);
    assert_eq!((&*found[0].rule, &*found[0].path), ("X1", "DelRecCode"));
}

#[test]
fn a_malformed_table_is_refused_by_file_line_and_column() {
    let cases = [
        (
            "rules.tsv",
            "MotgaCltalCtrctBsSgmt.RptDate <= header.date",
            "MotgaCltalCtrctBsSgmt.RptDat <= header.date",
            "line 3, column must: at character 1: no item or segment MotgaCltalCtrctBsSgmt.RptDat here",
        ),
        (
            "rules.tsv",
            "id_ok(MotgaCltalCtrctBsSgmt.CertType",
            "id_fine(MotgaCltalCtrctBsSgmt.CertType",
            "line 4, column must: at character 1: no condition id_fine with 3 arguments",
        ),
        (
            "rules.tsv",
            "ComRecInfSgmt.GrtdNm > 0",
            "ComRecInfSgmt.OtrRec.GuarName = 1",
            "line 27, column must: at character 1: ComRecInfSgmt.OtrRec.GuarName repeats: \
             ask with all, any or count",
        ),
        (
            "segments.tsv",
            "MotgaCltalBsInfSgmt.GuarType = 1",
            "MotgaCltalBsInfSgmt.GuarType = 7",
            "line 6, column required_when: at character 32: the item has no code 7",
        ),
        (
            "segments.tsv",
            "\tGrtdNm\t",
            "\tGrtNm\t",
            "line 5, column counter: no whole number of this name beside the group",
        ),
        (
            "segments.tsv",
            "510\tMotgaCltalBsInfSgmt\t",
            "510\tMotgaCltalCtrctBsSgmt\t",
            "line 3, column zh: a second row of a segment only adds conditions",
        ),
        (
            "items.tsv",
            "\tCollateralRptDateCode\t",
            "\tNoList\t",
            "line 5, column codes: no code list NoList",
        ),
        (
            "items.tsv",
            "\tdate\t",
            "\tday\t",
            "line 4, column kind: no kind day",
        ),
        (
            "codes.tsv",
            "\ten\t",
            "\tenglish\t",
            "line 1, column english: unknown column",
        ),
        (
            "roles.tsv",
            "MotgaCltalCtrctBsSgmt/CcCode",
            "MotgaCltalCtrctBsSgmt/CcCod",
            "line 2, column key: no item MotgaCltalCtrctBsSgmt/CcCod outside of groups",
        ),
        (
            "roles.tsv",
            "\tnormal\t",
            "\trename\t",
            "line 2, column new_key: stands where the record renames, and only there",
        ),
        (
            "items.tsv",
            "\t合同类型\t",
            "\t血型\t",
            "line 11, column zh: such information must not be collected",
        ),
        (
            "records.tsv",
            "510\t",
            "519\t",
            "line 2, column record: no record \"510\"",
        ),
    ];
    for (file, from, to, expected) in cases {
        let folder = dropped();
        change(folder.path(), file, from, to);
        let problems = problems(personal().overlay(folder.path()));
        let expected = format!("{}, {expected}", folder.path().join(file).display());
        let named = if file == "records.tsv" {
            "segments.tsv"
        } else {
            file
        };
        let expected = expected.replace(file, named);
        assert!(
            problems.contains(&expected),
            "case {to}: {problems:#?} lacks {expected}"
        );
    }
    let folder = dropped();
    fs::write(folder.path().join("item.tsv"), "").unwrap();
    let problems = problems(personal().overlay(folder.path()));
    assert!(problems[0].ends_with("item.tsv, line 1: no table of this name is known"));
}

#[test]
fn all_that_is_wrong_is_told_at_once() {
    let folder = dropped();
    change(folder.path(), "rules.tsv", "BPE001\t0000", "BPE001\tNoTag");
    change(folder.path(), "items.tsv", "\tdate\t", "\tday\t");
    change(
        folder.path(),
        "segments.tsv",
        "required_code",
        "required_codes",
    );
    assert!(problems(personal().overlay(folder.path())).len() >= 3);
}
