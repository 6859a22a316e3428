//! What the bureau answers to a file: record by record, and the feedback file
//! that comes of it. Rejected records are kept packed until the counts of the
//! feedback's header are known.

use std::io::{self, Write as _};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use jiff::Timestamp;

use super::{
    Lie,
    database::{Database, Seen},
    line::{Fault, Record},
    seal::{self, Key},
    text::{Form, Parcel, Refusal},
};
use crate::{inbox::bureau_time, subjects::UNLISTED_CODE};

/// The answer to a file, before it is sealed.
pub(crate) struct Answer {
    flag: u8,
    pub(crate) accepted: usize,
    pub(crate) rejected: usize,
    body: GzEncoder<Vec<u8>>,
}

impl Answer {
    fn new(flag: u8) -> Self {
        Self {
            flag,
            accepted: 0,
            rejected: 0,
            body: GzEncoder::new(Vec::new(), Compression::fast()),
        }
    }

    /// The whole file is refused with this code.
    pub(crate) fn refused(code: &str) -> io::Result<Self> {
        let mut answer = Self::new(2);
        answer.reject(None, &[(code.to_owned(), "0000".to_owned())], None)?;
        Ok(answer)
    }

    fn reject(
        &mut self,
        number: Option<usize>,
        faults: &[Fault],
        record: Option<&[u8]>,
    ) -> io::Result<()> {
        self.rejected += 1;
        self.body.write_all(line(number, faults, record).as_bytes())
    }

    /// Name and bytes of the feedback file on the file called `first` (29
    /// characters); its header says `says`.
    pub(crate) fn sealed(
        self,
        first: &str,
        says: &str,
        at: Timestamp,
        key: &Key,
    ) -> io::Result<(String, Vec<u8>)> {
        let Self {
            flag,
            accepted,
            rejected,
            body,
        } = self;
        let body = body.finish()?;
        let header = header(says, flag, at, accepted, rejected);
        let sealed = seal::close(key, |to| {
            to.write_all(header.as_bytes())?;
            io::copy(&mut GzDecoder::new(&body[..]), to).map(drop)
        })?;
        Ok((format!("{first}{flag}"), sealed))
    }
}

/// The header of a feedback file, with its end.
pub(crate) fn header(
    first: &str,
    flag: u8,
    at: Timestamp,
    accepted: usize,
    rejected: usize,
) -> String {
    let time = bureau_time(at, "%Y%m%d%H%M%S");
    format!("A0722.0.0{first}{flag}2.0.0{time}{accepted:07}{rejected:07}\r\n")
}

/// Takes the records of a file into the database; the caller has looked at its
/// form. `spite` names codes that are given to records of some accounts for no
/// reason; a lie about lines, codes or records is told here.
pub(crate) fn judge(
    form: &Form,
    parcel: &Parcel,
    key: &Key,
    database: &mut Database,
    spite: &mut dyn FnMut(&Record) -> Option<String>,
    lie: Option<Lie>,
) -> Result<Answer, Refusal> {
    let unreadable = |_| Refusal::Told("ABF000");
    let mut lines = parcel.lines(key).map_err(unreadable)?;
    let mut bytes = Vec::new();
    lines.next(&mut bytes)?;
    let mut answer = Answer::new(1);
    let mut seen = Seen::default();
    let mut number = 1;
    while lines.next(&mut bytes)? {
        number += 1;
        let text = String::from_utf8_lossy(&bytes);
        let result = Record::read(form, &text).and_then(|record| {
            if let Some(code) = spite(&record) {
                return Err(vec![(code, "0000".to_owned())]);
            }
            let taken = database.take(form.record_type, &record, &text, &mut seen);
            taken.map_err(|fault| vec![fault])
        });
        match result {
            Ok(()) => answer.accepted += 1,
            Err(mut faults) => {
                answer.flag = 3;
                let told = number + usize::from(lie == Some(Lie::WrongLines));
                if lie == Some(Lie::UnknownCodes) {
                    for (code, _) in &mut faults {
                        UNLISTED_CODE.clone_into(code);
                    }
                }
                let record = match lie {
                    Some(Lie::WrongRecords) => NO_RECORD,
                    _ => &bytes[..],
                };
                answer
                    .reject(Some(told), &faults, Some(record))
                    .map_err(unreadable)?;
            }
        }
    }
    Ok(answer)
}

fn line(number: Option<usize>, faults: &[Fault], record: Option<&[u8]>) -> String {
    let mut line = "<Document><FbInf>".to_owned();
    if let Some(number) = number {
        line.push_str(&format!("<ErrRecId>{number}</ErrRecId>"));
    }
    line.push_str(&format!("<FbErrNum>{}</FbErrNum>", faults.len()));
    for (code, tag) in faults {
        line.push_str(&format!(
            "<ErrInf><FbCode>{code}</FbCode><FbMsg>{tag}</FbMsg></ErrInf>"
        ));
    }
    if let Some(record) = record {
        line.push_str(&format!(
            "<ErrRec>{}</ErrRec>",
            BASE64_STANDARD.encode(record)
        ));
    }
    line.push_str("</FbInf></Document>\r\n");
    line
}

const NO_RECORD: &[u8] = b"<Document></Document>";
