//! The clocks, over what a site holds.

use super::*;
use crate::{
    ledger::clocks::{Clock as Which, Level},
    platform::calendar::Calendar,
};

impl Site {
    async fn clocks(&self) -> ClocksView {
        let institution = &self.caller.institution;
        let calendar = Calendar::built_in();
        self.submissions
            .clocks(institution, &calendar, 10)
            .await
            .unwrap()
    }

    fn at(&self, time: &str) {
        self.clock.set(time.parse().unwrap());
    }
}

fn told(view: &ClocksView) -> Vec<(&'static str, i64, i64, u32)> {
    let clocks = view.clocks.iter();
    clocks
        .map(|it| (it.rule, it.alarm, it.critical, it.working_days))
        .collect()
}

/// A loan that tells of the twentieth of November, a Friday.
fn friday(number: u32) -> Loan {
    at_month_end(&loan(number), "2026-11-20")
}

#[tokio::test]
async fn sr_05_a_record_that_is_not_accepted_the_next_working_day_is_late() {
    for site in sites().await {
        // Held: nobody authorized. Set aside: the currency is none.
        let mut wrong = friday(2).record();
        wrong["data"]["AcctBsInfSgmt"]["Cy"] = "XXX".into();
        site.at("2026-11-23T02:00:00Z");
        let of = site.submit("k1", &[friday(1).record(), wrong]).await;
        assert_eq!(site.states(&of).await, ["held", "set_aside"]);
        assert_eq!(told(&site.clocks().await), [], "one working day, a Monday");
        site.at("2026-11-24T02:00:00Z");
        let view = site.clocks().await;
        assert_eq!(told(&view), [("SR-05", 2, 0, 2)], "{}", site.name);
        assert_eq!(view.late.len(), 2);
        for (late, state) in view.late.iter().zip(["held", "set_aside"]) {
            assert_eq!((late.state, late.since.as_str()), (state, "2026-11-20"));
            assert_eq!((late.clock, late.level), (Which::Acceptance, Level::Alarm));
            assert_eq!(late.submission.as_deref(), Some(&*of.id));
        }
        site.at("2026-11-26T02:00:00Z");
        assert_eq!(told(&site.clocks().await), [("SR-05", 0, 2, 4)]);
        let (another, calendar) = ("another-bank".into(), Calendar::built_in());
        let elsewhere = site.submissions.clocks(&another, &calendar, 10);
        assert_eq!(told(&elsewhere.await.unwrap()), [], "another's");
    }
}

#[tokio::test]
async fn sr_17_a_file_without_feedback_the_next_working_day_is_late() {
    for site in sites().await {
        let loan = at_month_end(&loan(1), "2026-11-24");
        site.authorize(&loan).await;
        site.submit("k1", &[loan.record()]).await;
        let file = site.carry().await.remove(0);
        assert_eq!(told(&site.clocks().await), [], "{}", site.name);
        site.at("2026-11-26T02:00:00Z");
        let view = site.clocks().await;
        assert_eq!(
            told(&view),
            [("SR-05", 1, 0, 2), ("SR-17", 1, 0, 2)],
            "{}",
            site.name
        );
        assert_eq!(view.late[0].file.as_ref(), Some(&file.id));
        assert!(view.late[0].to_do.en.contains("feedback take"));
        assert_eq!(view.late[1].state, "filed");
        site.answer(&file.name, &[]);
        site.sweep().await;
        assert_eq!(told(&site.clocks().await), [], "answered");
    }
}

#[tokio::test]
async fn sr_06_a_rejected_record_that_nobody_corrects_is_late() {
    for site in sites().await {
        let loan = at_month_end(&loan(1), "2026-11-24");
        site.authorize(&loan).await;
        let of = site.submit("k1", &[loan.record()]).await;
        let name = site.carry().await[0].name.clone();
        let line = site.text(&name)[1].clone();
        site.answer(&name, &[(2, "BLR099", line.as_bytes())]);
        site.sweep().await;
        site.at("2026-11-26T02:00:00Z");
        assert_eq!(told(&site.clocks().await), [], "two working days");
        site.at("2026-11-27T02:00:00Z");
        let view = site.clocks().await;
        assert_eq!(told(&view), [("SR-06", 1, 0, 3)], "{}", site.name);
        assert_eq!(view.late[0].since, "2026-11-24");
        site.at("2026-12-02T02:00:00Z");
        let view = site.clocks().await;
        assert_eq!(told(&view), [("SR-06", 0, 1, 6)]);
        assert_eq!(view.calendar.missing_year, Some(2027), "December");
        assert!(view.calendar.cure.unwrap().en.contains("2027.toml"));
        let mut correction = loan.record();
        correction["corrects"] = serde_json::json!({"submission": of.id, "seq": 1});
        site.submit("k2", &[correction]).await;
        let rules: Vec<&str> = site
            .clocks()
            .await
            .clocks
            .iter()
            .map(|it| it.rule)
            .collect();
        assert!(!rules.contains(&"SR-06"), "{rules:?}");
    }
}
