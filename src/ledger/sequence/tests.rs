//! Every rule once passed and once caught.

use jiff::civil::{Date, date};

use super::*;
use crate::ledger::{
    RecordRef,
    told::tests::{told, with},
};

const RECORD: RecordRef = RecordRef {
    submission: 1,
    seq: 1,
};
const MARCH: Date = date(2026, 3, 31);
const APRIL: Date = date(2026, 4, 30);

/// A loan, open since March.
fn open() -> Account {
    Account::default().after(&told("10", MARCH, "2026-03"), RECORD)
}

fn closed() -> Account {
    let mut account = open();
    account.standing = Standing::Closed;
    account
}

fn codes(account: &Account, told: &Told) -> Vec<String> {
    judge(account, told).into_iter().map(|it| it.code).collect()
}

/// A record of another type.
fn of(record: &str, does: Does) -> Told {
    with(told("", APRIL, ""), |it| {
        it.record = record.into();
        it.does = does;
        it.has_status = false;
    })
}

fn event(kind: &str, on: bool) -> Told {
    with(of("215", Does::Event), |it| {
        it.event = Some((kind.to_owned(), on))
    })
}

#[test]
fn an_account_is_opened_once_carried_on_and_closed() {
    let new = Account::default();
    let close = with(told("20", APRIL, "2026-04"), |it| it.closes = true);
    let deleted = open().after(&of("214", Does::Delete), RECORD);
    let cases = [
        ("opened", &new, told("10", MARCH, "2026-03"), vec![]),
        (
            "an old one opened",
            &new,
            told("31", MARCH, "2026-03"),
            vec![],
        ),
        (
            "opened again after its deletion",
            &deleted,
            told("10", APRIL, "2026-04"),
            vec![],
        ),
        (
            "carried on, never opened",
            &new,
            told("30", MARCH, "2026-03"),
            vec!["SEQ-NOT-OPENED"],
        ),
        (
            "carried on after deletion",
            &deleted,
            told("30", APRIL, "2026-04"),
            vec!["SEQ-NOT-OPENED"],
        ),
        ("no code yet", &new, told("", MARCH, "2026-03"), vec![]),
        ("carried on", &open(), told("30", APRIL, "2026-04"), vec![]),
        (
            "opened twice",
            &open(),
            told("10", APRIL, "2026-04"),
            vec!["SEQ-OPENED-TWICE"],
        ),
        (
            "first reported twice",
            &open(),
            told("31", APRIL, "2026-04"),
            vec!["SEQ-OPENED-TWICE"],
        ),
        ("closed", &open(), close.clone(), vec![]),
        (
            "closed, then active",
            &closed(),
            told("30", APRIL, "2026-04"),
            vec!["BLR020"],
        ),
        ("closed twice", &closed(), close, vec!["BLR020"]),
        (
            "closed, then opened",
            &closed(),
            told("10", APRIL, "2026-04"),
            vec!["BLR020"],
        ),
    ];
    for (name, account, told, expected) in cases {
        assert_eq!(codes(account, &told), expected, "{name}");
    }
}

#[test]
fn what_was_never_accepted_is_not_changed() {
    let cases = [
        ("114", Does::Delete, "BDE000"),
        ("134", Does::Delete, "BDE001"),
        ("211", Does::Rename, "BIE001"),
        ("212", Does::Correct, "BMR007"),
        ("213", Does::DeleteSegments, "BSR000"),
        ("214", Does::Delete, "BTE000"),
        ("215", Does::Event, "BQR001"),
        ("221", Does::Rename, "BIE101"),
        ("222", Does::Correct, "BMR104"),
        ("223", Does::DeleteSegments, "BSR100"),
        ("224", Does::Delete, "BTE100"),
        ("231", Does::Rename, "BIE201"),
        ("232", Does::Correct, "BMR203"),
        ("233", Does::DeleteSegments, "BSR200"),
        ("234", Does::Delete, "BTE200"),
        ("511", Does::Rename, "SEQ-UNKNOWN"),
        ("514", Does::Delete, "BTE300"),
    ];
    let deleted = open().after(&of("214", Does::Delete), RECORD);
    for (record, does, code) in cases {
        let told = of(record, does);
        assert_eq!(
            codes(&Account::default(), &told),
            [code],
            "{record} of nothing"
        );
        assert_eq!(codes(&deleted, &told), [code], "{record} of a deleted one");
        for account in [open(), closed()] {
            assert_eq!(codes(&account, &told), [""; 0], "{record}");
        }
    }
}

#[test]
fn the_type_of_an_account_stays() {
    let other = |told: Told| with(told, |it| it.account_type = Some("R2".to_owned()));
    let month = told("30", APRIL, "2026-04");
    assert_eq!(codes(&open(), &month), [""; 0]);
    assert_eq!(codes(&open(), &other(month)), ["BLR019"]);
    assert_eq!(codes(&open(), &other(of("212", Does::Correct))), ["BMR012"]);
    assert_eq!(codes(&open(), &other(of("232", Does::Correct))), ["BMR205"]);
}

#[test]
fn a_month_is_reported_once_unless_later() {
    let account = open();
    let on = |day| told("30", day, "2026-03");
    assert_eq!(codes(&account, &on(MARCH)), ["BLR027"], "the same day");
    assert_eq!(
        codes(&account, &on(date(2026, 3, 30))),
        ["BLR027"],
        "earlier"
    );
    assert_eq!(codes(&account, &on(date(2026, 4, 1))), [""; 0], "later");
    assert_eq!(
        codes(&account, &told("30", MARCH, "2026-02")),
        [""; 0],
        "another month"
    );
    assert_eq!(codes(&account, &told("40", MARCH, "")), [""; 0], "no month");
}

#[test]
fn a_closing_record_is_not_older_than_what_was_accepted() {
    let close = |record: &str, day| {
        with(told("20", day, ""), |it| {
            it.record = record.into();
            it.closes = true;
        })
    };
    for (record, code) in [("210", "BLR021"), ("220", "BCR002"), ("230", "BAR006")] {
        assert_eq!(codes(&open(), &close(record, date(2026, 3, 30))), [code]);
        assert_eq!(codes(&open(), &close(record, MARCH)), [""; 0], "{record}");
    }
}

#[test]
fn information_of_a_person_is_not_older_than_what_was_accepted() {
    for (record, code) in [
        ("110", "BBR002"),
        ("120", "BFR000"),
        ("130", "BOR000"),
        ("140", "BPR000"),
        ("510", "BPR002"),
    ] {
        let on = |day| {
            with(told("20", day, ""), |it| {
                it.record = record.into();
                it.account_type = None;
            })
        };
        assert_eq!(codes(&open(), &on(date(2026, 3, 30))), [code]);
        assert_eq!(codes(&open(), &on(MARCH)), [""; 0], "{record}");
    }
}

#[test]
fn a_closed_account_is_corrected_only_in_its_past() {
    let correct = |segment: &str, day| {
        with(of("212", Does::Correct), |it| {
            it.segment = Some(segment.to_owned());
            it.report_date = Some(day);
        })
    };
    assert_eq!(codes(&closed(), &correct("H", APRIL)), ["BMR016"]);
    assert_eq!(codes(&closed(), &correct("J", APRIL)), ["BMR017"]);
    assert_eq!(codes(&closed(), &correct("H", MARCH)), [""; 0]);
    assert_eq!(codes(&closed(), &correct("C", APRIL)), [""; 0]);
    assert_eq!(codes(&open(), &correct("H", APRIL)), [""; 0]);
}

#[test]
fn special_events_fit_the_account() {
    let card = |standing| {
        let mut account = open();
        account.account_type = Some("R2".to_owned());
        account.standing = standing;
        account
    };
    let mut transferred = open();
    transferred.standing = Standing::Transferred;
    let cases = [
        (
            "no statement of a card",
            card(Standing::Open),
            "11",
            true,
            vec![],
        ),
        ("no statement of a loan", open(), "11", true, vec!["BQR002"]),
        ("restart", card(Standing::Closed), "12", true, vec![]),
        (
            "restart of an open card",
            card(Standing::Open),
            "12",
            true,
            vec!["BQR003"],
        ),
        ("restart of a loan", closed(), "12", true, vec!["BQR003"]),
        ("transfer", open(), "21", true, vec![]),
        (
            "transfer of a closed loan",
            closed(),
            "21",
            true,
            vec!["BQR004"],
        ),
        (
            "transfer of a card",
            card(Standing::Open),
            "21",
            true,
            vec!["BQR004"],
        ),
        (
            "transfer taken back",
            transferred.clone(),
            "21",
            false,
            vec![],
        ),
        ("nothing to take back", open(), "21", false, vec!["BQR005"]),
    ];
    for (name, account, kind, on, expected) in cases {
        assert_eq!(codes(&account, &event(kind, on)), expected, "{name}");
    }
    let after = told("30", APRIL, "2026-04");
    assert_eq!(
        codes(&transferred, &after),
        ["BLR025"],
        "nothing after a transfer"
    );
}

#[test]
fn a_new_key_that_is_taken_and_all_findings_say_where_and_what() {
    let one = renamed_onto_another("211");
    assert_eq!(
        (one.code.as_str(), one.tag.as_str()),
        ("BIE002", "NwBnesCode")
    );
    let all = judge(
        &closed(),
        &with(told("30", APRIL, "2026-04"), |it| {
            it.account_type = Some("R2".into())
        }),
    );
    let told: Vec<_> = all
        .iter()
        .map(|it| (&*it.rule, &*it.path, &*it.tag))
        .collect();
    assert_eq!(
        told,
        [
            ("R2101204", "AcctBsSgmt/AcctType", "AcctType"),
            ("R2101205", ".", "0000")
        ],
        "all at once"
    );
    assert!(all.iter().all(|it| !it.zh.is_empty() && !it.en.is_empty()));
    assert_eq!(
        codes(&Account::default(), &of("999", Does::Correct)),
        ["SEQ-IMPOSSIBLE"]
    );
}

#[test]
fn the_code_of_the_reporting_point_is_derived() {
    let new = Account::default();
    let opened = |day| with(told("", MARCH, "2026-03"), |it| it.opened_on = Some(day));
    let kind = |told, kind: &str| {
        with(told, |it: &mut Told| {
            it.account_type = Some(kind.to_owned())
        })
    };
    let close = |on| {
        with(told("", APRIL, "2026-04"), |it| {
            it.closes = true;
            it.closed_on = on;
        })
    };
    let month = || told("", APRIL, "2026-04");
    let record = |of: &str, told| with(told, |it: &mut Told| it.record = of.into());
    let cases = [
        ("new", &new, opened(date(2026, 3, 2)), Some("10")),
        (
            "thirty days old",
            &new,
            opened(date(2026, 3, 1)),
            Some("31"),
        ),
        (
            "opening not told",
            &new,
            told("", MARCH, "2026-03"),
            Some("10"),
        ),
        (
            "old collection account",
            &new,
            kind(opened(date(2025, 1, 1)), "C1"),
            Some("10"),
        ),
        ("month", &open(), month(), Some("30")),
        ("closed that day", &open(), close(Some(APRIL)), Some("20")),
        (
            "closed in the month",
            &open(),
            close(Some(date(2026, 4, 9))),
            Some("32"),
        ),
        (
            "collection ended",
            &open(),
            kind(close(None), "C1"),
            Some("20"),
        ),
        ("recovered", &open(), told("", APRIL, ""), Some("40")),
        (
            "recovered, quasi-credit card",
            &open(),
            kind(told("", APRIL, ""), "R3"),
            None,
        ),
        (
            "month of a collection account",
            &open(),
            kind(month(), "C1"),
            None,
        ),
        (
            "person new",
            &new,
            record("110", told("", MARCH, "")),
            Some("10"),
        ),
        (
            "person again",
            &open(),
            record("110", told("", APRIL, "")),
            Some("20"),
        ),
        (
            "line granted",
            &new,
            record("220", told("", APRIL, "")),
            Some("10"),
        ),
        (
            "line expired",
            &open(),
            record("220", close(None)),
            Some("20"),
        ),
        (
            "line changed",
            &open(),
            record("220", told("", APRIL, "")),
            Some("30"),
        ),
        (
            "guarantee",
            &open(),
            record("230", told("", APRIL, "")),
            Some("30"),
        ),
        (
            "no code in such records",
            &new,
            record("120", told("", APRIL, "")),
            None,
        ),
        ("correction", &open(), of("212", Does::Correct), None),
    ];
    for (name, account, told, expected) in cases {
        assert_eq!(report_code(account, &told), expected, "{name}");
    }
}
