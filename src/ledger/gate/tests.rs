//! Every hold once passed and once caught.

use jiff::{ToSpan as _, civil::date};

use super::*;
use crate::ledger::{
    RecordRef, Standing,
    told::tests::{told, with},
};

/// 2026-06-02 12:00 at +08:00.
const NOW: Timestamp = Timestamp::constant(1_780_372_800, 0);
const RECORD: RecordRef = RecordRef {
    submission: 3,
    seq: 1,
};

/// What a case may change.
struct Case {
    account: Account,
    told: Told,
    covered: BTreeSet<Category>,
    restricted: Vec<&'static str>,
    notices: Vec<Notice>,
    lead: SignedDuration,
    disputes: Vec<String>,
    mark: Option<&'static str>,
    is_behind: bool,
}

impl Case {
    fn judge<T>(&self, judge: impl FnOnce(&Facts<'_>) -> T) -> T {
        judge(&Facts {
            account: &self.account,
            told: &self.told,
            at: NOW,
            category: "credit",
            covered: &self.covered,
            restricted: &self.restricted,
            notices: &self.notices,
            notice_lead: self.lead,
            disputes: &self.disputes,
            mark: self.mark,
            is_behind: self.is_behind,
        })
    }
}

/// Codes of the holds.
fn holds(case: &Case) -> Vec<HoldCode> {
    case.judge(|facts| judge(facts).iter().map(|it| it.code).collect())
}

fn new() -> Account {
    Account {
        id: 5,
        subject: Some("subject".into()),
        ..Account::default()
    }
}

/// Accepted, clean in April.
fn open() -> Account {
    new().after(&told("10", date(2026, 4, 30), "2026-04"), RECORD)
}

/// A clean record of May, without anything.
fn case(account: Account, change: impl FnOnce(&mut Case)) -> Case {
    let mut case = Case {
        account,
        told: told("30", date(2026, 5, 31), "2026-05"),
        covered: BTreeSet::new(),
        restricted: Vec::new(),
        notices: Vec::new(),
        lead: SignedDuration::ZERO,
        disputes: Vec::new(),
        mark: None,
        is_behind: false,
    };
    change(&mut case);
    case
}

fn notice(due: &str) -> Notice {
    Notice {
        id: "n1".to_owned(),
        subject: "subject".into(),
        account: 5,
        due: due.parse().unwrap(),
        delivered_at: NOW - 1.minute(),
        run: None,
    }
}

fn negative(told: Told) -> Told {
    with(told, |it| it.negative = vec!["NEG-OVERDUE".to_owned()])
}

/// A record of May that turns the account negative, with a notice.
fn turning(change: impl FnOnce(&mut Notice)) -> Case {
    case(open(), |it| {
        it.told = negative(told("30", date(2026, 5, 31), "2026-05"));
        let mut one = notice("2026-05");
        change(&mut one);
        it.notices = vec![one];
    })
}

#[test]
fn sr_01_opening_needs_an_authorization_to_provide_of_the_category() {
    let opening = |covered: &[Category]| {
        case(new(), |it| {
            it.told = told("10", date(2026, 5, 31), "2026-05");
            it.covered = covered.iter().copied().collect();
        })
    };
    let missing = [HoldCode::ProvideMissing];
    assert_eq!(holds(&opening(&[])), missing);
    assert_eq!(
        holds(&opening(&[Category::PersonBasics])),
        missing,
        "other category"
    );
    assert_eq!(holds(&opening(&[Category::Credit])), []);
}

#[test]
fn sr_01_opening_with_negative_information_needs_that_named_too() {
    let opening = |covered: &[Category]| {
        case(new(), |it| {
            it.told = negative(told("31", date(2026, 5, 31), "2026-05"));
            it.covered = covered.iter().copied().collect();
            it.notices = vec![notice("2026-05")];
        })
    };
    let missing = [HoldCode::ProvideMissing];
    assert_eq!(holds(&opening(&[Category::Credit])), missing);
    assert_eq!(holds(&opening(&[Category::Negative])), missing);
    let both = [Category::Credit, Category::Negative];
    assert_eq!(holds(&opening(&both)), []);
}

/// What no authorization can name would be held for ever.
#[test]
fn every_category_that_a_record_may_need_can_be_named() {
    const RESTRICTED: &str =
        include_str!("../../../schemas/pboc-submit-personal/2020-01-19/restricted.tsv");
    let edition =
        schemas::edition::Edition::embedded("pboc-submit-personal", date(2026, 5, 31)).unwrap();
    for role in edition.roles() {
        let category = role.category();
        assert!(Category::named(category).is_some(), "{category}");
    }
    for row in RESTRICTED.lines().skip(1) {
        let category = row.split('\t').nth(2).unwrap();
        assert!(Category::named(category).is_some(), "{category}");
    }
}

#[test]
fn an_accepted_account_goes_on_without_any_authorization() {
    let mut ended = open();
    for does in [
        Does::Normal,
        Does::Correct,
        Does::Delete,
        Does::DeleteSegments,
        Does::Event,
        Does::Rename,
    ] {
        let goes = case(open(), |it| it.told.does = does);
        assert_eq!(holds(&goes), [], "{does:?}");
        ended.standing = Standing::Closed;
        let goes = case(ended.clone(), |it| it.told.does = does);
        assert_eq!(holds(&goes), [], "{does:?} of a closed one");
    }
    let close = case(open(), |it| it.told.closes = true);
    assert_eq!(holds(&close), []);
    ended.standing = Standing::Deleted;
    let again = case(ended, |_| ());
    assert_eq!(
        holds(&again),
        [HoldCode::ProvideMissing],
        "deleted, then opened again"
    );
}

#[test]
fn sr_02_the_first_negative_record_needs_a_notice_that_fits() {
    type Change = fn(&mut Notice);
    let missing = vec![HoldCode::NoticeMissing];
    let cases: [(&str, Change, Vec<HoldCode>); 9] = [
        ("fits", |_| (), vec![]),
        ("another account", |it| it.account = 6, missing.clone()),
        (
            "another subject",
            |it| it.subject = "other".into(),
            missing.clone(),
        ),
        (
            "due after the month",
            |it| it.due = "2026-06".parse().unwrap(),
            missing.clone(),
        ),
        (
            "due in a clean month",
            |it| it.due = "2026-04".parse().unwrap(),
            missing.clone(),
        ),
        (
            "delivered at that moment",
            |it| it.delivered_at = NOW,
            missing.clone(),
        ),
        (
            "delivered later",
            |it| it.delivered_at = NOW + 1.second(),
            missing.clone(),
        ),
        (
            "just before",
            |it| it.delivered_at = NOW - 1.microsecond(),
            vec![],
        ),
        (
            "used by another run",
            |it| it.run = Some("1.1".into()),
            missing.clone(),
        ),
    ];
    for (name, change, expected) in cases {
        assert_eq!(holds(&turning(change)), expected, "{name}");
    }
    let none = case(open(), |it| it.told = negative(it.told.clone()));
    assert_eq!(holds(&none), missing);
    let clean = case(open(), |_| ());
    assert_eq!(holds(&clean), [], "a clean record needs none");
}

#[test]
fn a_notice_serves_one_run_and_a_run_needs_one() {
    let first = turning(|_| ());
    let served = first.judge(|facts| serving(facts).cloned()).unwrap();
    assert_eq!(served.id, "n1");
    let run = first.account.after(&first.told, RECORD);
    let used = Notice {
        run: run.negative_run.clone(),
        ..served
    };
    let june = |told: Told| {
        with(told, |it| {
            it.report_date = Some(date(2026, 6, 30));
            it.month = "2026-06".parse().ok();
        })
    };
    let longer = case(run.clone(), |it| {
        it.told = negative(june(it.told.clone()));
        it.notices = vec![used.clone()];
    });
    assert_eq!(holds(&longer), [], "the run goes on under its notice");
    assert!(
        longer.judge(|facts| serving(facts).is_none()),
        "and takes no other"
    );
    let cured = run.after(&june(told("30", date(2026, 6, 30), "2026-06")), RECORD);
    let second = |notices| {
        case(cured.clone(), |it| {
            it.told = negative(told("30", date(2026, 7, 31), "2026-07"));
            it.notices = notices;
        })
    };
    assert_eq!(
        holds(&second(vec![used.clone()])),
        [HoldCode::NoticeMissing]
    );
    let early = Notice {
        run: None,
        ..used.clone()
    };
    assert_eq!(
        holds(&second(vec![early])),
        [HoldCode::NoticeMissing],
        "due before the cure"
    );
    assert_eq!(holds(&second(vec![used, notice("2026-07")])), []);
}

#[test]
fn an_account_that_opens_negative_needs_a_notice_of_any_period_before() {
    let opening = |notices: Vec<Notice>| {
        case(new(), |it| {
            it.told = negative(told("31", date(2026, 5, 31), "2026-05"));
            it.covered = [Category::Credit, Category::Negative].into();
            it.notices = notices;
        })
    };
    assert_eq!(holds(&opening(vec![])), [HoldCode::NoticeMissing]);
    assert_eq!(holds(&opening(vec![notice("2026-02")])), []);
    assert_eq!(
        holds(&opening(vec![notice("2026-06")])),
        [HoldCode::NoticeMissing]
    );
}

#[test]
fn a_clean_month_that_a_correction_turns_negative_needs_a_notice_of_that_month() {
    let correct = |due: &str| {
        case(open(), |it| {
            it.told = with(negative(told("", date(2026, 5, 31), "2026-04")), |it| {
                it.does = Does::Correct;
            });
            it.notices = vec![notice(due)];
        })
    };
    assert_eq!(holds(&correct("2026-04")), []);
    assert_eq!(holds(&correct("2026-03")), [HoldCode::NoticeMissing]);
}

#[test]
fn sr_03_a_notice_is_delivered_as_long_before_as_must_be() {
    let mut close = turning(|it| it.delivered_at = NOW - 71.hours());
    close.lead = SignedDuration::from_hours(72);
    assert_eq!(holds(&close), [HoldCode::NoticeTooClose]);
    let mut early = turning(|it| it.delivered_at = NOW - 72.hours());
    early.lead = SignedDuration::from_hours(72);
    assert_eq!(holds(&early), []);
    close.notices[0].account = 6;
    assert_eq!(holds(&close), [HoldCode::NoticeMissing]);
}

#[test]
fn sr_12_a_restricted_item_needs_its_own_consent_also_after_acceptance() {
    let holding = |covered: &[Category]| {
        case(open(), |it| {
            it.restricted = vec!["income"];
            it.covered = covered.iter().copied().collect();
        })
    };
    assert_eq!(
        holds(&holding(&[Category::Credit])),
        [HoldCode::RestrictedItem]
    );
    assert_eq!(holds(&holding(&[Category::Income])), []);
}

#[test]
fn sr_15_a_disputed_account_is_reported_with_its_mark_or_corrected() {
    let disputed = |mark, does| {
        case(open(), |it| {
            it.disputes = vec!["D-1".to_owned(), "D-2".to_owned()];
            it.mark = mark;
            it.told.does = does;
        })
    };
    let unmarked = [HoldCode::DisputedUnmarked];
    assert_eq!(holds(&disputed(None, Does::Normal)), unmarked);
    assert_eq!(holds(&disputed(None, Does::Event)), unmarked);
    assert_eq!(holds(&disputed(Some("D-2"), Does::Normal)), []);
    assert_eq!(
        holds(&disputed(Some("D-3"), Does::Normal)),
        [HoldCode::DisputeUnknown]
    );
    for does in [Does::Correct, Does::Delete, Does::DeleteSegments] {
        assert_eq!(holds(&disputed(None, does)), [], "{does:?}");
    }
    let stray = case(open(), |it| it.mark = Some("D-1"));
    assert_eq!(holds(&stray), [HoldCode::DisputeUnknown]);
}

#[test]
fn sr_16_a_record_waits_for_the_one_before_it() {
    assert_eq!(
        holds(&case(open(), |it| it.is_behind = true)),
        [HoldCode::AccountInFlight]
    );
    assert_eq!(holds(&case(open(), |_| ())), []);
}

#[test]
fn all_holds_are_told_at_once_in_both_languages_and_by_their_names() {
    let all = case(new(), |it| {
        it.told = negative(told("31", date(2026, 5, 31), "2026-05"));
        it.restricted = vec!["other"];
        it.disputes = vec!["D-1".to_owned()];
        it.is_behind = true;
    });
    let expected = [
        HoldCode::AccountInFlight,
        HoldCode::DisputedUnmarked,
        HoldCode::NoticeMissing,
        HoldCode::ProvideMissing,
        HoldCode::RestrictedItem,
    ];
    assert_eq!(holds(&all), expected);
    for code in HoldCode::ALL {
        assert_eq!(HoldCode::named(code.name()), Some(code));
        let json = serde_json::to_string(&code).unwrap();
        assert_eq!(json, format!("\"{}\"", code.name()));
        let hold = code.hold();
        for it in [hold.source, hold.what, hold.cure] {
            assert!(!it.zh.is_empty() && !it.en.is_empty(), "{code:?}");
        }
    }
    assert_eq!(HoldCode::named("none"), None);
}
