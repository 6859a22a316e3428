//! The scenes: each asks through the API, as an officer's tool would, and
//! counts at the bureau what arrived.

mod submission;
mod trouble;

use mocks::synthetic_resident_id;
use serde_json::{Value, json};

use super::{
    INSTITUTION, Reply, authorization, person,
    play::{PlayError, Set},
    staff::local,
};
use crate::{
    audit::{
        note::Note,
        verify::{Options, verify_database},
        verify_bundle,
    },
    authorizations::{Purpose, Recorded},
    gateway::{Addresses, SealedPayloads},
    operators::Role,
    platform::{db::Urgency, identity::Identity, ids::AuthorizationId},
};

/// Plays all scenes.
pub(super) async fn all(set: &Set) -> Result<(), PlayError> {
    opening(set);
    permitted(set).await?;
    refused_and_cured(set).await?;
    held_and_released(set).await?;
    trouble::cut_on_the_way(set).await?;
    trouble::withdrawn_while_waiting(set).await?;
    submission::thousand(set).await?;
    proof(set).await
}

fn opening(set: &Set) {
    let folder = set.stage.folder.display();
    set.say(
        &format!(
            "creditgate 演示：全部数据均为虚构。\n\
             已在 {folder}/ 生成证书、密钥、creditgate.toml 与数据库，模拟征信机构与网关均已启动。"
        ),
        &format!(
            "creditgate demo: all data is synthetic.\n\
             Made certificates, keys, creditgate.toml and a database in {folder}/; \
             the mock bureau and the gateway are running."
        ),
    );
}

/// An inquiry permitted: report, variables, receipt.
async fn permitted(set: &Set) -> Result<(), PlayError> {
    set.say("\n1. 有授权的查询", "\n1. An authorized inquiry");
    let subject = subject(set, "测试甲", 1)?;
    authorize(set, &subject, &[Purpose::LoanApproval]).await?;
    let asked = inquire(set, &subject, "loan_approval", "LOAN-2026-0001").await?;
    expect(&asked, "state", "answered")?;
    let id = text(&asked, "id");
    let language = match set.stage.language {
        schemas::text::Language::Zh => "zh",
        schemas::text::Language::En => "en",
    };
    let report = set
        .officer
        .get(&format!("/v1/inquiries/{id}/report?lang={language}"))
        .await?;
    set.say(
        &format!(
            "   已答复：{}，征信机构代码 {}",
            text(&asked, "outcome"),
            said(&asked)
        ),
        &format!(
            "   answered: {}, bureau code {}",
            text(&asked, "outcome"),
            said(&asked)
        ),
    );
    for variable in report.body["variables"]
        .as_array()
        .into_iter()
        .flatten()
        .take(6)
    {
        let label = variable["label"][language].as_str().unwrap_or_default();
        set.say(
            &format!("   · {label}：{}", figure(&variable["value"])),
            &format!("   · {label}: {}", figure(&variable["value"])),
        );
    }
    let receipt = text(&asked, "receipt");
    let proven = until_indexed(set, &receipt).await?;
    set.say(
        &format!(
            "   回执 {receipt}：审计日志第 {} 条，附包含证明",
            proven["index"]
        ),
        &format!(
            "   receipt {receipt}: entry {} of the audit log, with its proof",
            proven["index"]
        ),
    );
    arrived(set, &subject, 1)
}

/// An inquiry refused with reasons, and cured by a new authorization.
async fn refused_and_cured(set: &Set) -> Result<(), PlayError> {
    set.say(
        "\n2. 无授权的查询被拒绝，补授权后通过",
        "\n2. An inquiry without an authorization is refused, then cured by one",
    );
    let subject = subject(set, "测试丙", 902)?;
    let refused = inquire(set, &subject, "loan_approval", "LOAN-2026-0002").await?;
    expect(&refused, "state", "refused")?;
    for reason in refused.body["reasons"].as_array().into_iter().flatten() {
        let rule = reason["rule"].as_str().unwrap_or_default();
        set.say(
            &format!(
                "   ✗ {rule} {}；{}",
                both(reason, "what", "zh"),
                both(reason, "cure", "zh")
            ),
            &format!(
                "   ✗ {rule} {}; {}",
                both(reason, "what", "en"),
                both(reason, "cure", "en")
            ),
        );
    }
    arrived(set, &subject, 0)?;
    authorize(set, &subject, &[Purpose::LoanApproval]).await?;
    let asked = inquire(set, &subject, "loan_approval", "LOAN-2026-0002").await?;
    expect(&asked, "state", "answered")?;
    set.say("   ✓ 取得授权后已答复", "   ✓ authorized now, and answered");
    arrived(set, &subject, 1)
}

/// An inquiry held for a second person, and released.
async fn held_and_released(set: &Set) -> Result<(), PlayError> {
    set.say(
        "\n3. 须复核的用途",
        "\n3. A purpose that needs a second person",
    );
    let subject = subject(set, "测试乙", 901)?;
    authorize(set, &subject, &[Purpose::GuarantorCheck]).await?;
    let held = inquire(set, &subject, "guarantor_check", "GUARANTEE-2026-0001").await?;
    expect(&held, "state", "on_hold")?;
    arrived(set, &subject, 0)?;
    let path = format!("/v1/inquiries/{}/release", text(&held, "id"));
    let refused = set.officer.post(&path, &Value::Null).await?;
    if refused.status != 403 {
        return Err(PlayError::Scene(format!(
            "the maker released it: {}",
            refused.status
        )));
    }
    set.say(
        "   查询人本人不能复核：403",
        "   who asked cannot release it: 403",
    );
    let checker = set.client(&set.staff.checker.1);
    checker.post(&path, &Value::Null).await?;
    let id = text(&held, "id");
    let ended = settled(set, &id).await?;
    expect(&ended, "state", "answered")?;
    set.say(
        "   ✓ 复核员放行，已答复",
        "   ✓ the checker released it, and it was answered",
    );
    arrived(set, &subject, 1)
}

/// The log verified, and a bundle exported and verified.
async fn proof(set: &Set) -> Result<(), PlayError> {
    set.say("\n7. 证明", "\n7. The proof");
    let gateway = &set.gateway;
    let checkpoint = gateway.log().publish().await.map_err(scene)?;
    let vkey = gateway.log().vkey().parse().map_err(scene)?;
    let outside = set.house.folder.join("outside/checkpoint");
    let since: Note = std::fs::read_to_string(&outside)
        .map_err(scene)?
        .parse()
        .map_err(scene)?;
    let options = Options {
        vkey: Some(vkey),
        since: vec![("outside".to_owned(), since.clone())],
        ..Options::default()
    };
    let payloads = SealedPayloads(gateway.db());
    let report = verify_database(gateway.db(), &options, Some(&payloads))
        .await
        .map_err(scene)?;
    if let Some(finding) = report.findings.first() {
        return Err(PlayError::Scene(finding.to_string()));
    }
    set.say(
        &format!(
            "   ✓ 审计日志 {} 条全部验证，与外部检查点一致",
            checkpoint.size
        ),
        &format!(
            "   ✓ all {} entries of the audit log verify, and agree with the checkpoint outside",
            checkpoint.size
        ),
    );
    let register = gateway
        .inquiries()
        .any_answered(&INSTITUTION.into())
        .await
        .map_err(scene)?;
    let record = register.ok_or_else(|| PlayError::Scene("nothing was answered".to_owned()))?;
    let bundle = gateway.bundle(&local(Role::Compliance), &record).await?;
    let file = set.house.folder.join(format!("bundle-{}.json", record.id));
    std::fs::write(&file, &bundle).map_err(scene)?;
    let key = gateway.log().vkey().parse().map_err(scene)?;
    let proven = verify_bundle(&bundle, Some(&key), Some(&since));
    if let Some(finding) = proven.findings.first() {
        return Err(PlayError::Scene(finding.to_string()));
    }
    set.say(
        &format!("   ✓ 证据包 {} 仅凭公钥与检查点即可验证", file.display()),
        &format!(
            "   ✓ the bundle {} verifies by key and checkpoint alone",
            file.display()
        ),
    );
    Ok(())
}

/// What to try while it serves on.
pub(super) fn invite(set: &Set, addresses: Addresses) -> Result<(), PlayError> {
    use secrecy::ExposeSecret as _;
    let tokens = set.house.folder.join("keys");
    for (name, token) in [
        ("officer", &set.staff.officer.1),
        ("checker", &set.staff.checker.1),
        ("compliance", &set.staff.compliance.1),
        ("regulator", &set.staff.regulator.1),
        ("submitter", &set.staff.submitter.1),
        ("administrator", &set.staff.administrator.1),
    ] {
        let file = tokens.join(format!("{name}.token"));
        crate::platform::certs::write_secret(
            &file,
            token.expose_secret().as_bytes(),
            crate::platform::certs::Existing::Replace,
        )
        .map_err(scene)?;
    }
    // The listeners took free ports: from now on the configuration names them.
    let file = set.house.config();
    let mut config = std::fs::read_to_string(&file).map_err(scene)?;
    for address in [
        addresses.machines,
        addresses.people,
        addresses.operations,
        addresses.people,
    ] {
        config = config.replacen("\"127.0.0.1:0\"", &format!("\"{address}\""), 1);
    }
    std::fs::write(&file, config).map_err(scene)?;
    // README's first hour: the bureau finds something in one of the samples that
    // only its own database knows.
    set.house.desk.spite("T99999999H0001DK0009004", "BLR022");
    let folder = set.stage.folder.display();
    let examples = format!(
        "\n   curl --cacert {folder}/certs/ca.pem -H \"Authorization: Bearer $(cat {folder}/keys/officer.token)\" \\\n\
         \x20       https://127.0.0.1:{}/v1/bureaus\n\
         \x20  curl http://127.0.0.1:{}/readyz\n",
        addresses.people.port(),
        addresses.operations.port()
    );
    set.say(
        &format!("\n网关继续运行（Ctrl-C 结束）。可以试试：{examples}"),
        &format!("\nThe gateway goes on serving (Ctrl-C ends it). Try:{examples}"),
    );
    Ok(())
}

pub(super) fn subject(set: &Set, name: &str, seq: u32) -> Result<Identity, PlayError> {
    person(name, &synthetic_resident_id(seq), set.gateway.clock().now())
        .ok_or_else(|| PlayError::Scene("a synthetic number is refused".to_owned()))
}

pub(super) async fn authorize(
    set: &Set,
    subject: &Identity,
    purposes: &[Purpose],
) -> Result<AuthorizationId, PlayError> {
    let now = set.gateway.clock().now();
    let new = authorization(subject, purposes, now);
    let by = local(Role::Compliance);
    Ok(
        match set
            .gateway
            .authorizations()
            .record(&by, new, Urgency::Urgent, now)
            .await?
        {
            Recorded::Already(id) | Recorded::New(id) => id,
        },
    )
}

pub(super) async fn inquire(
    set: &Set,
    subject: &Identity,
    purpose: &str,
    business_ref: &str,
) -> Result<Reply, PlayError> {
    let body = json!({
        "subject": {
            "kind": "person",
            "id_type": subject.id_type(),
            "id_number": subject.expose_number(),
            "name": subject.expose_name(),
        },
        "bureau": super::BUREAU,
        "product": "personal_report",
        "purpose": purpose,
        "business_ref": business_ref,
    });
    let key = uuid::Uuid::now_v7().to_string();
    Ok(set
        .officer
        .inquire(
            &body,
            &key,
            if purpose == "guarantor_check" { 1 } else { 30 },
        )
        .await?)
}

/// Waits until an inquiry is settled.
pub(super) async fn settled(set: &Set, id: &str) -> Result<Reply, PlayError> {
    let mut asked = set.gateway.inquiries().join(&id.into());
    asked
        .wait(std::time::Duration::from_secs(30))
        .await
        .map_err(scene)?;
    Ok(set.officer.get(&format!("/v1/inquiries/{id}")).await?)
}

/// Says and checks how often the bureau was asked about somebody.
pub(super) fn arrived(set: &Set, subject: &Identity, expected: usize) -> Result<(), PlayError> {
    let count = set.house.bureau.count_for(subject.expose_number());
    set.say(
        &format!("   征信机构收到的查询：{count} 次"),
        &format!("   inquiries that the bureau received: {count}"),
    );
    if count == expected {
        Ok(())
    } else {
        Err(PlayError::Scene(format!(
            "the bureau should have received {expected}"
        )))
    }
}

pub(super) fn expect(reply: &Reply, field: &str, value: &str) -> Result<(), PlayError> {
    if reply.body[field] == value {
        return Ok(());
    }
    Err(PlayError::Scene(format!(
        "{field} should be {value}, is {} (HTTP {}, {})",
        reply.body[field], reply.status, reply.body["code"]
    )))
}

pub(super) fn text(reply: &Reply, field: &str) -> String {
    reply.body[field].as_str().unwrap_or_default().to_owned()
}

pub(super) fn scene(error: impl std::fmt::Display) -> PlayError {
    PlayError::Scene(error.to_string())
}

fn said(reply: &Reply) -> &str {
    reply.body["bureau_says"]["code"]
        .as_str()
        .unwrap_or_default()
}

fn both<'v>(reason: &'v Value, field: &str, language: &str) -> &'v str {
    reason[field][language].as_str().unwrap_or_default()
}

/// The figure in a variable's value: `{"amount": 5}`.
fn figure(value: &Value) -> String {
    let inner = value.as_object().and_then(|kinds| kinds.values().next());
    inner.unwrap_or(value).to_string()
}

/// Asks for a receipt until its entry has an index.
async fn until_indexed(set: &Set, receipt: &str) -> Result<Value, PlayError> {
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(5);
    loop {
        let reply = set.officer.get(&format!("/v1/receipts/{receipt}")).await?;
        if reply.status == 200 {
            return Ok(reply.body);
        }
        if tokio::time::Instant::now() > deadline {
            return Err(PlayError::Scene(format!(
                "the receipt is not proven: {}",
                reply.status
            )));
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}
