//! The clocks of submissions while the gateway runs: what is late shows in the
//! metrics and, an hour at a time, in the log.

use std::time::Duration;

use super::Gateway;
use crate::{
    ledger::clocks::Clock,
    platform::{clock::china_date, ids::InstitutionId},
    submissions::{CalendarView, ClockView},
};

/// How often it is looked.
const EVERY: Duration = Duration::from_secs(3600);

impl Gateway {
    /// Looks at all clocks from time to time, for ever.
    pub(super) async fn watch_clocks(&self) {
        loop {
            self.look_at_clocks().await;
            tokio::time::sleep(EVERY).await;
        }
    }

    /// Tells what is late, and that working days are not known.
    async fn look_at_clocks(&self) {
        let today = china_date(self.clock().now());
        let missing = CalendarView::of(self.calendar(), today).missing_year;
        // A number that an alarm can be set on: 0 is well.
        metrics::gauge!("calendar_missing_year").set(f64::from(missing.unwrap_or_default()));
        if let Some(year) = missing {
            tracing::warn!(
                calendar.year = year,
                "the working days of a year are not known; put its file into calendar.folder"
            );
        }
        for institution in &self.config().institutions {
            let id = InstitutionId::from(institution.id.as_str());
            match self.submissions().clocks(&id, self.calendar(), 0).await {
                Ok(view) => self.tell(&id, &view.clocks),
                Err(error) => {
                    tracing::error!(error = %error, "the clocks of submissions cannot be read");
                }
            }
        }
    }

    fn tell(&self, institution: &InstitutionId, late: &[ClockView]) {
        for bureau in &self.config().bureaus {
            if bureau.submission.is_none() {
                continue;
            }
            for clock in Clock::ALL {
                let mut of = late.iter();
                let of = of.find(|it| it.bureau == bureau.id && it.clock == clock);
                let (alarm, critical) = of.map_or((0, 0), |it| (it.alarm, it.critical));
                for (level, count) in [("alarm", alarm), ("critical", critical)] {
                    metrics::gauge!(
                        "submissions_late",
                        "institution" => institution.to_string(), "bureau" => bureau.id.clone(),
                        "clock" => clock.name(), "level" => level
                    )
                    .set(count as f64);
                }
                if let Some(of) = of {
                    tracing::warn!(
                        bureau.name = %of.bureau, institution = %institution, clock = clock.name(),
                        rule = of.rule, alarm, critical, working_days = of.working_days,
                        "submissions are late; creditgate clocks tells which"
                    );
                }
            }
        }
    }
}
