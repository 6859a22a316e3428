//! One record line: read and judged.

use std::cell::Cell;

use quick_xml::{Reader, events::Event};

use super::{
    judge,
    tables::{RecordType, What, tables},
    text::Form,
};
use crate::document::character;

/// A fault of a record: the bureau's code, and the tag it names.
pub(crate) type Fault = (String, String);

/// A record that is well-formed.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) kind: &'static RecordType,
    pub(crate) fields: Fields,
}

/// What stands in a record outside of groups, or in an entry of one.
#[derive(Debug)]
pub(crate) struct Fields(Vec<Field>);

/// What stands in one place. It may hold personal data: no `Debug` of its text.
#[derive(Default)]
pub(crate) struct Field {
    pub(crate) text: String,
    pub(crate) state: Cell<State>,
    pub(crate) hidden: Cell<bool>,
    pub(crate) entries: Vec<Fields>,
}

/// What is to be said of a field by itself.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum State {
    #[default]
    Absent,
    /// Without content; also a segment or group.
    Blank,
    /// Wrong kind, length or code.
    Bad,
    /// A date out of range.
    Beyond,
    Good,
}

impl std::fmt::Debug for Field {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Field({:?}, {:?})", self.state, self.entries)
    }
}

impl Fields {
    fn new(kind: &RecordType, group: usize) -> Self {
        let count = kind.places.get(&group).copied().unwrap_or_default();
        Self((0..count).map(|_| Field::default()).collect())
    }

    pub(crate) fn field(&self, place: usize) -> &Field {
        &self.0[place]
    }
}

impl Record {
    /// Reads a line of a file's record type, and judges it by the tables.
    pub(crate) fn read(form: &Form, line: &str) -> Result<Self, Vec<Fault>> {
        let whole = || vec![("ABR000".to_owned(), "0000".to_owned())];
        let kind = tables().get(form.record_type).ok_or_else(whole)?;
        if !line.starts_with("<Document>") || !line.ends_with("</Document>") {
            return Err(whole());
        }
        let record = Self::parse(kind, line).map_err(|()| whole())?;
        let mut faults = judge::faults(&record, form);
        if faults.is_empty() {
            Ok(record)
        } else {
            faults.truncate(5);
            Err(faults)
        }
    }

    /// The first value of this tag, wherever it stands.
    pub(crate) fn value(&self, tag: &str) -> Option<&str> {
        let nodes = (0..self.kind.nodes.len()).filter(|node| self.kind.nodes[*node].tag == tag);
        let mut found = nodes
            .filter_map(|node| self.filled(node))
            .collect::<Vec<_>>();
        found.sort_by_key(|(path, _)| *path);
        found.first().map(|(_, value)| *value)
    }

    /// The value of this tag in this segment, if it is filled.
    pub(crate) fn at(&self, segment: &str, tag: &str) -> Option<&str> {
        let node = self.kind.child(self.kind.at(segment)?, tag)?;
        self.filled(node).map(|(_, value)| value)
    }

    /// Whether a segment stands in it.
    pub(crate) fn has(&self, segment: &str) -> bool {
        let place = |node: usize| self.kind.nodes[node].place;
        let node = self.kind.at(segment);
        node.is_some_and(|node| self.fields.field(place(node)).state.get() != State::Absent)
    }

    /// The path and value of an item; of the first entry of its group that there is.
    fn filled(&self, node: usize) -> Option<(&str, &str)> {
        let node = &self.kind.nodes[node];
        let fields = match node.within {
            0 => &self.fields,
            group => self
                .fields
                .field(self.kind.nodes[group].place)
                .entries
                .first()?,
        };
        let value = fields.field(node.place).text.as_str();
        (!value.is_empty()).then_some((node.path.as_str(), value))
    }

    fn parse(kind: &'static RecordType, line: &str) -> Result<Self, ()> {
        let mut fields = Fields::new(kind, 0);
        let mut reader = Reader::from_str(line);
        reader.config_mut().expand_empty_elements = true;
        // Inside the record: the nodes that are open.
        let mut open: Vec<usize> = Vec::new();
        let mut depth = 0_usize;
        loop {
            let item = open
                .last()
                .is_some_and(|node| matches!(kind.nodes[*node].what, What::Item(_)));
            let event = reader.read_event().map_err(|_| ())?;
            match event {
                Event::Start(start) => {
                    let name = start.name().into_inner().to_owned();
                    if start.attributes().next().is_some() || item {
                        return Err(());
                    }
                    depth += 1;
                    match depth {
                        1 if name == "Document" => {}
                        2 if name == kind.nodes[0].tag => open.push(0),
                        1 | 2 => return Err(()),
                        _ => {
                            let above = open.last().copied().ok_or(())?;
                            let node = kind.child(above, &name).ok_or(())?;
                            fields.open(kind, node)?;
                            open.push(node);
                        }
                    }
                }
                Event::End(_) => {
                    depth = depth.checked_sub(1).ok_or(())?;
                    if let Some(node) = open.pop().filter(|_| item) {
                        fields.here(kind, node).trim();
                    }
                }
                Event::Text(part) if item => fields.last(kind, &open).push_str(&part),
                Event::CData(part) if item => fields.last(kind, &open).push_str(&part),
                Event::Text(part) if part.trim_ascii().is_empty() => {}
                Event::GeneralRef(name) if item => {
                    let sign = character(&name).map_err(|_| ())?;
                    fields.last(kind, &open).push(sign);
                }
                Event::Comment(_) if depth > 0 => {}
                Event::Eof if depth == 0 => return Ok(Self { kind, fields }),
                _ => return Err(()),
            }
        }
    }
}

impl Fields {
    /// The field of a node, in the last entry where it is repeated.
    fn here(&mut self, kind: &RecordType, node: usize) -> &mut Field {
        let node = &kind.nodes[node];
        let fields = match node.within {
            0 => self,
            group => {
                let group = &mut self.0[kind.nodes[group].place];
                // An entry is opened before what stands in it.
                let last = group.entries.len() - 1;
                &mut group.entries[last]
            }
        };
        &mut fields.0[node.place]
    }

    fn open(&mut self, kind: &RecordType, node: usize) -> Result<(), ()> {
        let repeats = matches!(&kind.nodes[node].what, What::Segment(it) if it.repeats);
        let field = self.here(kind, node);
        if field.state.get() != State::Absent && !repeats {
            return Err(());
        }
        field.state.set(State::Blank);
        if repeats {
            field.entries.push(Self::new(kind, node));
        }
        Ok(())
    }

    fn last(&mut self, kind: &RecordType, open: &[usize]) -> &mut String {
        // Text is taken only while an item is open.
        let node = open.last().copied().unwrap_or_default();
        &mut self.here(kind, node).text
    }
}

impl Field {
    fn trim(&mut self) {
        self.text = self.text.trim_ascii().to_owned();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOAN: &str = include_str!("../../../schemas/testdata/pboc-submit-personal/210.xml");

    fn codes(line: &str) -> String {
        let form = Form {
            record_type: "210",
            day: "2026-06-01".to_owned(),
            template: "  ".to_owned(),
        };
        let faults = Record::read(&form, line).err().unwrap_or_default();
        let told = faults.iter().map(|(code, tag)| format!("{code} {tag}"));
        told.collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn a_good_record_is_read_and_each_fault_has_its_code() {
        assert_eq!(codes(LOAN.trim()), "");
        let cases = [
            ("<AcctType>D1</AcctType>", "", "ABD000 AcctType"),
            ("<Cy>CNY</Cy>", "<Cy>CNX</Cy>", "ABE001 Cy"),
            ("<Month>2024-05</Month>", "<Month></Month>", "ABE000 Month"),
            ("<AcctBal>500000<", "<AcctBal>x<", "ABE001 AcctBal"),
            ("<Cy>CNY</Cy>", "<Cy>CNY</Cy><Cy>CNY</Cy>", "ABR000 0000"),
            ("<Cy>CNY</Cy>", "<Sea>CNY</Sea>", "ABR000 0000"),
            ("<Document>", "<Document x=\"1\">", "ABR000 0000"),
            ("<InfRecType>210<", "<InfRecType>211<", "ABR000 0000"),
            ("198808080010<", "198808080011<", "ABE004 IDNum"),
            // A sound number, but of a real area.
            ("999999198808080010", "999998198808080014", "ABE004 IDNum"),
            ("<CcNm>1<", "<CcNm>2<", "ABE010 CcNm"),
            (
                "<OpenDate>2024-05-20<",
                "<OpenDate>2024-05-21<",
                "ABE007 OpenDate, BLE005 OpenDate, BLE005 OpenDate",
            ),
            ("<Month>2024-05<", "<Month>2024-07<", "BLE039 RptDate"),
            (
                "<AcctStatus>1<",
                "<AcctStatus>3<",
                "BLE001 CloseDate, BLE026 AcctBal, BLE030 RpyStatus",
            ),
            ("<GuarMode>5</GuarMode>", "", "BLD000 GuarMode"),
        ];
        for (from, to, expected) in cases {
            let line = LOAN.trim().replacen(from, to, 1);
            assert_ne!(line, LOAN.trim(), "{from}");
            assert_eq!(codes(&line), expected, "{from} -> {to}");
        }
    }
}
