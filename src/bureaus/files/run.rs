//! One task, carried out step by step.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use contract::{
    Delivery, Failure, FileHappened, FileOutcome, FileStep, FileTask, WireReply,
    files::{Keep, Place},
};
use tokio::io::AsyncWriteExt as _;
use zeroize::Zeroizing;

use super::{Carrier, FileFacts, FileLine, Sum, blocking, durable::Pending};
use crate::bureaus::client::{Client, Sink};

/// Steps of one task at most.
const MOST_STEPS: usize = 100;

/// One task on the way.
pub(super) struct Run<'l> {
    line: &'l FileLine,
    /// What is to be put, and its length.
    given: Option<(PathBuf, u64)>,
    /// Where to keep what is fetched.
    to: Option<PathBuf>,
    pub(super) fetched: Option<FileFacts>,
    /// The first step that may have reached the bureau and has no answer.
    pub(super) lost: Option<&'static str>,
}

impl<'l> Run<'l> {
    pub(super) fn new(line: &'l FileLine, given: Option<(&Path, u64)>, to: Option<&Path>) -> Self {
        Self {
            line,
            given: given.map(|(path, size)| (path.to_owned(), size)),
            to: to.map(Path::to_owned),
            fetched: None,
            lost: None,
        }
    }

    pub(super) async fn task(&mut self, task: FileTask) -> FileOutcome {
        let name = match &task {
            FileTask::Ask(_) => "ask",
            FileTask::Deliver(_) => "deliver",
            FileTask::Fetch(_) => "fetch",
            FileTask::List => "list",
            _ => "other",
        };
        let outcome = if self.line.is_allowed() {
            self.converse(task).await
        } else {
            FileOutcome::Failed(Failure::NotSent {
                cause: "transport_ended",
            })
        };
        metrics::counter!(
            "bureau_file_tasks_total", "bureau" => self.line.bureau.clone(),
            "task" => name, "result" => result(&outcome)
        )
        .increment(1);
        outcome
    }

    async fn converse(&mut self, task: FileTask) -> FileOutcome {
        let Some(mut conversation) = self.line.adapter.files(self.line.way(), task) else {
            return FileOutcome::Failed(Failure::NotSent {
                cause: "unsupported_task",
            });
        };
        let mut last = None;
        for _ in 0..MOST_STEPS {
            match conversation.next(last) {
                FileStep::Done(outcome) => return outcome,
                step => {
                    let put = matches!(step, FileStep::PutFile(_));
                    let happened = self.carry(step).await;
                    if let (true, FileHappened::Failed(Failure::Unknown { cause })) =
                        (put, &happened)
                    {
                        self.lost.get_or_insert(*cause);
                    }
                    last = Some(happened);
                }
            }
        }
        FileOutcome::Failed(Failure::Unknown {
            cause: "endless_conversation",
        })
    }

    async fn carry(&mut self, step: FileStep) -> FileHappened {
        match (&self.line.carrier, step) {
            (_, FileStep::Wait(time)) => {
                tokio::time::sleep(time).await;
                FileHappened::Waited
            }
            (Carrier::Exchange(exchange), FileStep::ListFiles(folder)) => {
                let exchange = Arc::clone(exchange);
                blocking(move || exchange.list(folder)).await
            }
            (Carrier::Exchange(exchange), FileStep::PutFile(Place::Folder(folder, name))) => {
                let exchange = Arc::clone(exchange);
                match self.given.clone() {
                    Some((source, _)) => {
                        blocking(move || exchange.put(folder, &name, &source)).await
                    }
                    None => unsupported(),
                }
            }
            (
                Carrier::Exchange(exchange),
                FileStep::GetFile {
                    from: Place::Folder(folder, name),
                    limit_bytes,
                    keep,
                },
            ) => {
                let (exchange, to) = (Arc::clone(exchange), self.to.clone());
                let (happened, facts) =
                    blocking(move || exchange.get(folder, &name, limit_bytes, keep, to.as_deref()))
                        .await;
                self.fetched = facts;
                happened
            }
            (
                Carrier::Https(client, time),
                FileStep::PutFile(Place::Http {
                    path,
                    headers,
                    reply_limit_bytes,
                }),
            ) => match &self.given {
                Some((source, size)) => {
                    let file = (source.as_path(), *size);
                    let reply = client
                        .put_file(&path, &headers, file, reply_limit_bytes, *time)
                        .await;
                    reply.map_or_else(FileHappened::Failed, FileHappened::Replied)
                }
                None => unsupported(),
            },
            (
                Carrier::Https(client, time),
                FileStep::GetFile {
                    from:
                        Place::Http {
                            path,
                            headers,
                            reply_limit_bytes,
                        },
                    limit_bytes,
                    keep,
                },
            ) => {
                let ask = Ask {
                    client,
                    path: &path,
                    headers: &headers,
                    limits: (limit_bytes, reply_limit_bytes),
                    time: *time,
                };
                match (keep, self.to.clone()) {
                    (Keep::Memory, _) => ask.in_memory().await,
                    (Keep::Disk, Some(to)) => ask.on_disk(to, &mut self.fetched).await,
                    (Keep::Disk, None) => unsupported(),
                }
            }
            // The contract may grow; what this gateway cannot do was not done.
            _ => unsupported(),
        }
    }
}

/// A GET.
struct Ask<'a> {
    client: &'a Client,
    path: &'a str,
    headers: &'a [(&'static str, String)],
    limits: (u64, usize),
    time: Duration,
}

impl Ask<'_> {
    async fn send(&self, sink: &mut Sink) -> Result<(), FileHappened> {
        let got = (self.client).get(self.path, self.headers, sink, self.limits, self.time);
        match got.await {
            Ok(WireReply { status: 200, .. }) => Ok(()),
            Ok(reply) => Err(FileHappened::Replied(reply)),
            Err(failure) => Err(FileHappened::Failed(failure)),
        }
    }

    async fn in_memory(&self) -> FileHappened {
        let mut sink = Sink::Memory(Zeroizing::default());
        match (self.send(&mut sink).await, sink) {
            (Ok(()), Sink::Memory(body)) => FileHappened::Got(body),
            (Ok(()), Sink::Disk(..)) => unsupported(),
            (Err(happened), _) => happened,
        }
    }

    async fn on_disk(&self, to: PathBuf, fetched: &mut Option<FileFacts>) -> FileHappened {
        let (pending, file) = match blocking(move || Pending::create(&to, 0o600)).await {
            Ok(made) => made,
            Err(error) => return disk(&error),
        };
        let mut sink = Sink::Disk(file.into(), Box::new(Sum::new()));
        let (mut file, sum) = match (self.send(&mut sink).await, sink) {
            (Ok(()), Sink::Disk(file, sum)) => (file, sum),
            (Ok(()), Sink::Memory(_)) => return unsupported(),
            (Err(happened), _) => return happened,
        };
        if let Err(error) = file.flush().await {
            return disk(&error);
        }
        let file = file.into_std().await;
        match blocking(move || pending.commit(&file)).await {
            Ok(()) => {
                *fetched = Some(sum.facts());
                FileHappened::Got(Zeroizing::default())
            }
            Err(error) => disk(&error.into()),
        }
    }
}

fn unsupported() -> FileHappened {
    FileHappened::Failed(Failure::NotSent {
        cause: "unsupported_step",
    })
}

fn disk(error: &std::io::Error) -> FileHappened {
    tracing::error!(%error, "a fetched file cannot be kept");
    FileHappened::Failed(Failure::Unknown { cause: "disk" })
}

fn result(outcome: &FileOutcome) -> &'static str {
    match outcome {
        FileOutcome::Absent => "absent",
        FileOutcome::Delivery(delivery) => match delivery {
            Delivery::AlreadyReceived => "already_received",
            Delivery::Arrived => "arrived",
            Delivery::NotSent { .. } => "not_sent",
            Delivery::Placed => "placed",
            Delivery::Refused { .. } => "refused",
            _ => "unknown",
        },
        FileOutcome::Failed(Failure::NotSent { .. }) => "not_sent",
        FileOutcome::Failed(Failure::Unknown { .. }) => "unknown",
        FileOutcome::Fetched => "fetched",
        FileOutcome::Listed(_) => "listed",
        _ => "other",
    }
}
