//! What a page tells at its end.

use std::collections::BTreeSet;

use super::{Note, NoteKind};
use crate::report::dictionary::Form;
use crate::report::item::Item;
use crate::report::tree::Report;
use crate::text::{Label, Language};

pub(super) fn notes(report: &Report, language: Language) -> Vec<Note> {
    let note = |kind| move |text| Note { kind, text };
    let reading = report.dictionary.head.notes.iter().map(|(zh, en)| {
        let label = Label { zh, en };
        label.text(language).to_owned()
    });
    let mut notes: Vec<Note> = reading.map(note(NoteKind::Reading)).collect();
    notes.extend(
        doubts(report, language)
            .into_iter()
            .map(note(NoteKind::Doubt)),
    );
    // Unknown elements stand below with what they hold.
    let remarks = report
        .remarks()
        .iter()
        .filter(|remark| remark.kind != crate::report::RemarkKind::UnknownElement);
    let remarks = remarks.map(|remark| format!("{}: {}", remark.path, remark.kind.text(language)));
    notes.extend(remarks.map(note(NoteKind::Remark)));
    if report.remarks_left_out() > 0 {
        let more = match language {
            Language::En => format!("and {} remarks more", report.remarks_left_out()),
            Language::Zh => format!("另有 {} 条备注未列出", report.remarks_left_out()),
        };
        notes.push(note(NoteKind::Remark)(more));
    }
    let unknown = report.unknown();
    let unknown = unknown.map(|unknown| format!("{}: {}", unknown.path(), unknown.content()));
    notes.extend(unknown.map(note(NoteKind::Unknown)));
    notes
}

/// Each item with a doubtful value once, with its doubt.
fn doubts(report: &Report, language: Language) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let mut texts = Vec::new();
    for index in 0..report.nodes.len() {
        if !matches!(report.element(index).form, Form::Item { .. }) {
            continue;
        }
        let item = Item { report, index };
        let Some(doubt) = item.doubt() else {
            continue;
        };
        if seen.insert((item.code(), doubt.label().en)) {
            let label = item.label().text(language);
            texts.push(format!(
                "{label} ({}): {}",
                item.code(),
                doubt.label().text(language)
            ));
        }
    }
    texts
}
