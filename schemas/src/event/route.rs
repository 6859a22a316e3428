//! Which records an event becomes: the table `events.tsv`.

use std::sync::LazyLock;

use super::finding::{NO_RECORD, finding};
use super::{Event, Kind, Obligation, Situation};
use crate::profile::{self, Profile, has};
use crate::table::{Row, Table, TableError};
use crate::validate::Finding;

/// One row of the table.
#[derive(Debug)]
pub(crate) struct Route {
    profiles: Vec<Profile>,
    obligation: Obligation,
    kind: Kind,
    situation: Situation,
    /// The record type.
    pub(crate) record: &'static str,
    /// Codes with `;` between; `*` is any.
    pub(crate) account_types: &'static str,
    pub(crate) lines: &'static str,
    pub(crate) details: &'static str,
}

/// The records of an event, in the order they are reported.
pub(super) fn of(event: &Event, profile: Profile) -> Result<Vec<&'static Route>, Vec<Finding>> {
    let of_event = |it: &&Route| {
        it.obligation == event.obligation
            && it.kind == event.kind
            && it.situation == event.situation()
    };
    let all = ROUTES.iter().filter(of_event);
    let own: Vec<&Route> = all
        .clone()
        .filter(|it| it.profiles.contains(&profile))
        .collect();
    if !own.is_empty() {
        return Ok(own);
    }
    let (zh, en) = if all.count() > 0 {
        (
            format!("{}不报送该类债务；见机构类型表（events.tsv）", profile.zh()),
            format!(
                "an institution of the profile {} does not report such an obligation",
                profile.name()
            ),
        )
    } else {
        (
            "表中没有可报送该情形的记录与业务种类（如自然人的保理、无追索权保理）".to_owned(),
            "the tables have no record and business line for it (such as factoring of a natural \
             person)"
                .to_owned(),
        )
    };
    Err(vec![finding("", NO_RECORD, "/obligation", &zh, &en)])
}

impl Route {
    /// The only code of a cell; nothing where several may stand.
    pub(super) fn only(cell: &'static str) -> Option<&'static str> {
        (cell != "*" && !cell.contains(';')).then_some(cell)
    }

    /// Whether an account of this type is reported so.
    pub(super) fn takes(&self, account_type: &str) -> bool {
        has(self.account_types, Some(account_type))
    }

    /// Whether it is the account of the claim that paying out gives.
    pub(super) fn is_claim(&self) -> bool {
        self.situation == Situation::PaidOut && self.account_types == "C1"
    }
}

static ROUTES: LazyLock<Vec<Route>> = LazyLock::new(|| {
    // The embedded table is read by a test of this module.
    read().expect("the embedded table of events is read")
});

fn read() -> Result<Vec<Route>, TableError> {
    let columns = [
        "profiles",
        "obligation",
        "subject",
        "situation",
        "record",
        "account_types",
        "lines",
        "details",
        "zh",
        "en",
    ];
    let text = include_str!("../../pboc-submit-profiles/events.tsv");
    let table = Table::parse("events.tsv", text, &columns, &["source", "confidence"])?;
    table.rows().map(row).collect()
}

fn row(row: Row<'_, 'static>) -> Result<Route, TableError> {
    let wrong = |column: &str| row.error(column, "no such name");
    let profiles = row.need("profiles")?.split(';').map(profile::named);
    let obligation = row.need("obligation")?;
    let situations = [Situation::Overdue, Situation::PaidOut, Situation::Recourse];
    let named = |name: &str, known: &str| name == known;
    Ok(Route {
        profiles: profiles
            .collect::<Option<_>>()
            .ok_or_else(|| wrong("profiles"))?,
        obligation: (Obligation::ALL.into_iter())
            .find(|it| named(obligation, it.name()))
            .ok_or_else(|| wrong("obligation"))?,
        kind: ([Kind::Enterprise, Kind::Person].into_iter())
            .find(|it| named(row.get("subject"), it.name()))
            .ok_or_else(|| wrong("subject"))?,
        situation: (situations.into_iter())
            .find(|it| named(row.get("situation"), it.name()))
            .ok_or_else(|| wrong("situation"))?,
        record: row.need("record")?,
        account_types: row.need("account_types")?,
        lines: row.need("lines")?,
        details: row.need("details")?,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use jiff::civil::date;

    use super::*;
    use crate::edition::Edition;
    use crate::record::{Place, Record};

    /// Every combination of a cell with `;` between.
    fn codes(cell: &'static str) -> impl Iterator<Item = Option<&'static str>> {
        cell.split(';').map(|it| (it != "*").then_some(it))
    }

    #[test]
    fn what_a_route_leads_to_its_profiles_may_report() {
        for route in ROUTES.iter() {
            let edition = ["pboc-submit-personal", "pboc-submit-enterprise"]
                .into_iter()
                .filter_map(|format| Edition::embedded(format, date(2026, 11, 24)))
                .find(|it| it.plan(route.record).is_some())
                .unwrap();
            let plan = edition.plan(route.record).unwrap();
            let put = |record: &mut Record, paths: [&str; 2], value: Option<&str>| {
                let item = paths.iter().find_map(|path| plan.find(path));
                if let (Some(value), Some(item)) = (value, item) {
                    plan.put(record, Place::RECORD, item, value);
                }
            };
            for kind in codes(route.account_types) {
                for line in codes(route.lines) {
                    for detail in codes(route.details) {
                        let mut record = plan.new_record();
                        let base = ["AcctBsSgmt/AcctType", "GuarAcctBsSgmt/AcctType"];
                        put(&mut record, base, kind);
                        // A bill account is of bills, and a card account of cards.
                        let own = match kind {
                            Some("D2") => line == Some("21"),
                            Some("R2" | "R3") => line == Some("2"),
                            _ => {
                                !(matches!(line, Some("21"))
                                    || (route.record, line) == ("210", Some("2")))
                            }
                        };
                        if !own {
                            continue;
                        }
                        let basic = ["AcctBsInfSgmt/BusiLines", "GuarAcctBsInfSgmt/BusiLines"];
                        put(&mut record, basic, line);
                        let sub = [
                            "AcctBsInfSgmt/BusiDtlLines",
                            "GuarAcctBsInfSgmt/BusiDtilLines",
                        ];
                        put(&mut record, sub, detail);
                        for profile in &route.profiles {
                            assert_eq!(profile.refuses(edition, plan, &record), None, "{route:?}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn every_profile_has_its_obligations_and_no_other() {
        use Profile::{Factor, GuaranteeCompany, Insurer, Lender, Lessor, Platform};
        let of = |profile: Profile| {
            let own = ROUTES.iter().filter(|it| it.profiles.contains(&profile));
            own.map(|it| it.obligation.name()).collect::<BTreeSet<_>>()
        };
        let cases = [
            (Factor, vec!["factoring"]),
            (GuaranteeCompany, vec!["guarantee"]),
            (Insurer, vec!["insurance"]),
            (Lender, vec!["factoring", "guarantee", "lending"]),
            (Lessor, vec!["leasing"]),
            (Platform, Obligation::ALL.map(Obligation::name).to_vec()),
        ];
        for (profile, expected) in cases {
            assert_eq!(of(profile), BTreeSet::from_iter(expected), "{profile:?}");
        }
    }
}
