//! The part of the suite about files.

use zeroize::Zeroizing;

use crate::{
    Adapter, Delivery, Failure, FileConversation, FileHappened, FileOutcome, FileStep, FileTask,
    FileToSend, Way, WireReply,
    files::{Folder, Keep, Place},
};

/// What an adapter that takes files brings to the suite.
pub struct FileSamples {
    /// A file; its bytes do not matter.
    pub file: FileToSend,
    /// The name of a feedback file.
    pub feedback: String,
    /// The bureau's words, on each way that the adapter declares.
    pub ways: Vec<WaySamples>,
}

/// The bureau's words on one way.
pub struct WaySamples {
    /// The way.
    pub way: Way,
    /// It received these bytes.
    pub acknowledged: Said,
    /// It received other bytes under this name.
    pub acknowledged_other: Said,
    /// A list with [`FileSamples::feedback`] and [`STRANGE`] names in it.
    pub listed: Said,
    /// It received a file of this name before.
    pub received_before: Said,
    /// It refuses the file.
    pub refused: Said,
    /// The code of that refusal.
    pub refused_code: String,
}

/// How the bureau says something.
#[derive(Clone)]
pub enum Said {
    /// By files in the folder that it writes.
    Folder(Vec<(String, Vec<u8>)>),
    /// By a reply.
    Reply(u16, Vec<u8>),
}

/// Names that are no feedback file and must never be asked for.
pub const STRANGE: [&str; 6] = [
    "",
    "../../etc/passwd",
    ".T99999999H00012024060121000011",
    "T99999999H0001202406012100001/.enc",
    "T99999999H000120240601210000测",
    "lost+found",
];

/// Every broken promise about files, one sentence each; empty is a pass.
///
/// # Panics
///
/// Only if the adapter panics, which breaks the first promise.
#[must_use]
pub fn file_findings(adapter: &dyn Adapter, samples: &FileSamples) -> Vec<String> {
    let mut findings = Vec::new();
    for way in [Way::Exchange, Way::Https] {
        let declared = adapter.capabilities().files.contains(&way);
        let offered = adapter.files(way, FileTask::List).is_some();
        if declared != offered {
            findings.push(format!("{way:?}: declared {declared}, offered {offered}"));
        }
        let words = samples.ways.iter().find(|words| words.way == way);
        match words {
            Some(words) if declared => Suite {
                adapter,
                samples,
                words,
                findings: &mut findings,
            }
            .run(),
            None if declared => findings.push(format!("{way:?}: no samples")),
            _ => {}
        }
    }
    findings
}

/// Carries a task through; `world` answers every step.
///
/// # Panics
///
/// After a hundred steps.
pub fn run_files(
    mut conversation: Box<dyn FileConversation>,
    mut world: impl FnMut(&FileStep) -> FileHappened,
) -> FileOutcome {
    let mut last = None;
    for _ in 0..100 {
        match conversation.next(last) {
            FileStep::Done(outcome) => return outcome,
            step => last = Some(world(&step)),
        }
    }
    panic!("the conversation does not end");
}

struct Suite<'a> {
    adapter: &'a dyn Adapter,
    samples: &'a FileSamples,
    words: &'a WaySamples,
    findings: &'a mut Vec<String>,
}

impl Suite<'_> {
    fn run(&mut self) {
        self.words_mean_what_they_say();
        self.no_other_status_is_a_word();
        self.failures_keep_their_meaning();
        self.strange_names_go_nowhere();
    }

    fn words_mean_what_they_say(&mut self) {
        let words = self.words;
        let code = words.refused_code.clone();
        type Right = fn(&Delivery, &str) -> bool;
        let cases: [(&str, &Said, Right); 4] = [
            ("an acknowledgment", &words.acknowledged, |d, _| {
                *d == Delivery::Arrived
            }),
            (
                "an acknowledgment of other bytes",
                &words.acknowledged_other,
                |d, _| matches!(d, Delivery::Refused { .. }),
            ),
            ("received before", &words.received_before, |d, _| {
                *d == Delivery::AlreadyReceived
            }),
            (
                "a refusal",
                &words.refused,
                |d, code| matches!(d, Delivery::Refused { code: said } if said == code),
            ),
        ];
        for (name, said, right) in cases {
            let outcome = self.deliver(|step| said.answer(step));
            if !matches!(&outcome, FileOutcome::Delivery(d) if right(d, &code)) {
                self.found(format!("{name} became {outcome:?}"));
            }
        }
        let outcome = self.run_task(FileTask::List, |step| words.listed.answer(step));
        if outcome != FileOutcome::Listed(vec![self.samples.feedback.clone()]) {
            self.found(format!("a list became {outcome:?}"));
        }
        let (mut puts, mut world) = (0, Said::Folder(Vec::new()));
        if let Said::Reply(..) = words.acknowledged {
            world = words.acknowledged.clone();
        }
        let outcome = self.deliver(|step| {
            puts += u32::from(matches!(step, FileStep::PutFile(_)));
            world.answer(step)
        });
        if puts != 1 {
            self.found(format!("a delivery put {puts} times: {outcome:?}"));
        }
    }

    fn no_other_status_is_a_word(&mut self) {
        let Said::Reply(_, body) = &self.words.acknowledged else {
            return;
        };
        for status in [202, 204, 301, 307, 408, 429, 500, 502, 503] {
            let said = Said::Reply(status, body.clone());
            let outcome = self.deliver(|step| said.answer(step));
            if !matches!(outcome, FileOutcome::Delivery(Delivery::Unknown { .. })) {
                self.found(format!("status {status} became {outcome:?}"));
            }
        }
        for tenth in 0..10 {
            let said = Said::Reply(201, body[..body.len() * tenth / 10].to_vec());
            let outcome = self.deliver(|step| said.answer(step));
            if !matches!(outcome, FileOutcome::Delivery(Delivery::Unknown { .. })) {
                self.found(format!(
                    "an acknowledgment cut at {tenth}/10 became {outcome:?}"
                ));
            }
        }
    }

    /// What was not sent may go again under another name; so nothing else may
    /// be called that.
    fn failures_keep_their_meaning(&mut self) {
        let nothing = Said::Folder(Vec::new());
        let not_sent = Failure::NotSent { cause: "connect" };
        let unknown = Failure::Unknown { cause: "cut" };
        for failure in [not_sent, unknown] {
            let expected = FileOutcome::Delivery(failure.clone().into());
            let outcome = self.deliver(|step| match step {
                FileStep::PutFile(_) => FileHappened::Failed(failure.clone()),
                step => nothing.answer(step),
            });
            if outcome != expected {
                self.found(format!("{failure:?} became {outcome:?}"));
            }
        }
        let outcome = self.deliver(|step| match step {
            FileStep::PutFile(_) => FileHappened::Waited,
            step => nothing.answer(step),
        });
        if !matches!(outcome, FileOutcome::Delivery(Delivery::Unknown { .. })) {
            self.found(format!("an answer out of turn became {outcome:?}"));
        }
        for task in [
            FileTask::List,
            FileTask::Fetch(self.samples.feedback.clone()),
        ] {
            let name = format!("{task:?}");
            let outcome = self.run_task(task, |_| {
                FileHappened::Failed(Failure::Unknown { cause: "cut" })
            });
            if !matches!(outcome, FileOutcome::Failed(Failure::Unknown { .. })) {
                self.found(format!("{name}: a cut became {outcome:?}"));
            }
        }
    }

    fn strange_names_go_nowhere(&mut self) {
        for name in STRANGE {
            let mut steps = 0;
            let outcome = self.run_task(FileTask::Fetch(name.to_owned()), |_| {
                steps += 1;
                FileHappened::Missing
            });
            if steps > 0 || !matches!(outcome, FileOutcome::Failed(Failure::NotSent { .. })) {
                self.found(format!("{name:?} was asked for: {outcome:?}"));
            }
        }
    }

    fn deliver(&mut self, world: impl FnMut(&FileStep) -> FileHappened) -> FileOutcome {
        self.run_task(FileTask::Deliver(self.samples.file.clone()), world)
    }

    fn run_task(
        &mut self,
        task: FileTask,
        mut world: impl FnMut(&FileStep) -> FileHappened,
    ) -> FileOutcome {
        let Some(conversation) = self.adapter.files(self.words.way, task) else {
            return FileOutcome::Absent;
        };
        let mut unlimited = false;
        let outcome = run_files(conversation, |step| {
            if let FileStep::GetFile {
                limit_bytes, keep, ..
            } = step
            {
                let sensible = match keep {
                    Keep::Disk => 16 << 30,
                    Keep::Memory => 64 << 20,
                };
                unlimited |= !(1..=sensible).contains(limit_bytes);
            }
            world(step)
        });
        if unlimited {
            self.found("no sensible limit on what is fetched".to_owned());
        }
        outcome
    }

    fn found(&mut self, finding: String) {
        self.findings
            .push(format!("{:?}: {finding}", self.words.way));
    }
}

impl Said {
    /// What happens at a step, if this is all that the bureau says.
    fn answer(&self, step: &FileStep) -> FileHappened {
        match (self, step) {
            (Self::Folder(files), FileStep::GetFile { from, .. }) => {
                let Place::Folder(Folder::In, name) = from else {
                    return FileHappened::Missing;
                };
                match files.iter().find(|(stands, _)| stands == name) {
                    Some((_, bytes)) => FileHappened::Got(Zeroizing::new(bytes.clone())),
                    None => FileHappened::Missing,
                }
            }
            (Self::Folder(files), FileStep::ListFiles(Folder::In)) => {
                FileHappened::Listed(files.iter().map(|(name, _)| name.clone()).collect())
            }
            (Self::Folder(_), FileStep::PutFile(_)) => FileHappened::Put,
            (Self::Reply(200, body), FileStep::GetFile { .. }) => {
                FileHappened::Got(Zeroizing::new(body.clone()))
            }
            (Self::Reply(status, body), FileStep::GetFile { .. } | FileStep::PutFile(_)) => {
                FileHappened::Replied(WireReply {
                    status: *status,
                    body: Zeroizing::new(body.clone()),
                })
            }
            _ => FileHappened::Waited,
        }
    }
}
