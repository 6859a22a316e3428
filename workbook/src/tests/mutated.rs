//! Whatever becomes of a workbook, reading it ends, and never in a panic.

use std::io::Cursor;
use std::sync::LazyLock;

use proptest::prelude::*;
use schemas::text::Language;

use super::*;

static GOOD: LazyLock<Vec<u8>> = LazyLock::new(|| filled("410"));
static PARTS: LazyLock<Vec<(String, Vec<u8>)>> = LazyLock::new(|| parts(&GOOD));

/// Reads, and marks what can be read.
fn survive(bytes: &[u8]) {
    let limits = Limits {
        inflated: 8 << 20,
        ..Limits::default()
    };
    let Ok(taken) = try_take(bytes, limits) else {
        return;
    };
    if let Ok(mut book) = Book::open(Cursor::new(bytes), limits) {
        let copy = Cursor::new(Vec::new());
        let _ = crate::annotate(&mut book, &editions(), &taken.findings, Language::En, copy);
    }
}

fn mutate(content: &mut Vec<u8>, at: prop::sample::Index, how: u8, by: &[u8]) {
    if content.is_empty() {
        return;
    }
    let at = at.index(content.len());
    match how % 4 {
        0 => content[at] = by.first().copied().unwrap_or(0),
        1 => content.truncate(at),
        2 => {
            content.splice(at..at, by.iter().copied());
        }
        _ => {
            let end = (at + by.len()).min(content.len());
            content.drain(at..end);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_file_with_changed_bytes_is_read_or_refused(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), prop::collection::vec(any::<u8>(), 1..8)), 1..6),
    ) {
        let mut bytes = GOOD.clone();
        for (at, how, by) in changes {
            mutate(&mut bytes, at, how, &by);
        }
        survive(&bytes);
    }

    #[test]
    fn parts_with_changed_text_are_read_or_refused(
        part in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), "[<>/&;=\"a-zA-Z0-9 .!\\-]{1,8}"), 1..6),
    ) {
        let mut parts = PARTS.clone();
        let part = part.index(parts.len());
        for (at, how, by) in changes {
            mutate(&mut parts[part].1, at, how, by.as_bytes());
        }
        survive(&packed(&parts));
    }
}
