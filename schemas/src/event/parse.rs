//! One line of JSON Lines as an event.

use jiff::civil::Date;

use super::days::Age;
use super::finding::{JSON, TOO_LARGE, VALUE, finding};
use super::read::{Fields, Object};
use super::{Claim, Due, Event, Kind, Obligation, Paid, Status};
use crate::intake::MOST_BYTES;
use crate::validate::Finding;

/// All fields, for who wrote another.
const FIELDS: &str = "obligation, account, subject, on, due, performed, unpaid, paid, paid_out, \
    claim, recourse, balance, balance_on, month, periods_left, grade, status, next_due, closed_on, \
    items, dispute, corrects";

/// Reads a line; all that is wrong with it.
pub(super) fn event(line: &[u8]) -> Result<Event, Vec<Finding>> {
    let mut findings = Vec::new();
    let mut object = Object::new(String::new(), fields(line)?);
    let event = read(&mut object, &mut findings);
    object.end(FIELDS, &mut findings);
    match event {
        Some(event) if findings.is_empty() => {
            judge(&event, &mut findings);
            if findings.is_empty() {
                Ok(event)
            } else {
                Err(findings)
            }
        }
        _ => Err(findings),
    }
}

fn fields(line: &[u8]) -> Result<Fields<'_>, Vec<Finding>> {
    if line.len() > MOST_BYTES {
        let (zh, en) = ("一行过长", "the line is too long");
        return Err(vec![finding("", TOO_LARGE, ".", zh, en)]);
    }
    serde_json::from_slice(line).map_err(|error| {
        let at = match error.column() {
            0 => line.len(),
            column => column,
        };
        let (zh, en) = (
            format!("第{at}字节处不是JSON；一行应为一个JSON对象"),
            format!("no JSON at byte {at}; a line should be one JSON object"),
        );
        vec![finding("", JSON, ".", &zh, &en)]
    })
}

/// Reads all fields; none where one that must be there cannot be read.
fn read(of: &mut Object<'_>, findings: &mut Vec<Finding>) -> Option<Event> {
    let obligation = obligation(of, findings);
    let account = of.word("account", findings);
    let subject = subject(of, findings);
    let on = of.that_day("on", findings);
    let due = of.object("due", findings).map(|it| due_of(it, findings));
    let performed = of.flag("performed", findings);
    if due.is_some() && performed.is_none() {
        of.missing("performed", findings);
    }
    let unpaid = of.list("unpaid", findings).map(|list| {
        let each = list.into_iter().map(|it| due_of(it, findings));
        each.collect::<Vec<_>>()
    });
    let paid = of.object("paid", findings).map(|it| paid(it, findings));
    let paid_out = of.object("paid_out", findings).map(|mut it| {
        let told = (
            it.that_day("on", findings),
            it.that_amount("amount", findings),
        );
        it.end("on, amount", findings);
        told
    });
    let month = of.object("month", findings).map(|mut it| {
        let told = (
            it.that_amount("due", findings),
            it.that_amount("paid", findings),
        );
        it.end("due, paid", findings);
        told
    });
    let grade = of.object("grade", findings).map(|mut it| {
        let told = (it.word("class", findings), it.that_day("on", findings));
        it.end("class, on", findings);
        told
    });
    let claim = of.object("claim", findings).map(|mut it| {
        let account = it.word("account", findings);
        let (items, corrects) = (it.raw("items", findings), it.raw("corrects", findings));
        let claim = account.map(|account| Claim {
            account,
            items,
            corrects,
        });
        it.end("account, items, corrects", findings);
        claim
    });
    let rest = (
        of.flag("recourse", findings).unwrap_or(false),
        of.amount("balance", findings),
        of.day("balance_on", findings),
        of.amount("periods_left", findings),
        status(of, findings),
        of.day("next_due", findings),
        of.day("closed_on", findings),
    );
    let (recourse, balance, balance_on, periods_left, status, next_due, closed_on) = rest;
    let (items, corrects) = (of.raw("items", findings), of.raw("corrects", findings));
    let dispute = of.text("dispute", findings);
    let (kind, subject) = subject?;
    let due = due.flatten();
    let performed = performed.unwrap_or(false);
    let unpaid = match unpaid {
        Some(unpaid) => unpaid.into_iter().collect::<Option<Vec<Due>>>()?,
        // What fell due and was not performed is unpaid, where nothing more exact is told.
        None => due.iter().filter(|_| !performed).cloned().collect(),
    };
    let both = |(one, other): (Option<_>, Option<_>)| one.zip(other);
    Some(Event {
        obligation: obligation?,
        kind,
        subject,
        account: account?,
        on: on?,
        due,
        performed,
        unpaid,
        paid: paid.flatten(),
        paid_out: paid_out.and_then(|(on, amount)| on.zip(amount)),
        recourse,
        balance,
        balance_on,
        month: month.and_then(both),
        periods_left,
        grade: grade.and_then(|(class, on)| class.zip(on)),
        status,
        next_due,
        closed_on,
        claim: claim.flatten(),
        items,
        corrects,
        dispute,
    })
}

fn obligation(of: &mut Object<'_>, findings: &mut Vec<Finding>) -> Option<Obligation> {
    let name = of.word("obligation", findings)?;
    let found = Obligation::ALL.into_iter().find(|it| it.name() == name);
    if found.is_none() {
        let (zh, en) = (
            "应为lending（借贷）、guarantee（担保）、leasing（租赁）、insurance（保险）或factoring（保理）",
            "one of lending, guarantee, leasing, insurance, factoring should stand here",
        );
        of.wrong("obligation", zh, en, findings);
    }
    found
}

fn status(of: &mut Object<'_>, findings: &mut Vec<Finding>) -> Option<Status> {
    let name = of.text("status", findings)?;
    let found = match name.as_str() {
        "bad_debt" => Some(Status::BadDebt),
        "judicial_recovery" => Some(Status::JudicialRecovery),
        "written_off" => Some(Status::WrittenOff),
        _ => None,
    };
    if found.is_none() {
        let (zh, en) = (
            "应为bad_debt（呆账未核销）、written_off（已核销）或judicial_recovery（司法追偿）；逾期不必填写",
            "one of bad_debt, written_off, judicial_recovery should stand here; being overdue is \
             not told so",
        );
        of.wrong("status", zh, en, findings);
    }
    found
}

/// Kind, and type, number and name of the document.
fn subject(of: &mut Object<'_>, findings: &mut Vec<Finding>) -> Option<(Kind, [String; 3])> {
    let Some(mut it) = of.object("subject", findings) else {
        of.missing("subject", findings);
        return None;
    };
    let kind = it.word("kind", findings);
    let parts = ["id_type", "id_number", "name"].map(|name| it.word(name, findings));
    let named = kind.as_deref().map(|name| match name {
        "enterprise" => Some(Kind::Enterprise),
        "person" => Some(Kind::Person),
        _ => None,
    });
    if named == Some(None) {
        let (zh, en) = (
            "应为person或enterprise",
            "person or enterprise should stand here",
        );
        it.wrong("kind", zh, en, findings);
    }
    it.end("kind, id_type, id_number, name", findings);
    let [id_type, number, name] = parts;
    Some((named.flatten()?, [id_type?, number?, name?]))
}

fn due_of(mut it: Object<'_>, findings: &mut Vec<Finding>) -> Option<Due> {
    let (on, amount) = (
        it.that_day("on", findings),
        it.that_amount("amount", findings),
    );
    let principal = it.amount("principal", findings);
    not_above(&it, principal.zip(amount), findings);
    it.end("on, amount, principal", findings);
    Some(Due {
        on: on?,
        amount: amount?,
        principal,
    })
}

fn paid(mut it: Object<'_>, findings: &mut Vec<Finding>) -> Option<Paid> {
    let (on, amount) = (
        it.that_day("on", findings),
        it.that_amount("amount", findings),
    );
    let principal = it.amount("principal", findings);
    let form = it.text("form", findings);
    not_above(&it, principal.zip(amount), findings);
    it.end("on, amount, principal, form", findings);
    Some(Paid {
        on: on?,
        amount: amount?,
        principal,
        form,
    })
}

fn not_above(of: &Object<'_>, both: Option<(u64, u64)>, findings: &mut Vec<Finding>) {
    if both.is_some_and(|(principal, amount)| principal > amount) {
        let (zh, en) = (
            "本金不应大于金额",
            "principal should not be above the amount",
        );
        of.wrong("principal", zh, en, findings);
    }
}

/// What cannot be true together.
fn judge(event: &Event, findings: &mut Vec<Finding>) {
    let mut wrong = |path: &str, zh: &str, en: &str| {
        findings.push(finding("", VALUE, path, zh, en));
    };
    let of_due = event.due.as_ref().is_some_and(|due| {
        event.unpaid.len() == 1 && !event.performed && event.unpaid[0].on == due.on
    });
    for (n, unpaid) in event.unpaid.iter().enumerate() {
        if Age::of(unpaid.on, event.on).is_none() {
            let path = format!("/unpaid/{n}/on");
            let path = if of_due { "/due/on" } else { &path };
            wrong(
                path,
                "该日尚未逾期：应早于报告日on",
                "it is not late yet: the day should be before the day of the report, on",
            );
        }
        if unpaid.amount == 0 {
            let path = format!("/unpaid/{n}/amount");
            let path = if of_due { "/due/amount" } else { &path };
            wrong(
                path,
                "逾期金额应大于0",
                "an overdue amount should be above 0",
            );
        }
    }
    let later = |day: Option<Date>| day.is_some_and(|day| day > event.on);
    let days = [
        ("/due/on", event.due.as_ref().map(|it| it.on)),
        ("/paid/on", event.paid.as_ref().map(|it| it.on)),
        ("/paid_out/on", event.paid_out.map(|(on, _)| on)),
        ("/balance_on", event.balance_on),
        ("/grade/on", event.grade.as_ref().map(|(_, on)| *on)),
        ("/closed_on", event.closed_on),
    ];
    for (path, day) in days {
        // An instalment that is not late is told of with its own finding.
        if later(day) && !(path == "/due/on" && of_due) {
            wrong(
                path,
                "该日应不晚于报告日on",
                "the day should not be after the day of the report, on",
            );
        }
    }
    if event.next_due.is_some_and(|day| day < event.on) {
        wrong(
            "/next_due",
            "下一次约定还款日应不早于报告日on",
            "the next due day should not be before the day of the report, on",
        );
    }
    if event.paid_out.is_some() && event.recourse {
        wrong(
            "/recourse",
            "代偿（paid_out）与追偿（recourse）应分两个事件报送",
            "paying out and recourse are two events",
        );
    }
    let guards = matches!(
        event.obligation,
        Obligation::Guarantee | Obligation::Insurance
    );
    let pays_out = guards || event.obligation == Obligation::Factoring;
    if event.paid_out.is_some() && !pays_out {
        wrong(
            "/paid_out",
            "只有担保、保险与保理有代偿或垫款",
            "only in guarantee, insurance and factoring something is paid in the debtor's place",
        );
    }
    if event.paid_out.is_some() && event.claim.is_none() {
        findings.push(finding(
            "",
            super::finding::MISSING,
            "/claim",
            "缺少字段claim：代偿或垫款形成的催收账户（account）",
            "the field claim is missing: the collection account that paying out gives (account)",
        ));
    }
    if event.closed_on.is_some() && !event.unpaid.is_empty() {
        findings.push(finding(
            "",
            VALUE,
            "/closed_on",
            "关闭的账户不应有逾期（unpaid）",
            "a closed account should have nothing unpaid",
        ));
    }
}
