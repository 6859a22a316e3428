//! The lines of a file, judged by several threads and told in their order.

use std::io::{self, BufRead};
use std::num::NonZero;
use std::ops::Range;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use super::super::check::Check;
use super::super::read::{Ended, MOST_BYTES, append_line, skip_line};
use super::line::{Against, Judge};
use super::{Told, has_error, warnings};
use crate::validate::Finding;

/// What was seen of the lines behind the header.
#[derive(Default)]
pub(super) struct Body {
    pub(super) records: u32,
    pub(super) rejected: u32,
    pub(super) warnings: u64,
    /// The last line has no CR LF.
    pub(super) cut: bool,
    /// A line has more characters than any may have, which costs the whole file.
    pub(super) too_long: bool,
}

/// Some lines, and what was found in them.
#[derive(Default)]
struct Chunk {
    bytes: Vec<u8>,
    lines: Vec<Line>,
}

struct Line {
    /// Its place in the bytes.
    at: Range<usize>,
    findings: Vec<Finding>,
}

/// One thread, and its two queues.
struct Hand {
    give: SyncSender<Chunk>,
    take: Receiver<Chunk>,
}

/// Bytes at which a chunk ends.
const CHUNK_BYTES: usize = 1 << 18;

/// Bytes from which on a chunk is judged alone, and its memory given back: it is one huge line.
const HUGE_BYTES: usize = 1 << 22;

/// Chunks that each thread has at once: one under work and one behind it.
const EACH: usize = 2;

type Tell<'t> = &'t mut dyn FnMut(Told<'_>) -> io::Result<()>;

impl Body {
    /// Reads all lines and tells what is wrong with each.
    pub(super) fn read(
        mut self,
        input: &mut impl BufRead,
        against: Option<&Against>,
        threads: NonZero<usize>,
        tell: Tell<'_>,
    ) -> io::Result<Self> {
        thread::scope(|scope| {
            let crew: Vec<Hand> = (0..threads.get())
                .map(|_| {
                    let (give, jobs) = sync_channel(EACH);
                    let (done, take) = sync_channel(EACH);
                    scope.spawn(move || work(against, &jobs, &done));
                    Hand { give, take }
                })
                .collect();
            let (mut given, mut taken) = (0, 0);
            let mut spare = Vec::new();
            let mut alone = Judge::new(against);
            let next = |at: &mut usize| {
                let hand = &crew[*at % crew.len()];
                *at += 1;
                hand
            };
            loop {
                let mut chunk: Chunk = spare.pop().unwrap_or_default();
                let (more, failed) = match self.fill(input, &mut chunk) {
                    Ok(more) => (more, None),
                    // What came before is still told.
                    Err(error) => (false, Some(error)),
                };
                let huge = chunk.bytes.len() >= HUGE_BYTES;
                let most = if huge || !more {
                    0
                } else {
                    EACH * crew.len() - 1
                };
                // A thread that is gone has panicked; the scope tells so at its end.
                while given - taken > most
                    && let Ok(done) = next(&mut taken).take.recv()
                {
                    spare.push(self.tell(done, tell)?);
                }
                if huge || !more {
                    chunk.judge(&mut alone);
                    self.tell(chunk, tell)?;
                    if huge {
                        // What is used again must not stay as large as that line.
                        alone = Judge::new(against);
                    }
                } else if next(&mut given).give.send(chunk).is_err() {
                    break;
                }
                if let Some(error) = failed {
                    return Err(error);
                }
                if !more {
                    break;
                }
            }
            Ok(self)
        })
    }

    /// Reads some lines; false at the end of the file.
    fn fill(&mut self, input: &mut impl BufRead, chunk: &mut Chunk) -> io::Result<bool> {
        chunk.bytes.clear();
        chunk.lines.clear();
        while chunk.bytes.len() < CHUNK_BYTES {
            let start = chunk.bytes.len();
            let mut findings = Vec::new();
            match append_line(input, &mut chunk.bytes, MOST_BYTES)? {
                Ended::Empty => return Ok(false),
                Ended::Whole => {}
                Ended::Cut => {
                    self.cut = true;
                    // Half a line end, or the other one: it is the end that is wrong, not the line.
                    while matches!(chunk.bytes[start..], [.., b'\r' | b'\n']) {
                        chunk.bytes.pop();
                    }
                    if chunk.bytes.len() == start {
                        return Ok(false);
                    }
                }
                Ended::TooLong => {
                    self.cut |= !skip_line(input, &chunk.bytes)?;
                    chunk.bytes.truncate(start);
                    chunk.bytes.shrink_to(CHUNK_BYTES);
                    findings.push(Check::LineLength.finding());
                }
            }
            let at = start..chunk.bytes.len();
            chunk.lines.push(Line { at, findings });
        }
        Ok(true)
    }

    /// Tells what was found in a chunk, and gives its memory back.
    fn tell(&mut self, chunk: Chunk, tell: Tell<'_>) -> io::Result<Chunk> {
        for line in &chunk.lines {
            self.records = self.records.saturating_add(1);
            if line.findings.is_empty() {
                continue;
            }
            self.rejected += u32::from(has_error(&line.findings));
            self.warnings += warnings(&line.findings);
            let too_long = Check::LineLength.name();
            self.too_long |= line.findings.iter().any(|it| it.rule == too_long);
            tell(Told {
                record: Some(self.records),
                line: &chunk.bytes[line.at.clone()],
                findings: &line.findings,
            })?;
        }
        Ok(chunk)
    }
}

impl Chunk {
    fn judge(&mut self, judge: &mut Judge<'_>) {
        for line in &mut self.lines {
            if line.findings.is_empty() {
                line.findings = judge.line(&self.bytes[line.at.clone()]);
            }
        }
    }
}

fn work(against: Option<&Against>, jobs: &Receiver<Chunk>, done: &SyncSender<Chunk>) {
    let mut judge = Judge::new(against);
    for mut chunk in jobs {
        chunk.judge(&mut judge);
        if done.send(chunk).is_err() {
            return;
        }
    }
}
