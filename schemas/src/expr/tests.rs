//! The language of conditions, function by function, on a record made for it.

use std::fs;

use crate::edition::Edition;
use crate::record::{Place, Record};
use crate::validate::FileHeader;

/// `item=value` puts an item, `item=` puts it empty, `+` begins an entry of the group G.
fn judged(record: &str, must: &str) -> Result<&'static str, String> {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    let edition = "key\tvalue\nfirst_day\t2020-01-01\nroot\tDocument\nunknown_code\tU\n\
                   range_code\tR\ncounter_code\tC\ncountry_list\tCountry\n";
    write("edition.tsv", edition);
    write(
        "records.tsv",
        "code\telement\tzh\ten\n900\tRec\t记录\trecord\n",
    );
    let codes = "list\tcode\tzh\ten\nCountry\tCHN\t\t\nFew\t1\t\t\nFew\t2\t\t\nFew\tX\t\t\n";
    write("codes.tsv", codes);
    let segments = "record\tpath\tzh\ten\tmax\tcounter\trequired_when\trequired_code\t\
                    forbidden_when\tforbidden_code\n\
                    900\tS\t段\tS\t1\t\t\t\t\t\n900\tS/G\t组\tG\tn\t\t\t\t\t\n";
    write("segments.tsv", segments);
    let mut items = String::from(
        "record\tpath\ttag\tzh\ten\tkind\tlength\tcodes\ttag_when\ttag_code\t\
         tag_forbidden_when\ttag_forbidden_code\tvalue_when\tvalue_code\ttype_code\n",
    );
    for (path, tag, kind, length, list) in [
        (".", "T", "text", "20", ""),
        (".", "U", "text", "20", ""),
        (".", "N", "uint", "9", ""),
        (".", "M", "decimal2", "17", ""),
        (".", "D", "date", "", ""),
        (".", "E", "date", "", ""),
        (".", "O", "month", "", ""),
        (".", "Y", "year", "", ""),
        (".", "F", "code", "", "Few"),
        ("S", "A", "text", "9", ""),
        ("S/G", "K", "code", "", "Few"),
        ("S/G", "V", "text", "9", ""),
        ("S/G", "W", "uint", "9", ""),
    ] {
        let row =
            format!("900\t{path}\t{tag}\t名\tname\t{kind}\t{length}\t{list}\t\t\t\t\t\t\tBAD\n");
        items.push_str(&row);
    }
    write("items.tsv", &items);
    let rules = "rule\trecord\twhen\tmust\tcode\ttags\n";
    write(
        "rules.tsv",
        &format!("{rules}1\t900\t\t{must}\tNO\t0000\n2\t900\t\tnot ({must})\tYES\t0000\n"),
    );
    let edition = Edition::load(folder.path()).map_err(|error| error.to_string())?;
    let plan = edition.plan("900").unwrap();
    let mut made: Record = plan.new_record();
    let mut entry = Place::RECORD;
    for word in record.split_whitespace() {
        let Some((tag, value)) = word.split_once('=') else {
            entry = plan.open(&mut made, Place::RECORD, plan.find("S/G").unwrap());
            continue;
        };
        let (path, place) = match tag {
            "A" => ("S/A".to_owned(), Place::RECORD),
            "K" | "V" | "W" => (format!("S/G/{tag}"), entry),
            _ => (tag.to_owned(), Place::RECORD),
        };
        plan.put(&mut made, place, plan.find(&path).unwrap(), value);
    }
    let header = FileHeader {
        date: "2024-06-15".parse().unwrap(),
        record: "900".to_owned(),
        org: "ORG".to_owned(),
        template: "  ".to_owned(),
    };
    let found = plan.validate(&made, &header);
    let gives = |code: &str| found.iter().any(|finding| finding.code == code);
    // Exactly one of a condition and its contrary is broken, unless neither applies.
    Ok(match (gives("NO"), gives("YES")) {
        (true, false) => "false",
        (false, true) => "true",
        (false, false) => "not applicable",
        (true, true) => "both",
    })
}

fn check(cases: &[(&str, &str, &str)]) {
    for (record, must, expected) in cases {
        let judged = judged(record, must).unwrap();
        assert_eq!(judged, *expected, "{must} on {record}");
    }
}

#[test]
fn a_comparison_that_touches_nothing_is_not_applicable() {
    check(&[
        ("", "T = \"x\"", "not applicable"),
        ("T=", "T = \"x\"", "not applicable"),
        ("N=x", "N = 1", "not applicable"),
        ("N=x", "text(N) = \"x\"", "true"),
        ("", "present(T)", "false"),
        ("T=", "present(T)", "true"),
        ("T=", "filled(T)", "false"),
        ("N=x", "filled(N)", "true"),
        ("A=1", "present(S)", "true"),
        ("", "header.template = 90", "not applicable"),
    ]);
}

#[test]
fn and_or_and_implication_look_past_what_is_not_applicable() {
    check(&[
        ("N=1", "T = \"x\" and N = 2", "false"),
        ("N=1", "T = \"x\" and N = 1", "not applicable"),
        ("N=1", "N = 1 or T = \"x\"", "true"),
        ("N=1", "T = \"x\" or N = 1", "true"),
        ("N=1", "T = \"x\" or N = 2", "not applicable"),
        ("N=1", "T = \"x\" => N = 1", "true"),
        ("N=1", "T = \"x\" => N = 2", "not applicable"),
        ("N=1 T=x", "T = \"x\" => N = 2", "false"),
        ("N=1 T=y", "T = \"x\" => N = 2", "true"),
        ("", "not T = \"x\"", "not applicable"),
        ("", "always", "true"),
    ]);
}

#[test]
fn numbers_dates_and_texts_are_compared_as_what_they_are() {
    check(&[
        ("N=007", "N = 7", "true"),
        ("N=7 M=7.00", "N = M", "true"),
        ("N=10", "N > 9", "true"),
        ("N=9", "N in {9,10}", "true"),
        ("N=9", "N notin {9,10}", "false"),
        ("M=-0.01", "M < 0", "true"),
        ("M=99999999999999999.99 N=1", "M > N", "true"),
        ("D=2024-06-15", "D <= header.date", "true"),
        ("D=2024-06-16", "D <= header.date", "false"),
        ("D=2024-03-01 E=2024-02-01", "days(D, E) = 29", "true"),
        ("D=2024-01-31 O=2023-12", "months(D, O) in {-1,0,1}", "true"),
        (
            "D=2024-01-31 O=2024-03",
            "months(D, O) in {-1,0,1}",
            "false",
        ),
        ("D=2024-01-31 O=2024-01", "month(D) = O", "true"),
        ("Y=2023", "Y >= 2023", "true"),
        ("T=900", "T = header.record", "true"),
        ("T=ORG", "T = header.org", "true"),
        ("F=X T=X", "F = T", "true"),
        ("F=X", "F in {1,X}", "true"),
        ("F=X", "F != X", "false"),
    ]);
}

#[test]
fn functions_of_one_text_or_several_numbers() {
    check(&[
        ("T=21", "starts(T, \"2\")", "true"),
        ("T=𠀀测", "len(T) = 2", "true"),
        ("T=12", "alldigits(T)", "true"),
        ("T=1２", "alldigits(T)", "false"),
        ("M=3.00 N=1", "M = sum(N, N, N)", "true"),
        ("M=0.50 N=1", "M = N - M", "true"),
        ("M=0.50 N=1", "M = N + M", "false"),
        ("N=1", "N = sum(N, M)", "not applicable"),
        ("T=CHN", "known(Country, T)", "true"),
        ("T=XXX", "known(Country, T)", "false"),
        ("T=91999999MA9999XX5B", "usc_ok(T)", "true"),
        ("T=123456788", "org_ok(T)", "true"),
        ("T=9999000000000178", "zzm_ok(T)", "false"),
        ("T=10 U=999999198808080010", "id_ok(T, U, person)", "true"),
        (
            "T=20 U=91999999MA9999XX5C",
            "id_ok(T, U, organization)",
            "false",
        ),
    ]);
}

#[test]
fn groups_are_asked_entry_by_entry() {
    let two = "T=a + K=1 V=a W=5 + K=2 V=b W=6";
    check(&[
        (two, "not all(S.G: W > 5)", "true"),
        (two, "any(S.G: W > 5)", "true"),
        (two, "any(S.G: V = T)", "true"),
        (two, "count(S.G) = 2", "true"),
        (two, "count(S.G: K = 1) <= 1", "true"),
        ("", "count(S.G) = 0", "true"),
        ("+ V=x", "not any(S.G: W > 0)", "true"),
        ("+ V=x", "not not all(S.G: W > 0)", "true"),
        (two, "unique(S.G: K)", "true"),
        ("+ K=1 + K=1", "unique(S.G: K)", "false"),
        ("+ K=1 + K=1 V=", "unique(S.G: K, V)", "false"),
        ("+ K=9 + K=9", "unique(S.G: K)", "true"),
        ("+ K=1 V=a + K=2 V=a", "differ(S.G, K, 1, 2, V)", "false"),
        ("+ K=1 V=a + K=2 V=b", "differ(S.G, K, 1, 2, V)", "true"),
    ]);
}

#[test]
fn what_cannot_be_meant_is_refused_with_its_place() {
    let cases = [
        ("T < U", "at character 1: text has no order"),
        (
            "N = T",
            "at character 1: the two sides are of different kinds",
        ),
        (
            "D = N",
            "at character 1: the two sides are of different kinds",
        ),
        ("D < 5", "at character 5: 5 is no such number"),
        ("F = 9", "at character 5: the item has no code 9"),
        ("F in {1,9}", "at character 1: the item has no code 9"),
        (
            "S.G.W > 1",
            "at character 1: S.G.W repeats: ask with all, any or count",
        ),
        ("all(S: A = \"x\")", "at character 1: S does not repeat"),
        (
            "filled(S)",
            "at character 8: an item should stand here, not a segment",
        ),
        (
            "days(D, N) = 1",
            "at character 1: days counts between two dates",
        ),
        (
            "D + N = N",
            "at character 1: only amounts and counts can be added",
        ),
        ("known(None, T)", "at character 7: no code list None"),
        (
            "id_ok(T, U, robot)",
            "at character 13: person or organization should stand here",
        ),
        (
            "Typo = 1",
            "at character 1: no item Typo here; an item stands on the left",
        ),
        (
            "S.Typo = 1",
            "at character 1: no item or segment S.Typo here",
        ),
        ("T", "at character 1: a condition should stand here"),
    ];
    for (must, expected) in cases {
        let error = judged("", must).unwrap_err();
        assert!(error.contains(expected), "{must}: {error}");
    }
}
