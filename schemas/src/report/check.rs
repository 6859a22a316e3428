//! One pass over a tree: numbers its nodes, and remarks on what is odd.

use super::dictionary::{Form, When};
use super::item::Item;
use super::remark::{Remark, RemarkKind};
use super::tree::{Report, Unknown};
use super::value;
use crate::text;

/// Remarks that are kept; a report with more is not read for its remarks.
const REMARKS: usize = 1_000;

impl Report {
    /// Numbers the nodes among their likes, and remarks on what is odd.
    pub(super) fn check(&mut self) {
        let mut counts = vec![0u32; self.dictionary.elements.len()];
        for node in 0..self.nodes.len() {
            match &self.element(node).form {
                Form::Item { .. } => self.check_item(node),
                Form::Unit { .. } => self.check_unit(node, &mut counts),
            }
        }
        // Paths hold numbers, so those of unknown elements come last and go first.
        let path = |unknown: Unknown<'_>| unknown.path();
        let unknown: Vec<String> = self.unknown().take(REMARKS).map(path).collect();
        let remark = |path| Remark {
            kind: RemarkKind::UnknownElement,
            path,
        };
        self.remarks_left_out += self.foreign.len() - unknown.len();
        self.remarks.splice(..0, unknown.into_iter().map(remark));
        self.remarks_left_out += self.remarks.len().saturating_sub(REMARKS);
        self.remarks.truncate(REMARKS);
    }

    fn check_unit(&mut self, node: usize, counts: &mut [u32]) {
        let Form::Unit {
            children, counters, ..
        } = &self.element(node).form
        else {
            return;
        };
        let end = self.nodes[node].end as usize;
        let mut below = node + 1;
        // A unit without anything in it was not filled: nothing in it is missing.
        if below == end {
            return;
        }
        while below < end {
            let element = self.nodes[below].element;
            let count = &mut counts[usize::from(element)];
            *count += 1;
            self.nodes[below].nth = *count;
            if *count > self.dictionary.at(element).max {
                self.remark(RemarkKind::TooMany, |report| report.path(below));
            }
            below = self.nodes[below].end as usize;
        }
        for (counter, counted) in counters {
            let Some(counter) = self.child(node, *counter) else {
                continue;
            };
            let told = value::number(self.text(self.nodes[counter].value));
            if told.is_some_and(|told| told != i64::from(counts[usize::from(*counted)])) {
                self.remark(RemarkKind::WrongCount, |report| report.path(counter));
            }
        }
        for child in children {
            self.check_presence(node, *child, counts[usize::from(*child)]);
            counts[usize::from(*child)] = 0;
        }
    }

    /// Whether `child` stands below `node` where it must, and only there.
    fn check_presence(&mut self, node: usize, child: u16, count: u32) {
        let element = self.dictionary.at(child);
        let when = match &element.form {
            Form::Item { when, .. } => when.as_ref(),
            Form::Unit { .. } => None,
        };
        let expected = when.and_then(|when| self.holds(node, when));
        let required = if expected == Some(true) {
            1
        } else {
            element.min
        };
        let here = |report: &Self| format!("{}/{}", report.path(node), element.code);
        if count < required && expected != Some(false) {
            self.remark(RemarkKind::Missing, here);
        } else if count > 0 && expected == Some(false) {
            let item = self.child(node, child).map(|index| Item {
                report: self,
                index,
            });
            if item.is_some_and(|item| item.is_filled()) {
                self.remark(RemarkKind::NotExpected, here);
            }
        }
    }

    /// Whether a condition holds; nothing where the item it asks for is absent
    /// or has a code that its own list lacks.
    fn holds(&self, node: usize, when: &When) -> Option<bool> {
        let selected = self.selected(node, &when.selector)?;
        let value = self.text(self.nodes[selected].value);
        let known = self.list(selected).ok()??.codes.contains(value);
        known.then(|| when.values.iter().any(|one| one == value))
    }

    fn check_item(&mut self, node: usize) {
        let Form::Item { kind, length, .. } = self.element(node).form else {
            return;
        };
        let item = Item {
            report: self,
            index: node,
        };
        if !item.is_filled() {
            return;
        }
        let value = item.raw();
        // Characters are never more than bytes: most values need no counting.
        let too_long = value.len() > length && text::length(value) > length;
        let wrong_kind = !kind.fits(value);
        let code = match self.list(node) {
            Ok(None) => None,
            Ok(Some(list)) if list.open || list.codes.contains(value) => None,
            Ok(Some(_)) => Some(RemarkKind::UnknownCode),
            Err(()) => Some(RemarkKind::CodeListUnknown),
        };
        let found = [
            too_long.then_some(RemarkKind::TooLong),
            wrong_kind.then_some(RemarkKind::WrongKind),
            code,
        ];
        for kind in found.into_iter().flatten() {
            self.remark(kind, |report| report.path(node));
        }
    }

    fn remark(&mut self, kind: RemarkKind, path: impl FnOnce(&Self) -> String) {
        if self.remarks.len() < REMARKS {
            let path = path(self);
            self.remarks.push(Remark { kind, path });
        } else {
            self.remarks_left_out += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::decode::tests::{NEGATIVE, NORMAL, decode};
    use super::Remark;

    #[test]
    fn what_is_odd_is_remarked_and_read() {
        let status = "<PD01CD01>1</PD01CD01>";
        let cases = [
            (
                "date",
                "2016-02-01",
                "2016-02-31",
                "wrong_kind",
                "PDA/PD01[7]/PD01A/PD01AR01",
            ),
            (
                "amount",
                "<PC02EJ01>800000<",
                "<PC02EJ01>80 万<",
                "wrong_kind",
                "PCO/PC02/PC02E/PC02EJ01",
            ),
            (
                "code",
                status,
                "<PD01CD01>77</PD01CD01>",
                "unknown_code",
                "PDA/PD01[1]/PD01C/PD01CD01",
            ),
            (
                "list that cannot be told",
                "<PD01AD01>D1<",
                "<PD01AD01>--<",
                "code_list_unknown",
                "PDA/PD01[1]/PD01C/PD01CD01",
            ),
            (
                "length",
                "<PA01BI02>",
                "<PA01BI02>000",
                "too_long",
                "PRH/PA01/PA01B/PA01BI02",
            ),
            (
                "missing item",
                status,
                "",
                "missing",
                "PDA/PD01[1]/PD01C/PD01CD01",
            ),
            (
                "missing for this type of account",
                "<PD01AJ01>800000</PD01AJ01>",
                "",
                "missing",
                "PDA/PD01[1]/PD01A/PD01AJ01",
            ),
            (
                "not for this type of account",
                "<PD01AJ01>",
                "<PD01AJ02>1</PD01AJ02><PD01AJ01>",
                "not_expected",
                "PDA/PD01[1]/PD01A/PD01AJ02",
            ),
            (
                "fewer rows than told",
                "<PC02KS01>4<",
                "<PC02KS01>5<",
                "wrong_count",
                "PCO/PC02/PC02K/PC02KS01",
            ),
            ("missing unit", "<POT />", "", "missing", "POT"),
            (
                "one too many",
                status,
                "<PD01CD01>1</PD01CD01><PD01CD01>1</PD01CD01>",
                "too_many",
                "PDA/PD01[1]/PD01C/PD01CD01",
            ),
        ];
        for (name, from, to, code, path) in cases {
            let report = decode(&NORMAL.replacen(from, to, 1)).unwrap();
            let odd = |remark: &Remark| format!("{} {}", remark.kind.code(), remark.path);
            let remarks: Vec<_> = report.remarks().iter().map(odd).collect();
            assert_eq!(remarks, [format!("{code} Document/{path}")], "case {name}");
        }
    }

    #[test]
    fn an_empty_unit_misses_nothing() {
        let start = NEGATIVE.find("<PC05>").unwrap();
        let end = NEGATIVE.find("</PC05>").unwrap();
        let xml = format!("{}<PC05>{}", &NEGATIVE[..start], &NEGATIVE[end..]);
        assert_eq!(decode(&xml).unwrap().remarks(), []);
    }

    #[test]
    fn remarks_are_kept_up_to_a_limit_and_counted_beyond() {
        let xml = format!("<Document><PDA>{}</PDA></Document>", "<X/>".repeat(1_500));
        let report = decode(&xml).unwrap();
        assert_eq!(report.remarks().len(), 1_000);
        // The other unknown ones, and the 23 containers that are missing.
        assert_eq!(report.remarks_left_out(), 500 + 23);
        assert_eq!(report.unknown().len(), 1_500);
    }
}
