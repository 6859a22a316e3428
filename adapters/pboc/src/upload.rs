//! Submission files out, feedback files in: words and names on both ways.
//!
//! How the centre itself takes files is not known to us (its interface
//! specification was not read): everything here is our own convention, written
//! down in `README.md`, confidence low. What is mandated is the file's name, of
//! which a feedback's differs in the last character only.

mod https;
mod names;
#[cfg(test)]
mod tests;

use contract::files::{Folder, Keep, Place};
use contract::{
    Delivery, Failure, FileConversation, FileHappened, FileOutcome, FileStep, FileTask, FileToSend,
    Way,
};

/// The centre has a file of that name (feedback code table; SP, medium).
const RECEIVED_BEFORE: &str = "ABF009";

/// Our code for an acknowledgment of other bytes.
const DIGEST_MISMATCH: &str = "digest_mismatch";

/// Largest small answer: an acknowledgment, a refusal.
const SMALL_BYTES: u32 = 16 * 1024;

/// Largest list of names; a name takes 33 bytes, so some 120,000 files.
const LIST_BYTES: u32 = 4 << 20;

/// Largest feedback file, sealed: ours. A million rejected records of 1 KB, not
/// compressed at all, stay below.
const FEEDBACK_BYTES: u64 = 2 << 30;

/// Starts a task.
pub(crate) fn start(way: Way, task: FileTask) -> Box<dyn FileConversation> {
    Box::new(match way {
        Way::Exchange => Talk::Exchange(Exchange { task, last: None }),
        Way::Https => Talk::Https(https::Https { task, asked: false }),
    })
}

/// A conversation on either way.
enum Talk {
    Exchange(Exchange),
    Https(https::Https),
}

impl FileConversation for Talk {
    fn next(&mut self, last: Option<FileHappened>) -> FileStep {
        let outcome = match self {
            Self::Exchange(talk) => talk.next(last),
            Self::Https(talk) => talk.next(last),
        };
        outcome.unwrap_or_else(FileStep::Done)
    }
}

/// Either a step or the end.
type Next = Result<FileStep, FileOutcome>;

/// A task on the exchange folders: `out/<name>.enc` from us, `in/<name>.ack`
/// with the digest or `in/<name>.nak` with a code from the bureau, and its
/// feedback files `in/<name>.enc`.
struct Exchange {
    task: FileTask,
    /// What was asked for last.
    last: Option<Asked>,
}

#[derive(Clone, Copy)]
enum Asked {
    Ack,
    Feedback,
    List,
    Nak,
    Put,
}

impl Exchange {
    fn next(&mut self, last: Option<FileHappened>) -> Next {
        let asked = self.last.take();
        let (file, deliver) = match &self.task {
            FileTask::Ask(file) => (file, false),
            FileTask::Deliver(file) => (file, true),
            FileTask::Fetch(name) => return self.fetch(asked, last, &name.clone()),
            FileTask::List => {
                return match (asked, last) {
                    (None, None) => Ok(self.ask(Asked::List, FileStep::ListFiles(Folder::In))),
                    (Some(Asked::List), Some(FileHappened::Listed(names))) => {
                        Err(FileOutcome::Listed(names::feedback(names)))
                    }
                    (_, last) => Err(FileOutcome::Failed(failure(last))),
                };
            }
            _ => return Err(unsupported()),
        };
        let ended = |delivery| Err(FileOutcome::Delivery(delivery));
        match (asked, last) {
            // A word that lies there already makes another delivery needless.
            (None, None) => {
                let step = small(format!("{}.ack", file.name));
                Ok(self.ask(Asked::Ack, step))
            }
            (Some(Asked::Ack), Some(FileHappened::Got(text))) => match names::digest(&text) {
                Some(digest) if digest == file.sha256 => ended(Delivery::Arrived),
                Some(_) => ended(refused(DIGEST_MISMATCH)),
                None => ended(Delivery::Unknown {
                    cause: "acknowledgment_unreadable",
                }),
            },
            (Some(Asked::Ack), Some(FileHappened::Missing)) => {
                let step = small(format!("{}.nak", file.name));
                Ok(self.ask(Asked::Nak, step))
            }
            (Some(Asked::Nak), Some(FileHappened::Got(text))) => match names::code(&text) {
                Some(code) if code == RECEIVED_BEFORE => ended(Delivery::AlreadyReceived),
                Some(code) => ended(refused(code)),
                None => ended(Delivery::Unknown {
                    cause: "refusal_unreadable",
                }),
            },
            (Some(Asked::Nak), Some(FileHappened::Missing)) if deliver => {
                let place = Place::Folder(Folder::Out, format!("{}.enc", file.name));
                Ok(self.ask(Asked::Put, FileStep::PutFile(place)))
            }
            (Some(Asked::Nak), Some(FileHappened::Missing)) => Err(FileOutcome::Absent),
            (Some(Asked::Put), Some(FileHappened::Put)) => ended(Delivery::Placed),
            // Only what was put can have been taken.
            (Some(Asked::Put), last) => ended(failure(last).into()),
            (_, last) => match failure(last) {
                Failure::NotSent { cause } | Failure::Unknown { cause } if deliver => {
                    ended(Delivery::NotSent { cause })
                }
                failure => Err(FileOutcome::Failed(failure)),
            },
        }
    }

    fn fetch(&mut self, asked: Option<Asked>, last: Option<FileHappened>, name: &str) -> Next {
        match (asked, last) {
            (None, None) if names::is_feedback(name) => {
                let step = FileStep::GetFile {
                    from: Place::Folder(Folder::In, format!("{name}.enc")),
                    limit_bytes: FEEDBACK_BYTES,
                    keep: Keep::Disk,
                };
                Ok(self.ask(Asked::Feedback, step))
            }
            (Some(Asked::Feedback), Some(FileHappened::Got(_))) => Err(FileOutcome::Fetched),
            (Some(Asked::Feedback), Some(FileHappened::Missing)) => Err(FileOutcome::Absent),
            (_, last) => Err(FileOutcome::Failed(failure(last))),
        }
    }

    fn ask(&mut self, asked: Asked, step: FileStep) -> FileStep {
        self.last = Some(asked);
        step
    }
}

fn small(name: String) -> FileStep {
    FileStep::GetFile {
        from: Place::Folder(Folder::In, name),
        limit_bytes: SMALL_BYTES.into(),
        keep: Keep::Memory,
    }
}

fn refused(code: impl Into<String>) -> Delivery {
    Delivery::Refused { code: code.into() }
}

/// The failure that happened; anything out of turn is unknown.
fn failure(last: Option<FileHappened>) -> Failure {
    match last {
        Some(FileHappened::Failed(failure)) => failure,
        None => Failure::NotSent { cause: "name" },
        Some(_) => Failure::Unknown {
            cause: "out_of_turn",
        },
    }
}

fn unsupported() -> FileOutcome {
    FileOutcome::Failed(Failure::NotSent {
        cause: "unsupported_task",
    })
}
