//! A listener for people that answers as it is told, and what it was asked.

use std::{
    collections::VecDeque,
    fs,
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, Method, StatusCode, Uri, header::LOCATION},
    response::{IntoResponse, Response},
};
use axum_server::{Handle, tls_rustls::RustlsConfig};
use creditgate::{
    api::listen::{serve_tls, server_config},
    platform::{
        certs::{CertificateAuthority, Existing, Validity, write_secret},
        clock::Clock,
    },
};
use serde_json::Value;

/// One request, as it came.
pub(crate) struct Asked {
    pub(crate) line: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// One answer: status, location, body.
pub(crate) type Told = (u16, Option<&'static str>, Value);

#[derive(Default)]
struct Script {
    asked: Vec<Asked>,
    told: VecDeque<Told>,
}

/// The listener; it ends when dropped.
pub(crate) struct People {
    folder: tempfile::TempDir,
    script: Arc<Mutex<Script>>,
    handle: Handle<SocketAddr>,
    _runtime: tokio::runtime::Runtime,
}

impl People {
    /// Starts one that gives these answers in turn, with `creditgate.toml`,
    /// `ca.pem` and `token` beside it.
    pub(crate) fn start(told: impl IntoIterator<Item = Told>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let now = Clock::system().now();
        let validity = Validity {
            from: now,
            until: now + Duration::from_secs(3600),
        };
        let ca = CertificateAuthority::generate("root", validity).unwrap();
        fs::write(root.join("ca.pem"), ca.certificate_pem()).unwrap();
        let server = ca.server(&["127.0.0.1"], validity).unwrap();
        let (certificate, key) = (root.join("server.pem"), root.join("server-key.pem"));
        server.write(&certificate, &key, Existing::Keep).unwrap();
        let tls = server_config(
            server.certificate_pem.as_bytes(),
            server.key_pem.as_bytes(),
            None,
        )
        .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        super::configure(root, &address.to_string());
        write_secret(&root.join("token"), b"secret-token\n", Existing::Keep).unwrap();

        let script = Arc::new(Mutex::new(Script {
            told: told.into_iter().collect(),
            ..Script::default()
        }));
        let handle = Handle::new();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let router = Router::new()
            .fallback(answer)
            .with_state(Arc::clone(&script));
        runtime.spawn(serve_tls(
            listener,
            RustlsConfig::from_config(Arc::new(tls)),
            router,
            handle.clone(),
        ));
        Self {
            folder,
            script,
            handle,
            _runtime: runtime,
        }
    }

    /// Where its files are.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file beside it.
    pub(crate) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    /// What it was asked since the last time.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.script.lock().unwrap().asked)
    }
}

impl Drop for People {
    fn drop(&mut self) {
        self.handle.shutdown();
    }
}

async fn answer(
    State(script): State<Arc<Mutex<Script>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut script = script.lock().unwrap();
    script.asked.push(Asked {
        line: format!("{method} {uri}"),
        headers,
        body,
    });
    let (status, location, body) = script.told.pop_front().unwrap_or((500, None, Value::Null));
    let status = StatusCode::from_u16(status).unwrap();
    let body = match body {
        Value::String(text) => text,
        other => other.to_string(),
    };
    match location {
        Some(location) => (status, [(LOCATION, location)], body).into_response(),
        None => (status, body).into_response(),
    }
}
