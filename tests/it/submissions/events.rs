//! Negative events, from what a business system knows to the bureau's acceptance,
//! for each profile.

use std::collections::BTreeSet;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use creditgate::{
    demo::{
        BUREAU, INSTITUTION, Plan, consent_to_provide,
        loans::{Loan, ORGANIZATION},
    },
    operators::{Caller, Role},
    platform::{clock::Clock, db::Urgency, identity::Identity},
};
use jiff::{ToSpan as _, civil::Date};
use reqwest::Method;
use serde_json::{Value, json};

use super::{forms::findings, site::Site};
use crate::support::{id, key};

/// An enterprise that owes.
const ENTERPRISE: (&str, &str) = ("91999999MAFAKE019F", "示例供应链科技有限公司");

/// One example: the account that the bureau has, and the event of it.
struct Example {
    obligation: &'static str,
    /// Record type and business lines of the account.
    account: (&'static str, &'static str, &'static str),
    /// What is paid out gives a claim, of this record type.
    claim: Option<&'static str>,
}

const fn example(
    obligation: &'static str,
    account: (&'static str, &'static str, &'static str),
    claim: Option<&'static str>,
) -> Example {
    Example {
        obligation,
        account,
        claim,
    }
}

const LENDING: [Example; 2] = [
    example("lending", ("210", "1", "91"), None),
    example("lending", ("410", "11", "11"), None),
];
const LEASING: [Example; 2] = [
    example("leasing", ("210", "4", "92"), None),
    example("leasing", ("410", "14", "10"), None),
];
const FACTORING: [Example; 2] = [
    example("factoring", ("410", "13", "20"), None),
    example("factoring", ("410", "13", "10"), Some("410")),
];
const GUARANTEE: [Example; 2] = [
    example("guarantee", ("230", "1", "01"), Some("210")),
    example("guarantee", ("440", "1", "01"), Some("410")),
];
const BANK_GUARANTEE: [Example; 1] = [example("guarantee", ("440", "7", "71"), Some("410"))];
const INSURANCE: [Example; 2] = [
    example("insurance", ("230", "4", "12"), Some("210")),
    example("insurance", ("440", "4", "12"), Some("410")),
];

impl Example {
    fn is_of_person(&self) -> bool {
        self.account.0.starts_with('2')
    }

    fn loan(&self, site: &Site, n: u32) -> Loan {
        site.loan(n)
    }

    fn code(&self, n: u32) -> String {
        format!("{ORGANIZATION}EV{n:07}")
    }

    fn claim_code(&self, n: u32) -> String {
        format!("{ORGANIZATION}CL{n:07}")
    }

    fn subject(&self, site: &Site, n: u32) -> Value {
        let (kind, id_type, (number, name)) = if self.is_of_person() {
            ("person", "10", self.loan(site, n).borrower)
        } else {
            let (number, name) = ENTERPRISE;
            ("enterprise", "20", (number.to_owned(), name.to_owned()))
        };
        json!({"kind": kind, "id_type": id_type, "id_number": number, "name": name})
    }

    /// The first report of the account, three months ago, when all was well.
    fn opening(&self, site: &Site, n: u32) -> Value {
        let (record, line, detail) = self.account;
        let on = site.month_end(3);
        if record == "210" {
            let mut opening = self.loan(site, n).record();
            opening["data"]["AcctBsSgmt"]["AcctCode"] = self.code(n).into();
            opening["data"]["AcctBsInfSgmt"]["BusiLines"] = line.into();
            opening["data"]["AcctBsInfSgmt"]["BusiDtlLines"] = detail.into();
            return opening;
        }
        let subject = self.subject(site, n);
        let base = json!({
            "AcctType": if record == "410" { "D1" } else { "G1" }, "AcctCode": self.code(n),
            "RptDate": on.to_string(), "Name": subject["name"], "IDType": subject["id_type"],
            "IDNum": subject["id_number"], "MngmtOrgCode": ORGANIZATION,
        });
        let (opened, ends) = (before(on, 180), before(on, -720));
        if record == "410" {
            return json!({"record": "410", "data": {
                "AcctBsSgmt": base,
                "AcctBsInfSgmt": {
                    "BusiLines": line, "BusiDtlLines": detail, "OpenDate": opened, "Cy": "CNY",
                    "LoanAmt": 1_000_000, "Flag": "0", "DueDate": ends, "RepayMode": "11",
                    "RepayFreqcy": "10", "ApplyBusiDist": "110101", "GuarMode": "0",
                    "OthRepyGuarWay": "0", "LoanTimeLimCat": "20", "LoaFrm": "1",
                    "ActInvest": "L72", "FundSou": "1", "AssetTrandFlag": "0",
                },
                "ActLbltyInfSgmt": {
                    "AcctStatus": "10", "AcctBal": 900_000, "BalChgDate": before(on, 10),
                    "FiveCate": "1", "FiveCateAdjDate": before(on, 10), "TotOverd": 0,
                    "OverdPrinc": 0, "OverdDy": 0, "LatRpyDate": before(on, 10),
                    "LatRpyAmt": 100_000, "LatRpyPrincAmt": 90_000, "RpmtType": "10",
                    "LatAgrrRpyDate": before(on, 10), "LatAgrrRpyAmt": 100_000,
                },
            }});
        }
        let amount = if record == "230" {
            "AcctCredLine"
        } else {
            "GuarAmt"
        };
        let mut basic = json!({
            "BusiLines": line, "BusiDtilLines": detail, "OpenDate": opened, "Cy": "CNY",
            "DueDate": ends, "GuarMode": "0", "OthRepyGuarWay": "0", "SecDep": 0,
        });
        basic[amount] = json!(300_000);
        json!({"record": record, "data": {
            "GuarAcctBsSgmt": base, "GuarAcctBsInfSgmt": basic,
            "GuarRltRepymtInfSgmt": {
                "AcctStatus": "1", "LoanAmt": 300_000, "RepayPrd": opened, "FiveCate": "1",
                "FiveCateAdjDate": opened, "CompAdvFlag": "0",
            },
        }})
    }

    /// 32 days late at the end of last month; paid out where it gives a claim.
    fn event(&self, site: &Site, n: u32) -> Value {
        let on = site.month_end(1);
        let mut event = json!({
            "obligation": self.obligation, "account": self.code(n), "on": on.to_string(),
            "subject": self.subject(site, n), "performed": false,
            "due": {"on": before(on, 32), "amount": 10_900, "principal": 10_000},
        });
        let Some(record) = self.claim else {
            event["balance"] = json!(if self.is_of_person() {
                180_000
            } else {
                900_000
            });
            if self.is_of_person() {
                event["periods_left"] = json!(18);
                event["month"] = json!({"due": 10_900, "paid": 0});
            }
            return event;
        };
        event["paid_out"] = json!({"on": before(on, 1), "amount": 10_900});
        event["grade"] = json!({"class": "3", "on": on.to_string()});
        if matches!(self.account.0, "230" | "440") {
            event["balance"] = json!(289_100);
        }
        let mut items = json!({
            "AcctBsSgmt": {"MngmtOrgCode": ORGANIZATION}, "AcctBsInfSgmt": {"Cy": "CNY"},
        });
        if self.account == ("440", "7", "71") {
            // Which of a bank's advances it is no table tells.
            items["AcctBsInfSgmt"]["BusiDtlLines"] = "10".into();
        }
        if record == "210" {
            items["OrigCreditorInfSgmt"] = json!({"InitCredName": "示例银行", "OrigDbtCate": "1"});
            items["AcctDbtInfSgmt"] = json!({"LatRpyAmt": 0, "LatRpyDate": before(on, 1)});
        } else {
            items["ActLbltyInfSgmt"] = json!({
                "LatRpyDate": before(on, 1), "LatRpyAmt": 0, "LatRpyPrincAmt": 0, "RpmtType": "10",
            });
        }
        event["claim"] = json!({"account": self.claim_code(n), "items": items});
        event
    }

    /// What tells the person beforehand, of each account.
    async fn tell(&self, site: &Site, n: u32) {
        if !self.is_of_person() {
            return;
        }
        let due = site.month_end(1).saturating_sub(32.days());
        let claim = self.claim.map(|record| (record, self.claim_code(n)));
        for (record, code) in [Some((self.account.0, self.code(n))), claim]
            .into_iter()
            .flatten()
        {
            let body = json!({
                "subject": self.subject(site, n),
                "account": {"bureau": BUREAU, "record": record, "key": [code]},
                "due_period": due.strftime("%Y-%m").to_string(), "channel": "sms",
                "delivered_at": (site.now() - 200.hours()).to_string(),
                "proof": STANDARD.encode("synthetic report"),
            });
            let reply = site.submitter.post("/v1/notices", &body).await.unwrap();
            assert_eq!(reply.status, 201, "{reply:?}");
        }
    }
}

fn before(day: Date, days: i64) -> String {
    day.saturating_sub(days.days()).to_string()
}

/// A gateway of an institution of that profile.
async fn site_of(profile: &str) -> Site {
    let member = format!("organization_code = \"{ORGANIZATION}\"");
    let with = format!("{member}\nprofile = \"{profile}\"");
    Site::start_with(Plan::new(Clock::system()).edit(&member, &with)).await
}

/// Hands events in; the submission.
async fn hand_in(site: &Site, events: &[Value]) -> String {
    let lines: String = events.iter().map(|it| format!("{it}\n")).collect();
    let key = key();
    let headers = [
        ("content-type", "application/x-ndjson"),
        ("idempotency-key", &*key),
    ];
    let path = "/v1/submissions?bureau=pboc&events=true";
    let reply = site.raw(Method::POST, path, &headers, lines.into()).await;
    assert_eq!(reply.status, 201, "{reply:?}");
    id(&reply)
}

async fn consent(site: &Site, example: &Example, n: u32) {
    if example.is_of_person() {
        return site.consent(&example.loan(site, n)).await;
    }
    let (number, name) = ENTERPRISE;
    let now = site.now();
    let paper = consent_to_provide(&Identity::enterprise(number, name).unwrap(), now);
    let by = Caller::local(INSTITUTION.into(), [Role::Compliance]);
    let papers = site.test.gateway.authorizations();
    papers
        .record(&by, paper, Urgency::Urgent, now)
        .await
        .unwrap();
}

/// Every example becomes records that the bureau accepts, and no other obligation
/// is taken.
async fn reports(profile: &str, examples: &[&[Example]]) {
    let site = site_of(profile).await;
    let examples: Vec<&Example> = examples.iter().copied().flatten().collect();
    let numbered = || (1..).zip(examples.iter().copied());
    let mut openings = Vec::new();
    for (n, example) in numbered() {
        consent(&site, example, n).await;
        openings.push(example.opening(&site, n));
    }
    let opened = site.hand_in(&openings).await;
    accepted(&site, &opened, profile).await;
    let mut events = Vec::new();
    for (n, example) in numbered() {
        example.tell(&site, n).await;
        events.push(example.event(&site, n));
    }
    let reported = hand_in(&site, &events).await;
    accepted(&site, &reported, profile).await;
    for (n, example) in numbered() {
        let (record, ..) = example.account;
        let account = site.desk().account(record, &example.code(n)).unwrap();
        let of_factoring = example.obligation == "factoring" && example.claim.is_some();
        let times = if of_factoring { 1 } else { 2 };
        assert_eq!(account.taken, vec![record; times], "{profile} {n}");
        if let Some(claim) = example.claim {
            let account = site.desk().account(claim, &example.claim_code(n)).unwrap();
            assert_eq!(
                (&*account.account_type, account.taken),
                ("C1", vec![claim.to_owned()])
            );
        }
    }
    let may: BTreeSet<&str> = examples.iter().map(|it| it.obligation).collect();
    let others = ["lending", "guarantee", "leasing", "insurance", "factoring"];
    for other in others.into_iter().filter(|it| !may.contains(it)) {
        let mut event = LEASING[1].event(&site, 99);
        event["obligation"] = other.into();
        let refused = site.record(&hand_in(&site, &[event]).await).await;
        assert_eq!(findings(&refused), ["event_no_record"], "{profile} {other}");
    }
    site.stop().await;
}

/// Waits until all records are accepted; says what is wrong where that cannot be.
async fn accepted(site: &Site, submission: &str, profile: &str) {
    for record in site.records(submission).await {
        let lost = matches!(record["state"].as_str(), Some("set_aside" | "held"));
        assert!(!lost, "{profile}: {record:#}");
    }
    site.until("answered", async || {
        let records = site.records(submission).await;
        records
            .iter()
            .all(|it| it["state"] == "accepted" || it["state"] == "rejected")
    })
    .await;
    for record in site.records(submission).await {
        assert_eq!(record["state"], "accepted", "{profile}: {record:#}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lender_reports_lending_factoring_and_its_guarantees_and_nothing_else() {
    reports("lender", &[&LENDING, &FACTORING, &BANK_GUARANTEE]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guarantee_company_reports_guarantees_and_what_it_paid_and_nothing_else() {
    reports("guarantee_company", &[&GUARANTEE]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lessor_reports_leases_and_nothing_else() {
    reports("lessor", &[&LEASING]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_factor_reports_factoring_of_enterprises_and_nothing_else() {
    reports("factor", &[&FACTORING]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_insurer_reports_claims_that_it_paid_and_nothing_else() {
    reports("insurer", &[&INSURANCE]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_platform_reports_all_five() {
    reports(
        "platform",
        &[&LENDING, &GUARANTEE, &LEASING, &INSURANCE, &FACTORING],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_outside_the_profile_is_set_aside_and_an_event_asks_for_what_is_missing() {
    let site = site_of("lessor").await;
    let loan = site.hand_in(&[LENDING[0].opening(&site, 1)]).await;
    let loan = site.record(&loan).await;
    assert_eq!(
        (&loan["state"], findings(&loan)),
        (&json!("set_aside"), vec!["outside_profile"])
    );
    // The gateway does not know the account, so that the event has to say its terms.
    let event = LEASING[1].event(&site, 2);
    let asked = site.record(&hand_in(&site, &[event]).await).await;
    assert_eq!(asked["state"], "set_aside");
    let paths: BTreeSet<&str> = asked["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["path"].as_str().unwrap())
        .collect();
    for path in [
        "AcctBsSgmt/MngmtOrgCode",
        "AcctBsInfSgmt/LoanAmt",
        "ActLbltyInfSgmt/FiveCate",
    ] {
        assert!(paths.contains(path), "{path}: {paths:?}");
    }
    assert!(!asked.to_string().contains(ENTERPRISE.0));
    // A person's late rent waits for the notice.
    let rent = &LEASING[0];
    consent(&site, rent, 3).await;
    let opened = site.hand_in(&[rent.opening(&site, 3)]).await;
    accepted(&site, &opened, "lessor").await;
    let held = hand_in(&site, &[rent.event(&site, 3)]).await;
    let waits = super::forms::holds(&site.record(&held).await).join(" ");
    assert_eq!(waits, "notice_missing");
    rent.tell(&site, 3).await;
    site.all(&held, "accepted").await;
    // By the command, and wrong media types and parameters.
    let desk = site.operator();
    desk.file("late.jsonl", &format!("{}\n", LENDING[1].event(&site, 4)));
    let said = desk.run("submit --events late.jsonl --lang en").exits(3);
    assert!(said.out.contains("event_no_record"), "{said:?}");
    desk.file("late.csv", "a,b\n");
    desk.run("submit --events late.csv").exits(2);
    desk.run("submit --events late.jsonl --dry-run").exits(2);
    let headers = [("content-type", "text/csv"), ("idempotency-key", "csv")];
    let path = "/v1/submissions?bureau=pboc&events=true&record=410";
    let reply = site.raw(Method::POST, path, &headers, "a,b\n".into()).await;
    assert_eq!(
        (reply.status.as_u16(), &reply.body["code"]),
        (400, &json!("query"))
    );
    site.stop().await;
}
