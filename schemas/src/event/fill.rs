//! Putting what follows from an event into its record.

use std::fmt::Display;

use jiff::civil::Date;

use super::finding::{CONTRADICTS, NEEDS, finding};
use super::route::Route;
use super::{Event, Known, Reported, guarantee, loan};
use crate::intake::{Intake, Taken};
use crate::plan::RecordPlan;
use crate::profile::has;
use crate::record::{Place, Record};
use crate::validate::Finding;

/// A record that is being filled.
pub(super) struct Fill<'a> {
    pub(super) event: &'a Event,
    pub(super) route: &'static Route,
    pub(super) known: &'a Known<'a>,
    plan: &'a RecordPlan,
    record: &'a mut Record,
    findings: &'a mut Vec<Finding>,
}

/// Where base and basic segment stand, and what the sub-category is called.
struct Names {
    base: &'static str,
    basic: &'static str,
    detail: &'static str,
}

impl Reported {
    /// The record type.
    #[must_use]
    pub fn record(&self) -> &'static str {
        self.route.record
    }

    /// The record with what `items` says, and whom it is about.
    pub(super) fn begin<'e>(&self, intake: Intake<'e>) -> Result<Taken<'e>, Vec<Finding>> {
        let event = &*self.event;
        let claim = event.claim.as_ref().filter(|_| self.route.is_claim());
        let (account, items, corrects) = match claim {
            Some(claim) => (&claim.account, &claim.items, &claim.corrects),
            None => (&event.account, &event.items, &event.corrects),
        };
        let dispute = event
            .dispute
            .as_ref()
            .map(|it| serde_json::Value::from(it.as_str()));
        let line = format!(
            "{{\"record\":\"{}\",\"dispute\":{},\"corrects\":{},\"data\":{}}}",
            self.route.record,
            dispute.map_or("null".to_owned(), |it| it.to_string()),
            corrects.as_deref().unwrap_or("null"),
            items.as_deref().unwrap_or("{}"),
        );
        let mut taken = intake.json(line.as_bytes())?;
        let plan = taken.plan;
        let known = Known::default();
        let mut fill = Fill {
            event,
            route: self.route,
            known: &known,
            plan,
            record: &mut taken.record,
            findings: &mut taken.findings,
        };
        let base = names(self.route.record).base;
        let [id_type, number, name] = &event.subject;
        for (item, value) in [
            ("AcctCode", account.as_str()),
            ("Name", name),
            ("IDType", id_type),
            ("IDNum", number),
        ] {
            fill.put(&format!("{base}/{item}"), value);
        }
        fill.put(&format!("{base}/RptDate"), event.on);
        Ok(taken)
    }

    /// Puts what follows from the event and from what was accepted of the account. What follows
    /// from neither is asked for by name, in the findings of `taken`.
    ///
    /// # Panics
    ///
    /// When `taken` is not what came with this.
    pub fn complete(&self, taken: &mut Taken<'_>, known: &Known<'_>) {
        let mut fill = Fill {
            event: &self.event,
            route: self.route,
            known,
            plan: taken.plan,
            record: &mut taken.record,
            findings: &mut taken.findings,
        };
        let Some(account_type) = fill.base() else {
            return;
        };
        match (self.route.record, account_type.as_str()) {
            ("210", "C1") => loan::collection(&mut fill),
            ("210", kind) => loan::month(&mut fill, kind),
            ("410", kind) => loan::performance(&mut fill, kind),
            _ => guarantee::liability(&mut fill),
        }
    }
}

impl Fill<'_> {
    /// Fills base and, where the account is opened, basic segment; the type of the account.
    fn base(&mut self) -> Option<String> {
        let Names {
            base,
            basic,
            detail,
        } = names(self.route.record);
        let at = format!("{base}/AcctType");
        if let Some(known) = self.known.account_type {
            self.put(&at, known);
        } else if let Some(only) = Route::only(self.route.account_types) {
            self.put(&at, only);
        }
        let organization = format!("{base}/MngmtOrgCode");
        self.carry(&organization, "items");
        let Some(account_type) = self.value(&at) else {
            self.need(&at, "items");
            return None;
        };
        if !self.route.takes(&account_type) {
            let (zh, en) = (
                format!("账户类型与该事件不符：应为{}之一", self.route.account_types),
                format!(
                    "the account type does not go with the event: one of {} should stand here",
                    self.route.account_types
                ),
            );
            self.say(CONTRADICTS, &at, &zh, &en);
            return None;
        }
        if !self.known.is_accepted {
            self.open(basic, detail);
        }
        Some(account_type)
    }

    /// What the first report of an account tells of its terms.
    fn open(&mut self, basic: &str, detail: &str) {
        for (item, cell) in [
            ("BusiLines", self.route.lines),
            (detail, self.route.details),
        ] {
            let path = format!("{basic}/{item}");
            match (Route::only(cell), self.value(&path)) {
                (Some(only), _) => self.put(&path, only),
                (None, Some(value)) if !has(cell, Some(&value)) => {
                    let zh = format!("业务种类与该事件不符：应为{cell}之一");
                    let en = format!(
                        "the business line does not go with the event: one of {cell} should \
                         stand here"
                    );
                    self.say(CONTRADICTS, &path, &zh, &en);
                }
                _ => {}
            }
        }
        if let (true, Some((on, amount))) = (self.route.is_claim(), self.event.paid_out) {
            self.put(&format!("{basic}/OpenDate"), on);
            self.put(&format!("{basic}/LoanAmt"), amount);
        }
        // Whatever of it is still missing the plan then asks for by name.
        self.mark(basic);
    }

    /// Makes a segment be there.
    pub(super) fn mark(&mut self, segment: &str) {
        if let Some(segment) = self.plan.find(segment) {
            self.plan.mark(self.record, Place::RECORD, segment);
        }
    }

    /// What stands at an item.
    pub(super) fn value(&self, path: &str) -> Option<String> {
        let item = self.plan.find(path)?;
        let value = self.plan.value(self.record, Place::RECORD, item)?;
        let value = value.trim_ascii();
        (!value.is_empty()).then(|| value.to_owned())
    }

    /// What the bureau last accepted there.
    pub(super) fn accepted(&self, path: &str) -> Option<&str> {
        let (plan, record) = self.known.state?;
        let value = plan
            .value(record, Place::RECORD, plan.find(path)?)?
            .trim_ascii();
        (!value.is_empty()).then_some(value)
    }

    /// The amount that the bureau last accepted there.
    pub(super) fn accepted_amount(&self, path: &str) -> Option<u64> {
        self.accepted(path)?.parse().ok()
    }

    /// Puts a value; what `items` says otherwise there is a contradiction.
    pub(super) fn put(&mut self, path: &str, value: impl Display) {
        let value = value.to_string();
        match self.value(path) {
            Some(said) if said != value => {
                let (zh, en) = (
                    "items中的值与事件或已接收的内容得出的不一致；应删去其一",
                    "what items says here is not what follows from the event or from what was \
                     accepted; leave one of them out",
                );
                self.say(CONTRADICTS, path, zh, en);
            }
            Some(_) => {}
            None => self.write(path, &value),
        }
    }

    /// Puts a value where nothing stands.
    pub(super) fn suggest(&mut self, path: &str, value: &str) {
        if self.value(path).is_none() {
            self.write(path, value);
        }
    }

    /// Puts what the event tells in that field; asks for it where it does not.
    pub(super) fn tell(&mut self, path: &str, field: &str, value: Option<impl Display>) {
        match value {
            Some(value) => self.put(path, value),
            None => self.need(path, field),
        }
    }

    /// Puts what the event tells in that field, or else what was accepted; asks for it where
    /// neither does.
    pub(super) fn keep(&mut self, path: &str, field: &str, value: Option<impl Display>) {
        match value {
            Some(value) => self.put(path, value),
            None => self.carry(path, field),
        }
    }

    /// Puts what was accepted; asks for it where nothing was.
    fn carry(&mut self, path: &str, field: &str) {
        match self.accepted(path).map(str::to_owned) {
            Some(accepted) => self.suggest(path, &accepted),
            None => self.need(path, field),
        }
    }

    /// Asks for an item by name, unless `items` has it.
    pub(super) fn need(&mut self, path: &str, field: &str) {
        let Some(item) = self.plan.find(path) else {
            return;
        };
        if self.value(path).is_some() {
            return;
        }
        let element = self.plan.element(item);
        let also = if field == "items" {
            ""
        } else {
            "，或在items中"
        };
        let zh = format!(
            "「{}」由事件与征信机构已接收的内容均无法得出：请在{field}中{also}写明",
            element.zh()
        );
        let also = if field == "items" {
            ""
        } else {
            ", or in items"
        };
        let en = format!(
            "{} follows neither from the event nor from what the bureau accepted: tell it in \
             {field}{also}",
            element.en()
        );
        self.say(NEEDS, path, &zh, &en);
    }

    pub(super) fn say(&mut self, code: &str, path: &str, zh: &str, en: &str) {
        let told = finding(self.route.record, code, path, zh, en);
        self.findings.push(told);
    }

    /// Puts grade and day of grading: a grade stands until there is another.
    pub(super) fn grade(&mut self, segment: &str) {
        let grade = self.event.grade.as_ref();
        let (class, on) = (grade.map(|(class, _)| class), grade.map(|(_, on)| *on));
        self.keep(&format!("{segment}/FiveCate"), "grade.class", class);
        self.keep(&format!("{segment}/FiveCateAdjDate"), "grade.on", on);
    }

    /// The balance: what the event tells; of an account just opened by paying out, that amount.
    pub(super) fn balance(&self) -> Option<u64> {
        match (self.route.is_claim(), self.event.paid_out) {
            (true, Some((_, amount))) if !self.known.is_accepted => Some(amount),
            // What is told of is the guarantee's.
            (true, _) if self.event.claim.is_some() => None,
            _ => self.event.balance,
        }
    }

    /// Since when the balance is as it is: as accepted where it is the same; else the day it was
    /// told to change, paid out or paid.
    pub(super) fn balance_on(&self, balance: &str, changed: &str) -> Option<Date> {
        if self.event.balance_on.is_some() {
            return self.event.balance_on;
        }
        let (now, before) = (self.balance(), self.accepted_amount(balance));
        if now.is_some() && now == before {
            return self.accepted(changed)?.parse().ok();
        }
        let paid = self.event.paid.as_ref().map(|it| it.on);
        self.event.paid_out.map(|(on, _)| on).or(paid)
    }

    fn write(&mut self, path: &str, value: &str) {
        if let Some(item) = self.plan.find(path) {
            self.plan.put(self.record, Place::RECORD, item, value);
        }
    }
}

fn names(record: &str) -> Names {
    match record {
        "210" | "410" => Names {
            base: "AcctBsSgmt",
            basic: "AcctBsInfSgmt",
            detail: "BusiDtlLines",
        },
        _ => Names {
            base: "GuarAcctBsSgmt",
            basic: "GuarAcctBsInfSgmt",
            detail: "BusiDtilLines",
        },
    }
}
