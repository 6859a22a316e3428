//! The code lists that a record reads.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::cell;
use crate::plan::RecordPlan;
use crate::text::{Label, Language};

/// A list of more codes than this is named, not told.
const MOST_CODES: usize = 60;

/// Writes every list with its codes; of a long one only how many there are.
pub(super) fn lists(page: &mut String, plan: &RecordPlan, language: Language) {
    let (title, header, many) = match language {
        Language::En => (
            "Codes",
            "| Code | Meaning |",
            "codes; they stand in `codes.tsv` of the format",
        ),
        Language::Zh => ("代码表", "| 代码 | 含义 |", "个代码，见该格式的`codes.tsv`"),
    };
    // The record type itself holds one code only, which stands in its row.
    let others = (0..plan.nodes.len() as u16).filter(|node| Some(*node) != plan.type_item);
    let read: BTreeSet<u16> = others
        .filter_map(|node| plan.nodes[node as usize].item())
        .flat_map(|item| item.lists.iter().copied())
        .collect();
    let lists = read.iter().map(|list| &plan.lists.0[*list as usize]);
    let mut lists: Vec<_> = lists.collect();
    if lists.is_empty() {
        return;
    }
    let _ = writeln!(page, "## {title}\n");
    lists.sort_by_key(|(name, _)| name);
    for (name, list) in lists {
        let _ = writeln!(page, "### {name}\n");
        if list.iter().len() > MOST_CODES {
            let _ = writeln!(page, "{} {many}\n", list.iter().len());
            continue;
        }
        let _ = writeln!(page, "{header}\n|---|---|");
        for meaning in list.iter() {
            let label = Label {
                zh: meaning.zh,
                en: meaning.en,
            };
            let _ = writeln!(
                page,
                "| {} | {} |",
                meaning.code,
                cell(&super::both(label, language))
            );
        }
        page.push('\n');
    }
}

/// The anchor that readers of Markdown give a heading.
pub(super) fn anchor(heading: &str) -> String {
    let kept = heading
        .chars()
        .filter(|c| c.is_alphanumeric() || *c == '-' || *c == '_');
    kept.collect::<String>().to_lowercase()
}
