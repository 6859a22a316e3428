//! A handful of rules between items, in the mock's own words. The others are the
//! gateway's affair: what it lets through here that the centre would refuse, no
//! test of it would notice.

use super::{
    line::{Fault, Record},
    tables::RecordType,
};
use crate::subjects::is_synthetic;

/// What a record breaks that has all its items in form.
pub(crate) fn broken(code: &str, kind: &RecordType, record: &Record) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut fault = |code: &str, tag: &str| faults.push((code.to_owned(), tag.to_owned()));
    // Of an enterprise, type 10 is another document.
    if code < "300"
        && record.value("IDType") == Some("10")
        && record.value("IDNum").is_some_and(|id| !is_synthetic(id))
    {
        fault("ABE004", "IDNum");
    }
    for (path, segment) in &kind.segments {
        let (at, _) = path.rsplit_once('/').unwrap_or((".", path));
        let Some(counter) = record.at(at, segment.counter) else {
            continue;
        };
        let said: usize = counter.parse().unwrap_or_default();
        let found = record.count(path);
        // With a counter of 1 and no group, these two are let pass.
        let lax = matches!((code, *path), (_, "CtrctCertRelSgmt/CtrctCertRel"))
            || (matches!(code, "230" | "410" | "440") && path.ends_with("/CccInf"));
        if said != found && !(lax && said == 1 && found == 0) {
            fault("ABE010", segment.counter);
        }
    }
    let (prefix, day) = match code {
        "210" => ("", record.value("RptDate")),
        "212" => ("MdfcSgmt/", record.at("BsSgmt", "RptDate")),
        "410" => {
            enterprise(record, &mut fault);
            faults.truncate(5);
            return faults;
        }
        _ => return events(code, record, faults),
    };
    let day = day.unwrap_or_default();
    let at = |segment: &str, tag: &str| record.at(&format!("{prefix}{segment}"), tag);
    for (segment, tag) in DATES {
        if at(segment, tag).is_some_and(|date| date > day) {
            fault("ABE007", tag);
        }
    }
    if at("AcctMthlyBlgInfSgmt", "Month")
        .is_some_and(|month| months(day).abs_diff(months(month)) > 1)
    {
        fault("BLE039", "RptDate");
    }
    let closing = match record.value("AcctType") {
        Some("R2" | "R3") => "4",
        _ => "3",
    };
    if at("AcctMthlyBlgInfSgmt", "AcctStatus") == Some(closing)
        && at("AcctMthlyBlgInfSgmt", "CloseDate").is_none()
    {
        fault("BLE001", "CloseDate");
    }
    faults.truncate(5);
    faults
}

/// Days and the overdue items of an enterprise's account.
fn enterprise(record: &Record, fault: &mut dyn FnMut(&str, &str)) {
    let at = |tag: &str| record.at("ActLbltyInfSgmt", tag);
    let day = record.value("RptDate").unwrap_or_default();
    for tag in [
        "BalChgDate",
        "FiveCateAdjDate",
        "LatRpyDate",
        "LatAgrrRpyDate",
    ] {
        if at(tag).is_some_and(|date| date > day) {
            fault("ABE007", tag);
        }
    }
    let is_over = |tag: &str| at(tag).map(|amount| amount != "0");
    if is_over("TotOverd") != is_over("OverdDy") {
        fault("CLE018", "OverdDy");
    }
    if (at("AcctStatus") == Some("21")) != (record.value("RptDateCode") == Some("20")) {
        fault("CLE026", "RptDate");
    }
}

fn events(code: &str, record: &Record, mut faults: Vec<Fault>) -> Vec<Fault> {
    let value = |tag: &str| record.value(tag).map_or(0, months);
    if code == "215" && value("RptDate") != value("Month") {
        faults.push(("BQR000".to_owned(), "0000".to_owned()));
    }
    faults.truncate(5);
    faults
}

/// The months before a day or month, since the year 0.
fn months(date: &str) -> u32 {
    let part = |range: std::ops::Range<usize>| {
        let text = date.get(range).unwrap_or_default();
        text.parse::<u32>().unwrap_or_default()
    };
    part(0..4) * 12 + part(5..7)
}

/// Dates of a loan that a report cannot be older than.
const DATES: [(&str, &str); 6] = [
    ("AcctBsInfSgmt", "OpenDate"),
    ("AcctMthlyBlgInfSgmt", "SettDate"),
    ("AcctMthlyBlgInfSgmt", "FiveCateAdjDate"),
    ("AcctMthlyBlgInfSgmt", "LatRpyDate"),
    ("AcctMthlyBlgInfSgmt", "CloseDate"),
    ("AcctDbtInfSgmt", "CloseDate"),
];
