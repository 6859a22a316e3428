//! An account (账户) as the ledger keeps it, and what acceptance makes of it.

use std::fmt;

use jiff::civil::Date;
use schemas::role::Does;

use super::{Month, Told};
use crate::platform::ids::SubjectId;

/// Whether a bureau has an account, and how it stands there.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum Standing {
    /// The bureau ended it: closed, settled, expired.
    Closed,
    /// The bureau had it and gave it up: as if it never was.
    Deleted,
    /// The bureau has nothing of it yet.
    #[default]
    New,
    /// The bureau has it.
    Open,
    /// The bureau has it, and it went to another reporter (special event 21).
    Transferred,
}

impl Standing {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Closed,
        Self::Deleted,
        Self::New,
        Self::Open,
        Self::Transferred,
    ];

    /// The stored and published name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Deleted => "deleted",
            Self::New => "new",
            Self::Open => "open",
            Self::Transferred => "transferred",
        }
    }

    /// The one of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }

    /// Whether the bureau has the account: from then on there is a duty to go
    /// on, whatever became of the authorization to provide.
    #[must_use]
    pub fn is_accepted(self) -> bool {
        matches!(self, Self::Closed | Self::Open | Self::Transferred)
    }
}

/// A record of a submission.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct RecordRef {
    /// The number of the submission.
    pub submission: i64,
    /// The place in it, from 1.
    pub seq: i64,
}

/// Also the name of a run of negative state: its first record.
impl fmt::Display for RecordRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.submission, self.seq)
    }
}

/// What a bureau last accepted of an account, in few words.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Account {
    /// Its number; 0 where it is not stored.
    pub id: i64,
    /// Whose it is; none where it is not stored.
    pub subject: Option<SubjectId>,
    /// How it stands.
    pub standing: Standing,
    /// Its type, as the records name it.
    pub account_type: Option<String>,
    /// When it was opened.
    pub opened_on: Option<Date>,
    /// The latest report date that was accepted.
    pub reported_on: Option<Date>,
    /// The latest month that was accepted.
    pub month: Option<Month>,
    /// The latest report date that was accepted of that month.
    pub month_on: Option<Date>,
    /// The latest month that was accepted without negative state.
    pub clean_month: Option<Month>,
    /// The run of negative state that goes on, by its first record.
    pub negative_run: Option<String>,
    /// The latest record that was accepted.
    pub accepted: Option<RecordRef>,
    /// The record under way: at most one, until the bureau has answered.
    pub pending: Option<RecordRef>,
    /// The account that gets its name once the bureau accepts the record under
    /// way, which renames that: this one stands for the name alone.
    pub reserved_for: Option<i64>,
    /// The account that got its name, and all that came under it.
    pub became: Option<i64>,
}

impl Account {
    /// What it is once the bureau has accepted `record`, which tells this.
    #[must_use]
    pub fn after(&self, told: &Told, record: RecordRef) -> Self {
        let mut next = self.clone();
        if !self.standing.is_accepted() {
            next.begin_anew();
        }
        match told.does {
            Does::Delete => {
                next.begin_anew();
                next.standing = Standing::Deleted;
            }
            Does::Normal => next.report(told, self.is_latest(told)),
            Does::Correct => next.correct(told, self.is_latest(told)),
            Does::DeleteSegments => next.take_back(told),
            Does::Event => next.note_event(told),
            Does::Rename => {}
        }
        if matches!(told.does, Does::Normal | Does::Correct) {
            next.follow_state(told, self.is_latest(told), record);
        }
        next.accepted = Some(record);
        next.pending = None;
        next
    }

    /// Whether a run of negative state of a person begins with this record, so
    /// that it needs a notice (CRR Art 15, which speaks of persons only): it is
    /// negative, and either no run goes on, or it is about a month that was
    /// accepted as clean.
    #[must_use]
    pub fn begins_run(&self, told: &Told) -> bool {
        if !told.is_negative() || !told.of_person {
            return false;
        }
        let clean = self.standing.is_accepted().then_some(self.clean_month);
        let was_clean = clean
            .flatten()
            .zip(told.about())
            .is_some_and(|(clean, about)| about <= clean);
        self.negative_run.is_none() || !self.standing.is_accepted() || was_clean
    }

    /// Whether nothing later was accepted than what this tells.
    fn is_latest(&self, told: &Told) -> bool {
        let latest = self.month.max(self.reported_on.map(Month::of));
        let latest = if self.month.is_some() {
            self.month
        } else {
            latest
        };
        !self.standing.is_accepted() || told.about() >= latest
    }

    fn begin_anew(&mut self) {
        let (id, subject) = (self.id, self.subject.take());
        let (accepted, pending) = (self.accepted, self.pending);
        let (reserved_for, became) = (self.reserved_for, self.became);
        *self = Self {
            id,
            subject,
            accepted,
            pending,
            reserved_for,
            became,
            ..Self::default()
        };
    }

    fn report(&mut self, told: &Told, latest: bool) {
        if told.closes {
            self.standing = Standing::Closed;
        } else if latest || !self.standing.is_accepted() {
            self.standing = Standing::Open;
        }
        if told.account_type.is_some() {
            self.account_type.clone_from(&told.account_type);
        }
        self.opened_on = self.opened_on.or(told.opened_on).or(told.report_date);
        self.date(told);
    }

    fn correct(&mut self, told: &Told, latest: bool) {
        if told.has_status && latest {
            self.standing = if told.closes {
                Standing::Closed
            } else {
                Standing::Open
            };
        }
        if told.opened_on.is_some() {
            self.opened_on = told.opened_on;
        }
        self.date(told);
    }

    /// What of the span was accepted is gone, and may be reported again.
    fn take_back(&mut self, told: &Told) {
        let gone = |day: Option<Date>| {
            day.is_some_and(|day| told.span.is_none_or(|(from, to)| from <= day && day <= to))
        };
        if gone(self.month_on) {
            self.month = None;
            self.month_on = None;
        }
        if gone(self.reported_on) {
            self.reported_on = None;
            if self.standing == Standing::Closed {
                self.standing = Standing::Open;
            }
        }
    }

    /// Special events (list `OpetnType`): 12 opens a closed card account again,
    /// 21 ends the reports of a transferred loan.
    fn note_event(&mut self, told: &Told) {
        let Some((kind, takes_effect)) = &told.event else {
            return;
        };
        self.standing = match (kind.as_str(), takes_effect) {
            ("12", true) | ("21", false) => Standing::Open,
            ("12", false) => Standing::Closed,
            ("21", true) => Standing::Transferred,
            _ => self.standing,
        };
        self.reported_on = self.reported_on.max(told.report_date);
    }

    fn date(&mut self, told: &Told) {
        self.reported_on = self.reported_on.max(told.report_date);
        if told.month.is_some() && told.month >= self.month {
            if told.month > self.month {
                self.month_on = None;
            }
            self.month = told.month;
            self.month_on = self.month_on.max(told.report_date);
        }
    }

    fn follow_state(&mut self, told: &Told, latest: bool, record: RecordRef) {
        if told.is_negative() {
            if latest && self.negative_run.is_none() {
                self.negative_run = Some(record.to_string());
            }
        } else if told.is_clean() {
            self.clean_month = self.clean_month.max(told.about());
            if latest {
                self.negative_run = None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::ledger::told::tests::{told, with};

    const FIRST: RecordRef = RecordRef {
        submission: 1,
        seq: 7,
    };

    fn month(text: &str) -> Option<Month> {
        Some(text.parse().unwrap())
    }

    /// Open since March, clean in March.
    fn open() -> Account {
        Account::default().after(&told("10", date(2026, 3, 31), "2026-03"), FIRST)
    }

    #[test]
    fn acceptance_opens_carries_on_and_closes() {
        let account = open();
        assert_eq!(account.standing, Standing::Open);
        assert_eq!(account.account_type.as_deref(), Some("D1"));
        assert_eq!(account.opened_on, Some(date(2026, 3, 31)));
        assert_eq!(account.month, month("2026-03"));
        assert_eq!(account.accepted, Some(FIRST));
        let next = account.after(&told("30", date(2026, 4, 30), "2026-04"), FIRST);
        assert_eq!(next.standing, Standing::Open);
        assert_eq!(next.month_on, Some(date(2026, 4, 30)));
        assert_eq!(next.opened_on, Some(date(2026, 3, 31)), "it stays");
        let close = with(told("20", date(2026, 5, 7), "2026-05"), |it| {
            it.closes = true
        });
        assert_eq!(next.after(&close, FIRST).standing, Standing::Closed);
    }

    #[test]
    fn what_is_deleted_is_as_if_it_never_was() {
        let mut account = open();
        account.id = 5;
        let delete = with(told("", date(2026, 5, 7), ""), |it| it.does = Does::Delete);
        let gone = account.after(&delete, FIRST);
        assert_eq!(gone.standing, Standing::Deleted);
        assert_eq!(
            (gone.id, gone.month, gone.account_type.clone()),
            (5, None, None)
        );
        let again = gone.after(&told("10", date(2026, 6, 1), "2026-06"), FIRST);
        assert_eq!(again.standing, Standing::Open);
        assert_eq!(again.opened_on, Some(date(2026, 6, 1)));
    }

    #[test]
    fn segments_that_were_taken_back_may_come_again() {
        let close = with(told("20", date(2026, 5, 7), "2026-05"), |it| {
            it.closes = true
        });
        let closed = open().after(&close, FIRST);
        let span = |from, to| {
            with(told("", date(2026, 6, 1), ""), |it| {
                it.does = Does::DeleteSegments;
                it.span = Some((from, to));
            })
        };
        let all = closed.after(&span(date(2026, 5, 1), date(2026, 5, 31)), FIRST);
        assert_eq!((all.standing, all.month), (Standing::Open, None));
        let other = closed.after(&span(date(2026, 1, 1), date(2026, 3, 31)), FIRST);
        assert_eq!(
            (other.standing, other.month),
            (Standing::Closed, month("2026-05"))
        );
    }

    #[test]
    fn special_events_open_again_and_transfer() {
        let event = |kind: &str, on: bool| {
            with(told("", date(2026, 6, 1), ""), |it| {
                it.does = Does::Event;
                it.event = Some((kind.to_owned(), on));
            })
        };
        let close = with(told("20", date(2026, 5, 7), "2026-05"), |it| {
            it.closes = true
        });
        let closed = open().after(&close, FIRST);
        let cases = [
            (&closed, "12", true, Standing::Open),
            (&open(), "12", false, Standing::Closed),
            (&open(), "21", true, Standing::Transferred),
            (&open(), "21", false, Standing::Open),
            (&open(), "11", true, Standing::Open),
        ];
        for (account, kind, on, expected) in cases {
            let next = account.after(&event(kind, on), FIRST);
            assert_eq!(next.standing, expected, "{kind} {on}");
        }
    }

    #[test]
    fn a_run_begins_with_the_first_negative_record_and_ends_with_a_clean_one() {
        let bad = |day, month: &str| {
            with(told("30", day, month), |it| {
                it.negative = vec!["NEG-OVERDUE".to_owned()];
            })
        };
        let second = RecordRef {
            submission: 2,
            seq: 1,
        };
        let account = open();
        let april = bad(date(2026, 4, 30), "2026-04");
        assert!(account.begins_run(&april));
        let run = account.after(&april, second);
        assert_eq!(run.negative_run.as_deref(), Some("2.1"));
        assert_eq!(run.clean_month, month("2026-03"));
        let may = bad(date(2026, 5, 31), "2026-05");
        assert!(!run.begins_run(&may), "the run goes on");
        let longer = run.after(&may, FIRST);
        assert_eq!(
            longer.negative_run.as_deref(),
            Some("2.1"),
            "it keeps its name"
        );
        let clean = told("30", date(2026, 6, 30), "2026-06");
        assert!(!longer.begins_run(&clean));
        let cured = longer.after(&clean, FIRST);
        assert_eq!(cured.negative_run, None);
        assert_eq!(cured.clean_month, month("2026-06"));
        assert!(
            cured.begins_run(&bad(date(2026, 7, 31), "2026-07")),
            "a second run"
        );
    }

    #[test]
    fn a_run_of_an_organization_needs_no_notice_but_goes_on_as_any() {
        let bad = with(told("49", date(2026, 4, 30), ""), |it| {
            it.of_person = false;
            it.negative = vec!["NEG-OVERDUE".to_owned()];
        });
        assert!(!open().begins_run(&bad));
        assert_eq!(
            open().after(&bad, FIRST).negative_run.as_deref(),
            Some("1.7")
        );
    }

    #[test]
    fn corrections_of_the_past_neither_end_a_run_nor_slip_into_one() {
        let correct = |month: &str, negative: bool| {
            with(told("", date(2026, 6, 15), month), |it| {
                it.does = Does::Correct;
                if negative {
                    it.negative = vec!["NEG-OVERDUE".to_owned()];
                }
            })
        };
        let mut account = open();
        account.month = month("2026-05");
        account.negative_run = Some("2.1".to_owned());
        let older = account.after(&correct("2026-04", false), FIRST);
        assert_eq!(
            older.negative_run.as_deref(),
            Some("2.1"),
            "May is still negative"
        );
        let same = account.after(&correct("2026-05", false), FIRST);
        assert_eq!(same.negative_run, None, "May is clean now");
        assert!(
            !account.begins_run(&correct("2026-05", true)),
            "within the run"
        );
        assert!(
            account.begins_run(&correct("2026-03", true)),
            "March was clean"
        );
        account.negative_run = None;
        let past = account.after(&correct("2026-03", true), FIRST);
        assert_eq!(past.negative_run, None, "its latest state is clean");
    }

    #[test]
    fn every_standing_is_found_by_its_name() {
        for one in Standing::ALL {
            assert_eq!(Standing::named(one.name()), Some(one));
        }
        assert_eq!(Standing::named("gone"), None);
    }
}
