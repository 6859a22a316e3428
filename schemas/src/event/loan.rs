//! Records 210 and 410: the account of a loan, a card, a lease, a financing or a claim.

use super::days::{Age, Bucket};
use super::fill::Fill;
use super::finding::{NEEDS, VALUE};
use super::{Due, Status};

/// The month of a personal account (210, `AcctMthlyBlgInfSgmt`; items by account type as
/// `items.tsv` has them).
pub(super) fn month(fill: &mut Fill<'_>, kind: &str) {
    const AT: &str = "AcctMthlyBlgInfSgmt";
    let at = |item: &str| format!("{AT}/{item}");
    let event = fill.event;
    let month = event.on.strftime("%Y-%m").to_string();
    fill.put(&at("Month"), &month);
    if let Some(due) = &event.due
        && due.on.strftime("%Y-%m").to_string() == month
    {
        fill.put(&at("SettDate"), due.on);
    }
    let late = Late::of(fill);
    let is_card = matches!(kind, "R2" | "R3");
    let status = match (event.status, event.closed_on, is_card) {
        (_, Some(_), false) => "3",
        (_, Some(_), true) => "4",
        (Some(Status::BadDebt), _, false) => "41",
        (Some(Status::WrittenOff), _, false) => "42",
        (Some(Status::BadDebt), _, true) => "51",
        (Some(Status::WrittenOff), _, true) => "52",
        (Some(Status::JudicialRecovery), ..) => "8",
        (None, None, false) if late.total > 0 => "2",
        (None, None, _) => "1",
    };
    fill.put(&at("AcctStatus"), status);
    fill.tell(&at("AcctBal"), "balance", event.balance);
    fill.grade(AT);
    let due = event.month.map(|(due, _)| due);
    fill.put(&at("RpyStatus"), repayment(fill, &late, due));
    let instalments = matches!(kind, "D1" | "R1" | "R2" | "R4");
    if instalments {
        fill.tell(&at("RemRepPrd"), "periods_left", event.periods_left);
        fill.put(&at("OverdPrd"), event.unpaid.len());
        fill.put(&at("TotOverd"), late.total);
        fill.tell(&at("CurRpyAmt"), "month.due", due);
    }
    if instalments && kind != "R2" {
        late.put_principal(fill, &at("OverdPrinc"));
        for (bucket, item) in [
            (Bucket::From31, "Oved31_60Princ"),
            (Bucket::From61, "Oved61_90Princ"),
            (Bucket::From91, "Oved91_180Princ"),
            (Bucket::Over180, "OvedPrinc180"),
        ] {
            let amount = late.principal_of(bucket);
            fill.tell(&at(item), "unpaid.principal", amount);
        }
    }
    let paid = event.month.map(|(_, paid)| paid);
    fill.tell(&at("ActRpyAmt"), "month.paid", paid);
    fill.keep(
        &at("LatRpyDate"),
        "paid.on",
        event.paid.as_ref().map(|it| it.on),
    );
    if let Some(closed) = event.closed_on {
        fill.put(&at("CloseDate"), closed);
    }
}

/// The code of the repayment status (list `RpyStatusD1` and its like).
fn repayment(fill: &Fill<'_>, late: &Late, due: Option<u64>) -> &'static str {
    let event = fill.event;
    if event.closed_on.is_some() {
        return "C";
    }
    if matches!(event.status, Some(Status::BadDebt | Status::WrittenOff)) {
        return "B";
    }
    if let Some(oldest) = late.oldest {
        return oldest.status();
    }
    let paid_late = event.due.as_ref().zip(event.paid.as_ref());
    match due {
        // Nothing was to be paid, and nothing is overdue.
        Some(0) => "*",
        _ if paid_late.is_some_and(|(due, paid)| {
            due.on < paid.on && due.on.first_of_month() == paid.on.first_of_month()
        }) =>
        {
            "M"
        }
        _ => "N",
    }
}

/// A personal collection account (210 C1, `AcctDbtInfSgmt`).
pub(super) fn collection(fill: &mut Fill<'_>) {
    const AT: &str = "AcctDbtInfSgmt";
    let at = |item: &str| format!("{AT}/{item}");
    let event = fill.event;
    if !fill.known.is_accepted {
        // The plan asks for what the original claim was.
        fill.mark("OrigCreditorInfSgmt");
        original(fill);
    }
    let status = if event.closed_on.is_some() { "2" } else { "1" };
    fill.put(&at("AcctStatus"), status);
    let balance = fill.balance();
    fill.tell(&at("AcctBal"), "balance", balance);
    let paid = event.paid.as_ref();
    fill.keep(&at("LatRpyAmt"), "paid.amount", paid.map(|it| it.amount));
    fill.keep(&at("LatRpyDate"), "paid.on", paid.map(|it| it.on));
    if let Some(closed) = event.closed_on {
        fill.put(&at("CloseDate"), closed);
    }
}

/// How late the debtor was with the original claim when it passed on (list `InitRpySts`).
fn original(fill: &mut Fill<'_>) {
    let event = fill.event;
    let moved = event.paid_out.map(|(on, _)| on);
    let oldest = event.unpaid.iter().map(|it| it.on).min();
    if let Some(age) = moved
        .zip(oldest)
        .and_then(|(moved, due)| Age::of(due, moved))
    {
        fill.suggest("OrigCreditorInfSgmt/InitRpySts", age.status());
    }
}

/// The performance of an enterprise account (410, `ActLbltyInfSgmt`).
pub(super) fn performance(fill: &mut Fill<'_>, kind: &str) {
    const AT: &str = "ActLbltyInfSgmt";
    let at = |item: &str| format!("{AT}/{item}");
    let event = fill.event;
    let is_claim = kind == "C1";
    fill.suggest("AcctBsSgmt/RptDateCode", point(fill, kind));
    let status = match (event.closed_on, event.status) {
        (Some(_), _) => "21",
        (None, Some(Status::WrittenOff)) => "31",
        (None, Some(Status::BadDebt)) => "32",
        (None, Some(Status::JudicialRecovery)) => {
            fill.say(
                VALUE,
                "/status",
                "企业借贷账户没有司法追偿状态：请改用还款形式（paid.form）或不填",
                "accounts of enterprises have no status of judicial recovery: tell the form of \
                 payment (paid.form) instead, or leave it out",
            );
            return;
        }
        (None, None) => "10",
    };
    fill.put(&at("AcctStatus"), status);
    let balance = fill.balance();
    fill.tell(&at("AcctBal"), "balance", balance);
    let changed = fill.balance_on(&at("AcctBal"), &at("BalChgDate"));
    fill.tell(&at("BalChgDate"), "balance_on", changed);
    fill.grade(AT);
    let paid = event.paid.as_ref();
    fill.keep(&at("LatRpyDate"), "paid.on", paid.map(|it| it.on));
    fill.keep(&at("LatRpyAmt"), "paid.amount", paid.map(|it| it.amount));
    match paid {
        // All four are of one payment: what was accepted is of another one.
        Some(paid) => {
            fill.tell(&at("LatRpyPrincAmt"), "paid.principal", paid.principal);
            fill.tell(&at("RpmtType"), "paid.form", paid.form.as_deref());
        }
        None => {
            fill.keep(&at("LatRpyPrincAmt"), "paid.principal", None::<u64>);
            fill.keep(&at("RpmtType"), "paid.form", None::<u64>);
        }
    }
    if !is_claim {
        terms(fill, kind);
    }
    if let Some(closed) = event.closed_on {
        fill.put(&at("CloseDate"), closed);
    }
}

/// What is overdue and what was agreed: not of collection accounts.
fn terms(fill: &mut Fill<'_>, kind: &str) {
    let at = |item: &str| format!("ActLbltyInfSgmt/{item}");
    let event = fill.event;
    let late = Late::of(fill);
    if kind == "R1" {
        fill.tell(&at("PymtPrd"), "periods_left", event.periods_left);
    }
    fill.put(&at("TotOverd"), late.total);
    late.put_principal(fill, &at("OverdPrinc"));
    let days = late.oldest.map_or(0, Age::days);
    if days <= MOST_DAYS {
        fill.put(&at("OverdDy"), days);
    } else {
        fill.say(
            NEEDS,
            &at("OverdDy"),
            "逾期超过999天：该项至多三位，表中未说明应如何填写；请直接报送该记录（410）",
            "more than 999 days late: the item has three digits and no table says what stands for \
             more; send the record (410) itself",
        );
    }
    let due = event.due.as_ref();
    fill.keep(&at("LatAgrrRpyDate"), "due.on", due.map(|it| it.on));
    fill.keep(&at("LatAgrrRpyAmt"), "due.amount", due.map(|it| it.amount));
    if let Some(next) = event.next_due {
        fill.put(&at("NxtAgrrRpyDate"), next);
    }
}

/// The longest that `OverdDy` of record 410 can tell (`items.tsv`, three digits).
const MOST_DAYS: u32 = 999;

/// The code of the reporting point of record 410 (list `EntDcAcctRptDateCode`; which code goes with
/// which account type: rules R4100106 to R4100114). Which of two that fit is meant no text says:
/// opening and closing first, then the agreed day, then a payment, then a grade (low).
fn point(fill: &Fill<'_>, kind: &str) -> &'static str {
    let event = fill.event;
    let is_day = |day: Option<jiff::civil::Date>| day == Some(event.on);
    if !fill.known.is_accepted {
        return "10";
    }
    if event.closed_on.is_some() {
        return "20";
    }
    if kind == "R1" {
        return "49";
    }
    if kind != "C1" && is_day(event.due.as_ref().map(|it| it.on)) {
        "32"
    } else if is_day(event.paid.as_ref().map(|it| it.on)) {
        "33"
    } else if is_day(event.grade.as_ref().map(|(_, on)| *on)) {
        "41"
    } else {
        "49"
    }
}

/// All that is late.
struct Late {
    total: u64,
    oldest: Option<Age>,
    /// Age and principal; none where it was not told.
    principal: Vec<(Age, Option<u64>)>,
}

impl Late {
    fn of(fill: &Fill<'_>) -> Self {
        let event = fill.event;
        let aged = |due: &Due| Age::of(due.on, event.on).map(|age| (age, due.principal));
        let principal: Vec<_> = event.unpaid.iter().filter_map(aged).collect();
        Self {
            total: event
                .unpaid
                .iter()
                .map(|it| it.amount)
                .fold(0, u64::saturating_add),
            oldest: principal.iter().map(|(age, _)| *age).max(),
            principal,
        }
    }

    fn put_principal(&self, fill: &mut Fill<'_>, path: &str) {
        let all = self.principal.iter().map(|(_, principal)| *principal);
        let sum: Option<u64> = all.sum();
        fill.tell(path, "unpaid.principal", sum);
    }

    /// The principal of an age; none where it is not told of one that belongs there.
    fn principal_of(&self, bucket: Bucket) -> Option<u64> {
        let own = self
            .principal
            .iter()
            .filter(|(age, _)| age.bucket() == bucket);
        own.map(|(_, principal)| *principal).sum()
    }
}
