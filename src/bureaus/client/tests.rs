//! Every row of the table in `sent`, against real sockets.

pub(in crate::bureaus) mod server;

use std::time::Duration;

use contract::{Failure, Happened, WireRequest};
use rustls::{
    ServerConfig,
    version::{TLS12, TLS13},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};
use zeroize::Zeroizing;

use self::server::{Act, Bureau, Met, server};
use super::{super::tls::tests::Pki, *};
use crate::platform::{certs::CertificateAuthority, config::bureau::tests::plain};

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

impl Pki {
    fn server(&self) -> ServerConfig {
        let identity = self.ca.server(&["bureau.test"], far()).unwrap();
        server(&identity, &self.ca, &TLS13)
    }
}

fn far() -> crate::platform::certs::Validity {
    super::super::tls::tests::validity("2098-01-01T00:00:00Z")
}

fn client(transport: Transport, address: impl ToString) -> Client {
    let mut config = plain();
    config.transport = transport;
    config.address = address.to_string();
    Client::new(&config).unwrap()
}

fn request() -> WireRequest {
    WireRequest {
        path: "/ServiceAccept".to_owned(),
        headers: vec![("content-type", "text/xml".to_owned())],
        body: Zeroizing::new(b"<request/>".to_vec()),
        reply_limit_bytes: 100,
    }
}

async fn outcome(client: &Client) -> Result<u16, Failure> {
    match client.exchange(request()).await {
        Happened::Replied(reply) => Ok(reply.status),
        Happened::Failed(failure) => Err(failure),
        other => panic!("{other:?}"),
    }
}

fn not_sent<T>(cause: &'static str) -> Result<T, Failure> {
    Err(Failure::NotSent { cause })
}

fn unknown<T>(cause: &'static str) -> Result<T, Failure> {
    Err(Failure::Unknown { cause })
}

#[tokio::test]
async fn a_request_that_is_no_http_is_not_sent() {
    let pki = Pki::new();
    let mut bureau = Bureau::start(Some(pki.server()), Act::Keep(OK)).await;
    let client = client(pki.mtls(), bureau.address);
    let mut bad = request();
    bad.headers.push(("x", "line\nfeed".to_owned()));
    let happened = client.exchange(bad).await;
    assert!(matches!(
        happened,
        Happened::Failed(Failure::NotSent { cause: "request" })
    ));
    assert_eq!(bureau.requests(), 0);
}

#[tokio::test]
async fn a_name_that_cannot_be_looked_up_is_not_sent() {
    let pki = Pki::new();
    // A label of 64 characters cannot be asked for: no network takes part.
    let client = client(pki.mtls(), format!("{}.test:443", "a".repeat(64)));
    assert_eq!(outcome(&client).await, not_sent("name_lookup"));
}

#[tokio::test]
async fn a_refused_connection_is_not_sent() {
    let pki = Pki::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    assert_eq!(
        outcome(&client(pki.mtls(), address)).await,
        not_sent("connect")
    );
}

#[tokio::test]
async fn a_connection_that_ends_before_tls_stands_is_not_sent() {
    let pki = Pki::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { while listener.accept().await.is_ok() {} });
    assert_eq!(
        outcome(&client(pki.mtls(), address)).await,
        not_sent("connect")
    );
}

#[tokio::test]
async fn a_handshake_that_takes_too_long_is_not_sent() {
    let pki = Pki::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut client = client(pki.mtls(), listener.local_addr().unwrap());
    client.connect = Duration::from_millis(100);
    client.resting = Mutex::default();
    // The kernel takes the connection; nobody ever speaks on it.
    assert_eq!(outcome(&client).await, not_sent("connect_timeout"));
}

#[tokio::test]
async fn a_bureau_that_cannot_prove_its_name_is_not_sent_to() {
    let pki = Pki::new();
    let other = CertificateAuthority::generate("other root", far()).unwrap();
    let past = super::super::tls::tests::validity("2021-01-01T00:00:00Z");
    for (case, identity) in [
        ("another authority", other.server(&["bureau.test"], far())),
        ("another name", pki.ca.server(&["other.test"], far())),
        ("its address as name", pki.ca.server(&["127.0.0.1"], far())),
        ("expired", pki.ca.server(&["bureau.test"], past)),
    ] {
        let tls = server(&identity.unwrap(), &pki.ca, &TLS13);
        let mut bureau = Bureau::start(Some(tls), Act::Keep(OK)).await;
        let client = client(pki.mtls(), bureau.address);
        assert_eq!(outcome(&client).await, not_sent("handshake"), "{case}");
        assert_eq!(bureau.requests(), 0, "{case}");
    }
}

#[tokio::test]
async fn a_bureau_without_tls_is_not_sent_to() {
    let pki = Pki::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        socket
            .write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            .await
            .unwrap();
        let _ = socket.read_to_end(&mut Vec::new()).await;
    });
    assert_eq!(
        outcome(&client(pki.mtls(), address)).await,
        not_sent("handshake")
    );
}

#[tokio::test]
async fn a_refused_certificate_of_ours_is_not_sent() {
    let pki = Pki::new();
    let other = CertificateAuthority::generate("other root", far()).unwrap();
    let identity = pki.ca.server(&["bureau.test"], far()).unwrap();
    let Transport::Mtls {
        server_name, ca, ..
    } = pki.mtls()
    else {
        unreachable!()
    };
    let without = Transport::Tls { server_name, ca };
    for (case, transport, roots, version, cause) in [
        // TLS 1.2 tells during the handshake, 1.3 after ours.
        (
            "1.2, another authority",
            pki.mtls(),
            &other,
            &TLS12,
            "handshake",
        ),
        (
            "1.3, another authority",
            pki.mtls(),
            &other,
            &TLS13,
            "certificate_refused",
        ),
        ("1.3, none", without, &pki.ca, &TLS13, "certificate_refused"),
    ] {
        let tls = server(&identity, roots, version);
        let mut bureau = Bureau::start(Some(tls), Act::Keep(OK)).await;
        let client = client(transport, bureau.address);
        assert_eq!(outcome(&client).await, not_sent(cause), "{case}");
        assert_eq!(bureau.requests(), 0, "{case}");
    }
}

#[tokio::test]
async fn the_same_alert_on_a_used_connection_leaves_it_unknown() {
    let pki = Pki::new();
    let other = CertificateAuthority::generate("other root", far()).unwrap();
    let identity = pki.ca.server(&["bureau.test"], far()).unwrap();
    let bureau = Bureau::start(Some(server(&identity, &other, &TLS13)), Act::Keep(OK)).await;
    let client = client(pki.mtls(), bureau.address);
    let wire = client.take().unwrap();
    let url = format!("{}/", client.base_url);
    let error = wire
        .http
        .post(url)
        .body("<request/>")
        .send()
        .await
        .unwrap_err();
    assert_eq!(
        Err(sent::failure(&error, true)),
        not_sent::<()>("certificate_refused")
    );
    assert_eq!(Err(sent::failure(&error, false)), unknown::<()>("cut"));
}

#[tokio::test]
async fn an_alert_that_is_not_about_certificates_leaves_it_unknown() {
    let pki = Pki::new();
    let bureau = Bureau::start(Some(pki.server()), Act::Keep(OK)).await;
    let between = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = between.local_addr().unwrap();
    // Somebody between changes a bit of all that follows our greeting: the
    // bureau answers with the fatal alert `bad_record_mac`.
    tokio::spawn(async move {
        let (client, _) = between.accept().await.unwrap();
        let server = TcpStream::connect(bureau.address).await.unwrap();
        let (mut from_client, mut to_client) = client.into_split();
        let (mut from_server, mut to_server) = server.into_split();
        tokio::spawn(async move { tokio::io::copy(&mut from_server, &mut to_client).await });
        let mut part = [0; 4096];
        let mut greeting = true;
        while let Ok(length @ 1..) = from_client.read(&mut part).await {
            part[length - 1] ^= u8::from(!std::mem::take(&mut greeting));
            to_server.write_all(&part[..length]).await.unwrap();
        }
    });
    assert_eq!(outcome(&client(pki.mtls(), address)).await, unknown("cut"));
}

#[tokio::test]
async fn what_was_written_and_not_wholly_answered_is_unknown() {
    const SHORT: &str = "HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nonly this";
    const CHUNK: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nfirst\r\n";
    const OPEN: &str = "HTTP/1.1 200 OK\r\n\r\nuntil the end";
    const LONG: &str = "HTTP/1.1 200 OK\r\n\r\n\
        0123456789012345678901234567890123456789012345678901234567890123456789\
        0123456789012345678901234567890123456789";
    let pki = Pki::new();
    for (case, act, expected) in [
        ("no reply", Act::Close, unknown("cut")),
        (
            "half a head",
            Act::Last("HTTP/1.1 200 OK\r\ncontent-"),
            unknown("cut"),
        ),
        ("no HTTP", Act::Last("hello\r\n\r\n"), unknown("cut")),
        ("too slow", Act::Hang, unknown("timeout")),
        ("too slow in the body", Act::Keep(SHORT), unknown("timeout")),
        (
            "shorter than it said",
            Act::Last(SHORT),
            unknown("truncated"),
        ),
        (
            "shorter than it said, torn",
            Act::Torn(SHORT),
            unknown("truncated"),
        ),
        (
            "without its last chunk",
            Act::Last(CHUNK),
            unknown("truncated"),
        ),
        ("of no length, torn", Act::Torn(OPEN), unknown("truncated")),
        ("of no length, whole", Act::Last(OPEN), Ok(200)),
        (
            "longer than the limit",
            Act::Last(LONG),
            unknown("reply_over_limit"),
        ),
    ] {
        let mut bureau = Bureau::start(Some(pki.server()), act).await;
        let mut client = client(pki.mtls(), bureau.address);
        if matches!(act, Act::Hang | Act::Keep(_)) {
            client.answer = Duration::from_millis(300);
        }
        assert_eq!(outcome(&client).await, expected, "{case}");
        assert_eq!(bureau.requests(), 1, "{case}");
    }
}

#[tokio::test]
async fn a_whole_reply_of_any_status_is_the_adapters_and_never_followed_or_repeated() {
    let pki = Pki::new();
    for (status, reply) in [
        (200, OK),
        (
            307,
            "HTTP/1.1 307 Temporary Redirect\r\nlocation: /\r\ncontent-length: 0\r\n\r\n",
        ),
        (
            408,
            "HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n",
        ),
        (
            503,
            "HTTP/1.1 503 Service Unavailable\r\nretry-after: 0\r\ncontent-length: 0\r\n\r\n",
        ),
    ] {
        let mut bureau = Bureau::start(Some(pki.server()), Act::Keep(reply)).await;
        let client = client(pki.mtls(), bureau.address);
        assert_eq!(outcome(&client).await, Ok(status));
        assert_eq!(bureau.requests(), 1, "{status}");
    }
}

#[tokio::test]
async fn a_connection_is_used_again_until_it_fails_or_closes() {
    let pki = Pki::new();
    let mut bureau = Bureau::start(Some(pki.server()), Act::Keep(OK)).await;
    let client = client(pki.mtls(), bureau.address);
    for _ in 0..3 {
        assert_eq!(outcome(&client).await, Ok(200));
    }
    let met = bureau.met();
    assert!(matches!(
        met[..],
        [Met::Connection(_), Met::Request, Met::Request, Met::Request]
    ));
}

#[tokio::test]
async fn a_connection_that_the_bureau_closed_at_rest_costs_nothing() {
    let pki = Pki::new();
    let mut bureau = Bureau::start(Some(pki.server()), Act::Last(OK)).await;
    let client = client(pki.mtls(), bureau.address);
    for turn in 0..2 {
        assert_eq!(outcome(&client).await, Ok(200), "{turn}");
        while !matches!(bureau.met.recv().await, Some(Met::Closed)) {}
    }
}

#[tokio::test]
async fn a_certificate_replaced_on_disk_serves_the_next_call() {
    let pki = Pki::new();
    let mut bureau = Bureau::start(Some(pki.server()), Act::Keep(OK)).await;
    let client = client(pki.mtls(), bureau.address);
    assert_eq!(outcome(&client).await, Ok(200));
    pki.renew("2097-01-01T00:00:00Z");
    assert_eq!(outcome(&client).await, Ok(200));
    assert_eq!(
        client.expires_at(),
        Some("2097-01-01T00:00:00Z".parse().unwrap())
    );
    // Half a renewal changes nothing, and shows.
    std::fs::write(pki.path("client.key"), "").unwrap();
    assert_eq!(outcome(&client).await, Ok(200));
    assert!(client.reload_error().unwrap().contains("no private key"));
    pki.renew("2096-01-01T00:00:00Z");
    assert_eq!(outcome(&client).await, Ok(200));
    assert_eq!(client.reload_error(), None);
    let shown: Vec<_> = bureau
        .met()
        .into_iter()
        .filter_map(|met| match met {
            Met::Connection(shown) => Some(shown.unwrap()),
            _ => None,
        })
        .collect();
    assert_eq!(shown.len(), 3, "the half renewal kept its connection");
    assert!(shown[0] != shown[1] && shown[1] != shown[2]);
}

#[tokio::test]
async fn inside_a_private_network_it_goes_without_tls() {
    let mut bureau = Bureau::start(None, Act::Keep(OK)).await;
    let client = client(plain().transport, bureau.address);
    assert_eq!(outcome(&client).await, Ok(200));
    assert_eq!(client.expires_at(), None);
    assert_eq!(bureau.requests(), 1);
}
