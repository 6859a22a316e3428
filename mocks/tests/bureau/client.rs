//! A bureau with certificates of its own, and a client that speaks to it.

use std::{sync::Arc, time::Duration};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use jiff::Timestamp;
use mocks::{Identity, MockBureau, MockConfig, MutualTls};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};

pub(crate) const INSTITUTION: &str = "Z99990000H0001";

/// A certificate authority.
pub(crate) struct Authority {
    pub(crate) pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        Self {
            pem: params.self_signed(&key).unwrap().pem(),
            issuer: Issuer::new(params, key),
        }
    }

    pub(crate) fn issue(&self, name: &str, last_year: i32) -> Identity {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.not_after = date_time_ymd(last_year, 1, 1);
        let key = KeyPair::generate().unwrap();
        Identity {
            certificate_pem: params.signed_by(&key, &self.issuer).unwrap().pem(),
            key_pem: key.serialize_pem(),
        }
    }
}

/// A running bureau over mutual TLS with all impostors, and its two authorities.
pub(crate) struct Town {
    pub(crate) bureau: MockBureau,
    pub(crate) authority: Authority,
    pub(crate) foreign: Authority,
}

impl Town {
    pub(crate) async fn start(change: impl FnOnce(&mut MockConfig)) -> Self {
        let (authority, foreign) = (Authority::new(), Authority::new());
        let mut config = MockConfig::new(Arc::new(noon));
        config.tls = Some(MutualTls {
            identity: authority.issue("127.0.0.1", 4000),
            client_roots_pem: authority.pem.clone(),
            expired: Some(authority.issue("127.0.0.1", 2000)),
            wrong_authority: Some(foreign.issue("127.0.0.1", 4000)),
            wrong_name: Some(authority.issue("other.test", 4000)),
        });
        change(&mut config);
        Self {
            bureau: MockBureau::start(config).await.unwrap(),
            authority,
            foreign,
        }
    }

    pub(crate) fn client(&self) -> reqwest::Client {
        client(
            &self.authority.pem,
            Some(&self.authority.issue("gateway", 4000)),
        )
    }

    pub(crate) fn url(&self) -> String {
        format!(
            "https://{}/creditreference/v2/test/channel-query/ServiceAccept",
            self.bureau.address()
        )
    }

    /// Sends a request and returns what came back, whole or not.
    pub(crate) async fn ask(
        &self,
        client: &reqwest::Client,
        request: &Request,
    ) -> reqwest::Result<(u16, Vec<u8>)> {
        let reply = client
            .post(self.url())
            .header("Content-Type", "text/xml; charset=UTF-8")
            .body(soap(&request.message()))
            .send()
            .await?;
        Ok((reply.status().as_u16(), reply.bytes().await?.to_vec()))
    }

    /// The result code of a request that must be answered.
    pub(crate) async fn code(&self, request: &Request) -> String {
        let (status, body) = self.ask(&self.client(), request).await.unwrap();
        assert_eq!(status, 200);
        element(std::str::from_utf8(&body).unwrap(), "ResultCode")
    }
}

/// The bureau's time in all tests.
pub(crate) fn noon() -> Timestamp {
    Timestamp::constant(1_773_633_600, 0)
}

pub(crate) fn client(root_pem: &str, identity: Option<&Identity>) -> reqwest::Client {
    // Fails from the second test on, where a provider is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = reqwest::Client::builder()
        .tls_certs_only([reqwest::Certificate::from_pem(root_pem.as_bytes()).unwrap()])
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .timeout(Duration::from_secs(30));
    if let Some(identity) = identity {
        let pem = format!("{}{}", identity.certificate_pem, identity.key_pem);
        builder = builder.identity(reqwest::Identity::from_pem(pem.as_bytes()).unwrap());
    }
    builder.build().unwrap()
}

/// A D101 message before it is written.
#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) sender: String,
    pub(crate) serial: u32,
    pub(crate) fields: Vec<(&'static str, String)>,
    pub(crate) sign: Option<Arc<sm2::dsa::SigningKey>>,
}

impl Request {
    pub(crate) fn about(id_number: &str) -> Self {
        let fields = [
            ("QueryOrgCode", INSTITUTION),
            ("UserCode", "user"),
            ("Password", &"0".repeat(64)),
            ("OriginateOrgCode", INSTITUTION),
            ("OriginateUserCode", "user"),
            ("Name", "测试甲"),
            ("IDType", "10"),
            ("IDNum", id_number),
            ("QueryReason", "02"),
            ("ServiceCode", "FW_GRXYBG_0074"),
        ];
        Self {
            sender: INSTITUTION.to_owned(),
            serial: 1,
            fields: fields
                .map(|(name, value)| (name, value.to_owned()))
                .to_vec(),
            sign: None,
        }
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        let field = self
            .fields
            .iter_mut()
            .find(|(field, _)| *field == name)
            .unwrap();
        value.clone_into(&mut field.1);
        self
    }

    pub(crate) fn message(&self) -> String {
        let Self { sender, serial, .. } = self;
        let part = |range: std::ops::Range<usize>| -> String {
            let element = |(name, value): &(&str, String)| format!("<{name}>{value}</{name}>");
            self.fields[range].iter().map(element).collect()
        };
        let signed = format!(
            "B2.0.0{sender}B000000000000120260316120000D10120260316{serial:08}0000000000\r\n\
             <?xml version=\"1.0\" encoding=\"UTF-8\"?><Document><Head>{}</Head><Msg>{}</Msg></Document>",
            part(0..3),
            part(3..10),
        );
        let signature = match &self.sign {
            Some(key) => {
                use sm2::dsa::signature::Signer as _;
                key.sign(signed.as_bytes()).to_bytes().to_vec()
            }
            None => vec![0; 64],
        };
        format!("{signed}{{S:{}:S}}", BASE64_STANDARD.encode(signature))
    }
}

pub(crate) fn soap(message: &str) -> String {
    let message = message
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('\r', "&#13;");
    format!(
        "<soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" \
         xmlns:q=\"http://ws.serviceaccept.ws.service.query.channel.pbccrc.org/\"><soapenv:Body>\
         <q:psCreditReportQueryReq><querymessage>{message}</querymessage>\
         </q:psCreditReportQueryReq></soapenv:Body></soapenv:Envelope>"
    )
}

/// The content of the only `<name>` in an escaped reply.
pub(crate) fn element(reply: &str, name: &str) -> String {
    let (open, close) = (format!("&lt;{name}&gt;"), format!("&lt;/{name}&gt;"));
    let (_, rest) = reply.split_once(&open).unwrap();
    rest.split_once(&close).unwrap().0.to_owned()
}
