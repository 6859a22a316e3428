//! The line as its callers see it, against the mock bureau.

mod dispatch;
mod waiting;

use std::sync::Arc;

use contract::InquiryRequest;
use jiff::Timestamp;
use mocks::{MockBureau, MockConfig, MutualTls, PERSONAS};
use secrecy::ExposeSecret as _;
use zeroize::Zeroizing;

use super::{tls::tests::Pki, *};
use crate::{
    platform::{
        certs::{Existing, Sm2KeyPair, write_secret},
        clock::Clock,
        config::{
            bureau::{BureauConfig, tests::plain},
            signer::SignerConfig,
        },
        db::{BoxFuture, Db, DbError, Epoch, NewEntry, Tx},
        ids::{BureauId, InstitutionId},
        signer::SignatureForm,
    },
    testing::{Forget, TestDb, databases},
};

/// Ten in the morning in China, on a Monday.
const MORNING: &str = "2026-03-16T02:00:00Z";

/// A mock bureau, a line to it and a database.
struct House {
    bureau: MockBureau,
    config: BureauConfig,
    clock: Clock,
    pki: Pki,
}

impl House {
    async fn new(change: impl FnOnce(&mut BureauConfig)) -> Self {
        let pki = Pki::new();
        let at = super::tls::tests::validity("2098-01-01T00:00:00Z");
        let identity = |identity: crate::platform::certs::Identity| mocks::Identity {
            certificate_pem: identity.certificate_pem,
            key_pem: identity.key_pem.to_string(),
        };
        let mut mock = MockConfig::new(Arc::new(|| MORNING.parse().unwrap()));
        mock.tls = Some(MutualTls {
            identity: identity(pki.ca.server(&["bureau.test"], at).unwrap()),
            client_roots_pem: pki.ca.certificate_pem().to_owned(),
            expired: None,
            wrong_authority: None,
            wrong_name: Some(identity(pki.ca.server(&["other.test"], at).unwrap())),
        });
        let bureau = MockBureau::start(mock).await.unwrap();
        let mut config = plain();
        config.transport = pki.mtls();
        config.address = bureau.address().to_string();
        let key = Sm2KeyPair::generate().unwrap().private_pem;
        write_secret(&pki.path("sm2.key"), key.as_bytes(), Existing::Keep).unwrap();
        config.members[0].signer = Some(SignerConfig::File {
            file: pki.path("sm2.key"),
            form: SignatureForm::Raw,
        });
        change(&mut config);
        Self {
            bureau,
            config,
            clock: Clock::standing(MORNING.parse().unwrap()),
            pki,
        }
    }

    /// Opens the lines, as a start of the server does.
    async fn lines(&self, db: &Db) -> Lines {
        let fittings = Fittings {
            adapters: vec![Arc::new(pboc::Pboc::new())],
            clock: self.clock.clone(),
            db: db.clone(),
            epoch: Epoch::take(db, &self.clock).await.unwrap(),
        };
        Lines::open(vec![self.config.clone()], fittings)
            .await
            .unwrap()
    }

    async fn line(&self, db: &Db) -> Arc<Line> {
        Arc::clone(self.lines(db).await.line(&BureauId::from("pboc")).unwrap())
    }
}

fn institution() -> InstitutionId {
    "demo-bank".into()
}

/// Asks within the hour.
fn ask(line: &Line) -> Ask {
    Ask {
        institution: institution(),
        operator: "operator-1".to_owned(),
        deadline: line.clock.now() + jiff::SignedDuration::from_hours(1),
        attempt: 0,
    }
}

/// Why an inquiry of these tests was not dispatched.
#[derive(Debug)]
enum Refused {
    Db(#[expect(dead_code, reason = "shown when a test fails")] DbError),
    Decided,
    Line(NotDispatched),
}

impl From<DbError> for Refused {
    fn from(error: DbError) -> Self {
        Self::Db(error)
    }
}

impl From<NotDispatched> for Refused {
    fn from(error: NotDispatched) -> Self {
        Self::Line(error)
    }
}

/// A request about the first persona of the mock.
fn request(line: &Line, moment: Moment) -> InquiryRequest {
    let credentials = line.credentials(&institution(), "operator-1").unwrap();
    let persona = PERSONAS[0];
    InquiryRequest {
        product: "personal_report".to_owned(),
        subject_name: Zeroizing::new(persona.name.to_owned()),
        id_type: "10".to_owned(),
        id_number: Zeroizing::new(persona.id_number()),
        reason: "02".to_owned(),
        institution_code: credentials.institution_code,
        originator_code: credentials.originator_code,
        user: credentials.user,
        password: Zeroizing::new(credentials.password.expose_secret().to_owned()),
        originator_user: credentials.originator_user,
        serial: moment.serial,
        at: moment.at,
    }
}

fn entry() -> NewEntry {
    NewEntry {
        id: "entry".to_owned(),
        leaf: [0; 32],
        body: Vec::new(),
    }
}

/// Commits an inquiry that is changed, or refused, by `decide`.
async fn commit(
    permit: Permit,
    decide: impl FnOnce(InquiryRequest) -> Result<InquiryRequest, Refused> + Send + 'static,
) -> Result<AuthorizedInquiry, Refused> {
    let line = Arc::clone(permit.line());
    AuthorizedInquiry::commit(permit, move |_: &mut Tx<'_>, moment| -> BoxFuture<'_, _> {
        Box::pin(async move {
            Ok(Intent {
                inquiry: "inquiry-1".into(),
                request: decide(request(&line, moment))?,
                entry: entry(),
            })
        })
    })
    .await
}

/// The whole way, as one inquiry goes it.
async fn inquire(line: &Arc<Line>) -> Exchanged {
    let permit = line.permit(&ask(line)).await.unwrap();
    dispatch(commit(permit, Ok).await.unwrap()).await
}

async fn test_databases() -> Vec<TestDb> {
    databases(Arc::new(Forget)).await
}

/// A database that is not what a test is about.
async fn any_database() -> TestDb {
    test_databases().await.swap_remove(0)
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}
