//! Records made from a plan, without knowing any of its items.

use schemas::kind::{Kind, Length};
use schemas::plan::{Element, RecordPlan, What};
use schemas::record::{Place, Record};

/// Decisions read from bytes; where they end, every decision is the first. So a failing case
/// shrinks to a small record.
pub(crate) struct Choices<'b> {
    bytes: &'b [u8],
}

impl<'b> Choices<'b> {
    pub(crate) fn new(bytes: &'b [u8]) -> Self {
        Self { bytes }
    }

    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        let mut number = 0;
        for _ in 0..if bound > 256 { 2 } else { 1 } {
            let (first, rest) = self.bytes.split_first().unwrap_or((&0, &[]));
            self.bytes = rest;
            number = number * 256 + usize::from(*first);
        }
        number % bound
    }

    fn digits(&mut self, count: usize) -> String {
        (0..count)
            .map(|_| char::from(b'0' + self.below(10) as u8))
            .collect()
    }

    fn text(&mut self, alphabet: &[&str], length: Length) -> String {
        let most = match length {
            Length::Any => 8,
            Length::Exactly(n) => n as usize,
            Length::UpTo(n) => 1 + self.below(n as usize),
        };
        (0..most)
            .map(|_| alphabet[self.below(alphabet.len())])
            .collect()
    }

    /// A value that the kind of the element allows.
    pub(crate) fn value(&mut self, element: Element<'_>, kind: Kind, length: Length) -> String {
        match kind {
            Kind::Ascii => self.text(&["a", "Z", "0", "-", "&", "<", ">", "\"", "'", " "], length),
            Kind::Code => {
                let codes: Vec<&str> = element.codes().map(|code| code.code).collect();
                codes[self.below(codes.len())].to_owned()
            }
            Kind::Date => {
                let (year, month) = (1901 + self.below(199), 1 + self.below(12));
                format!("{year}-{month:02}-{:02}", 1 + self.below(28))
            }
            Kind::Decimal2 => {
                let sign = ["", "-"][self.below(2)];
                format!("{sign}{}.{}", self.digits(3), self.digits(2))
            }
            Kind::Digits => self.text(&["0", "1", "9"], length),
            Kind::Month => format!("{}-{:02}", 1901 + self.below(199), 1 + self.below(12)),
            Kind::Text => {
                let alphabet = [
                    "测", "试", "𠀀", "𪚥", "a", "é", "　", "&", "<", "]]>", "\"", "'", " ",
                ];
                self.text(&alphabet[..], half(length))
            }
            Kind::Uint => {
                let zeros = ["", "0", "00"][self.below(3)];
                let most = if let Length::UpTo(n) = length {
                    n as usize
                } else {
                    1
                };
                let count = 1 + self.below(most);
                format!("{zeros}{}", self.digits(count))
            }
            Kind::Year => (1901 + self.below(199)).to_string(),
        }
    }

    /// Anything that XML can hold.
    fn anything(&mut self) -> String {
        let alphabet = [
            "𠀀", "\t", "\n", "\r", "\r\n", "&", "<", "]]>", " ", "x", "\u{85}", "\u{fffd}",
        ];
        let count = self.below(6);
        (0..count)
            .map(|_| alphabet[self.below(alphabet.len())])
            .collect()
    }
}

/// A text twice too long only where a sign has three characters.
fn half(length: Length) -> Length {
    match length {
        Length::UpTo(n) => Length::UpTo((n / 3).max(1)),
        other => other,
    }
}

/// A record with any of its items there, most of them sound by themselves.
pub(crate) fn record(plan: &RecordPlan, choices: &mut Choices<'_>) -> Record {
    let mut record = plan.new_record();
    fill(plan, &mut record, Place::RECORD, plan.root(), choices);
    record
}

fn fill(
    plan: &RecordPlan,
    record: &mut Record,
    place: Place,
    element: Element<'_>,
    choices: &mut Choices<'_>,
) {
    for child in element.children() {
        match child.what() {
            What::Item { kind, length } => match choices.below(8) {
                0 => {}
                1 => plan.put(record, place, child.id(), &choices.anything()),
                _ => {
                    let value = choices.value(child, kind, length);
                    plan.put(record, place, child.id(), &value);
                }
            },
            What::Segment => {
                if choices.below(4) > 0 {
                    plan.mark(record, place, child.id());
                    fill(plan, record, place, child, choices);
                }
            }
            What::Group { .. } => {
                for _ in 0..choices.below(4) {
                    let entry = plan.open(record, place, child.id());
                    fill(plan, record, entry, child, choices);
                }
            }
        }
    }
}

/// The record with about one item in `rarity` changed to another value of its kind, emptied, or
/// taken out.
pub(crate) fn mutate(
    plan: &RecordPlan,
    from: &Record,
    rarity: usize,
    choices: &mut Choices<'_>,
) -> Record {
    let mut record = plan.new_record();
    copy(
        plan,
        from,
        &mut record,
        [Place::RECORD; 2],
        plan.root(),
        rarity,
        choices,
    );
    record
}

fn copy(
    plan: &RecordPlan,
    from: &Record,
    to: &mut Record,
    [old, new]: [Place; 2],
    element: Element<'_>,
    rarity: usize,
    choices: &mut Choices<'_>,
) {
    for child in element.children() {
        match child.what() {
            What::Item { kind, length } => {
                let Some(value) = plan.value(from, old, child.id()) else {
                    continue;
                };
                let value = match choices.below(rarity * 4) {
                    1 | 5 => choices.value(child, kind, length),
                    2 => String::new(),
                    3 => continue,
                    4 => format!("  {value} "),
                    _ => value.to_owned(),
                };
                plan.put(to, new, child.id(), &value);
            }
            What::Segment => copy(plan, from, to, [old, new], child, rarity, choices),
            What::Group { .. } => {
                for entry in plan.entries(from, old, child.id()) {
                    let copied = plan.open(to, new, child.id());
                    copy(plan, from, to, [entry, copied], child, rarity, choices);
                }
            }
        }
    }
}
