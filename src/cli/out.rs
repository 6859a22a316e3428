//! Printing: results to standard output, notes to standard error.

use std::{
    borrow::Cow,
    io::{self, ErrorKind, IsTerminal as _, Write as _},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use super::CliError;

/// How often a progress bar moves.
const TICK: Duration = Duration::from_millis(100);

/// Prints a value as one JSON document.
pub(super) fn json(value: &impl Serialize) -> Result<(), CliError> {
    let bytes = serde_json::to_vec_pretty(value).map_err(|e| CliError::Output(e.into()))?;
    line(&bytes)
}

/// Prints text for a reader, without anything that could steer a terminal.
pub(super) fn text(text: &str) -> Result<(), CliError> {
    line(harmless(text).trim_end_matches('\n').as_bytes())
}

/// Prints bytes as they are, and a line feed.
pub(super) fn line(bytes: &[u8]) -> Result<(), CliError> {
    print(&[bytes, b"\n"])
}

/// Prints bytes as they are.
pub(super) fn raw(bytes: &[u8]) -> Result<(), CliError> {
    print(&[bytes])
}

fn print(parts: &[&[u8]]) -> Result<(), CliError> {
    let mut out = io::stdout().lock();
    let done = parts
        .iter()
        .try_for_each(|part| out.write_all(part))
        .and_then(|()| out.flush());
    match done {
        // The reader has seen enough: `| head`.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        other => other.map_err(CliError::Output),
    }
}

/// Says something on standard error; whether anybody reads it does not matter.
pub(super) fn note(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", harmless(text));
}

/// Shows on a terminal that work goes on; nothing anywhere else.
pub(super) fn spinner(what: &'static str) -> ProgressBar {
    show(ProgressBar::no_length(), "{spinner} {msg} {pos}", what)
}

fn show(bar: ProgressBar, form: &str, what: &'static str) -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    if let Ok(style) = ProgressStyle::with_template(form) {
        bar.set_style(style);
    }
    bar.enable_steady_tick(TICK);
    bar.with_message(what)
}

/// The text without control characters, which in a text from elsewhere could
/// move the cursor and show what is not so.
fn harmless(text: &str) -> Cow<'_, str> {
    let bad = |c: char| c.is_control() && c != '\n' && c != '\t';
    if text.contains(bad) {
        text.replace(bad, "\u{fffd}").into()
    } else {
        text.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_from_elsewhere_cannot_steer_the_terminal() {
        assert_eq!(harmless("a\u{1b}[2Jb\u{9b}c\n"), "a\u{fffd}[2Jb\u{fffd}c\n");
        assert_eq!(harmless("测试甲\t1"), "测试甲\t1");
    }
}
