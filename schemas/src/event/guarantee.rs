//! Records 230 and 440: the liability in force of a guarantee or an insurance.

use super::fill::Fill;
use super::finding::NEEDS;

/// The liability (`GuarRltRepymtInfSgmt`, the same items in both). The tag `RepayPrd` means the day
/// on which the balance changed, `LoanAmt` the balance in force (notes on record 440).
pub(super) fn liability(fill: &mut Fill<'_>) {
    const AT: &str = "GuarRltRepymtInfSgmt";
    let at = |item: &str| format!("{AT}/{item}");
    let event = fill.event;
    let was_paid_out = fill.accepted(&at("CompAdvFlag")) == Some("1");
    let paid_out = event.paid_out.is_some() || was_paid_out;
    if !paid_out && event.grade.is_none() && event.closed_on.is_none() {
        fill.say(
            NEEDS,
            &at("CompAdvFlag"),
            "担保（保险）账户只在代偿、五级分类或在保责任变化时报送：请写明paid_out、grade或closed_on",
            "an account of a guarantee is reported when something is paid out, graded or closed: \
             tell paid_out, grade or closed_on",
        );
    }
    let status = if event.closed_on.is_some() { "2" } else { "1" };
    fill.put(&at("AcctStatus"), status);
    let balance = fill.balance();
    fill.tell(&at("LoanAmt"), "balance", balance);
    let changed = fill.balance_on(&at("LoanAmt"), &at("RepayPrd"));
    fill.tell(&at("RepayPrd"), "balance_on", changed);
    fill.grade(AT);
    fill.put(&at("CompAdvFlag"), if paid_out { "1" } else { "0" });
    if let Some(closed) = event.closed_on {
        fill.put(&at("CloseDate"), closed);
    }
    let base = "GuarAcctBsSgmt/RptDateCode";
    // Lists NtrGuaAcctRptDateCode and EntGuaRptDateCode.
    let same = balance.is_some() && balance == fill.accepted_amount(&at("LoanAmt"));
    let point = match (fill.known.is_accepted, event.closed_on, same) {
        (false, ..) => "10",
        (true, Some(_), _) => "20",
        (true, None, true) if event.paid_out.is_none() => "40",
        (true, None, _) => "30",
    };
    fill.suggest(base, point);
}
