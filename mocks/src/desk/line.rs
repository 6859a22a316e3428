//! One record line: read and checked.

use std::collections::BTreeMap;

use quick_xml::{Reader, events::Event};

use super::{
    rules,
    tables::{Item, RecordType, tables},
};
use crate::document::character;

/// A fault of a record: the bureau's code, and the tag it names.
pub(crate) type Fault = (String, String);

/// A record that is well-formed.
#[derive(Debug, Default)]
pub(crate) struct Record {
    values: BTreeMap<(String, String), String>,
    segments: Vec<String>,
}

impl Record {
    /// Reads a line of a record type, and checks it against the tables.
    pub(crate) fn read(code: &str, line: &str) -> Result<Self, Vec<Fault>> {
        let whole = || vec![("ABR000".to_owned(), "0000".to_owned())];
        let kind = tables().records.get(code).ok_or_else(whole)?;
        if !line.starts_with("<Document>") || !line.ends_with("</Document>") {
            return Err(whole());
        }
        let mut record = Self::default();
        let mut faults = Vec::new();
        record
            .parse(kind, line, &mut faults)
            .map_err(|()| whole())?;
        if record.value("InfRecType").is_some_and(|it| it != code) {
            return Err(whole());
        }
        if faults.is_empty() {
            faults = rules::broken(code, kind, &record);
        }
        if faults.is_empty() {
            Ok(record)
        } else {
            faults.truncate(5);
            Err(faults)
        }
    }

    /// The first value of this tag, wherever it stands.
    pub(crate) fn value(&self, tag: &str) -> Option<&str> {
        let mut found = self.values.iter().filter(|((_, at), _)| at == tag);
        found
            .next()
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }

    /// The value of this tag in this segment, if it is filled.
    pub(crate) fn at(&self, segment: &str, tag: &str) -> Option<&str> {
        let at = (segment.to_owned(), tag.to_owned());
        let value = self.values.get(&at)?;
        Some(value.as_str()).filter(|value| !value.is_empty())
    }

    /// How often a segment or group stands in it.
    pub(crate) fn count(&self, segment: &str) -> usize {
        self.segments.iter().filter(|one| *one == segment).count()
    }

    /// Whether a segment stands in it.
    pub(crate) fn has(&self, segment: &str) -> bool {
        self.segments.iter().any(|one| one == segment)
    }

    fn parse(&mut self, kind: &RecordType, line: &str, faults: &mut Vec<Fault>) -> Result<(), ()> {
        let mut reader = Reader::from_str(line);
        // Outside the record element, then in it: names, and what was met in each.
        let mut path: Vec<(String, Vec<(String, String)>)> = Vec::new();
        let mut leaf: Option<String> = None;
        let mut text = String::new();
        let mut depth = 0_usize;
        loop {
            match reader.read_event().map_err(|_| ())? {
                Event::Start(start) => {
                    let name = start.name().into_inner().to_owned();
                    if start.attributes().next().is_some() || leaf.is_some() {
                        return Err(());
                    }
                    depth += 1;
                    match depth {
                        1 if name == "Document" => {}
                        2 if name == kind.element => path.push((".".to_owned(), Vec::new())),
                        1 | 2 => return Err(()),
                        _ => {
                            let at = path.last().map_or(".", |(at, _)| at.as_str());
                            let inner = join(at, &name);
                            if kind.segments.contains_key(inner.as_str()) {
                                let repeats = kind.segments[inner.as_str()].repeats;
                                if self.segments.contains(&inner) && !repeats {
                                    return Err(());
                                }
                                self.segments.push(inner.clone());
                                path.push((inner, Vec::new()));
                            } else if kind.items.contains_key(&(at, name.as_str())) {
                                leaf = Some(name);
                                text.clear();
                            } else {
                                return Err(());
                            }
                        }
                    }
                }
                Event::End(_) => {
                    depth = depth.checked_sub(1).ok_or(())?;
                    if let Some(tag) = leaf.take() {
                        let (_, met) = path.last_mut().ok_or(())?;
                        if met.iter().any(|(known, _)| *known == tag) {
                            return Err(());
                        }
                        met.push((tag, text.trim().to_owned()));
                    } else if depth > 0
                        && let Some((at, met)) = path.pop()
                    {
                        check(kind, &at, &met, faults);
                        for (tag, value) in met {
                            self.values.entry((at.clone(), tag)).or_insert(value);
                        }
                    }
                }
                Event::Text(part) if leaf.is_some() => text.push_str(&part),
                Event::Text(part) if part.trim().is_empty() => {}
                Event::GeneralRef(name) if leaf.is_some() => {
                    text.push(character(&name).map_err(|_| ())?);
                }
                Event::Eof if depth == 0 => return Ok(()),
                _ => return Err(()),
            }
        }
    }
}

fn join(at: &str, name: &str) -> String {
    if at == "." {
        name.to_owned()
    } else {
        format!("{at}/{name}")
    }
}

/// What one segment lacks, and what is wrong with its values.
fn check(kind: &RecordType, at: &str, met: &[(String, String)], faults: &mut Vec<Fault>) {
    let of_segment = kind.items.range((at, "")..);
    for ((_, tag), item) in of_segment.take_while(|((path, _), _)| *path == at) {
        let value = met
            .iter()
            .find(|(known, _)| known == tag)
            .map(|(_, value)| value);
        let mut fault = |code: &str| faults.push((code.to_owned(), (*tag).to_owned()));
        match value {
            None if item.always => fault("ABD000"),
            Some(value) if value.is_empty() && item.filled => fault("ABE000"),
            Some(value) if !value.is_empty() && !fits(item, value) => fault("ABE001"),
            _ => {}
        }
    }
}

fn fits(item: &Item, value: &str) -> bool {
    let length = value.chars().count();
    let long = item.length.is_none_or(|(limit, exact)| {
        if exact {
            length == limit
        } else {
            length <= limit
        }
    });
    let made_of = |allowed: fn(&u8) -> bool| value.bytes().all(|byte| allowed(&byte));
    let form = match item.kind {
        "uint" | "digits" => made_of(u8::is_ascii_digit),
        "ascii" => made_of(u8::is_ascii_graphic),
        "date" => length == 10 && value.parse::<jiff::civil::Date>().is_ok(),
        "month" => length == 7 && format!("{value}-01").parse::<jiff::civil::Date>().is_ok(),
        "year" => length == 4 && made_of(u8::is_ascii_digit),
        _ => true,
    };
    long && form && item.list.is_none_or(|list| tables().knows(list, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOAN: &str = include_str!("../../../schemas/testdata/pboc-submit-personal/210.xml");

    fn codes(line: &str) -> Vec<String> {
        let read = Record::read("210", line);
        read.err()
            .unwrap_or_default()
            .into_iter()
            .map(|(code, tag)| format!("{code} {tag}"))
            .collect()
    }

    #[test]
    fn the_published_samples_are_in_order() {
        let sample = |name: &str| {
            let folder = concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/../schemas/testdata/pboc-submit-personal"
            );
            std::fs::read_to_string(format!("{folder}/{name}.xml")).unwrap()
        };
        for name in [
            "110",
            "114",
            "120",
            "130",
            "134",
            "140",
            "210",
            "210-c1",
            "210-d1-special",
            "210-r2",
            "211",
            "212",
            "212-d",
            "213",
            "214",
            "215",
            "220",
            "221",
            "222",
            "222-c",
            "223",
            "224",
            "230",
            "231",
            "232",
            "233",
            "234",
            "511",
            "514",
        ] {
            let read = Record::read(&name[..3], sample(name).trim());
            assert!(read.is_ok(), "{name}: {read:?}");
        }
    }

    #[test]
    fn rules_between_items_are_kept() {
        let cases = [
            (
                "<IDNum>999999198808080010",
                "<IDNum>999999198808080011",
                "ABE004 IDNum",
            ),
            (
                "<IDNum>999999198808080010",
                "<IDNum>999998198808080014",
                "ABE004 IDNum",
            ),
            ("<CcNm>1<", "<CcNm>2<", "ABE010 CcNm"),
            (
                "<OpenDate>2024-05-20<",
                "<OpenDate>2024-05-21<",
                "ABE007 OpenDate",
            ),
            ("<Month>2024-05<", "<Month>2024-07<", "BLE039 RptDate"),
            ("<AcctStatus>1<", "<AcctStatus>3<", "BLE001 CloseDate"),
        ];
        for (from, to, code) in cases {
            let line = LOAN.trim().replacen(from, to, 1);
            assert_ne!(line, LOAN.trim());
            assert_eq!(codes(&line), [code], "{from} -> {to}");
        }
    }

    #[test]
    fn a_good_record_is_read_and_each_fault_has_its_code() {
        assert_eq!(codes(LOAN.trim()), [""; 0]);
        let cases = [
            ("<AcctType>D1</AcctType>", "", "ABD000 AcctType"),
            ("<Cy>CNY</Cy>", "<Cy>CNX</Cy>", "ABE001 Cy"),
            ("<Month>2024-05</Month>", "<Month></Month>", "ABE000 Month"),
            ("<AcctBal>500000<", "<AcctBal>x<", "ABE001 AcctBal"),
            ("<Cy>CNY</Cy>", "<Cy>CNY</Cy><Cy>CNY</Cy>", "ABR000 0000"),
            ("<Cy>CNY</Cy>", "<Sea>CNY</Sea>", "ABR000 0000"),
            ("<Document>", "<Document x=\"1\">", "ABR000 0000"),
            ("<InfRecType>210<", "<InfRecType>211<", "ABR000 0000"),
        ];
        for (from, to, code) in cases {
            let line = LOAN.trim().replacen(from, to, 1);
            assert_ne!(line, LOAN.trim());
            assert_eq!(codes(&line), [code], "{from} -> {to}");
        }
    }
}
