//! Ways of files that need nobody: what is played until the process dies, and
//! again until everything is answered.

use creditgate::{
    args,
    demo::Plan,
    platform::db::BoxFuture,
    submissions::FileState::{self, Answered, Arrived, Delivered, Reserved, Sending, Written},
};

use super::{
    super::site::{Site, generous},
    input::{self, REJECTED},
    stage::{File, Stage, https},
    trouble,
};

/// A scripted way. Played again after a crash, it goes on where it was.
pub(super) struct Script {
    pub(super) name: &'static str,
    /// The edges between states of files that it passes.
    pub(super) edges: &'static [(FileState, FileState)],
    /// Other points that it passes, written as `CREDITGATE_FAULT` is.
    pub(super) points: &'static [&'static str],
    /// Where an earlier process dies in the same script.
    pub(super) first: Option<&'static str>,
    pub(super) plan: fn() -> Plan,
    /// What the bureau is told before the first process starts.
    pub(super) before: fn(&Site),
    /// What happens between the first two processes.
    pub(super) between: fn(&Site),
    pub(super) play: for<'p> fn(&'p Stage<'_>) -> BoxFuture<'p, Option<()>>,
    /// Whether the commits of its points are tried on PostgreSQL, too.
    pub(super) postgres: bool,
}

pub(super) const PLAIN: Script = Script {
    name: "",
    edges: &[],
    points: &[],
    first: None,
    plan: generous,
    before: spite,
    between: |_| {},
    play: |stage| Box::pin(two_answered(stage)),
    postgres: false,
};

/// All of them.
pub(super) fn all() -> impl Iterator<Item = &'static Script> {
    QUIET.iter().chain(trouble::ALL)
}

const QUIET: &[Script] = &[
    Script {
        name: "answered by the folders",
        edges: &[
            (Reserved, Written),
            (Written, Sending),
            (Sending, Delivered),
            (Delivered, Arrived),
            (Arrived, Answered),
        ],
        // The first answers are of the person, the next two of the loans: first
        // what was rejected of them, then what was accepted.
        points: &[
            "submission.enrolled",
            "submission.chunk.before",
            "submission.chunk.after",
            "submission.assigned",
            "submission.on_disk",
            "submission.carried",
            "submission.feedback_kept",
            "submission.answers.before",
            "submission.answers.after",
            "submission.answers.before#2",
            "submission.answers.after#2",
            "submission.answers.after#3",
        ],
        play: |stage| {
            Box::pin(async move {
                let id = stage.hand_in("month", input::one_of_each()).await?;
                stage.settled(&id, 1).await?;
                assert_eq!(stage.states(&id).await?, input::ENDS, "{}", stage.name);
                Some(())
            })
        },
        postgres: true,
        ..PLAIN
    },
    Script {
        name: "answered by HTTPS",
        edges: &[(Sending, Arrived), (Arrived, Answered)],
        points: &["submission.carried", "submission.feedback_kept"],
        plan: https,
        postgres: true,
        ..PLAIN
    },
    Script {
        name: "cut between chunks",
        points: &[
            "submission.chunk.after",
            "submission.enrolled#2",
            "submission.chunk.before#2",
        ],
        play: |stage| {
            Box::pin(async move {
                let id = stage.hand_in("month", input::many(260)).await?;
                stage.settled(&id, 9).await
            })
        },
        ..PLAIN
    },
    Script {
        name: "corrected",
        points: &["submission.chunk.before#2", "submission.chunk.after#2"],
        play: |stage| {
            Box::pin(async move {
                let id = stage.hand_in("month", input::two()).await?;
                stage.settled(&id, 0).await?;
                let seq = match stage.first(&id, "rejected").await? {
                    Some(seq) => seq,
                    None => stage.first(&id, "replaced").await?.unwrap(),
                };
                let mended = vec![input::correction(&id, seq)];
                let id = stage.hand_in("correction", mended).await?;
                stage.settled(&id, 0).await
            })
        },
        ..PLAIN
    },
    Script {
        name: "noticed",
        points: &[
            "submission.assigned",
            "submission.answers.before",
            "submission.answers.after",
        ],
        play: |stage| Box::pin(noticed(stage)),
        ..PLAIN
    },
    Script {
        name: "acknowledgment by HTTPS lost",
        edges: &[(Sending, Arrived)],
        points: &[
            "submission.carried",
            "submission.carried#2",
            "file.sending>file.sending.after",
        ],
        plan: https,
        before: unacknowledged,
        play: |stage| Box::pin(already_received(stage)),
        ..PLAIN
    },
    Script {
        name: "acknowledgment in the folder lost",
        edges: &[(Delivered, Arrived)],
        first: Some("file.sending>file.delivered.before"),
        before: unacknowledged,
        play: |stage| Box::pin(already_received(stage)),
        ..PLAIN
    },
];

/// The bureau rejects one loan for what only its own database knows.
pub(super) fn spite(site: &Site) {
    let code = input::loan(REJECTED).code();
    site.house.desk.spite(&code, "BLR024");
}

/// The bureau takes a file and does not say so, nor answers.
fn unacknowledged(site: &Site) {
    spite(site);
    site.house.desk.lose_acknowledgments(1);
    site.house.desk.withhold_feedback(true);
}

pub(super) async fn two_answered(stage: &Stage<'_>) -> Option<()> {
    let id = stage.hand_in("month", input::two()).await?;
    stage.settled(&id, 0).await
}

/// A record goes on when its notice is there; the notice serves that record.
async fn noticed(stage: &Stage<'_>) -> Option<()> {
    let loan = input::overdue(3);
    let id = stage.hand_in("month", vec![loan.record()]).await?;
    stage.notify(&loan).await?;
    stage.settled(&id, 0).await?;
    let sql = "SELECT run FROM notices";
    let runs: Vec<(Option<String>,)> = stage.site.read().await.all(sql, args![]).await.unwrap();
    assert!(
        matches!(&runs[..], [(Some(_),)]),
        "{}: {runs:?}",
        stage.name
    );
    Some(())
}

/// Only delivering again tells that the file arrived; then it is answered.
async fn already_received(stage: &Stage<'_>) -> Option<()> {
    let id = stage.hand_in("month", input::two()).await?;
    let arrived = |files: &[File]| {
        files
            .iter()
            .any(|file| matches!(file.state, Arrived | Answered))
    };
    let files = stage.until(arrived).await?;
    assert!(files[0].attempts >= 2, "{}: {files:?}", stage.name);
    let desk = &stage.site.house.desk;
    assert!(desk.files()[&files[0].name].arrivals >= 2, "{files:?}");
    desk.withhold_feedback(false);
    stage.settled(&id, 0).await
}
