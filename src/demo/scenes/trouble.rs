//! Scenes in which something goes wrong.

use jiff::SignedDuration;
use mocks::{Fault, FaultRule};
use serde_json::Value;

use super::{
    super::play::{PlayError, Set},
    arrived, authorize, expect, inquire, scene, settled, subject, text,
};
use crate::{authorizations::Purpose, demo::staff::local, operators::Role};

/// An inquiry cut on the way: unknown, counted once, then reconciled from the
/// bureau's own list.
pub(super) async fn cut_on_the_way(set: &Set) -> Result<(), PlayError> {
    set.say("\n4. 途中断线", "\n4. The line is cut on the way");
    let subject = subject(set, "测试戊", 11)?;
    authorize(set, &subject, &[Purpose::LoanApproval]).await?;
    let fault = FaultRule::once(Fault::AcceptThenCut).for_subject(subject.expose_number());
    set.house
        .bureau
        .set_fault(fault)
        .await
        .map_err(|error| scene(format!("{error:?}")))?;
    let lost = inquire(set, &subject, "loan_approval", "LOAN-2026-0003").await?;
    expect(&lost, "state", "unknown")?;
    set.say(
        "   结果不明：征信机构可能已登记，因此不会重发",
        "   unknown: the bureau may have recorded it, so it is not sent again",
    );
    arrived(set, &subject, 1)?;
    let now = set.gateway.clock().now();
    let (from, until) = (
        now - SignedDuration::from_hours(1),
        now + SignedDuration::from_hours(1),
    );
    let list = set.house.bureau.inquiry_list(from, until);
    let path = format!("/v1/bureaus/pboc/inquiry-list?from={from}&until={until}");
    let compliance = set.client(&set.staff.compliance.1);
    let reconciled = compliance.post_csv(&path, list).await?;
    if reconciled.body["recorded"][0] != lost.body["id"] {
        return Err(scene(format!(
            "the list settles it, HTTP {}",
            reconciled.status
        )));
    }
    let after = set
        .officer
        .get(&format!("/v1/inquiries/{}", text(&lost, "id")))
        .await?;
    expect(&after, "state", "reconciled")?;
    set.say(
        "   ✓ 导入征信机构查询清单后对账：已登记",
        "   ✓ reconciled from the bureau's own list: it was recorded",
    );
    Ok(())
}

/// An authorization withdrawn while its inquiry waits: nothing leaves.
pub(super) async fn withdrawn_while_waiting(set: &Set) -> Result<(), PlayError> {
    set.say(
        "\n5. 等待复核期间撤回授权",
        "\n5. The authorization is withdrawn while it waits",
    );
    let subject = subject(set, "测试庚", 12)?;
    let authorization = authorize(set, &subject, &[Purpose::GuarantorCheck]).await?;
    let held = inquire(set, &subject, "guarantor_check", "GUARANTEE-2026-0002").await?;
    expect(&held, "state", "on_hold")?;
    let now = set.gateway.clock().now();
    let by = local(Role::Compliance);
    set.gateway
        .authorizations()
        .withdraw(&by, &authorization, now)
        .await?;
    let id = text(&held, "id");
    let checker = set.client(&set.staff.checker.1);
    checker
        .post(&format!("/v1/inquiries/{id}/release"), &Value::Null)
        .await?;
    let ended = settled(set, &id).await?;
    expect(&ended, "state", "refused")?;
    let rule = ended.body["reasons"][0]["rule"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    set.say(
        &format!("   ✓ 放行后再次判定，被 {rule} 拒绝"),
        &format!("   ✓ decided again after its release, and refused by {rule}"),
    );
    arrived(set, &subject, 0)
}
