//! The submission that an import makes of an input, from its beginning to its end.

use jiff::{Timestamp, civil::DateTime};
use uuid::Uuid;

use super::super::{
    FileState, SubmissionState, SubmitError, entries,
    store::{
        files::FileRow,
        imports,
        submissions::{self, New, Submission},
    },
};
use super::{
    CLIENT, Importer,
    source::{Earlier, Source, What},
};
use crate::platform::{
    clock::{china_midnight, micros},
    db::Urgency,
};

/// Why a file counts as answered that has no feedback.
pub(super) const ASSUMED: &str = "assumed_accepted";

/// Who imports: whoever may own the database.
const LOCAL: &str = "local";

impl Importer {
    /// Makes the submission of an input, and the file that it was.
    pub(super) async fn begin(&self, source: &Source) -> Result<Submission, SubmitError> {
        let at = self.clock.now();
        let record = match &source.what {
            What::Earlier(earlier) => Some(earlier.header.record.clone()),
            What::Stock(stock) => stock.record.clone(),
        };
        let mut row = Submission {
            no: 0,
            id: Uuid::now_v7().to_string(),
            institution: self.institution.clone(),
            bureau: self.bureau.to_string(),
            submitter: LOCAL.to_owned(),
            format: source.kind().to_owned(),
            record,
            state: SubmissionState::Receiving.name().to_owned(),
            taken: 0,
            chain_sha256: source.sha256.to_vec(),
            set_aside: 0,
            received_at: micros(at),
            ended_at: None,
            receipt: String::new(),
        };
        let draft = entries::of_submission(entries::IMPORTING, &row, at)
            .actor(LOCAL)
            .word("origin", source.kind())
            .flag(ASSUMED, source.is_assumed())
            .digest("sha256", &source.sha256);
        let (entry, receipt) = entries::finish(draft)?;
        row.receipt = receipt;
        let mut file = match &source.what {
            What::Earlier(earlier) => Some(self.file(source, earlier, at)),
            What::Stock(_) => None,
        };
        let mut imported = None;
        if let Some(file) = &mut file {
            let mut draft = entries::about_file(entries::IMPORTED, file, at)
                .actor(LOCAL)
                .flag(ASSUMED, source.is_assumed())
                .number("accepted", file.accepted.unwrap_or_default())
                .number("rejected", file.rejected.unwrap_or_default())
                .digest("plain_sha256", &source.sha256);
            if let What::Earlier(earlier) = &source.what
                && let Some(sha256) = &earlier.verdict.sha256
            {
                draft = draft.digest("feedback_sha256", sha256);
            }
            let (entry, receipt) = entries::finish(draft)?;
            file.receipt = receipt;
            imported = Some(entry);
        }
        let key = source.key.clone();
        let write = self.db.write(Urgency::Bulk, move |tx| {
            Box::pin(async move {
                row.no = submissions::next_no(tx).await?;
                let new = New {
                    client: CLIENT,
                    key: &key,
                    person: LOCAL,
                };
                submissions::insert(tx, &row, &new).await?;
                tx.append(entry.into());
                if let Some(mut file) = file {
                    file.no = imports::next_file(tx).await?;
                    imports::insert_file(tx, &file).await?;
                }
                if let Some(imported) = imported {
                    tx.append(imported.into());
                }
                Ok::<_, SubmitError>(row)
            })
        });
        write.await
    }

    /// An earlier file, as it stands once it was answered.
    fn file(&self, source: &Source, earlier: &Earlier, at: Timestamp) -> FileRow {
        let (header, verdict) = (&earlier.header, &earlier.verdict);
        let sent = micros(moment(header.time));
        let answered = verdict.at.map_or(at, moment);
        let rejected = verdict.rejected.len() as i64;
        let accepted = i64::from(header.count) - rejected;
        let (state, cause) = match &verdict.refused {
            Some(code) => (FileState::Refused, Some(code.clone())),
            None if source.is_assumed() => (FileState::Answered, Some(ASSUMED.to_owned())),
            None => (FileState::Answered, None),
        };
        let is_refused = state == FileState::Refused;
        FileRow {
            no: 0,
            id: Uuid::now_v7().to_string(),
            institution: self.institution.clone(),
            bureau: self.bureau.clone(),
            record: header.record.clone(),
            day: header.time.strftime("%Y%m%d").to_string(),
            created: header.time.strftime("%Y%m%d%H%M%S").to_string(),
            serial: earlier.name.serial().into(),
            name: source.key.clone(),
            state: state.name().to_owned(),
            records: header.count.into(),
            plain_sha256: Some(source.sha256.to_vec()),
            sealed_sha256: None,
            sealed_bytes: None,
            attempts: 0,
            reserved_at: sent,
            sent_at: Some(sent),
            arrived_at: Some(micros(answered)),
            answered_at: Some(micros(answered)),
            cause,
            accepted: (!is_refused).then_some(accepted),
            rejected: (!is_refused).then_some(rejected),
            receipt: String::new(),
        }
    }

    /// All of an input is durable.
    pub(super) async fn end(
        &self,
        before: Submission,
        source: &Source,
        wrong: u64,
    ) -> Result<(), SubmitError> {
        let at = self.clock.now();
        let mut after = before.clone();
        SubmissionState::Taken.name().clone_into(&mut after.state);
        after.ended_at = Some(micros(at));
        let draft = entries::of_submission(entries::TAKEN, &after, at)
            .actor(LOCAL)
            .word("origin", source.kind())
            .number("left_out", wrong);
        let (entry, receipt) = entries::finish(draft)?;
        after.receipt = receipt;
        let write = self.db.write(Urgency::Bulk, move |tx| {
            Box::pin(async move {
                submissions::advance(tx, &before, &after).await?;
                tx.append(entry.into());
                Ok::<_, SubmitError>(())
            })
        });
        write.await
    }
}

/// A time of a header: they are at +08:00.
fn moment(at: DateTime) -> Timestamp {
    let since = at.time().since(jiff::civil::Time::midnight());
    let since = since.unwrap_or_default();
    china_midnight(at.date())
        .checked_add(since)
        .unwrap_or(Timestamp::UNIX_EPOCH)
}
