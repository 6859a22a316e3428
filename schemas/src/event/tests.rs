//! Events, and the records that they become, judged by the plans.

mod wrong;

use jiff::civil::date;
use serde_json::{Value, json};

use super::{Known, Obligation};
use crate::edition::Edition;
use crate::intake::{Intake, Taken};
use crate::plan::RecordPlan;
use crate::profile::Profile;
use crate::record::{Place, Record};
use crate::validate::{FileHeader, Finding, Scratch};

const LEASE: &str =
    include_str!("../../testdata/pboc-submit-enterprise/410_D1_finance_lease_instalments.xml");
const LOAN: &str = include_str!("../../testdata/pboc-submit-personal/210.xml");
const GUARANTEE: &str = include_str!("../../testdata/pboc-submit-personal/230.xml");
const SURETY: &str = include_str!("../../testdata/pboc-submit-enterprise/440_surety_insurance.xml");
const ORGANIZATION: &str = "T99999999H0001";

fn edition() -> &'static Edition {
    Edition::embedded("pboc-submit", date(2026, 11, 24)).unwrap()
}

/// An accepted record, as the state of its account.
fn state(code: &str, xml: &str) -> (&'static RecordPlan, Record) {
    let plan = edition().plan(code).unwrap();
    (plan, plan.read(xml.trim().as_bytes()).unwrap())
}

fn enterprise() -> Value {
    json!({"kind": "enterprise", "id_type": "20", "id_number": "91999999MAFAKE019F",
           "name": "示例供应链科技有限公司"})
}

fn person() -> Value {
    json!({"kind": "person", "id_type": "10", "id_number": "999999198808080010", "name": "测试甲"})
}

/// The event with other fields; null takes one away.
fn with(event: &Value, changes: &[(&str, Value)]) -> Value {
    let mut event = event.clone();
    for (name, value) in changes {
        event[*name] = value.clone();
    }
    event
}

/// The records of an event; each completed by what is known of its account.
fn records(
    event: &Value,
    profile: Option<Profile>,
    known: &[Known<'_>],
) -> Result<Vec<Taken<'static>>, Vec<Finding>> {
    let all = Intake::new(edition()).events(event.to_string().as_bytes(), profile)?;
    assert_eq!(all.len(), known.len(), "{event}");
    let each = all.into_iter().zip(known);
    Ok(each
        .map(|((mut taken, reported), known)| {
            reported.complete(&mut taken, known);
            taken
        })
        .collect())
}

/// Everything that is wrong with a record, as code and path.
fn wrong(taken: &mut Taken<'_>, day: &str) -> Vec<String> {
    let header = FileHeader {
        date: day.parse().unwrap(),
        record: taken.plan.code().to_owned(),
        org: ORGANIZATION.to_owned(),
        template: "  ".to_owned(),
    };
    let findings = taken.judge(&header, &mut Scratch::default());
    findings
        .into_iter()
        .map(|it| format!("{} {}", it.code, it.path))
        .collect()
}

fn value(taken: &Taken<'_>, path: &str) -> String {
    let item = taken.plan.find(path).unwrap_or_else(|| panic!("{path}"));
    let value = taken.plan.value(&taken.record, Place::RECORD, item);
    value.unwrap_or_default().to_owned()
}

fn values<'p>(taken: &Taken<'_>, at: &str, items: &[&'p str]) -> Vec<(&'p str, String)> {
    let each = items
        .iter()
        .map(|item| (*item, value(taken, &format!("{at}/{item}"))));
    each.collect()
}

fn negative(taken: &Taken<'_>) -> bool {
    !taken.plan.negative(&taken.record).is_empty()
}

/// What gateways derive for records 210, where the event leaves it to them.
fn point(taken: &mut Taken<'static>, code: &str) {
    let item = taken.plan.find("AcctBsSgmt/RptDateCode").unwrap();
    taken.plan.put(&mut taken.record, Place::RECORD, item, code);
}

fn late_rent() -> Value {
    json!({
        "obligation": "leasing", "account": "Z9999990000001FAKEACCT0001",
        "subject": enterprise(), "on": "2024-05-22",
        "due": {"on": "2024-04-20", "amount": 120_000, "principal": 100_000},
        "performed": false, "balance": 1_000_000, "next_due": "2024-07-20",
    })
}

fn late_loan() -> Value {
    json!({
        "obligation": "lending", "account": "T99999999H0001DK2024000001",
        "subject": person(), "on": "2024-07-31",
        "due": {"on": "2024-06-29", "amount": 4700, "principal": 4000},
        "performed": false, "balance": 90_000, "periods_left": 20,
        "month": {"due": 4700, "paid": 0},
    })
}

fn open<'k>(kind: &'static str, state: &'k (&'static RecordPlan, Record)) -> Known<'k> {
    Known {
        is_accepted: true,
        account_type: Some(kind),
        state: Some((state.0, &state.1)),
    }
}

#[test]
fn a_lease_instalment_that_is_32_days_late_is_the_performance_of_its_account() {
    let lease = state("410", LEASE);
    for profile in [Some(Profile::Lessor), Some(Profile::Platform), None] {
        let mut all = records(&late_rent(), profile, &[open("D1", &lease)]).unwrap();
        let taken = &mut all[0];
        assert_eq!(wrong(taken, "2024-05-22"), [""; 0]);
        assert!(negative(taken));
        let told = values(
            taken,
            "ActLbltyInfSgmt",
            &[
                "AcctStatus",
                "AcctBal",
                "BalChgDate",
                "FiveCate",
                "FiveCateAdjDate",
                "TotOverd",
                "OverdPrinc",
                "OverdDy",
                "LatRpyDate",
                "LatRpyAmt",
                "RpmtType",
                "LatAgrrRpyDate",
                "LatAgrrRpyAmt",
                "NxtAgrrRpyDate",
            ],
        );
        let expected = [
            "10",
            "1000000",
            "2024-03-01",
            "1",
            "2024-03-31",
            "120000",
            "100000",
            "32",
            "2024-03-01",
            "0",
            "10",
            "2024-04-20",
            "120000",
            "2024-07-20",
        ];
        let told: Vec<&str> = told.iter().map(|(_, value)| value.as_str()).collect();
        assert_eq!(told, expected);
        assert_eq!(value(taken, "AcctBsSgmt/RptDateCode"), "49");
        assert_eq!(value(taken, "AcctBsSgmt/MngmtOrgCode"), "Z9999990000001");
        assert_eq!(
            value(taken, "AcctBsSgmt/AcctCode"),
            "Z9999990000001FAKEACCT0001"
        );
        // An update repeats no terms.
        assert_eq!(value(taken, "AcctBsInfSgmt/BusiLines"), "");
    }
}

#[test]
fn the_reporting_point_of_an_enterprise_account_is_told_by_the_event() {
    let lease = state("410", LEASE);
    let paid = |on: &str| json!({"on": on, "amount": 120_000, "principal": 100_000, "form": "10"});
    let performed = |changes: &[(&str, Value)]| {
        with(&with(&late_rent(), &[("performed", json!(true))]), changes)
    };
    let same_day = json!({"on": "2024-05-22", "amount": 120_000, "principal": 100_000});
    let cases = [
        (late_rent(), "49"),
        (performed(&[("due", same_day)]), "32"),
        (
            performed(&[("paid", paid("2024-05-22")), ("balance", json!(900_000))]),
            "33",
        ),
        (
            with(
                &late_rent(),
                &[("grade", json!({"class": "3", "on": "2024-05-22"}))],
            ),
            "41",
        ),
    ];
    for (event, expected) in cases {
        let mut all = records(&event, Some(Profile::Lessor), &[open("D1", &lease)]).unwrap();
        assert_eq!(wrong(&mut all[0], "2024-05-22"), [""; 0], "{expected}");
        assert_eq!(value(&all[0], "AcctBsSgmt/RptDateCode"), expected);
    }
}

#[test]
fn what_is_overdue_of_a_person_goes_by_age_into_its_items() {
    let loan = state("210", LOAN);
    let unpaid = |on: &str, amount: u64, principal: u64| json!({"on": on, "amount": amount, "principal": principal});
    let event = with(
        &late_loan(),
        &[(
            "unpaid",
            json!([
                unpaid("2024-07-29", 4700, 1),
                unpaid("2024-06-29", 4700, 20),
                unpaid("2024-05-29", 4700, 300),
                unpaid("2024-04-29", 4700, 4000),
                unpaid("2024-02-01", 4700, 3000),
                unpaid("2024-01-29", 4700, 2000),
            ]),
        )],
    );
    let mut all = records(&event, Some(Profile::Lender), &[open("D1", &loan)]).unwrap();
    let taken = &mut all[0];
    point(taken, "30");
    assert_eq!(wrong(taken, "2024-07-31"), [""; 0]);
    assert!(negative(taken));
    let told = values(
        taken,
        "AcctMthlyBlgInfSgmt",
        &[
            "Month",
            "AcctStatus",
            "RpyStatus",
            "OverdPrd",
            "TotOverd",
            "OverdPrinc",
            "Oved31_60Princ",
            "Oved61_90Princ",
            "Oved91_180Princ",
            "OvedPrinc180",
        ],
    );
    let told: Vec<&str> = told.iter().map(|(_, value)| value.as_str()).collect();
    // 2 days, 32, 63, 93, 181 and 184 days late.
    let expected = [
        "2024-07", "2", "7", "6", "28200", "9321", "20", "300", "4000", "5000",
    ];
    assert_eq!(told, expected);
}

#[test]
fn a_performed_obligation_is_reported_without_anything_overdue() {
    let loan = state("210", LOAN);
    let event = with(
        &late_loan(),
        &[
            (
                "due",
                json!({"on": "2024-07-20", "amount": 4700, "principal": 4000}),
            ),
            ("performed", json!(true)),
            ("paid", json!({"on": "2024-07-25", "amount": 4700})),
            ("month", json!({"due": 4700, "paid": 4700})),
        ],
    );
    let mut all = records(&event, Some(Profile::Lender), &[open("D1", &loan)]).unwrap();
    point(&mut all[0], "30");
    assert_eq!(wrong(&mut all[0], "2024-07-31"), [""; 0]);
    assert!(!negative(&all[0]));
    let at = |item: &str| value(&all[0], &format!("AcctMthlyBlgInfSgmt/{item}"));
    assert_eq!(
        ["AcctStatus", "RpyStatus", "TotOverd"].map(at),
        ["1", "M", "0"]
    );
    assert_eq!(
        ["SettDate", "LatRpyDate"].map(at),
        ["2024-07-20", "2024-07-25"]
    );
}

#[test]
fn an_opening_asks_for_its_terms_by_name_and_invents_none() {
    let mut all = records(&late_rent(), Some(Profile::Lessor), &[Known::default()]).unwrap();
    let found = wrong(&mut all[0], "2024-05-22");
    for expected in [
        "event_needs AcctBsSgmt/MngmtOrgCode",
        "event_needs ActLbltyInfSgmt/FiveCate",
        "event_needs ActLbltyInfSgmt/LatRpyDate",
        "event_needs ActLbltyInfSgmt/BalChgDate",
        "ABD000 AcctBsInfSgmt/OpenDate",
        "ABD000 AcctBsInfSgmt/Cy",
        "CLD000 AcctBsInfSgmt/LoanAmt",
        "CLD000 AcctBsInfSgmt/DueDate",
        "CLD000 AcctBsInfSgmt/RepayMode",
    ] {
        assert!(
            found.iter().any(|it| it == expected),
            "{expected}: {found:#?}"
        );
    }
    // What the table knows it does not ask for.
    assert_eq!(value(&all[0], "AcctBsInfSgmt/BusiLines"), "14");
    assert_eq!(value(&all[0], "AcctBsInfSgmt/BusiDtlLines"), "10");
    assert_eq!(value(&all[0], "AcctBsSgmt/AcctType"), "D1");
    assert_eq!(value(&all[0], "AcctBsSgmt/RptDateCode"), "10");
    // The type of a loan account follows from nothing.
    let mut all = records(&late_loan(), Some(Profile::Lender), &[Known::default()]).unwrap();
    let found = wrong(&mut all[0], "2024-07-31");
    assert!(
        found
            .iter()
            .any(|it| it == "event_needs AcctBsSgmt/AcctType"),
        "{found:#?}"
    );
}

#[test]
fn a_guarantor_that_paid_reports_the_liability_and_opens_the_claim() {
    let guarantee = state("230", GUARANTEE);
    let event = json!({
        "obligation": "guarantee", "account": "T99999999H0001DB000001", "subject": person(),
        "on": "2024-07-31", "due": {"on": "2024-06-29", "amount": 80_000}, "performed": false,
        "paid_out": {"on": "2024-07-30", "amount": 80_000}, "balance": 220_000,
        "grade": {"class": "3", "on": "2024-07-31"},
        "claim": {"account": "T99999999H0001DC000001", "items": {
            "AcctBsSgmt": {"MngmtOrgCode": ORGANIZATION}, "AcctBsInfSgmt": {"Cy": "CNY"},
            "OrigCreditorInfSgmt": {"InitCredName": "示例银行", "OrigDbtCate": "1"},
            "AcctDbtInfSgmt": {"LatRpyAmt": 0, "LatRpyDate": "2024-07-30"},
        }},
    });
    let known = [open("G1", &guarantee), Known::default()];
    let mut all = records(&event, Some(Profile::GuaranteeCompany), &known).unwrap();
    point(&mut all[1], "10");
    for taken in &mut all {
        assert_eq!(wrong(taken, "2024-07-31"), [""; 0], "{}", taken.plan.code());
        assert!(negative(taken));
    }
    let at = |item: &str| value(&all[0], &format!("GuarRltRepymtInfSgmt/{item}"));
    assert_eq!(
        [
            "AcctStatus",
            "LoanAmt",
            "RepayPrd",
            "FiveCate",
            "CompAdvFlag"
        ]
        .map(at),
        ["1", "220000", "2024-07-30", "3", "1"]
    );
    assert_eq!(value(&all[0], "GuarAcctBsSgmt/RptDateCode"), "30");
    let at = |path: &str| value(&all[1], path);
    assert_eq!(at("AcctBsSgmt/AcctCode"), "T99999999H0001DC000001");
    assert_eq!(
        ["BusiLines", "BusiDtlLines", "OpenDate", "LoanAmt"]
            .map(|item| at(&format!("AcctBsInfSgmt/{item}"))),
        ["6", "B1", "2024-07-30", "80000"]
    );
    // 31 days late when it was paid.
    assert_eq!(at("OrigCreditorInfSgmt/InitRpySts"), "2");
    assert_eq!(at("AcctDbtInfSgmt/AcctBal"), "80000");
}

#[test]
fn a_claim_is_not_closed_or_paid_with_its_guarantee_and_a_second_payout_asks_for_its_balance() {
    let guarantee = state("230", GUARANTEE);
    let event = json!({
        "obligation": "guarantee", "account": "T99999999H0001DB000001", "subject": person(),
        "on": "2024-07-31",
        "paid": {"on": "2024-05-29", "amount": 500}, "closed_on": "2024-07-31",
        "paid_out": {"on": "2024-07-30", "amount": 80_000}, "balance": 0,
        "grade": {"class": "3", "on": "2024-07-31"},
        "claim": {"account": "T99999999H0001DC000001", "items": {
            "AcctBsSgmt": {"MngmtOrgCode": ORGANIZATION}, "AcctBsInfSgmt": {"Cy": "CNY"},
            "OrigCreditorInfSgmt": {"InitCredName": "示例银行", "OrigDbtCate": "1",
                                    "InitRpySts": "2"},
            "AcctDbtInfSgmt": {"LatRpyAmt": 0, "LatRpyDate": "2024-07-30"},
        }},
    });
    let known = [open("G1", &guarantee), Known::default()];
    let mut all = records(&event, Some(Profile::GuaranteeCompany), &known).unwrap();
    let mut claim = all.pop().unwrap();
    point(&mut claim, "10");
    assert_eq!(wrong(&mut claim, "2024-07-31"), [""; 0]);
    assert!(negative(&claim));
    let at = |item: &str| value(&claim, &format!("AcctDbtInfSgmt/{item}"));
    assert_eq!(
        ["AcctStatus", "AcctBal", "CloseDate", "LatRpyAmt"].map(at),
        ["1", "80000", "", "0"]
    );
    let accepted = (claim.plan, claim.record.clone());
    let known = [open("G1", &guarantee), open("C1", &accepted)];
    let mut all = records(&event, Some(Profile::GuaranteeCompany), &known).unwrap();
    let wrong = wrong(&mut all[1], "2024-07-31");
    assert!(
        wrong.contains(&"event_needs AcctDbtInfSgmt/AcctBal".to_owned()),
        "{wrong:?}"
    );
}

#[test]
fn an_insurer_and_a_factor_that_paid_open_claims_of_their_own_lines() {
    let surety = state("440", SURETY);
    let claim = json!({"account": "Z9999990000001FAKECLAIM01", "items": {
        "AcctBsSgmt": {"MngmtOrgCode": "Z9999990000001"}, "AcctBsInfSgmt": {"Cy": "CNY"},
        "ActLbltyInfSgmt": {"LatRpyDate": "2024-06-30", "LatRpyAmt": 0, "LatRpyPrincAmt": 0,
                            "RpmtType": "10"},
    }});
    let event = json!({
        "obligation": "insurance", "account": "Z9999990000001FAKEGUAR0001",
        "subject": enterprise(), "on": "2024-07-01", "balance": 0,
        "paid_out": {"on": "2024-06-30", "amount": 1_000_000},
        "grade": {"class": "4", "on": "2024-07-01"}, "claim": claim,
    });
    let known = [open("G1", &surety), Known::default()];
    let mut all = records(&event, Some(Profile::Insurer), &known).unwrap();
    for taken in &mut all {
        assert_eq!(wrong(taken, "2024-07-01"), [""; 0], "{}", taken.plan.code());
        assert!(negative(taken));
    }
    assert_eq!(value(&all[1], "AcctBsInfSgmt/BusiDtlLines"), "50");
    let event = with(
        &event,
        &[("obligation", json!("factoring")), ("balance", json!(null))],
    );
    let mut all = records(&event, Some(Profile::Factor), &[Known::default()]).unwrap();
    assert_eq!(wrong(&mut all[0], "2024-07-01"), [""; 0]);
    assert_eq!(value(&all[0], "AcctBsInfSgmt/BusiLines"), "41");
    assert_eq!(value(&all[0], "AcctBsInfSgmt/BusiDtlLines"), "40");
    assert_eq!(value(&all[0], "AcctBsSgmt/AcctType"), "C1");
    assert!(negative(&all[0]));
}

#[test]
fn a_guarantee_without_anything_paid_graded_or_closed_is_no_report() {
    let guarantee = state("230", GUARANTEE);
    let event = json!({
        "obligation": "guarantee", "account": "T99999999H0001DB000001", "subject": person(),
        "on": "2024-07-31", "due": {"on": "2024-06-29", "amount": 80_000}, "performed": false,
        "balance": 300_000,
    });
    let profile = Some(Profile::GuaranteeCompany);
    let mut all = records(&event, profile, &[open("G1", &guarantee)]).unwrap();
    let found = wrong(&mut all[0], "2024-07-31");
    let asks = "event_needs GuarRltRepymtInfSgmt/CompAdvFlag".to_owned();
    assert!(found.contains(&asks), "{found:#?}");
    let graded = with(
        &event,
        &[("grade", json!({"class": "3", "on": "2024-07-31"}))],
    );
    let mut all = records(&graded, profile, &[open("G1", &guarantee)]).unwrap();
    assert_eq!(wrong(&mut all[0], "2024-07-31"), [""; 0]);
    assert_eq!(value(&all[0], "GuarAcctBsSgmt/RptDateCode"), "40");
}
