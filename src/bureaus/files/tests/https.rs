//! A bureau of sockets under mutual TLS: what it got, and what we make of what
//! it says.

use std::{collections::VecDeque, net::SocketAddr, sync::Mutex};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::bureaus::{
    client::tests::server::server,
    tls::tests::{Pki, validity},
};

/// What the bureau does with one request.
#[derive(Clone)]
enum Act {
    /// Reads half of the request and drops the connection.
    CutRequest,
    /// Reads it whole and drops the connection.
    CutReply,
    /// Answers with these bytes, and drops the connection.
    Say(Vec<u8>),
}

/// A request, as it came.
#[derive(Clone)]
struct Got {
    head: String,
    body: Vec<u8>,
}

struct Bureau {
    address: SocketAddr,
    got: Arc<Mutex<Vec<Got>>>,
    pki: Pki,
}

impl Bureau {
    /// Does one thing after the other, one connection each.
    async fn start(acts: Vec<Act>) -> Self {
        let pki = Pki::new();
        let far = validity("2098-01-01T00:00:00Z");
        let identity = pki.ca.server(&["bureau.test"], far).unwrap();
        let tls = server(&identity, &pki.ca, &rustls::version::TLS13);
        let acceptor = TlsAcceptor::from(Arc::new(tls));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let got = Arc::new(Mutex::new(Vec::new()));
        let met = Arc::clone(&got);
        tokio::spawn(async move {
            for act in VecDeque::from(acts) {
                let (socket, _) = listener.accept().await.unwrap();
                let mut stream = acceptor.accept(socket).await.unwrap();
                if let Act::CutRequest = act {
                    let mut some = vec![0; 1000];
                    stream.read_exact(&mut some).await.unwrap();
                    continue;
                }
                let request = request(&mut stream).await;
                met.lock().unwrap().push(request);
                if let Act::Say(bytes) = act {
                    stream.write_all(&bytes).await.unwrap();
                    let _ = stream.shutdown().await;
                }
            }
        });
        Self { address, got, pki }
    }

    async fn line(&self) -> FileLine {
        let transport = FileTransport::Https {
            address: Some(self.address.to_string()),
            base_path: "/v2".to_owned(),
            protection: Some(self.pki.mtls()),
        };
        line(transport, |_| {}).await.unwrap()
    }

    fn got(&self) -> Vec<Got> {
        self.got.lock().unwrap().clone()
    }
}

async fn request(stream: &mut (impl AsyncRead + Unpin)) -> Got {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
            let lower = head.to_lowercase();
            let length = lower.split("content-length: ").nth(1).unwrap_or("0");
            let length: usize = length.lines().next().unwrap().parse().unwrap();
            if bytes.len() >= end + 4 + length {
                let body = bytes.split_off(end + 4);
                return Got { head, body };
            }
        }
        assert_ne!(stream.read_buf(&mut bytes).await.unwrap(), 0);
    }
}

fn reply(status: &str, body: &[u8]) -> Act {
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    Act::Say([head.as_bytes(), body].concat())
}

fn received(bytes: &[u8]) -> Vec<u8> {
    let words = serde_json::json!({"name": NAME, "sha256": hex(&sha256(bytes))});
    words.to_string().into_bytes()
}

#[tokio::test]
async fn a_file_streams_out_with_its_digest_and_arrives() {
    let bytes = vec![5; 3_000_000];
    let sent = sent(&bytes);
    let bureau = Bureau::start(vec![reply("201 Created", &received(&bytes))]).await;
    let line = bureau.line().await;
    let delivery = line.deliver(&sent.file, &sent.path).await;
    assert_eq!(delivery, Delivery::Arrived);
    let got = bureau.got();
    let head = got[0].head.to_lowercase();
    let name = NAME.to_lowercase();
    assert!(head.starts_with(&format!("put /v2/submissions/files/{name}.enc http/1.1")));
    assert!(head.contains("content-length: 3000000"), "{head}");
    assert!(head.contains("content-digest: sha-256=:"), "{head}");
    assert!(!head.contains("transfer-encoding"), "{head}");
    assert!(got[0].body == bytes);
}

#[tokio::test]
async fn what_was_cut_is_unknown_and_the_same_bytes_go_again() {
    let bytes = vec![5; 3_000_000];
    let sent = sent(&bytes);
    let refusal = serde_json::json!({"code": "ABF009"}).to_string();
    let acts = vec![
        Act::CutRequest,
        Act::CutReply,
        Act::Say(b"HTTP/1.1 201 Created\r\ncontent-length: 500\r\n\r\n{".to_vec()),
        Act::Say(b"no HTTP at all\r\n\r\n".to_vec()),
        reply("503 Service Unavailable", b"{}"),
        reply("307 Temporary Redirect\r\nlocation: /elsewhere", b""),
        reply("201 Created", b"thank you"),
        reply("409 Conflict", refusal.as_bytes()),
    ];
    let expected = [
        unknown("cut"),
        unknown("cut"),
        unknown("truncated"),
        unknown("cut"),
        unknown("status_5xx"),
        unknown("status_3xx"),
        unknown("acknowledgment_unreadable"),
        Delivery::AlreadyReceived,
    ];
    let bureau = Bureau::start(acts).await;
    let line = bureau.line().await;
    for (n, expected) in expected.into_iter().enumerate() {
        let delivery = line.deliver(&sent.file, &sent.path).await;
        assert_eq!(delivery, expected, "delivery {n}");
    }
    // Nothing was followed, and every whole request was the same.
    let got = bureau.got();
    assert_eq!(got.len(), 7);
    let same = |one: &Got| one.head == got[0].head && one.body == bytes;
    assert!(got.iter().all(same));
}

#[tokio::test]
async fn what_never_reached_the_bureau_was_not_sent() {
    let sent = sent(b"sealed");
    let pki = Pki::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    let bureau = Bureau::start(vec![reply("201 Created", b"{}")]).await;
    let to = |address: String, protection| FileTransport::Https {
        address: Some(address),
        base_path: String::new(),
        protection: Some(protection),
    };
    // Nobody listens; and a bureau of another authority than ours.
    for (address, cause) in [
        (address, "connect"),
        (bureau.address.to_string(), "handshake"),
    ] {
        let line = line(to(address, pki.mtls()), |_| {}).await.unwrap();
        let delivery = line.deliver(&sent.file, &sent.path).await;
        assert_eq!(delivery, not_sent(cause));
    }
    assert!(bureau.got().is_empty());
}

#[tokio::test]
async fn a_bureau_that_says_nothing_is_unknown_in_the_end() {
    let sent = sent(b"sealed");
    let pki = Pki::new();
    let far = validity("2098-01-01T00:00:00Z");
    let identity = pki.ca.server(&["bureau.test"], far).unwrap();
    let tls = server(&identity, &pki.ca, &rustls::version::TLS13);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        let (socket, _) = listener.accept().await.unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(tls));
        let mut stream = acceptor.accept(socket).await.unwrap();
        request(&mut stream).await;
        std::future::pending::<()>().await;
    });
    // The line's own way, where submission names none.
    let transport = FileTransport::Https {
        address: None,
        base_path: String::new(),
        protection: None,
    };
    let line = line(transport, |config| {
        config.address = address;
        config.transport = pki.mtls();
        config.submission.as_mut().unwrap().transfer_seconds = 1;
    });
    let line = line.await.unwrap();
    let delivery = line.deliver(&sent.file, &sent.path).await;
    assert_eq!(delivery, unknown("timeout"));
    assert_eq!(line.arrived(&sent.file).await, Ok(None));
}

#[tokio::test]
async fn feedback_is_listed_and_fetched_whole_or_not_at_all() {
    let bytes = vec![9; 2_000_000];
    let list = serde_json::json!({"files": [
        format!("{FEEDBACK}.enc"), "T99999999H00022024060121000013", "../x"
    ]});
    let whole = reply("200 OK", &bytes);
    let Act::Say(half) = &whole else {
        unreachable!()
    };
    let half = Act::Say(half[..half.len() / 2].to_vec());
    let bureau = Bureau::start(vec![
        reply("200 OK", list.to_string().as_bytes()),
        half,
        reply("404 Not Found", b""),
        reply("503 Service Unavailable", b"x"),
        whole,
        reply("200 OK", b"[]"),
        reply("403 Forbidden", b""),
    ])
    .await;
    let line = bureau.line().await;
    assert_eq!(line.feedback().await, Ok(vec![FEEDBACK.to_owned()]));
    let inbox = tempfile::tempdir().unwrap();
    let to = inbox.path().join("feedback.enc");
    let failed = |cause| Err(Failure::Unknown { cause });
    assert_eq!(line.fetch(FEEDBACK, &to).await, failed("truncated"));
    assert_eq!(line.fetch(FEEDBACK, &to).await, Ok(None));
    assert_eq!(line.fetch(FEEDBACK, &to).await, failed("status_5xx"));
    assert_eq!(fs::read_dir(inbox.path()).unwrap().count(), 0);
    let facts = line.fetch(FEEDBACK, &to).await.unwrap().unwrap();
    assert_eq!(facts, FileFacts::of(&to).unwrap());
    assert!(fs::read(&to).unwrap() == bytes);
    assert_eq!(
        line.feedback().await,
        failed("list_unreadable").map(|_| vec![])
    );
    assert_eq!(line.feedback().await, failed("status_4xx").map(|_| vec![]));
    let paths: Vec<_> = bureau.got().iter().map(|got| got.head.clone()).collect();
    assert!(paths[0].starts_with("GET /v2/submissions/feedback HTTP/1.1"));
    let path = format!("GET /v2/submissions/feedback/{FEEDBACK}.enc HTTP/1.1");
    assert!(paths[1].starts_with(&path));
}

#[tokio::test]
async fn an_exception_from_tls_ends() {
    let sent = sent(b"sealed");
    for (until, cause) in [("2026-03-16", "connect"), ("2026-03-15", "transport_ended")] {
        let transport = FileTransport::Https {
            address: Some("127.0.0.1:9".to_owned()),
            base_path: String::new(),
            protection: Some(Transport::PlainInVpn {
                reason: "test".to_owned(),
                owner: "test".to_owned(),
                until: until.parse().unwrap(),
            }),
        };
        let line = line(transport, |_| {}).await.unwrap();
        let delivery = line.deliver(&sent.file, &sent.path).await;
        assert_eq!(delivery, not_sent(cause));
    }
}
