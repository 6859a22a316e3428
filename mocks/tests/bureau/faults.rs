//! Every fault: what the client meets, and what the bureau counts.

use std::time::{Duration, Instant};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use jiff::Timestamp;
use mocks::{
    Encoding, Fault, FaultError, FaultRule, MockBureau, MockConfig, synthetic_resident_id,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::client::{Request, Town, element, noon, soap};

/// What a client sees of one request.
#[derive(Debug, Eq, PartialEq)]
enum Seen {
    /// No connection, or one that failed before the request was written.
    Connect,
    /// No whole reply.
    Cut,
    /// A whole reply with this status and result code, if there is one.
    Reply(u16, Option<String>),
}

async fn ask(town: &Town, client: &reqwest::Client, id_number: &str) -> Seen {
    match town.ask(client, &Request::about(id_number)).await {
        Ok((status, body)) => {
            let text = String::from_utf8(body)
                .ok()
                .filter(|text| text.contains("ResultCode"));
            Seen::Reply(status, text.map(|text| element(&text, "ResultCode")))
        }
        Err(error) if error.is_connect() => Seen::Connect,
        Err(_) => Seen::Cut,
    }
}

#[tokio::test]
async fn a_fault_strikes_once_and_what_arrived_whole_counts() {
    let reply = |status, code: Option<&str>| Seen::Reply(status, code.map(str::to_owned));
    let town = Town::start(|_| {}).await;
    let subject = synthetic_resident_id(1);
    let mut expected = 0;
    for (fault, seen, arrives) in [
        (Fault::AcceptThenCut, Seen::Cut, 1),
        (Fault::CutReply { after_bytes: 1000 }, Seen::Cut, 1),
        (Fault::CutReply { after_bytes: 0 }, Seen::Cut, 1),
        (Fault::ExpiredCertificate, Seen::Connect, 0),
        (Fault::Garbage, reply(200, None), 1),
        (Fault::Redirect, reply(307, None), 1),
        (Fault::ResetConnection, Seen::Connect, 0),
        (
            Fault::Slow {
                before_ms: 1,
                each_kib_ms: 1,
            },
            reply(200, Some("AAA000")),
            1,
        ),
        (Fault::Status { code: 503 }, reply(503, None), 1),
        (Fault::Truncated, Seen::Cut, 1),
        (Fault::UnknownCode, reply(200, Some("ZZZ999")), 1),
        (Fault::WrongAuthority, Seen::Connect, 0),
        (Fault::WrongName, Seen::Connect, 0),
    ] {
        town.bureau.set_fault(FaultRule::once(fault)).await.unwrap();
        // A client of its own, so that no kept connection avoids the fault.
        assert_eq!(
            ask(&town, &town.client(), &subject).await,
            seen,
            "{fault:?}"
        );
        expected += arrives;
        assert_eq!(town.bureau.count_for(&subject), expected, "{fault:?}");

        let after = ask(&town, &town.client(), &subject).await;
        assert_eq!(after, reply(200, Some("AAA000")), "after {fault:?}");
        expected += 1;
    }
    assert_eq!(town.bureau.received().len(), expected);
}

#[tokio::test]
async fn a_refused_client_certificate_shows_after_the_handshake() {
    let town = Town::start(|_| {}).await;
    let subject = synthetic_resident_id(1);
    town.bureau
        .set_fault(FaultRule::once(Fault::RefuseCertificate))
        .await
        .unwrap();
    let error = town
        .ask(&town.client(), &Request::about(&subject))
        .await
        .unwrap_err();
    let mut chain = format!("{error:?}");
    chain.make_ascii_lowercase();
    assert!(chain.contains("certificaterevoked"), "{chain}");
    assert!(town.bureau.received().is_empty());
}

#[tokio::test]
async fn a_wrong_length_is_a_reply_cut_in_the_middle_of_its_text() {
    let town = Town::start(|_| {}).await;
    town.bureau
        .set_fault(FaultRule::once(Fault::WrongLength))
        .await
        .unwrap();
    let request = Request::about(&synthetic_resident_id(1));
    let (status, body) = town.ask(&town.client(), &request).await.unwrap();
    assert_eq!(status, 200);
    assert!(!String::from_utf8_lossy(&body).contains("Envelope>"));
}

#[tokio::test]
async fn a_confused_bureau_answers_for_another_and_remembers_aright() {
    let town = Town::start(|config| config.encoding = Encoding::Base64).await;
    let subject = synthetic_resident_id(1);
    for (fault, same_message, same_subject) in [
        (Fault::OtherMessage, false, true),
        (Fault::OtherSubject, true, false),
    ] {
        town.bureau.set_fault(FaultRule::once(fault)).await.unwrap();
        let (_, body) = town
            .ask(&town.client(), &Request::about(&subject))
            .await
            .unwrap();
        let text = String::from_utf8(body).unwrap();
        let report = BASE64_STANDARD
            .decode(element(&text, "ReportMessage"))
            .unwrap();
        let report = String::from_utf8(report).unwrap();
        assert_eq!(
            text.contains("D1022026031600000001"),
            same_message,
            "{fault:?}"
        );
        assert_eq!(report.contains(&subject), same_subject, "{fault:?}");
    }
    assert_eq!(town.bureau.count_for(&subject), 2);
    let ids = town
        .bureau
        .received()
        .into_iter()
        .map(|received| received.message_id);
    assert!(ids.eq([
        Some("2026031600000001".to_owned()),
        Some("2026031600000001".to_owned())
    ]));
}

#[tokio::test]
async fn an_idle_connection_does_not_avoid_a_fault_of_connections() {
    let town = Town::start(|_| {}).await;
    let subject = synthetic_resident_id(1);
    let client = town.client();
    ask(&town, &client, &subject).await;
    town.bureau
        .set_fault(FaultRule::always(Fault::WrongName))
        .await
        .unwrap();
    // The client notices the end of its connection when it next tries, or
    // before; either way the request does not arrive.
    let seen = ask(&town, &client, &subject).await;
    assert!(matches!(seen, Seen::Connect | Seen::Cut), "{seen:?}");
    assert_eq!(town.bureau.count(), 1);
}

#[tokio::test]
async fn while_connections_are_refused_the_port_stays_ours() {
    let town = Town::start(|_| {}).await;
    let (client, subject) = (town.client(), synthetic_resident_id(1));
    assert!(matches!(
        ask(&town, &client, &subject).await,
        Seen::Reply(200, _)
    ));
    for _ in 0..3 {
        town.bureau
            .set_fault(FaultRule::always(Fault::RefuseConnection))
            .await
            .unwrap();
        assert_eq!(ask(&town, &town.client(), &subject).await, Seen::Connect);
        let refused = TcpStream::connect(town.bureau.address()).await.unwrap_err();
        assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
        town.bureau.clear_faults().await;
        assert!(matches!(
            ask(&town, &client, &subject).await,
            Seen::Reply(200, _)
        ));
    }
    assert_eq!(town.bureau.count(), 4);
}

#[tokio::test]
async fn a_fault_strikes_its_subject_only_and_may_keep_it_off_the_list() {
    let town = Town::start(|_| {}).await;
    let client = town.client();
    let (struck, spared) = (synthetic_resident_id(1), synthetic_resident_id(2));
    let rule = FaultRule::always(Fault::Status { code: 503 })
        .for_subject(&struck)
        .unlisted();
    town.bureau.set_fault(rule).await.unwrap();
    for _ in 0..2 {
        assert_eq!(ask(&town, &client, &struck).await, Seen::Reply(503, None));
        assert!(matches!(
            ask(&town, &client, &spared).await,
            Seen::Reply(200, _)
        ));
    }
    assert_eq!(
        (
            town.bureau.count_for(&struck),
            town.bureau.count_for(&spared)
        ),
        (2, 2)
    );
    let list = town.bureau.inquiry_list(Timestamp::MIN, Timestamp::MAX);
    assert_eq!(list.matches(&struck).count(), 0);
    assert_eq!(list.matches(&spared).count(), 2);
    let row = format!(
        "2026031600000001,2026-03-16T12:00:00+08:00,Z99990000H0001,user,测试甲,10,{spared},02,AAA000"
    );
    assert!(list.contains(&row), "{list}");
    assert_eq!(
        town.bureau
            .inquiry_list(Timestamp::MIN, noon())
            .lines()
            .count(),
        1
    );
}

#[tokio::test]
async fn a_request_that_is_cut_is_remembered_as_partial() {
    let bureau = MockBureau::start(MockConfig::new(std::sync::Arc::new(noon)))
        .await
        .unwrap();
    let body = soap(&Request::about(&synthetic_resident_id(1)).message());
    let request = format!(
        "POST /ServiceAccept HTTP/1.1\r\nContent-Type: text/xml\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    for (sent, message_id) in [(10, None), (request.len() - 1, Some("2026031600000001"))] {
        let before = bureau.received().len();
        let mut stream = TcpStream::connect(bureau.address()).await.unwrap();
        stream.write_all(&request.as_bytes()[..sent]).await.unwrap();
        stream.shutdown().await.unwrap();
        // The bureau closes once it has seen the end: then it has remembered.
        assert_eq!(stream.read_to_end(&mut Vec::new()).await.unwrap(), 0);
        let received = bureau.received().remove(before);
        assert_eq!((received.whole, received.bytes), (false, sent));
        assert_eq!(received.message_id.as_deref(), message_id);
    }
    assert_eq!(bureau.count(), 0);
}

#[tokio::test]
async fn slowness_is_before_the_first_byte_or_between_them() {
    let town = Town::start(|_| {}).await;
    for (before_ms, each_kib_ms) in [(60, 0), (0, 20)] {
        let rule = FaultRule::once(Fault::Slow {
            before_ms,
            each_kib_ms,
        });
        town.bureau.set_fault(rule).await.unwrap();
        let started = Instant::now();
        ask(&town, &town.client(), &synthetic_resident_id(1)).await;
        assert!(started.elapsed() >= Duration::from_millis(60));
    }
}

#[tokio::test]
async fn a_fault_that_cannot_be_played_is_not_set() {
    let bureau = MockBureau::start(MockConfig::new(std::sync::Arc::new(noon)))
        .await
        .unwrap();
    let set = |rule| bureau.set_fault(rule);
    let no_certificate = set(FaultRule::once(Fault::WrongName)).await;
    assert_eq!(no_certificate, Err(FaultError::NoSuchCertificate));
    let uncountable = set(FaultRule::once(Fault::RefuseConnection)).await;
    assert_eq!(uncountable, Err(FaultError::NotCountable));
}
