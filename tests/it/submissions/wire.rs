//! Requests that the client of the demo does not make.

use std::sync::Arc;

use creditgate::demo::Reply;
use reqwest::{Body, Certificate, Method};
use rustls::{ClientConfig, RootCertStore, pki_types::CertificateDer, pki_types::pem::PemObject};
use secrecy::ExposeSecret as _;
use serde_json::Value;
use tokio::{io::AsyncWriteExt as _, net::TcpStream};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::site::Site;

impl Site {
    /// The submitter's token.
    pub(super) fn token(&self) -> &str {
        self.test.staff.submitter.1.expose_secret()
    }

    /// A request with these headers, by the submitter.
    pub(super) async fn raw(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Body,
    ) -> Reply {
        let ca = self.test.house.authority.certificate_pem().as_bytes();
        let http = reqwest::Client::builder()
            .tls_certs_only([Certificate::from_pem(ca).unwrap()])
            .no_proxy()
            .build()
            .unwrap();
        let url = format!("https://{}{path}", self.test.addresses.people);
        let mut request = http.request(method, url).bearer_auth(self.token());
        for (name, value) in headers {
            request = request.header(*name, value.as_bytes());
        }
        let response = request.body(body).send().await.unwrap();
        let status = response.status();
        let bytes = response.bytes().await.unwrap();
        Reply {
            status,
            body: serde_json::from_slice(&bytes).unwrap_or(Value::Null),
        }
    }

    /// Says something over TLS, and waits for no answer.
    pub(super) async fn say(&self, said: &[u8]) -> TlsStream<TcpStream> {
        let ca = self.test.house.authority.certificate_pem();
        let mut roots = RootCertStore::empty();
        let certificate = CertificateDer::from_pem_slice(ca.as_bytes()).unwrap();
        roots.add(certificate).unwrap();
        let config = ClientConfig::builder()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let connector = TlsConnector::from(Arc::new(config));
        let tcp = TcpStream::connect(self.test.addresses.people)
            .await
            .unwrap();
        let name = "localhost".try_into().unwrap();
        let mut tls = connector.connect(name, tcp).await.unwrap();
        tls.write_all(said).await.unwrap();
        tls.flush().await.unwrap();
        tls
    }
}
