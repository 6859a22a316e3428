//! One suite for every adapter.
//!
//! # Promise
//!
//! [`findings`] plays an adapter's own samples, and what may become of them on
//! the way, and names every promise of the contract that it saw broken. An
//! adapter that lacks a sample of some [`Case`] fails too, so that none can
//! forget one. [`file_findings`] does the same for files.
//!
//! # What is not here
//!
//! No format: nested defects (an entity bomb inside a report inside Base64) can
//! only be made by who knows the format.

mod files;

use zeroize::Zeroizing;

pub use files::{FileSamples, STRANGE, Said, WaySamples, file_findings, run_files};

use crate::{
    Adapter, Conversation, Failure, Happened, InquiryRequest, Outcome, Step, WireReply, WireRequest,
};

/// What an adapter brings to the suite.
pub struct Samples {
    /// A request with synthetic data, for which `replies` are the answers.
    pub request: InquiryRequest,
    /// What a signer returns, if the dialect signs.
    pub signature: Vec<u8>,
    /// The body that must go out, byte by byte.
    pub body: Vec<u8>,
    /// Bodies of replies with status 200; at least one of each [`Case`].
    pub replies: Vec<Sample>,
}

/// A reply and what it must become.
pub struct Sample {
    /// Name of the sample in findings.
    pub name: &'static str,
    /// What it shows.
    pub case: Case,
    /// The body of the reply.
    pub body: Vec<u8>,
}

/// What a sample shows, and so what it must become.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Case {
    /// Elements nested beyond reason: unreadable.
    DeepNesting,
    /// Entities that would grow beyond memory: unreadable.
    EntityBomb,
    /// A whole report: answered with exactly these bytes.
    Hit(Vec<u8>),
    /// The report of another subject: unreadable.
    OtherSubject,
    /// More bytes than the limits allow, on the wire or unpacked: unreadable or unknown.
    Oversize,
    /// A shortened report: answered, partial.
    Partial,
    /// A listed refusal: rejected with meaning and cure.
    Refused,
    /// No such subject: no hit.
    NoHit,
    /// A code that leaves open whether the inquiry was recorded: undecided.
    Undecided,
    /// A result code outside the table: rejected, not listed.
    UnlistedCode,
    /// Another encoding than the mandated one: unreadable, `wrong_encoding`.
    WrongEncoding,
    /// A length inside the reply that does not agree with its bytes: unreadable.
    WrongLength,
}

/// Every broken promise, one sentence each; empty is a pass.
///
/// # Panics
///
/// Only if the adapter panics, which breaks the first promise.
#[must_use]
pub fn findings(adapter: &dyn Adapter, samples: &Samples) -> Vec<String> {
    let mut suite = Suite {
        adapter,
        samples,
        findings: Vec::new(),
    };
    suite.request_is_golden_and_discreet();
    suite.every_case_has_a_sample();
    suite.samples_become_what_they_show();
    suite.a_cut_reply_is_never_the_word_of_the_bureau();
    suite.another_status_is_never_the_word_of_the_bureau();
    suite.failures_keep_their_meaning();
    suite.what_is_not_signed_is_not_sent();
    suite.findings
}

/// Carries a conversation through without a line: signatures come from
/// `signature`, replies from `exchange`, waiting takes no time.
///
/// # Panics
///
/// After a thousand steps, or at a step that it does not know.
pub fn run_offline<O>(
    mut conversation: Box<dyn Conversation<O>>,
    signature: &[u8],
    mut exchange: impl FnMut(WireRequest) -> Happened,
) -> O {
    let mut last = None;
    for _ in 0..1000 {
        last = Some(match conversation.next(last) {
            Step::Done(outcome) => return outcome,
            Step::Http(request) => exchange(request),
            Step::Sign { .. } => Happened::Signed(signature.to_vec()),
            Step::Wait(_) => Happened::Waited,
        });
    }
    panic!("the conversation does not end");
}

struct Suite<'a> {
    adapter: &'a dyn Adapter,
    samples: &'a Samples,
    findings: Vec<String>,
}

impl<'a> Suite<'a> {
    fn request_is_golden_and_discreet(&mut self) {
        let mut sent = Vec::new();
        self.run(|request| {
            sent.push(request);
            unknown()
        });
        let [wire] = &sent[..] else {
            return self.found(format!("{} requests for one inquiry", sent.len()));
        };
        if *wire.body != self.samples.body {
            self.found("the body is not the golden one".to_owned());
        }
        let secrets = {
            let request = &self.samples.request;
            [&request.subject_name, &request.id_number, &request.password]
        };
        let mut outside = format!("{:?} {wire:?} {}", self.samples.request, wire.path);
        outside.extend(wire.headers.iter().map(|(_, value)| value.as_str()));
        if secrets
            .iter()
            .any(|secret| outside.contains(secret.as_str()))
        {
            self.found("personal data outside the body".to_owned());
        }
        if wire.reply_limit_bytes == 0 || wire.reply_limit_bytes > 64 << 20 {
            self.found("no sensible limit on the reply".to_owned());
        }
    }

    fn every_case_has_a_sample(&mut self) {
        let all = [
            Case::DeepNesting,
            Case::EntityBomb,
            Case::Hit(Vec::new()),
            Case::NoHit,
            Case::OtherSubject,
            Case::Oversize,
            Case::Partial,
            Case::Refused,
            Case::Undecided,
            Case::UnlistedCode,
            Case::WrongEncoding,
            Case::WrongLength,
        ];
        for case in all {
            let kind = std::mem::discriminant(&case);
            let samples = &self.samples.replies;
            if !samples
                .iter()
                .any(|sample| std::mem::discriminant(&sample.case) == kind)
            {
                self.found(format!("no sample of {case:?}"));
            }
        }
    }

    fn samples_become_what_they_show(&mut self) {
        for sample in &self.samples.replies {
            let outcome = self.answer(200, &sample.body);
            let unreadable = matches!(outcome, Outcome::Unreadable { .. });
            let right = match (&sample.case, &outcome) {
                (Case::Hit(report), Outcome::Answered(answer)) => {
                    !answer.partial && *answer.report == *report
                }
                (Case::Partial, Outcome::Answered(answer)) => answer.partial,
                (Case::NoHit, Outcome::NoHit { .. }) => true,
                (Case::Undecided, Outcome::Undecided { .. }) => true,
                (Case::Refused, Outcome::Rejected(r)) => {
                    r.listed
                        && [&r.meaning, &r.cure]
                            .iter()
                            .all(|t| t.iter().all(|s| !s.is_empty()))
                }
                (Case::UnlistedCode, Outcome::Rejected(rejection)) => !rejection.listed,
                (Case::WrongEncoding, Outcome::Unreadable { defect, .. }) => {
                    *defect == "wrong_encoding"
                }
                (Case::Oversize, Outcome::Failed(Failure::Unknown { .. })) => true,
                (
                    Case::DeepNesting
                    | Case::EntityBomb
                    | Case::OtherSubject
                    | Case::Oversize
                    | Case::WrongLength,
                    _,
                ) => unreadable,
                _ => false,
            };
            if !right {
                self.found(format!("{} became {outcome:?}", sample.name));
            }
            if let Outcome::Unreadable { raw, .. } = &outcome
                && **raw != sample.body
            {
                self.found(format!("{} was not kept as it came", sample.name));
            }
        }
    }

    fn a_cut_reply_is_never_the_word_of_the_bureau(&mut self) {
        for sample in self.small_replies() {
            for tenth in 0..10 {
                let cut = &sample.body[..sample.body.len() * tenth / 10];
                let outcome = self.answer(200, cut);
                if !is_open(&outcome) {
                    self.found(format!(
                        "{} cut at {tenth}/10 became {outcome:?}",
                        sample.name
                    ));
                }
            }
        }
    }

    fn another_status_is_never_the_word_of_the_bureau(&mut self) {
        for sample in self.small_replies() {
            for status in [204, 307, 400, 403, 404, 429, 500, 503] {
                let outcome = self.answer(status, &sample.body);
                if !matches!(outcome, Outcome::Failed(_)) {
                    self.found(format!(
                        "{} with status {status} became {outcome:?}",
                        sample.name
                    ));
                }
            }
        }
    }

    /// What was not sent may be sent again; so nothing else may be called that.
    fn failures_keep_their_meaning(&mut self) {
        let mut calls = 0;
        for failure in [
            Failure::NotSent { cause: "connect" },
            Failure::Unknown { cause: "cut" },
        ] {
            let outcome = self.run(|_| {
                calls += 1;
                Happened::Failed(failure.clone())
            });
            if !matches!(&outcome, Outcome::Failed(kept) if *kept == failure) {
                self.found(format!("{failure:?} became {outcome:?}"));
            }
        }
        if calls != 2 {
            self.found("a failed exchange was repeated".to_owned());
        }
        let outcome = self.run(|_| Happened::Waited);
        if !matches!(outcome, Outcome::Failed(Failure::Unknown { .. })) {
            self.found(format!("an answer out of turn became {outcome:?}"));
        }
    }

    /// All but the oversize ones, which would only cost time.
    fn small_replies(&self) -> impl Iterator<Item = &'a Sample> + use<'a> {
        self.samples
            .replies
            .iter()
            .filter(|sample| sample.case != Case::Oversize)
    }

    /// Whatever became of the signer's own exchange, the bureau has seen nothing.
    fn what_is_not_signed_is_not_sent(&mut self) {
        let Ok(mut conversation) = self.adapter.inquire(self.samples.request.clone()) else {
            return;
        };
        let Step::Sign { .. } = conversation.next(None) else {
            return;
        };
        let failure = Failure::Unknown { cause: "signer" };
        let step = conversation.next(Some(Happened::Failed(failure)));
        if !matches!(step, Step::Done(Outcome::Failed(Failure::NotSent { .. }))) {
            self.found(format!("after a failed signature came {step:?}"));
        }
    }

    fn answer(&mut self, status: u16, body: &[u8]) -> Outcome {
        self.run(|_| {
            Happened::Replied(WireReply {
                status,
                body: Zeroizing::new(body.to_vec()),
            })
        })
    }

    fn run(&mut self, exchange: impl FnMut(WireRequest) -> Happened) -> Outcome {
        match self.adapter.inquire(self.samples.request.clone()) {
            Ok(conversation) => run_offline(conversation, &self.samples.signature, exchange),
            Err(error) => {
                self.found(error.to_string());
                Outcome::Failed(Failure::NotSent { cause: "request" })
            }
        }
    }

    fn found(&mut self, finding: String) {
        self.findings.push(finding);
    }
}

fn unknown() -> Happened {
    Happened::Failed(Failure::Unknown { cause: "cut" })
}

/// Nobody may act on it as if the bureau had spoken.
fn is_open(outcome: &Outcome) -> bool {
    matches!(
        outcome,
        Outcome::Unreadable { .. }
            | Outcome::Undecided { .. }
            | Outcome::Failed(Failure::Unknown { .. })
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Answer, Capabilities, RequestError};

    /// Takes every reply for a report, and asks again after a failure.
    struct Careless(Capabilities);

    struct Talk {
        name: String,
    }

    impl Adapter for Careless {
        fn name(&self) -> &'static str {
            "careless"
        }

        fn capabilities(&self) -> &Capabilities {
            &self.0
        }

        fn reason_code(&self, _: &str, _: &str) -> Option<&str> {
            None
        }

        fn message_id(&self, serial: u32, _: jiff::Timestamp) -> String {
            serial.to_string()
        }

        fn inquire(&self, request: InquiryRequest) -> Result<Box<dyn Conversation>, RequestError> {
            Ok(Box::new(Talk {
                name: request.subject_name.to_string(),
            }))
        }

        fn reread(&self, _: &InquiryRequest, raw: Zeroizing<Vec<u8>>) -> Outcome {
            Outcome::Unreadable {
                defect: "careless",
                raw,
            }
        }
    }

    impl Conversation for Talk {
        fn next(&mut self, last: Option<Happened>) -> Step {
            let report = match last {
                None => {
                    return Step::Http(WireRequest {
                        path: format!("/{}", self.name),
                        headers: Vec::new(),
                        body: Zeroizing::default(),
                        reply_limit_bytes: 1,
                    });
                }
                Some(Happened::Replied(reply)) => reply.body,
                Some(_) => return Step::Done(Outcome::Failed(Failure::NotSent { cause: "cut" })),
            };
            let code = String::new();
            Step::Done(Outcome::Answered(Answer {
                code,
                partial: false,
                report,
            }))
        }
    }

    #[test]
    fn a_careless_adapter_does_not_pass() {
        let text = |s: &str| Zeroizing::new(s.to_owned());
        let request = InquiryRequest {
            product: "p".to_owned(),
            subject_name: text("测试甲"),
            id_type: "10".to_owned(),
            id_number: text("999999199001010016"),
            reason: "02".to_owned(),
            institution_code: "Z99990000H0001".to_owned(),
            originator_code: "Z99990000H0001".to_owned(),
            user: "u".to_owned(),
            password: text("p4ssword"),
            originator_user: "u".to_owned(),
            serial: 1,
            at: jiff::Timestamp::UNIX_EPOCH,
        };
        let reply = |name, case| Sample {
            name,
            case,
            body: b"0123456789".to_vec(),
        };
        let samples = Samples {
            request,
            signature: Vec::new(),
            body: b"x".to_vec(),
            replies: vec![
                reply("hit", Case::Hit(b"0123456789".to_vec())),
                reply("refusal", Case::Refused),
            ],
        };
        let findings = findings(&Careless(Capabilities::default()), &samples);
        for expected in [
            "the body is not the golden one",
            "personal data outside the body",
            "no sample of EntityBomb",
            "refusal became Answered",
            "hit cut at 0/10 became Answered",
            "hit with status 503 became Answered",
            "Unknown { cause: \"cut\" } became Failed(NotSent",
        ] {
            assert!(
                findings.iter().any(|f| f.starts_with(expected)),
                "{expected}: {findings:#?}"
            );
        }
        assert!(!findings.iter().any(|f| f.starts_with("hit became")));
    }
}
