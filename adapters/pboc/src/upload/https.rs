//! The way by HTTPS: one PUT for each file, one GET for a list or a file.
//!
//! | reply to a PUT | it is |
//! |---|---|
//! | 200, 201 with the digest of our bytes | arrived |
//! | 200, 201 with another digest | refused, `digest_mismatch` |
//! | 409 with `ABF009` | received before; with another digest beside it, `digest_mismatch` |
//! | 4xx with another code of the centre | refused |
//! | 408, 425, 429, 4xx without a code, 3xx, 5xx, anything else | unknown: the same bytes again |

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use contract::WireReply;
use serde::Deserialize;

use super::{
    DIGEST_MISMATCH, Delivery, FEEDBACK_BYTES, Failure, FileHappened, FileOutcome, FileStep,
    FileTask, FileToSend, Keep, LIST_BYTES, Next, Place, RECEIVED_BEFORE, SMALL_BYTES, failure,
    names, refused, unsupported,
};

/// A task by HTTPS.
pub(super) struct Https {
    pub(super) task: FileTask,
    /// The one exchange of it was asked for.
    pub(super) asked: bool,
}

/// Words of a reply to a PUT; all of them optional, and more may stand there.
#[derive(Default, Deserialize)]
struct Words {
    #[serde(default)]
    code: Option<String>,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    sha256: Option<String>,
}

#[derive(Deserialize)]
struct Files {
    files: Vec<String>,
}

impl Https {
    pub(super) fn next(&mut self, last: Option<FileHappened>) -> Next {
        if !std::mem::replace(&mut self.asked, true) {
            return self.ask();
        }
        match (&self.task, last) {
            (FileTask::Deliver(file), Some(FileHappened::Replied(reply))) => {
                Err(FileOutcome::Delivery(received(file, &reply)))
            }
            (FileTask::Deliver(_), last) => Err(FileOutcome::Delivery(failure(last).into())),
            (FileTask::List, Some(FileHappened::Got(body))) => {
                Err(match serde_json::from_slice::<Files>(&body) {
                    Ok(list) => FileOutcome::Listed(names::feedback(list.files)),
                    Err(_) => unknown("list_unreadable"),
                })
            }
            (FileTask::Fetch(_), Some(FileHappened::Got(_))) => Err(FileOutcome::Fetched),
            (FileTask::Fetch(_), Some(FileHappened::Missing)) => Err(FileOutcome::Absent),
            (FileTask::Fetch(_), Some(FileHappened::Replied(reply))) if reply.status == 404 => {
                Err(FileOutcome::Absent)
            }
            (_, Some(FileHappened::Replied(reply))) => Err(unknown(status(reply.status))),
            (_, last) => Err(FileOutcome::Failed(failure(last))),
        }
    }

    fn ask(&self) -> Next {
        match &self.task {
            // There is no such question: delivering again is how to ask.
            FileTask::Ask(_) => Err(FileOutcome::Absent),
            FileTask::Deliver(file) => {
                let digest = STANDARD.encode(file.sha256);
                Ok(FileStep::PutFile(Place::Http {
                    path: format!("/submissions/files/{}.enc", file.name),
                    headers: vec![
                        ("content-type", "application/octet-stream".to_owned()),
                        // RFC 9530, section 2.
                        ("content-digest", format!("sha-256=:{digest}:")),
                    ],
                    reply_limit_bytes: SMALL_BYTES as usize,
                }))
            }
            FileTask::Fetch(name) if names::is_feedback(name) => Ok(get(
                format!("/submissions/feedback/{name}.enc"),
                FEEDBACK_BYTES,
                Keep::Disk,
            )),
            FileTask::Fetch(_) => Err(FileOutcome::Failed(Failure::NotSent { cause: "name" })),
            FileTask::List => Ok(get(
                "/submissions/feedback".to_owned(),
                LIST_BYTES.into(),
                Keep::Memory,
            )),
            _ => Err(unsupported()),
        }
    }
}

fn get(path: String, limit_bytes: u64, keep: Keep) -> FileStep {
    FileStep::GetFile {
        from: Place::Http {
            path,
            headers: Vec::new(),
            reply_limit_bytes: SMALL_BYTES as usize,
        },
        limit_bytes,
        keep,
    }
}

/// What the reply to a PUT says of the file.
fn received(file: &FileToSend, reply: &WireReply) -> Delivery {
    let words: Option<Words> = serde_json::from_slice(&reply.body).ok();
    let words = words.unwrap_or_default();
    let of_this = words.name.as_ref().is_none_or(|name| {
        let bare = name.strip_suffix(".enc").unwrap_or(name);
        bare == file.name
    });
    if !of_this {
        return Delivery::Unknown {
            cause: "reply_of_another_file",
        };
    }
    let digest = words.sha256.map(|hex| names::digest(hex.as_bytes()));
    let ours = digest.map(|digest| digest == Some(file.sha256));
    let code = words.code.as_deref().unwrap_or_default().as_bytes();
    match (reply.status, names::code(code), ours) {
        (200 | 201, None, Some(true)) => Delivery::Arrived,
        (200 | 201 | 409, _, Some(false)) => refused(DIGEST_MISMATCH),
        (200 | 201, ..) => Delivery::Unknown {
            cause: "acknowledgment_unreadable",
        },
        (409, Some(RECEIVED_BEFORE), _) => Delivery::AlreadyReceived,
        (408 | 425 | 429, ..) => Delivery::Unknown {
            cause: "status_4xx",
        },
        (400..=499, Some(code), _) => refused(code),
        (other, ..) => Delivery::Unknown {
            cause: status(other),
        },
    }
}

fn status(status: u16) -> &'static str {
    match status {
        300..=399 => "status_3xx",
        400..=499 => "status_4xx",
        500..=599 => "status_5xx",
        _ => "status_other",
    }
}

fn unknown(cause: &'static str) -> FileOutcome {
    FileOutcome::Failed(Failure::Unknown { cause })
}
