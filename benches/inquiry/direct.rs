//! The mock without the gateway: the least that any client of the bureau does.

// Each bench uses its part of it.
#![allow(dead_code)]

use std::{
    fs,
    sync::atomic::{AtomicU32, Ordering},
};

use anyhow::{Context as _, bail};
use contract::{Adapter as _, Happened, InquiryRequest, Outcome, Step, WireReply};
use creditgate::{
    demo::House,
    platform::{
        clock::Clock,
        identity::Identity,
        signer::{SignatureForm, Signer as _, Sm2Signer},
    },
};
use pboc::Pboc;
use reqwest::{Certificate, redirect::Policy};
use zeroize::Zeroizing;

/// The name in the mock's certificate.
const SERVER: &str = "bureau.demo.invalid";

/// A client of the mock: the adapter's message and signature, over the same
/// mutual TLS, on kept connections, its report unpacked by the adapter.
pub(crate) struct Direct {
    adapter: Pboc,
    base: String,
    clock: Clock,
    http: reqwest::Client,
    password: String,
    serial: AtomicU32,
    signer: Sm2Signer,
}

impl Direct {
    pub(crate) fn new(house: &House, clock: Clock) -> anyhow::Result<Self> {
        let file = |name: &str| house.folder.join(name);
        let mut identity = fs::read(file("certs/line.pem"))?;
        identity.extend(fs::read(file("certs/line-key.pem"))?);
        let address = house.bureau.address();
        let ca = Certificate::from_pem(house.authority.certificate_pem().as_bytes())?;
        let http = reqwest::Client::builder()
            .tls_certs_only([ca])
            .identity(reqwest::Identity::from_pem(&identity)?)
            .resolve(SERVER, address)
            .redirect(Policy::none())
            .no_proxy()
            .http1_only()
            .build()?;
        Ok(Self {
            adapter: Pboc::new(),
            base: format!("https://{SERVER}:{}", address.port()),
            clock,
            http,
            password: fs::read_to_string(file("keys/demo-bank.password"))?,
            // Far from those that the gateway gives.
            serial: AtomicU32::new(50_000_000),
            signer: Sm2Signer::load(&file("keys/demo-bank-sm2.pem"), SignatureForm::Raw)?,
        })
    }

    /// One inquiry, answered with a report.
    pub(crate) async fn inquire(&self, subject: &Identity) -> anyhow::Result<()> {
        let mut conversation = self.adapter.inquire(self.request(subject)?)?;
        let mut last = None;
        loop {
            last = Some(match conversation.next(last) {
                Step::Sign { bytes } => Happened::Signed(self.signer.sign(&bytes).await?),
                Step::Http(mut request) => {
                    let body = std::mem::take(&mut *request.body);
                    let mut post = self.http.post(format!("{}{}", self.base, request.path));
                    for (name, value) in &request.headers {
                        post = post.header(*name, value);
                    }
                    let reply = post.body(body).send().await?;
                    Happened::Replied(WireReply {
                        status: reply.status().as_u16(),
                        body: Zeroizing::new(reply.bytes().await?.to_vec()),
                    })
                }
                Step::Done(Outcome::Answered(_)) => return Ok(()),
                other => bail!("no report: {other:?}"),
            });
        }
    }

    fn request(&self, subject: &Identity) -> anyhow::Result<InquiryRequest> {
        let reason = self.adapter.reason_code("personal_report", "loan_approval");
        Ok(InquiryRequest {
            product: "personal_report".to_owned(),
            subject_name: subject.expose_name().to_owned().into(),
            id_type: subject.id_type().to_owned(),
            id_number: subject.expose_number().to_owned().into(),
            reason: reason.context("no reason code")?.to_owned(),
            institution_code: "Z99990000H0001".to_owned(),
            originator_code: "Z99990000H0001".to_owned(),
            user: "demobank".to_owned(),
            password: self.password.clone().into(),
            originator_user: "demobank".to_owned(),
            serial: self.serial.fetch_add(1, Ordering::Relaxed),
            at: self.clock.now(),
        })
    }
}
