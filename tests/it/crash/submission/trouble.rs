//! Ways of files that stop or are refused, and what people make of them.

use std::{fs, path::Path, thread, time::Duration};

use creditgate::{
    demo::loans::ORGANIZATION,
    platform::clock::{Clock, china_date},
    submissions::FileState::{Answered, Arrived, Delivered, Refused, Sending, Stopped, Written},
};
use mocks::Lie;
use schemas::file::FileName;

use super::{
    super::site::Site,
    input,
    scripts::{PLAIN, Script, spite},
    stage::{File, Stage, https},
};

/// Each of them ends with another file, or with the right answer to this one.
pub(super) const ALL: &[Script] = &[
    Script {
        name: "refused whole",
        edges: &[(Arrived, Refused)],
        points: &[
            "file.refused>file.refused.before",
            "file.refused>file.refused.after",
        ],
        before: |site| {
            spite(site);
            site.house.desk.refuse_whole(1);
        },
        play: |stage| Box::pin(another_file(stage)),
        ..PLAIN
    },
    Script {
        name: "refused before it was taken",
        edges: &[(Delivered, Refused)],
        before: |site| {
            spite(site);
            site.house.desk.go_away(true);
        },
        play: |stage| Box::pin(turned_away(stage)),
        ..PLAIN
    },
    Script {
        name: "other bytes acknowledged",
        edges: &[(Sending, Refused)],
        before: |site| {
            spite(site);
            site.house.desk.withhold_feedback(true);
            take_the_name(site);
            wait_for(&site.house.folder.join("exchange/in").join(name() + ".ack"));
        },
        play: |stage| Box::pin(another_file(stage)),
        ..PLAIN
    },
    Script {
        name: "name used, by the folders",
        edges: &[(Delivered, Stopped), (Stopped, Refused)],
        before: name_used,
        play: |stage| Box::pin(another_file(stage)),
        ..PLAIN
    },
    Script {
        name: "name used, by HTTPS",
        edges: &[(Sending, Stopped)],
        plan: https,
        before: name_used,
        play: |stage| Box::pin(another_file(stage)),
        ..PLAIN
    },
    Script {
        name: "answered before it was sent",
        edges: &[(Written, Stopped)],
        first: Some("file.reserved>file.written.after"),
        between: |site| {
            take_the_name(site);
            let feedback = format!("{}2.enc", &name()[..29]);
            wait_for(&site.house.folder.join("exchange/in").join(feedback));
        },
        play: |stage| Box::pin(another_file(stage)),
        ..PLAIN
    },
    Script {
        name: "broken feedback, looked at again",
        edges: &[(Arrived, Stopped), (Stopped, Arrived)],
        before: broken_feedback,
        play: |stage| Box::pin(mended(stage, "look_again")),
        ..PLAIN
    },
    Script {
        name: "broken feedback, delivered again by a person",
        edges: &[(Stopped, Sending)],
        points: &[
            "file.sending>file.arrived.before#2",
            "file.sending>file.arrived.after#2",
        ],
        plan: https,
        before: broken_feedback,
        play: |stage| Box::pin(mended(stage, "resend")),
        ..PLAIN
    },
    Script {
        name: "acknowledgment lost by the folders, delivered again by a person",
        edges: &[(Delivered, Sending)],
        before: unheard,
        play: |stage| Box::pin(sent_again(stage)),
        ..PLAIN
    },
];

/// The name of the first file.
fn name() -> String {
    let today = china_date(Clock::system().now());
    let name = FileName::new(ORGANIZATION, today, "210", 1);
    name.unwrap().to_string()
}

/// Somebody else's bytes reach the bureau under the name of the first file.
fn take_the_name(site: &Site) {
    let out = site.house.folder.join("exchange/out");
    fs::write(out.join(".stranger"), b"no file of ours").unwrap();
    fs::rename(out.join(".stranger"), out.join(name() + ".enc")).unwrap();
    while !site.house.desk.files().contains_key(&name()) {
        thread::sleep(Duration::from_millis(5));
    }
}

fn wait_for(path: &Path) {
    while !path.exists() {
        thread::sleep(Duration::from_millis(5));
    }
}

/// Somebody used the name, and nobody heard of it.
fn name_used(site: &Site) {
    spite(site);
    site.house.desk.lose_acknowledgments(1);
    site.house.desk.withhold_feedback(true);
    take_the_name(site);
}

fn broken_feedback(site: &Site) {
    spite(site);
    site.house.desk.lie(Lie::Cut);
}

fn unheard(site: &Site) {
    spite(site);
    site.house.desk.lose_acknowledgments(1);
    site.house.desk.withhold_feedback(true);
}

/// The first file ends without effect; a person gives its name up, and the
/// records go into another.
async fn another_file(stage: &Stage<'_>) -> Option<()> {
    let id = stage.hand_in("month", input::two()).await?;
    let known = |files: &[File]| {
        let known = |it: &File| matches!(it.state, Arrived | Refused | Stopped);
        files.iter().any(known)
    };
    stage.until(known).await?;
    // Who died before the bureau's word was kept cannot know whose bytes it has
    // under the name: the file waits for the answer, and that refuses it.
    stage.site.house.desk.withhold_feedback(false);
    let over = |files: &[File]| (files.iter()).any(|it| matches!(it.state, Refused | Stopped));
    let files = stage.until(over).await?;
    // Given up already where the records went on.
    if files.len() == 1 {
        stage.decide(&files[0], "give_up").await?;
    }
    stage.settled(&id, 0).await?;
    let files = stage.files().await?;
    let states: Vec<_> = files.iter().map(|file| file.state).collect();
    assert_eq!(states, [Refused, Answered], "{files:?}");
    assert!(files[0].cause.is_some(), "{files:?}");
    Some(())
}

/// The bureau's porter takes the file away and says no.
async fn turned_away(stage: &Stage<'_>) -> Option<()> {
    stage.hand_in("month", input::two()).await?;
    let placed = |files: &[File]| (files.iter()).any(|it| matches!(it.state, Delivered | Refused));
    let files = stage.until(placed);
    let (files, folder) = (files.await?, &stage.site.house.folder);
    let name = &files[0].name;
    // It may have been taken away before the crash.
    let _ = fs::remove_file(folder.join("exchange/out").join(format!("{name}.enc")));
    let word = folder.join("exchange/in").join(format!("{name}.nak"));
    fs::write(word, "ABF010\n").unwrap();
    stage.until(|files| files[0].state == Refused).await?;
    stage.site.house.desk.go_away(false);
    another_file(stage).await
}

/// The bureau puts its answer right, and a person acts.
async fn mended(stage: &Stage<'_>, decision: &str) -> Option<()> {
    let id = stage.hand_in("month", input::two()).await?;
    let over = |files: &[File]| (files.iter()).any(|it| matches!(it.state, Stopped | Answered));
    // After the crash of a person's act it may be under way again.
    let files = stage.until(over).await?;
    stage.site.house.desk.mend_feedback();
    if files[0].state == Stopped {
        stage.decide(&files[0], decision).await?;
    }
    stage.settled(&id, 0).await?;
    let files = stage.files().await?;
    assert_eq!(files.len(), 1, "{files:?}");
    assert_eq!(files[0].state, Answered, "{files:?}");
    Some(())
}

/// Nobody heard that the bureau has the file, and a person has it sent again.
async fn sent_again(stage: &Stage<'_>) -> Option<()> {
    let id = stage.hand_in("month", input::two()).await?;
    let there = |files: &[File]| {
        let there = |it: &File| matches!(it.state, Delivered | Arrived | Answered);
        files.iter().any(there)
    };
    let files = stage.until(there).await?;
    if files[0].state == Delivered {
        stage.decide(&files[0], "resend").await?;
    }
    stage.site.house.desk.withhold_feedback(false);
    stage.settled(&id, 0).await?;
    let files = stage.files().await?;
    assert_eq!(files.len(), 1, "{files:?}");
    assert_eq!(files[0].state, Answered, "{files:?}");
    Some(())
}
