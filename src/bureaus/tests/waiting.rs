//! What a permit waits for, what it does not, and what shows of it.

use std::time::Duration;

use jiff::{SignedDuration, civil::date};
use tokio::time::Instant;

use super::*;
use crate::platform::config::bureau::Transport;

/// Lets the standing clock go with Tokio's, which stands still and jumps.
fn wind(clock: &Clock) {
    let (clock, start, began) = (clock.clone(), clock.now(), Instant::now());
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(Duration::from_secs(30)).await;
            let gone = SignedDuration::try_from(began.elapsed()).unwrap();
            clock.set(start + gone);
        }
    });
}

async fn closed_house() -> House {
    let house = House::new(|config| {
        config.hours = toml::from_str(r#"monday = ["09:00-22:00"]"#).unwrap();
        config.hours.closed_on = vec![date(2026, 3, 31)];
    })
    .await;
    // 23:30 in China, on a Monday; Tuesday is the last day of the month.
    house.clock.set(at("2026-03-30T15:30:00Z"));
    house
}

#[tokio::test]
async fn a_permit_waits_overnight_into_the_next_month_until_the_bureau_opens() {
    let (test, house) = (any_database().await, closed_house().await);
    let line = house.line(&test.db).await;
    tokio::time::pause();
    wind(&house.clock);
    let deadline = at("2026-04-02T00:00:00Z");
    let permit = line
        .permit(&Ask {
            deadline,
            ..ask(&line)
        })
        .await
        .unwrap();
    let opened = at("2026-04-01T00:00:00+08:00");
    let late = line.clock.now().duration_since(opened);
    assert!(
        (0..=60).contains(&late.as_secs()),
        "{late:?} after its opening"
    );
    drop(permit);
}

#[tokio::test]
async fn who_cannot_wait_until_morning_hears_at_once_when_it_opens() {
    let (test, house) = (any_database().await, closed_house().await);
    let line = house.line(&test.db).await;
    let began = Instant::now();
    let no = line.permit(&ask(&line)).await.unwrap_err();
    assert_eq!(no.code(), "bureau_closed");
    assert_eq!(no.again_at(), Some(at("2026-04-01T00:00:00+08:00")));
    assert!(began.elapsed() < Duration::from_secs(1));
}

#[tokio::test]
async fn who_stops_waiting_leaves_nothing_behind() {
    let (test, house) = (any_database().await, closed_house().await);
    let line = house.line(&test.db).await;
    let deadline = at("2026-04-02T00:00:00Z");
    let patient = Ask {
        deadline,
        ..ask(&line)
    };
    let waiting = line.permit(&patient);
    let stopped = tokio::time::timeout(Duration::from_millis(20), waiting).await;
    assert!(stopped.is_err());
    assert_eq!(line.gate.in_flight(), 0);
    assert_eq!(house.bureau.received().len(), 0);
}

#[tokio::test]
async fn an_institution_that_is_no_member_gets_no_permit() {
    let (test, house) = (any_database().await, House::new(|_| {}).await);
    let line = house.line(&test.db).await;
    let institution = "other-bank".into();
    let no = line
        .permit(&Ask {
            institution,
            ..ask(&line)
        })
        .await
        .unwrap_err();
    assert_eq!(no.code(), "not_a_member");
}

#[tokio::test]
async fn a_way_without_tls_ends_with_its_exception() {
    let test = any_database().await;
    let house = House::new(|config| {
        config.transport = Transport::PlainInVpn {
            reason: "no TLS there".to_owned(),
            owner: "network".to_owned(),
            until: date(2026, 3, 16),
        };
    })
    .await;
    let line = house.line(&test.db).await;
    for (now, code) in [
        ("2026-03-16T15:59:59Z", None),
        ("2026-03-16T16:00:00Z", Some("transport_ended")),
    ] {
        house.clock.set(at(now));
        let permit = line.permit(&ask(&line)).await;
        assert_eq!(permit.err().map(|no| no.code()), code, "{now}");
    }
}

#[tokio::test]
async fn everything_about_a_line_shows() {
    for test in test_databases().await {
        let house = House::new(|config| {
            config.limits.operator.per_day = Some(5);
            config.limits.bureau.per_minute = Some(600);
        })
        .await;
        let lines = house.lines(&test.db).await;
        let line = lines.line(&BureauId::from("pboc")).unwrap();
        inquire(line).await;
        let held = line.permit(&ask(line)).await.unwrap();
        let status = lines.status(&institution(), "operator-1").await.unwrap();
        let json = serde_json::to_value(&status[0]).unwrap();
        drop(held);
        for (path, expected) in [
            ("/bureau", "\"pboc\""),
            ("/products/0", "\"personal_report\""),
            ("/licence/kind", "\"statutory\""),
            ("/transport/kind", "\"mtls\""),
            ("/transport/certificate_days_left", "26223"),
            ("/open", "true"),
            ("/hours_today/0", "\"00:00-24:00\""),
            ("/breaker", "\"closed\""),
            ("/in_flight", "1"),
            ("/limits/0/scope", "\"operator\""),
            ("/limits/0/used_today", "1"),
            ("/limits/0/left_today", "4"),
            ("/limits/2/per_minute", "600"),
            ("/member", "true"),
        ] {
            let shown = json.pointer(path).map(ToString::to_string);
            assert_eq!(shown.as_deref(), Some(expected), "{} {path}", test.name);
        }
        assert!(json.get("opens_at").is_none());
    }
}

#[tokio::test]
async fn a_line_without_its_files_does_not_open() {
    let (test, house) = (any_database().await, House::new(|_| {}).await);
    std::fs::remove_file(house.pki.path("client.key")).unwrap();
    let fittings = Fittings {
        adapters: vec![Arc::new(pboc::Pboc::new())],
        clock: house.clock.clone(),
        db: test.db.clone(),
        epoch: Epoch::take(&test.db, &house.clock).await.unwrap(),
    };
    let opened = Lines::open(vec![house.config.clone()], fittings).await;
    assert!(matches!(
        opened,
        Err(LinesError::Client(ClientError::Tls(..)))
    ));
}
