//! Submissions from the input to the answer, on both databases, by an exchange
//! folder whose other side the test plays.

mod answers;
mod clocks;
mod given;
mod held;
mod input;
mod plans;
mod races;
mod renames;

use std::{fs, io::Read as _, io::Write as _, path::PathBuf, sync::Arc};

use jiff::{Timestamp, ToSpan as _, civil::Date};
use schemas::file::{Fault, FeedbackHeader, FeedbackLine, FileName, Flag};
use serde_json::Value;
use zeroize::Zeroizing;

use super::*;
use crate::{
    audit::Appender,
    authorizations::{
        Authorizations, Category, Kind, NewAuthorization, NewPolicyVersion, PolicyVersion, Validity,
    },
    bureaus::{Fittings, Lines, Seal},
    demo::loans::{Loan, ORGANIZATION, Standing},
    operators::{Caller, Role, record_institution},
    platform::{
        certs::{Existing, write_secret},
        clock::{Clock, china_date},
        config::bureau::{
            BureauConfig, FileTransport, ReporterConfig, SealConfig, SubmissionConfig,
        },
        db::{Db, Epoch, Urgency},
        digest::sha256,
        identity::Identity,
        ids::BureauId,
        vault::Vault,
    },
    testing::{self, TestDb, databases},
};

const NOW: &str = "2026-11-24T02:00:00Z";

pub(super) struct Site {
    pub(super) submissions: Submissions,
    pub(super) authorizations: Authorizations,
    pub(super) caller: Caller,
    pub(super) clock: Clock,
    pub(super) db: Db,
    pub(super) name: &'static str,
    lines: Lines,
    vault: Vault,
    bureau: BureauConfig,
    folder: tempfile::TempDir,
    _test: TestDb,
}

/// A site on a database of each kind.
pub(super) async fn sites() -> Vec<Site> {
    let mut all = Vec::new();
    for test in databases(Arc::new(Appender)).await {
        all.push(Site::on(test).await);
    }
    all
}

impl Site {
    async fn on(test: TestDb) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["out", "in"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        let key = folder.path().join("file.key");
        write_secret(&key, b"demo0123456789ab\n", Existing::Keep).unwrap();
        let mut bureau = crate::platform::config::bureau::tests::plain();
        bureau.submission = Some(SubmissionConfig {
            transport: FileTransport::Exchange {
                out: folder.path().join("out"),
                r#in: folder.path().join("in"),
            },
            transfer_seconds: 20,
            members: vec![ReporterConfig {
                institution: "demo-bank".to_owned(),
                organization_code: ORGANIZATION.to_owned(),
                profile: None,
                seal: SealConfig::File { file: key },
            }],
        });
        let clock = Clock::standing(NOW.parse().unwrap());
        let db = test.db.clone();
        let caller = Caller::local("demo-bank".into(), Role::ALL);
        record_institution(&db, &caller, "测试银行", "bank", clock.now())
            .await
            .unwrap();
        let vault = testing::vault(&db, clock.clone()).await;
        let authorizations = Authorizations::new(db.clone(), vault.clone());
        let policy = NewPolicyVersion {
            version: version(),
            text_sha256: [1; 32],
            first_day: "2026-03-01".parse().unwrap(),
            material: true,
        };
        authorizations
            .record_policy_version(&caller, policy, clock.now())
            .await
            .unwrap();
        let fittings = Fittings {
            adapters: vec![Arc::new(pboc::Pboc::new())],
            clock: clock.clone(),
            db: db.clone(),
            epoch: Epoch::take(&db, &clock).await.unwrap(),
        };
        let lines = Lines::open(vec![bureau.clone()], fittings).await.unwrap();
        let mut site = Self {
            submissions: Submissions::new(Parts {
                authorizations: authorizations.clone(),
                bureaus: vec![bureau.clone()],
                clock: clock.clone(),
                db: db.clone(),
                folder: folder.path().to_owned(),
                lines: lines.clone(),
                notice_lead: jiff::SignedDuration::from_hours(72),
                vault: vault.clone(),
            }),
            authorizations,
            caller,
            clock,
            db,
            name: test.name,
            lines,
            vault,
            bureau,
            folder,
            _test: test,
        };
        site.restart().await;
        site
    }

    /// As after a start of the server.
    pub(super) async fn restart(&mut self) {
        self.submissions = Submissions::new(Parts {
            authorizations: self.authorizations.clone(),
            bureaus: vec![self.bureau.clone()],
            clock: self.clock.clone(),
            db: self.db.clone(),
            folder: self.folder.path().to_owned(),
            lines: self.lines.clone(),
            notice_lead: jiff::SignedDuration::from_hours(72),
            vault: self.vault.clone(),
        });
        self.submissions.recover().await.unwrap();
    }

    /// Lets a borrower authorize providing.
    pub(super) async fn authorize(&self, loan: &Loan) {
        let now = self.clock.now();
        let today = china_date(now);
        let (number, name) = &loan.borrower;
        let subject = Identity::person("10", number, name, today).unwrap();
        let form = NewAuthorization {
            external_ref: format!("form-{}", loan.number),
            subject: subject.clone(),
            kind: Kind::Provide,
            bureaus: ["pboc".into()].into(),
            purposes: [].into(),
            categories: [Category::Credit, Category::Negative].into(),
            signer: Some(subject),
            signed_at: Some(now - 1.hour()),
            validity: Validity::Days {
                from: today,
                until: today.tomorrow().unwrap(),
            },
            policy: Some(version()),
            subjects_on_form: 1,
            evidence: Some(Zeroizing::new(b"signed".to_vec())),
        };
        self.authorizations
            .record(&self.caller, form, Urgency::Urgent, now)
            .await
            .unwrap();
        self.submissions.stir();
    }

    pub(super) async fn submit(&self, key: &str, lines: &[Value]) -> Submission {
        self.try_submit(key, lines).await.unwrap()
    }

    pub(super) async fn try_submit(
        &self,
        key: &str,
        lines: &[Value],
    ) -> Result<Submission, SubmitError> {
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        let form = Form::JsonLines(Box::new(std::io::Cursor::new(text.into_bytes())));
        self.submissions
            .submit(&self.caller, &BureauId::from("pboc"), key, form)
            .await
    }

    pub(super) async fn records(&self, of: &Submission) -> Vec<RecordView> {
        let rows = self.submissions.records(of, None, 0, 1000).await.unwrap();
        rows.iter().map(|row| RecordView::of(row, None)).collect()
    }

    pub(super) async fn states(&self, of: &Submission) -> Vec<&'static str> {
        let records = self.records(of).await;
        records.iter().map(|record| record.state.name()).collect()
    }

    /// The files, the oldest first.
    pub(super) async fn files(&self) -> Vec<FileRow> {
        let mut files = self
            .submissions
            .files(&self.caller.institution, None, None, 100)
            .await
            .unwrap();
        files.reverse();
        files
    }

    pub(super) async fn sweep(&self) {
        self.submissions.sweep().await.unwrap();
    }

    pub(super) fn vault(&self) -> Vault {
        self.vault.clone()
    }

    pub(super) fn seal(&self) -> Seal {
        let line = self.lines.line(&"pboc".into()).unwrap();
        line.files()
            .unwrap()
            .seal(&"demo-bank".into())
            .unwrap()
            .clone()
    }

    pub(super) fn out(&self, name: &str) -> PathBuf {
        self.folder.path().join("out").join(format!("{name}.enc"))
    }

    /// The lines of a delivered file, the header first.
    pub(super) fn text(&self, name: &str) -> Vec<String> {
        let mut text = String::new();
        let mut opened = self.seal().open(&self.out(name)).unwrap();
        opened.read_to_string(&mut text).unwrap();
        text.split_terminator("\r\n").map(str::to_owned).collect()
    }

    /// The bureau says that it has a file.
    pub(super) fn acknowledge(&self, name: &str) {
        let digest = sha256(&fs::read(self.out(name)).unwrap());
        let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let ack = self.folder.path().join("in").join(format!("{name}.ack"));
        fs::write(ack, format!("{hex}\n")).unwrap();
    }

    /// The bureau answers a file: these lines are rejected.
    pub(super) fn answer(&self, name: &str, rejected: &[(u32, &str, &[u8])]) {
        let sent = self.text(name).len() as u32 - 1;
        let flag = if rejected.is_empty() {
            Flag::Accepted
        } else {
            Flag::Rejected
        };
        let lines = rejected.iter().map(|(line, code, record)| FeedbackLine {
            line: Some(*line),
            faults: vec![Fault {
                code: (*code).to_owned(),
                tag: "0000".to_owned(),
            }],
            record: Some(record.to_vec()),
        });
        let counts = (sent - rejected.len() as u32, rejected.len() as u32);
        self.feedback(name, flag, counts, lines.collect());
    }

    pub(super) fn feedback(
        &self,
        name: &str,
        flag: Flag,
        (accepted, rejected): (u32, u32),
        lines: Vec<FeedbackLine>,
    ) {
        let name = FileName::parse(name).unwrap();
        let header = FeedbackHeader {
            version: "2.0.0".to_owned(),
            original: name.stem(),
            flag,
            file_version: "2.0.0".to_owned(),
            time: "2026-11-24T12:00:00".parse().unwrap(),
            accepted,
            rejected,
        };
        let mut text = format!("{header}\r\n").into_bytes();
        for line in lines {
            line.write(&mut text);
        }
        let path = self.folder.path().join("in");
        let path = path.join(format!("{}.enc", name.feedback(flag)));
        let mut sealing = self.seal().begin(&path).unwrap();
        sealing.write_all(&text).unwrap();
        sealing.finish().unwrap();
    }

    /// Records a notice of an account that was delivered so many days ago.
    pub(super) async fn notice(&self, id: &str, account: i64, due: &str, days: i64) {
        let delivered = self.clock.now() - (24 * days).hours();
        let (id, due) = (id.to_owned(), due.to_owned());
        let write = self.db.write(Urgency::Urgent, move |tx| {
            Box::pin(async move {
                tx.execute(
                    "INSERT INTO notices (id, institution, subject, account, due_period, \
                     channel, delivered_at, recorded_by, recorded_at) \
                     SELECT $1, 'demo-bank', subject, id, $2, 'letter', $3, 'local', $3 \
                     FROM accounts WHERE id = $4",
                    crate::args![id, due, delivered, account],
                )
                .await
            })
        });
        assert_eq!(write.await.unwrap(), 1);
        self.submissions.stir();
    }

    pub(super) async fn run(&self, sql: &'static str) {
        let write = self.db.write(Urgency::Urgent, move |tx| {
            Box::pin(async move { tx.execute(sql, crate::args![]).await })
        });
        write.await.unwrap();
    }

    /// Everything until the bureau has all that is ready.
    pub(super) async fn carry(&self) -> Vec<FileRow> {
        self.sweep().await;
        for file in self.files().await {
            if file.state() == FileState::Delivered {
                self.acknowledge(&file.name);
            }
        }
        self.sweep().await;
        self.files().await
    }
}

fn version() -> PolicyVersion {
    PolicyVersion {
        policy: "privacy".into(),
        version: "1".into(),
    }
}

pub(super) fn loan(number: u32) -> Loan {
    Loan {
        number,
        borrower: (mocks::synthetic_resident_id(number), "测试甲".to_owned()),
        month_end: "2026-09-30".parse().unwrap(),
        standing: Standing::Normal,
    }
}

pub(super) fn at_month_end(loan: &Loan, day: &str) -> Loan {
    Loan {
        month_end: day.parse::<Date>().unwrap(),
        ..loan.clone()
    }
}

pub(super) fn later(clock: &Clock, minutes: i64) {
    let now: Timestamp = clock.now();
    clock.set(now + minutes.minutes());
}
