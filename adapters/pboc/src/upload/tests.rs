//! The suite over both ways, and what it cannot know.

use contract::Adapter as _;
use contract::conformance::{FileSamples, STRANGE, Said, WaySamples, file_findings, run_files};
use contract::files::{Folder, Place};
use proptest::prelude::*;
use zeroize::Zeroizing;

use super::*;
use crate::Pboc;

const NAME: &str = "T99999999H00012024060121000010";

fn file() -> FileToSend {
    FileToSend {
        name: NAME.to_owned(),
        size_bytes: 3,
        sha256: [0xab; 32],
    }
}

fn words(way: Way) -> WaySamples {
    let (ours, other) = ("ab".repeat(32), "cd".repeat(32));
    let (list, listed) = (
        [&["T99999999H00012024060121000011.enc"], &STRANGE[..]].concat(),
        |list: Vec<&str>| serde_json::json!({ "files": list }).to_string(),
    );
    let folder = |ending: &str, text: &str| {
        Said::Folder(vec![(
            format!("{NAME}.{ending}"),
            format!("{text}\n").into_bytes(),
        )])
    };
    let reply = |status, json: serde_json::Value| Said::Reply(status, json.to_string().into());
    match way {
        Way::Exchange => WaySamples {
            way,
            acknowledged: folder("ack", &ours),
            acknowledged_other: folder("ack", &other),
            listed: Said::Folder(list.iter().map(|n| ((*n).to_owned(), Vec::new())).collect()),
            received_before: folder("nak", "ABF009"),
            refused: folder("nak", "ABN003"),
            refused_code: "ABN003".to_owned(),
        },
        Way::Https => WaySamples {
            way,
            acknowledged: reply(201, serde_json::json!({"name": NAME, "sha256": ours})),
            acknowledged_other: reply(201, serde_json::json!({"name": NAME, "sha256": other})),
            listed: Said::Reply(200, listed(list).into()),
            received_before: reply(409, serde_json::json!({"code": "ABF009"})),
            refused: reply(422, serde_json::json!({"code": "ABN003"})),
            refused_code: "ABN003".to_owned(),
        },
    }
}

#[test]
fn both_ways_keep_the_promises_of_the_contract() {
    let samples = FileSamples {
        file: file(),
        feedback: "T99999999H00012024060121000011".to_owned(),
        ways: vec![words(Way::Exchange), words(Way::Https)],
    };
    assert_eq!(file_findings(&Pboc::new(), &samples), Vec::<String>::new());
}

fn run(way: Way, task: FileTask, world: impl FnMut(&FileStep) -> FileHappened) -> FileOutcome {
    run_files(Pboc::new().files(way, task).unwrap(), world)
}

fn got(text: &str) -> FileHappened {
    FileHappened::Got(Zeroizing::new(text.as_bytes().to_vec()))
}

#[test]
fn on_the_folders_words_come_before_another_delivery() {
    let mut steps = Vec::new();
    let outcome = run(Way::Exchange, FileTask::Deliver(file()), |step| {
        steps.push(match step {
            FileStep::GetFile {
                from: Place::Folder(Folder::In, name),
                ..
            } => name.clone(),
            FileStep::PutFile(Place::Folder(Folder::Out, name)) => format!("put {name}"),
            other => format!("{other:?}"),
        });
        match step {
            FileStep::PutFile(_) => FileHappened::Put,
            _ => FileHappened::Missing,
        }
    });
    assert_eq!(outcome, FileOutcome::Delivery(Delivery::Placed));
    let expected = [".ack", ".nak", ".enc"].map(|ending| format!("{NAME}{ending}"));
    assert_eq!(steps[..2], expected[..2]);
    assert_eq!(steps[2..], [format!("put {}", expected[2])]);
}

#[test]
fn what_failed_before_anything_was_put_was_not_sent() {
    let cut = || FileHappened::Failed(Failure::Unknown { cause: "folder" });
    let outcome = run(Way::Exchange, FileTask::Deliver(file()), |_| cut());
    let not_sent = Delivery::NotSent { cause: "folder" };
    assert_eq!(outcome, FileOutcome::Delivery(not_sent));
    let outcome = run(Way::Exchange, FileTask::Ask(file()), |_| cut());
    let unknown = Failure::Unknown { cause: "folder" };
    assert_eq!(outcome, FileOutcome::Failed(unknown));
}

#[test]
fn asking_puts_nothing() {
    for (text, expected) in [
        (Some("ab".repeat(32)), Delivery::Arrived),
        (Some("AB".repeat(32)), Delivery::Arrived),
        (
            Some("ab".repeat(31)),
            Delivery::Unknown {
                cause: "acknowledgment_unreadable",
            },
        ),
    ] {
        let outcome = run(Way::Exchange, FileTask::Ask(file()), |_| {
            got(text.as_deref().unwrap_or_default())
        });
        assert_eq!(outcome, FileOutcome::Delivery(expected));
    }
    for way in [Way::Exchange, Way::Https] {
        let outcome = run(way, FileTask::Ask(file()), |step| {
            assert!(!matches!(step, FileStep::PutFile(_)));
            FileHappened::Missing
        });
        assert_eq!(outcome, FileOutcome::Absent, "{way:?}");
    }
}

#[test]
fn a_put_names_the_digest_and_a_reply_on_another_file_counts_for_nothing() {
    let answer = |status, body: serde_json::Value| {
        run(Way::Https, FileTask::Deliver(file()), |step| {
            let FileStep::PutFile(Place::Http { path, headers, .. }) = step else {
                panic!("{step:?}");
            };
            assert_eq!(*path, format!("/submissions/files/{NAME}.enc"));
            let digest = "sha-256=:q6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6s=:";
            assert!(headers.contains(&("content-digest", digest.to_owned())));
            FileHappened::Replied(contract::WireReply {
                status,
                body: Zeroizing::new(body.to_string().into_bytes()),
            })
        })
    };
    let (ours, other) = ("ab".repeat(32), "cd".repeat(32));
    let refused = |code: &str| Delivery::Refused {
        code: code.to_owned(),
    };
    let unknown = |cause| Delivery::Unknown { cause };
    for (status, body, expected) in [
        (
            201,
            serde_json::json!({"name": "T99999999H00012024060121000020", "sha256": ours}),
            unknown("reply_of_another_file"),
        ),
        (
            201,
            serde_json::json!({"name": format!("{NAME}.enc"), "sha256": ours}),
            Delivery::Arrived,
        ),
        (
            201,
            serde_json::json!({"code": "ABF000", "sha256": ours}),
            unknown("acknowledgment_unreadable"),
        ),
        (
            409,
            serde_json::json!({"code": "ABF009", "sha256": other}),
            refused("digest_mismatch"),
        ),
        (
            409,
            serde_json::json!({"code": "ABF001"}),
            refused("ABF001"),
        ),
        (
            400,
            serde_json::json!({"code": "nope"}),
            unknown("status_4xx"),
        ),
        (404, serde_json::json!(null), unknown("status_4xx")),
        (
            429,
            serde_json::json!({"code": "ABF001"}),
            unknown("status_4xx"),
        ),
    ] {
        let outcome = answer(status, body.clone());
        assert_eq!(outcome, FileOutcome::Delivery(expected), "{status} {body}");
    }
}

#[test]
fn a_feedback_file_that_is_gone_is_absent() {
    let name = || FileTask::Fetch("T99999999H00012024060121000013".to_owned());
    for (status, expected) in [
        (404, FileOutcome::Absent),
        (
            503,
            FileOutcome::Failed(Failure::Unknown {
                cause: "status_5xx",
            }),
        ),
    ] {
        let outcome = run(Way::Https, name(), |_| {
            FileHappened::Replied(contract::WireReply {
                status,
                body: Zeroizing::default(),
            })
        });
        assert_eq!(outcome, expected);
    }
    let outcome = run(Way::Exchange, name(), |_| FileHappened::Missing);
    assert_eq!(outcome, FileOutcome::Absent);
}

proptest! {
    /// Only the digest of our bytes, whole, makes a file arrive.
    #[test]
    fn no_other_words_make_a_file_arrive(status in 100u16..600, body: Vec<u8>, json in "[{}\\[\\]\",:a-z0-9]{0,80}") {
        for body in [body, json.into_bytes()] {
            let outcome = run(Way::Https, FileTask::Deliver(file()), |_| {
                FileHappened::Replied(contract::WireReply {
                    status,
                    body: Zeroizing::new(body.clone()),
                })
            });
            let FileOutcome::Delivery(delivery) = outcome else {
                panic!("{outcome:?}");
            };
            prop_assert!(!delivery.has_arrived(), "{delivery:?}");
            let outcome = run(Way::Exchange, FileTask::Deliver(file()), |step| match step {
                FileStep::PutFile(_) => FileHappened::Put,
                _ => FileHappened::Got(Zeroizing::new(body.clone())),
            });
            let FileOutcome::Delivery(delivery) = outcome else {
                panic!("{outcome:?}");
            };
            prop_assert!(!delivery.has_arrived(), "{delivery:?}");
        }
    }

    /// Whatever stands in a list or in a folder, only plain names come out.
    #[test]
    fn only_names_of_feedback_files_are_listed(names: Vec<String>) {
        for name in names::feedback(names) {
            prop_assert_eq!(name.len(), 30);
            prop_assert!(name.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        }
    }
}
