//! What the bureau remembers: everything that arrived, and the inquiry list.

use std::{
    fmt,
    sync::{Mutex, PoisonError},
};

use jiff::{
    Timestamp,
    tz::{TimeZone, offset},
};

/// One request, or the beginning of one.
#[derive(Clone, Debug)]
pub struct Received {
    /// When its last byte was read.
    pub at: Timestamp,
    /// It arrived to its last byte.
    pub whole: bool,
    /// Bytes seen, head and body.
    pub bytes: usize,
    /// The message identifier, as far as it could be read.
    pub message_id: Option<String>,
    /// Who asked about whom, if the document could be read.
    pub inquiry: Option<Inquiry>,
    /// The bureau's result code; none where it did not get to one.
    pub result: Option<&'static str>,
    /// It stands on the inquiry list.
    pub listed: bool,
}

/// Who asked about whom. `Debug` is masked.
#[derive(Clone, Eq, PartialEq)]
pub struct Inquiry {
    /// The querying institution.
    pub institution: String,
    /// Its user.
    pub user: String,
    /// Name of the subject.
    pub subject_name: String,
    /// ID type of the subject.
    pub id_type: String,
    /// ID number of the subject.
    pub id_number: String,
    /// Query reason.
    pub reason: String,
}

impl fmt::Debug for Inquiry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inquiry")
            .field("institution", &self.institution)
            .field("reason", &self.reason)
            .finish_non_exhaustive()
    }
}

/// Everything received, in order.
#[derive(Default)]
pub(crate) struct Inbox(Mutex<Vec<Received>>);

impl Inbox {
    pub(crate) fn push(&self, received: Received) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(received);
    }

    pub(crate) fn all(&self) -> Vec<Received> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(crate) fn count(&self, fits: impl Fn(&Received) -> bool) -> usize {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().filter(|received| fits(received)).count()
    }

    /// The inquiry list as CSV, from the first moment to before the last.
    pub(crate) fn list(&self, from: Timestamp, until: Timestamp) -> String {
        let mut csv = format!("{COLUMNS}\n");
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for received in all
            .iter()
            .filter(|one| one.listed && one.at >= from && one.at < until)
        {
            let Some(inquiry) = &received.inquiry else {
                continue;
            };
            let time = bureau_time(received.at, "%Y-%m-%dT%H:%M:%S%:z");
            let row = [
                received.message_id.as_deref().unwrap_or_default(),
                &time,
                &inquiry.institution,
                &inquiry.user,
                &inquiry.subject_name,
                &inquiry.id_type,
                &inquiry.id_number,
                &inquiry.reason,
                received.result.unwrap_or_default(),
            ];
            csv.push_str(&row.map(quoted).join(","));
            csv.push('\n');
        }
        csv
    }
}

/// A time as the bureau writes it: on its own wall clock, UTC+8.
pub(crate) fn bureau_time(at: Timestamp, format: &str) -> String {
    at.to_zoned(TimeZone::fixed(offset(8)))
        .strftime(format)
        .to_string()
}

fn quoted(value: &str) -> String {
    if value.contains([',', '"', '\r', '\n']) {
        format!("\"{}\"", value.replace('"', "\"\""))
    } else {
        value.to_owned()
    }
}

const COLUMNS: &str =
    "message_id,time,institution,user,subject_name,id_type,id_number,reason,result";

#[cfg(test)]
mod tests {
    use super::*;

    fn received(at: &str, name: &str, listed: bool) -> Received {
        Received {
            at: at.parse().unwrap(),
            whole: true,
            bytes: 1,
            message_id: Some("2026031600000001".into()),
            inquiry: Some(Inquiry {
                institution: "Z99990000H0001".into(),
                user: "user".into(),
                subject_name: name.into(),
                id_type: "10".into(),
                id_number: "99999919900101018X".into(),
                reason: "02".into(),
            }),
            result: Some("AAA000"),
            listed,
        }
    }

    #[test]
    fn the_list_holds_what_was_processed_within_the_period() {
        let inbox = Inbox::default();
        inbox.push(received("2026-03-15T15:59:59Z", "before", true));
        inbox.push(received("2026-03-15T16:00:00Z", "测试,\"甲\"", true));
        inbox.push(received("2026-03-15T16:00:01Z", "lost", false));
        inbox.push(received("2026-03-16T16:00:00Z", "after", true));
        let day = |text: &str| text.parse().unwrap();
        let list = inbox.list(day("2026-03-15T16:00:00Z"), day("2026-03-16T16:00:00Z"));
        let row = "2026031600000001,2026-03-16T00:00:00+08:00,Z99990000H0001,user,\
                   \"测试,\"\"甲\"\"\",10,99999919900101018X,02,AAA000";
        assert_eq!(list, format!("{COLUMNS}\n{row}\n"));
    }

    #[test]
    fn debug_shows_no_person() {
        let text = format!("{:?}", received("2026-03-15T16:00:00Z", "测试甲", true));
        assert!(
            !text.contains("测试甲") && !text.contains("9999991990"),
            "{text}"
        );
    }
}
