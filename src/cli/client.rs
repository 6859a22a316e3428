//! The way to a running gateway: its listener for people, over TLS.
//!
//! Only the configured authority is trusted, no redirect is followed, no proxy
//! variable read, nothing repeated: what to do after a lost answer is the
//! caller's word.

use std::{fs, path::PathBuf, time::Duration};

use reqwest::{
    Certificate, Method,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue},
};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use zeroize::Zeroizing;

use super::{CliError, problem::Problem};
use crate::platform::{config::client::ClientConfig, secret::SecretSource};

/// Until name, connection and TLS stand.
const CONNECT: Duration = Duration::from_secs(10);

/// How long an answer may take beyond what the caller is ready to wait.
const ANSWER: Duration = Duration::from_secs(60);

/// No answer is longer; a page of the register or a report stays far below.
const LONGEST_ANSWER_BYTES: usize = 64 << 20;

/// The variable that holds the token.
const TOKEN: &str = "CREDITGATE_TOKEN";

/// Who asks: the token of a person, from `CREDITGATE_TOKEN` or a file. It is
/// never an argument.
#[derive(Debug, clap::Args)]
pub(super) struct Token {
    /// A file with your token; without it CREDITGATE_TOKEN holds the token.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
}

/// A gateway that can be asked.
pub(super) struct Client {
    http: reqwest::Client,
    address: String,
    authorization: HeaderValue,
}

/// One request.
pub(super) struct Call<'a> {
    method: Method,
    path: &'a str,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Option<Zeroizing<Vec<u8>>>,
    stream: Option<reqwest::Body>,
    wait: Duration,
}

/// An answer that is no problem.
pub(super) struct Answer {
    pub(super) body: Zeroizing<Vec<u8>>,
}

impl Token {
    fn read(&self) -> Result<SecretString, CliError> {
        let source = match &self.token_file {
            Some(path) => SecretSource::File(path.clone()),
            None => SecretSource::Env(TOKEN.to_owned()),
        };
        Ok(source.read()?)
    }
}

impl Client {
    /// Makes a client of that server for the person whose token it is.
    pub(super) fn new(server: &ClientConfig, token: &Token) -> Result<Self, CliError> {
        let ca = fs::read(&server.ca).map_err(|source| CliError::Read {
            path: server.ca.clone(),
            source,
        })?;
        let unusable = |_| CliError::Usage("the configured authority holds no usable certificate");
        let http = reqwest::Client::builder()
            .tls_certs_only(Certificate::from_pem_bundle(&ca).map_err(unusable)?)
            .https_only(true)
            .http1_only()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .connect_timeout(CONNECT)
            .build()
            .map_err(unusable)?;
        let token = token.read()?;
        let bearer = Zeroizing::new(format!("Bearer {}", token.expose_secret()));
        let mut authorization = HeaderValue::from_str(&bearer)
            .map_err(|_| CliError::Usage("the token holds characters that no token has"))?;
        authorization.set_sensitive(true);
        Ok(Self {
            http,
            address: server.address.clone(),
            authorization,
        })
    }

    /// Asks, and reads the whole answer.
    ///
    /// # Errors
    ///
    /// [`CliError::NotSent`] where nothing left, [`CliError::NoAnswer`] where it
    /// may have, [`CliError::Problem`] for every answer that is no success.
    pub(super) async fn send(&self, call: Call<'_>) -> Result<Answer, CliError> {
        let url = format!("https://{}{}", self.address, call.path);
        let mut request = self
            .http
            .request(call.method, url)
            .timeout(CONNECT + call.wait + ANSWER)
            .header(AUTHORIZATION, self.authorization.clone())
            .header(ACCEPT, "application/json");
        for (name, value) in call.headers {
            request = request.header(name, value);
        }
        if let Some(body) = call.body {
            request = request.body(body.to_vec());
        }
        if let Some(stream) = call.stream {
            request = request.body(stream);
        }
        let failed = |error: reqwest::Error| {
            let (address, connecting) = (self.address.clone(), error.is_connect());
            let source = error.without_url();
            if connecting {
                CliError::NotSent { address, source }
            } else {
                CliError::NoAnswer { address, source }
            }
        };
        let mut response = request.send().await.map_err(failed)?;
        let status = response.status();
        let mut body = Zeroizing::new(Vec::new());
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > LONGEST_ANSWER_BYTES {
                return Err(CliError::Answer("it is too long"));
            }
            body.extend_from_slice(&chunk);
        }
        if status.is_success() {
            Ok(Answer { body })
        } else {
            Err(Box::new(Problem::read(status, &body)).into())
        }
    }
}

impl<'a> Call<'a> {
    /// Reads something.
    pub(super) fn get(path: &'a str) -> Self {
        Self::new(Method::GET, path, None)
    }

    /// Sends JSON.
    pub(super) fn post(path: &'a str, body: Zeroizing<Vec<u8>>) -> Self {
        Self::new(Method::POST, path, Some(body))
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
    }

    /// Asks for something to be done that needs no more words.
    pub(super) fn act(path: &'a str) -> Self {
        Self::new(Method::POST, path, None)
    }

    fn new(method: Method, path: &'a str, body: Option<Zeroizing<Vec<u8>>>) -> Self {
        Self {
            method,
            path,
            headers: Vec::new(),
            body,
            stream: None,
            wait: Duration::ZERO,
        }
    }

    /// Sends something as it is read.
    pub(super) fn stream(path: &'a str, body: reqwest::Body) -> Self {
        Self {
            stream: Some(body),
            ..Self::new(Method::POST, path, None)
        }
    }

    /// Sets a header; the last one of a name counts.
    pub(super) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.retain(|(other, _)| *other != name);
        self.headers.push((name, value));
        self
    }

    /// How long the gateway may take before it answers at all.
    pub(super) fn wait(mut self, wait: Duration) -> Self {
        self.wait = wait;
        self
    }
}

impl Answer {
    /// The answer as JSON.
    pub(super) fn json(&self) -> Result<Value, CliError> {
        serde_json::from_slice(&self.body).map_err(|_| CliError::Answer("it is no JSON"))
    }
}
