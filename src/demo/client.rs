//! A client of the gateway's own API, as an officer's tool would be.

use std::{net::SocketAddr, time::Duration};

use reqwest::{Certificate, Method, RequestBuilder, StatusCode, redirect::Policy};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;

/// Calls the people's listener with a bearer token.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    token: SecretString,
}

/// An answer: its status and JSON body.
#[derive(Clone, Debug)]
pub struct Reply {
    /// HTTP status.
    pub status: StatusCode,
    /// The body; null where it is no JSON.
    pub body: Value,
}

impl Client {
    /// A client that trusts one authority only.
    ///
    /// # Errors
    ///
    /// Where the certificate cannot be used.
    pub fn new(ca_pem: &str, address: SocketAddr, token: SecretString) -> reqwest::Result<Self> {
        let http = reqwest::Client::builder()
            .tls_certs_only([Certificate::from_pem(ca_pem.as_bytes())?])
            .redirect(Policy::none())
            .no_proxy()
            .timeout(Duration::from_secs(90))
            .build()?;
        Ok(Self {
            http,
            base: format!("https://127.0.0.1:{}", address.port()),
            token,
        })
    }

    /// The same client with another's token.
    #[must_use]
    pub fn with(&self, token: &SecretString) -> Self {
        Self {
            token: token.clone(),
            ..self.clone()
        }
    }

    /// Reads a resource.
    ///
    /// # Errors
    ///
    /// Where no answer came.
    pub async fn get(&self, path: &str) -> reqwest::Result<Reply> {
        self.send(self.request(Method::GET, path)).await
    }

    /// Posts a JSON body.
    ///
    /// # Errors
    ///
    /// Where no answer came.
    pub async fn post(&self, path: &str, body: &Value) -> reqwest::Result<Reply> {
        self.send(self.request(Method::POST, path).json(body)).await
    }

    /// Posts an inquiry under a key, and waits up to `wait` seconds.
    ///
    /// # Errors
    ///
    /// Where no answer came.
    pub async fn inquire(&self, body: &Value, key: &str, wait: u32) -> reqwest::Result<Reply> {
        let request = self
            .request(Method::POST, "/v1/inquiries")
            .header("Idempotency-Key", key)
            .header("Prefer", format!("wait={wait}"));
        self.send(request.json(body)).await
    }

    /// Posts CSV.
    ///
    /// # Errors
    ///
    /// Where no answer came.
    pub async fn post_csv(&self, path: &str, csv: String) -> reqwest::Result<Reply> {
        let request = self
            .request(Method::POST, path)
            .header("content-type", "text/csv");
        self.send(request.body(csv)).await
    }

    /// Hands records in, as JSON Lines.
    ///
    /// # Errors
    ///
    /// Where no answer came.
    pub async fn submit(&self, lines: String, key: &str) -> reqwest::Result<Reply> {
        let request = self
            .request(Method::POST, "/v1/submissions?bureau=pboc")
            .header("content-type", "application/x-ndjson")
            .header("Idempotency-Key", key);
        self.send(request.body(lines)).await
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http
            .request(method, format!("{}{path}", self.base))
            .bearer_auth(self.token.expose_secret())
    }

    async fn send(&self, request: RequestBuilder) -> reqwest::Result<Reply> {
        let response = request.send().await?;
        let status = response.status();
        let bytes = response.bytes().await?;
        Ok(Reply {
            status,
            body: serde_json::from_slice(&bytes).unwrap_or(Value::Null),
        })
    }
}
