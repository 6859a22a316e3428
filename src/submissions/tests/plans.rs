//! How SQLite goes about the statements of submissions: by an index, whatever the
//! number of records, accounts and subjects there are.
//!
//! The plans are those of a database that was never analyzed, as production's is:
//! they follow from the schema and the statements alone, so few rows tell as much
//! as many. The statements are those that were run, of whole chunks.

use std::collections::BTreeSet;

use super::*;

/// One chunk, and a little more.
const LOANS: u32 = 260;

/// Tables that grow with what is submitted.
const LARGE: [&str; 3] = ["submission_records", "accounts", "subjects"];

/// Indexes of what waits, and of nothing else: to go through one is to go through
/// what there is to do.
const WAITING: [&str; 3] = [
    "submission_records_waiting",
    "submission_records_held",
    "submission_records_set_aside",
];

/// Parts of statements that must be among those that were run: of finding and
/// storing, releasing, assigning, writing, and of both answers.
const EXPECTED: [&str; 15] = [
    "FROM accounts a JOIN subjects s",
    "FROM subjects WHERE",
    "INSERT INTO accounts",
    "INSERT INTO submission_records",
    "UPDATE accounts SET pending_submission = $",
    "SET state = 'replaced'",
    "AND r.seq > ? ORDER BY r.seq LIMIT ?",
    "SELECT DISTINCT r.record, r.submission",
    "SELECT COUNT(*) FROM (SELECT 1 FROM submission_records",
    "r.needs, r.dispute FROM submission_records",
    "SET state = 'filed'",
    "r.sealed_sha256, r.subject, s.keys",
    "SET state = 'accepted'",
    "SET state = 'rejected'",
    "SET state = $1, account_type = $2",
];

#[tokio::test]
async fn no_statement_goes_through_all_records_accounts_or_subjects() {
    let site = sites().await.remove(0);
    let loans: Vec<Loan> = (1..=LOANS).map(loan).collect();
    for loan in &loans {
        site.authorize(loan).await;
    }
    let heard = testing::listen();
    let records: Vec<Value> = loans.iter().map(Loan::record).collect();
    site.submit("k1", &records).await;
    let name = site.carry().await.remove(0).name;
    site.answer(&name, &[]);
    site.sweep().await;
    // One is rejected, and waits with the one behind it for its correction.
    let update = |day: &str| -> Vec<Value> {
        let loans = loans.iter();
        loans.map(|loan| at_month_end(loan, day).update()).collect()
    };
    let of = site.submit("k2", &update("2026-10-31")).await;
    let name = site.carry().await.remove(1).name;
    let line = site.text(&name)[1].clone();
    let behind = site.submit("k3", &update("2026-11-20")).await;
    site.answer(&name, &[(2, "BLR099", line.as_bytes())]);
    site.sweep().await;
    let mut correction = update("2026-10-31").remove(0);
    correction["corrects"] = serde_json::json!({"submission": of.id, "seq": 1});
    let corrected = site.submit("k4", &[correction]).await;
    assert_eq!(site.states(&corrected).await, ["ready"]);
    site.submissions
        .withdraw(&site.caller, &behind.id, 1)
        .await
        .unwrap();
    site.carry().await;
    let statements = heard.end();

    for part in EXPECTED {
        let numberless = |it: &String| {
            let digits = |c: char| c.is_ascii_digit();
            it.replace('$', "?").split(digits).collect::<String>()
        };
        let wanted = numberless(&part.to_owned());
        let known = statements.iter().any(|it| numberless(it).contains(&wanted));
        assert!(known, "not run: {part}");
    }
    let mut through_all = Vec::new();
    for sql in &statements {
        let large = names_of_large(sql);
        let explain = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"));
        let plan: Vec<(i64, i64, i64, String)> =
            site.db.all(explain, crate::args![]).await.unwrap();
        let scans = plan.iter().filter(|(.., step)| is_scan(step, &large));
        through_all.extend(scans.map(|(.., step)| format!("{step}: {sql:.400}")));
    }
    assert!(through_all.is_empty(), "{}", through_all.join("\n"));
}

/// Under which names a statement speaks of large tables.
fn names_of_large(sql: &str) -> BTreeSet<&str> {
    let words: Vec<&str> = sql
        .split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .filter(|word| !word.is_empty())
        .collect();
    let mut names = BTreeSet::new();
    for (n, word) in words.iter().enumerate() {
        if LARGE.contains(word) {
            let alias = words[n + 1..].iter().find(|it| **it != "AS");
            names.insert(*word);
            names.extend(alias.filter(|it| it.len() == 1));
        }
    }
    names
}

/// Whether a step of a plan goes through a whole table.
fn is_scan(step: &str, large: &BTreeSet<&str>) -> bool {
    let Some(what) = step.strip_prefix("SCAN ") else {
        return false;
    };
    let mut words = what.split(' ');
    let is_large = words.next().is_some_and(|name| large.contains(name));
    is_large && !words.next_back().is_some_and(|it| WAITING.contains(&it))
}

#[test]
fn a_scan_is_told_from_a_search_and_from_what_waits() {
    let sql = "UPDATE submission_records AS r SET state = 'x' FROM accounts a, v";
    let large = names_of_large(sql);
    let expected = ["a", "accounts", "r", "submission_records"];
    assert_eq!(large.iter().copied().collect::<Vec<_>>(), expected);
    for (step, expected) in [
        ("SCAN r", true),
        ("SCAN accounts", true),
        (
            "SCAN r USING COVERING INDEX submission_records_by_subject",
            true,
        ),
        ("SCAN r USING INDEX submission_records_held", false),
        ("SCAN v", false),
        ("SCAN 250-ROW VALUES CLAUSE", false),
        ("SEARCH r USING PRIMARY KEY (submission=? AND seq=?)", false),
    ] {
        assert_eq!(is_scan(step, &large), expected, "{step}");
    }
}
