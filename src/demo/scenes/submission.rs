//! A submission: a thousand records, findings, holds, a notice, feedback, a
//! correction, and the proof of one record.

use std::time::{Duration, Instant};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::{SignedDuration, ToSpan as _, civil::Date};
use mocks::synthetic_resident_id;
use serde_json::{Value, json};

use super::{expect, scene, text};
use crate::{
    audit::verify_bundle,
    demo::{
        INSTITUTION, Reply, consent_to_provide,
        loans::{Loan, Standing},
        person,
        play::{PlayError, Set},
        staff::local,
    },
    operators::Role,
    platform::{clock::china_date, db::Urgency},
};

/// Loans that are reported.
const LOANS: u32 = 1_000;
/// People who borrowed.
const BORROWERS: u32 = 50;
/// The first of their synthetic numbers.
const FIRST: u32 = 300;
/// Every so many loans one is overdue, and one is written with a wrong currency.
const OVERDUE: u32 = 50;
const WRONG: u32 = 100;
/// The loan that the bureau rejects.
const REJECTED: u32 = 3;
/// How long the bureau may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Hands in the month's records and follows them to the end.
pub(super) async fn thousand(set: &Set) -> Result<(), PlayError> {
    set.say(
        "\n6. 一次报送：1,000 条记录",
        "\n6. A submission of 1,000 records",
    );
    let now = set.gateway.clock().now();
    let month_end = china_date(now).first_of_month().saturating_sub(1.day());
    let consents = (0..BORROWERS).map(|n| consent(set, n));
    for consent in consents {
        consent.await?;
    }
    let submitter = set.client(&set.staff.submitter.1);
    let lines: String = (1..=LOANS).map(|n| line(n, month_end)).collect();
    // The bureau finds something that only its own database knows.
    set.house
        .desk
        .spite(&loan(REJECTED, month_end).code(), "BLR022");
    let taken = submitter.submit(lines, "demo-month-end").await?;
    expect(&taken, "state", "taken")?;
    let id = text(&taken, "id");
    let [set_aside, held] = ["set_aside", "held"].map(|state| count(&taken.body, state));
    let told = |[label_zh, label_en]: [String; 2], reply: Reply, list: &'static str| {
        let first = &reply.body["records"][0];
        let why = &first[list][0];
        let what = if why["what"].is_object() {
            &why["what"]
        } else {
            why
        };
        set.say(
            &format!(
                "   {label_zh}，例如第 {} 条：{} {}",
                first["seq"],
                word(&why["code"]),
                word(&what["zh"])
            ),
            &format!(
                "   {label_en}, such as #{}: {} {}",
                first["seq"],
                word(&why["code"]),
                word(&what["en"])
            ),
        );
    };
    let page = |state| format!("/v1/submissions/{id}/records?state={state}&limit=1");
    told(
        [
            format!("校验未通过 {set_aside} 条"),
            format!("{set_aside} records are set aside with findings"),
        ],
        submitter.get(&page("set_aside")).await?,
        "findings",
    );
    told(
        [format!("待处理 {held} 条"), format!("{held} records wait")],
        submitter.get(&page("held")).await?,
        "holds",
    );
    if (set_aside, held) != (u64::from(LOANS / WRONG), u64::from(LOANS / OVERDUE)) {
        return Err(PlayError::Scene(
            "ten wrong records and twenty held ones were handed in".to_owned(),
        ));
    }
    notice(set, month_end).await?;
    let sent = u64::from(LOANS) - set_aside - held + 1;
    settled(set, &id, sent).await?;
    let rejected = submitter.get(&page("rejected")).await?;
    let first = &rejected.body["records"][0];
    set.say(
        &format!(
            "   反馈：接收 {}，退回 1：{} {}",
            sent - 1,
            word(&first["answer"][0]["code"]),
            word(&first["answer"][0]["zh"])
        ),
        &format!(
            "   feedback: {} accepted, 1 rejected: {} {}",
            sent - 1,
            word(&first["answer"][0]["code"]),
            word(&first["answer"][0]["en"])
        ),
    );
    corrected(set, &id, &first["seq"], month_end).await?;
    let desk = &set.house.desk;
    let files = desk.files();
    let once = files.values().all(|file| file.effects <= 1);
    set.say(
        &format!(
            "   征信机构登记账户 {} 个，收到报文 {} 份，每份只生效一次",
            desk.accounts("210"),
            files.len()
        ),
        &format!(
            "   accounts at the bureau: {}; files that it received: {}, each with effect once",
            desk.accounts("210"),
            files.len()
        ),
    );
    if !once || desk.accounts("210") as u64 != sent {
        return Err(PlayError::Scene(format!(
            "the bureau should have {sent} accounts"
        )));
    }
    proven(set, &id).await
}

fn loan(number: u32, month_end: Date) -> Loan {
    let borrower = FIRST + number % BORROWERS;
    Loan {
        number,
        borrower: (synthetic_resident_id(borrower), name(number % BORROWERS)),
        month_end,
        standing: if number.is_multiple_of(OVERDUE) {
            Standing::Overdue
        } else {
            Standing::Normal
        },
    }
}

fn line(number: u32, month_end: Date) -> String {
    let mut record = loan(number, month_end).record();
    if number % WRONG == 1 {
        record["data"]["AcctBsInfSgmt"]["Cy"] = "RMB".into();
    }
    format!("{record}\n")
}

/// Names that nobody has.
fn name(borrower: u32) -> String {
    let stems: Vec<char> = "甲乙丙丁戊己庚辛壬癸".chars().collect();
    let (tens, ones) = (borrower as usize / 10, borrower as usize % 10);
    format!("测试{}{}", stems[tens % 10], stems[ones])
}

async fn consent(set: &Set, borrower: u32) -> Result<(), PlayError> {
    let now = set.gateway.clock().now();
    let number = synthetic_resident_id(FIRST + borrower);
    let subject = person(&name(borrower), &number, now)
        .ok_or_else(|| PlayError::Scene("a synthetic number is refused".to_owned()))?;
    let by = local(Role::Compliance);
    let authorizations = set.gateway.authorizations();
    let paper = consent_to_provide(&subject, now);
    authorizations
        .record(&by, paper, Urgency::Urgent, now)
        .await?;
    Ok(())
}

/// A notice delivered for one of the overdue loans: its record goes on.
async fn notice(set: &Set, month_end: Date) -> Result<(), PlayError> {
    let loan = loan(OVERDUE, month_end);
    let delivered = set.gateway.clock().now() - SignedDuration::from_hours(4 * 24);
    let body = json!({
        "subject": {"kind": "person", "id_type": "10", "id_number": loan.borrower.0, "name": loan.borrower.1},
        "account": {"bureau": super::super::BUREAU, "record": "210", "key": [loan.code()]},
        "due_period": month_end.strftime("%Y-%m").to_string(), "channel": "sms",
        "delivered_at": delivered.to_string(), "proof": STANDARD.encode("synthetic delivery report"),
    });
    let submitter = set.client(&set.staff.submitter.1);
    let reply = submitter.post("/v1/notices", &body).await?;
    if !reply.status.is_success() {
        return Err(PlayError::Scene(format!(
            "the notice is refused: {}",
            reply.body
        )));
    }
    set.say(
        "   ✓ 已登记一份送达的告知，对应的一条不良记录放行",
        "   ✓ one notice is recorded as delivered, and its negative record goes on",
    );
    Ok(())
}

/// Waits until so many records of a submission were answered.
async fn settled(set: &Set, id: &str, wanted: u64) -> Result<Reply, PlayError> {
    let submitter = set.client(&set.staff.submitter.1);
    let since = Instant::now();
    loop {
        let reply = submitter.get(&format!("/v1/submissions/{id}")).await?;
        let answered = count(&reply.body, "accepted") + count(&reply.body, "rejected");
        if answered >= wanted {
            return Ok(reply);
        }
        if since.elapsed() > PATIENCE {
            let files = submitter.get("/v1/files").await?;
            return Err(PlayError::Scene(format!(
                "{wanted} answers should have come: {} {}",
                reply.body, files.body
            )));
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// The rejected record mended, handed in again, accepted and linked.
async fn corrected(set: &Set, id: &str, seq: &Value, month_end: Date) -> Result<(), PlayError> {
    let mut record = loan(REJECTED, month_end).record();
    record["corrects"] = json!({"submission": id, "seq": seq});
    let submitter = set.client(&set.staff.submitter.1);
    let taken = submitter
        .submit(format!("{record}\n"), "demo-correction")
        .await?;
    expect(&taken, "state", "taken")?;
    let reply = settled(set, &text(&taken, "id"), 1).await?;
    if count(&reply.body, "accepted") != 1 {
        return Err(PlayError::Scene(
            "the correction should be accepted".to_owned(),
        ));
    }
    let old = submitter
        .get(&format!("/v1/submissions/{id}/records?state=replaced"))
        .await?;
    if old.body["records"][0]["seq"] != *seq {
        return Err(PlayError::Scene(
            "the rejected record should be replaced".to_owned(),
        ));
    }
    set.say(
        "   ✓ 更正记录已被接收，并与被退回的记录关联",
        "   ✓ the correction is accepted, and linked to what it corrects",
    );
    Ok(())
}

/// That one record was submitted, shown to somebody who trusts nobody.
async fn proven(set: &Set, id: &str) -> Result<(), PlayError> {
    let gateway = &set.gateway;
    let of = gateway
        .submissions()
        .find(&INSTITUTION.into(), id)
        .await
        .map_err(scene)?;
    let of = of.ok_or_else(|| PlayError::Scene("the submission is gone".to_owned()))?;
    gateway.log().publish().await.map_err(scene)?;
    let bundle = gateway
        .record_bundle(&local(Role::Compliance), &of, 2)
        .await?;
    let bundle = bundle.ok_or_else(|| PlayError::Scene("there is no proof".to_owned()))?;
    let file = set.house.folder.join("bundle-record.json");
    std::fs::write(&file, &bundle).map_err(scene)?;
    let key = gateway.log().vkey().parse().map_err(scene)?;
    let report = verify_bundle(&bundle, Some(&key), None);
    if let Some(finding) = report.findings.first() {
        return Err(PlayError::Scene(finding.to_string()));
    }
    if report.rows_proven.len() != 1 {
        return Err(PlayError::Scene("one record should be proven".to_owned()));
    }
    set.say(
        &format!("   ✓ {} 证明其中一条记录确已报送", file.display()),
        &format!(
            "   ✓ {} proves that one record was submitted",
            file.display()
        ),
    );
    Ok(())
}

fn count(body: &Value, state: &str) -> u64 {
    let counts = body["records"].as_array().into_iter().flatten();
    let mut of = counts.filter(|it| it["state"] == state);
    of.next().and_then(|it| it["count"].as_u64()).unwrap_or(0)
}

fn word(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
