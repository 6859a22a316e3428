//! The clocks (SR-05, SR-06, SR-17), run over what has not come to its end.

use std::{cmp::Reverse, collections::BTreeMap};

use jiff::{ToSpan as _, civil::Date};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    Both, FileState, RecordState, Submissions, SubmitError,
    store::{
        clocks::{self, Begun, Open},
        files::FileRow,
    },
};
use crate::{
    ledger::clocks::{Clock, Late, Level},
    platform::{
        calendar::Calendar,
        clock::{china_date, from_micros},
        ids::InstitutionId,
    },
};

/// What is late at an institution, and whether it can be told at all.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ClocksView {
    /// Today, at +08:00.
    pub today: String,
    /// Whether working days are known.
    pub calendar: CalendarView,
    /// How many are late, by bureau and clock; what is in time is not there.
    pub clocks: Vec<ClockView>,
    /// The latest things of each, as many as were asked for; the counts above
    /// are of all.
    pub late: Vec<LateView>,
}

/// The calendar of working days.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CalendarView {
    /// The year whose working days are not known: weekends alone count as off.
    pub missing_year: Option<i16>,
    /// What to do about it.
    pub cure: Option<Both>,
}

/// How many things are late.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, ToSchema)]
pub struct ClockView {
    /// The bureau.
    pub bureau: String,
    /// Which clock.
    pub clock: Clock,
    /// The rule: `SR-05`.
    pub rule: &'static str,
    /// More working days than these are an alarm.
    pub alarm_after: u32,
    /// And than these critical.
    pub critical_after: Option<u32>,
    /// How many are an alarm.
    pub alarm: i64,
    /// How many are critical.
    pub critical: i64,
    /// The day on which the oldest began.
    pub since: String,
    /// Working days since then.
    pub working_days: u32,
}

/// A record or file that is late.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct LateView {
    /// Which clock.
    pub clock: Clock,
    /// How bad it is.
    pub level: Level,
    /// Working days so far.
    pub working_days: u32,
    /// The day on which it began.
    pub since: String,
    /// The bureau.
    pub bureau: String,
    /// The type of the record, or of the records of the file.
    pub record: String,
    /// Where it stands.
    pub state: &'static str,
    /// The submission of a record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub submission: Option<String>,
    /// Its place there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seq: Option<i64>,
    /// The file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// What to do.
    pub to_do: Both,
}

/// Days and the calendar to count them by.
struct Days<'c> {
    calendar: &'c Calendar,
    today: Date,
}

impl Submissions {
    /// Runs all clocks for an institution; shows up to `limit` late things of
    /// each kind.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn clocks(
        &self,
        institution: &InstitutionId,
        calendar: &Calendar,
        limit: usize,
    ) -> Result<ClocksView, SubmitError> {
        let today = self.today();
        let days = Days { calendar, today };
        let files = clocks::unanswered(self.db(), institution).await?;
        let begun = clocks::begun(self.db(), institution).await?;
        let counted = begun
            .iter()
            .filter_map(|it| Some((it.clock(), it.since()?, &*it.bureau, it.count)));
        let of_files = files.iter().filter_map(|file| {
            let (clock, since) = running(file)?;
            Some((clock, since, file.bureau.as_str(), 1))
        });
        let counts = days.count(counted.chain(of_files));
        let mut late: Vec<LateView> = files.iter().filter_map(|it| days.file(it)).collect();
        late.truncate(limit);
        if limit > 0
            && begun.iter().any(|it| {
                it.since()
                    .is_some_and(|day| days.judge(it.clock(), day).is_some())
            })
        {
            let accept_by = days.last_late(Clock::Acceptance);
            let correct_by = days.last_late(Clock::Correction);
            let accept_by = (accept_by.to_string(), number(accept_by));
            let open = clocks::late(
                self.db(),
                institution,
                (&accept_by.0, accept_by.1),
                number(correct_by),
                i64::try_from(limit).unwrap_or(i64::MAX),
            )
            .await?;
            let mut records: Vec<LateView> = open.iter().filter_map(|it| days.record(it)).collect();
            records.sort_by_key(|one| Reverse(one.working_days));
            records.truncate(limit);
            late.extend(records);
        }
        Ok(ClocksView {
            today: today.to_string(),
            calendar: CalendarView::of(calendar, today),
            clocks: counts,
            late,
        })
    }
}

impl CalendarView {
    /// Of the calendar, as it should be today.
    #[must_use]
    pub fn of(calendar: &Calendar, today: Date) -> Self {
        let missing_year = calendar.alarm(today);
        Self {
            missing_year,
            cure: missing_year.map(|year| {
                Both::of(
                    format!(
                        "缺少{year}年的工作日安排：将国务院办公厅的放假安排写成{year}.toml放入calendar.folder后重启；此前只按周末计算"
                    ),
                    format!(
                        "the working days of {year} are not known: write the State Council's \
                         arrangement as {year}.toml into calendar.folder and start again; until \
                         then weekends alone are off"
                    ),
                )
            }),
        }
    }
}

impl Days<'_> {
    fn judge(&self, clock: Clock, since: Date) -> Option<Late> {
        clock.judge(self.calendar, since, self.today)
    }

    /// The last day on which something may have begun that is late today.
    fn last_late(&self, clock: Clock) -> Date {
        let mut days = self.today.series(-1.day());
        let late = days.find(|day| self.judge(clock, *day).is_some());
        // Within some weeks always.
        late.unwrap_or(Date::MIN)
    }

    /// Adds up what is late.
    fn count<'i>(&self, all: impl Iterator<Item = (Clock, Date, &'i str, i64)>) -> Vec<ClockView> {
        let mut found: BTreeMap<(String, &'static str), ClockView> = BTreeMap::new();
        for (clock, since, bureau, count) in all {
            let Some(late) = self.judge(clock, since) else {
                continue;
            };
            let (alarm_after, critical_after) = clock.limits();
            let of = found.entry((bureau.to_owned(), clock.rule()));
            let of = of.or_insert_with(|| ClockView {
                bureau: bureau.to_owned(),
                clock,
                rule: clock.rule(),
                alarm_after,
                critical_after,
                alarm: 0,
                critical: 0,
                since: since.to_string(),
                working_days: late.working_days,
            });
            match late.level {
                Level::Alarm => of.alarm += count,
                Level::Critical => of.critical += count,
            }
            if late.working_days > of.working_days {
                of.since = since.to_string();
                of.working_days = late.working_days;
            }
        }
        found.into_values().collect()
    }

    fn record(&self, of: &Open) -> Option<LateView> {
        let state = RecordState::named(&of.state)?;
        let clock = clock_of(&of.state);
        let since = began(of.report_date.as_deref(), of.day)?;
        let late = self.judge(clock, since)?;
        Some(LateView {
            clock,
            level: late.level,
            working_days: late.working_days,
            since: since.to_string(),
            bureau: of.bureau.clone(),
            record: of.record.clone(),
            state: state.name(),
            submission: Some(of.submission.clone()),
            seq: Some(of.seq),
            file: of.file.clone(),
            to_do: record_to_do(state),
        })
    }

    fn file(&self, of: &FileRow) -> Option<LateView> {
        let (clock, since) = running(of)?;
        let late = self.judge(clock, since)?;
        Some(LateView {
            clock,
            level: late.level,
            working_days: late.working_days,
            since: since.to_string(),
            bureau: of.bureau.to_string(),
            record: of.record.clone(),
            state: of.state().name(),
            submission: None,
            seq: None,
            file: Some(of.id.clone()),
            to_do: file_to_do(of.state()),
        })
    }
}

impl Begun {
    fn clock(&self) -> Clock {
        clock_of(&self.state)
    }

    fn since(&self) -> Option<Date> {
        began(self.report_date.as_deref(), self.day)
    }
}

fn clock_of(state: &str) -> Clock {
    if state == RecordState::Rejected.name() {
        Clock::Correction
    } else {
        Clock::Acceptance
    }
}

/// The clock that runs for a file, and since when.
fn running(file: &FileRow) -> Option<(Clock, Date)> {
    let day = |at: Option<i64>| at.map(|at| china_date(from_micros(at)));
    match file.state() {
        FileState::Refused => Some((Clock::Correction, day(file.answered_at)?)),
        _ => Some((Clock::Feedback, day(file.sent_at)?)),
    }
}

fn began(report_date: Option<&str>, day: i64) -> Option<Date> {
    match report_date {
        Some(text) => text.parse().ok(),
        None => EPOCH.checked_add(i32::try_from(day).ok()?.days()).ok(),
    }
}

/// A day as a number.
fn number(day: Date) -> i64 {
    EPOCH.until(day).map_or(0, |span| span.get_days().into())
}

const EPOCH: Date = jiff::civil::date(1970, 1, 1);

fn record_to_do(state: RecordState) -> Both {
    match state {
        RecordState::SetAside => Both::of(
            "按校验发现改正，以@corrects重报",
            "mend it by its findings and hand it in with `corrects`",
        ),
        RecordState::Held => Both::of(
            "补齐其等待的条件（授权、告知、异议标注或前一条的反馈），之后自动继续",
            "bring what it waits for (authorization, notice, mark, the answer to the record \
             before); it goes on by itself then",
        ),
        RecordState::Rejected => Both::of(
            "查看退回原因（creditgate feedback show 文件），改正后以@corrects重报",
            "see why (creditgate feedback show FILE), correct it and hand it in with `corrects`",
        ),
        RecordState::Filed => Both::of(
            "所在报文尚未得到反馈：见该文件的状态",
            "its file has no answer yet: see how that stands",
        ),
        _ => Both::of(
            "应自动写入报文；若仍停留，查看日志和GET /v1/bureaus的文件通道",
            "it goes into a file by itself; if it stays, see the log and the file way in \
             GET /v1/bureaus",
        ),
    }
}

fn file_to_do(state: FileState) -> Both {
    match state {
        FileState::Sending => Both::of(
            "尚未确认送达，系统会以相同字节重发；若仍停留，检查文件通道",
            "not known to have arrived; the same bytes go again by themselves. If it stays, look \
             after the file way",
        ),
        FileState::Stopped => Both::of(
            "与已报送内容不一致，须由人员核对后决定（重看反馈、重发或放弃）",
            "something disagrees: a person looks and decides (look_again, resend, give_up)",
        ),
        FileState::Refused => Both::of(
            "整个报文被拒：改正原因后放弃该文件名（give_up），其记录会写入另一个报文",
            "refused whole: mend the cause and give the name up (give_up); its records go into \
             another file",
        ),
        _ => Both::of(
            "向征信机构查询反馈；如另行取得反馈文件，用creditgate feedback take交入",
            "ask the bureau for its feedback; one that you get another way goes in with \
             creditgate feedback take",
        ),
    }
}
