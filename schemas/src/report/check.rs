//! One pass over a tree: numbers its nodes, and remarks on what is odd.

use super::dictionary::Form;
use super::item::Item;
use super::remark::{Remark, RemarkKind};
use super::tree::{Report, Unknown};
use crate::text;

/// Remarks that are kept; a report with more is not read for its remarks.
const REMARKS: usize = 1_000;

impl Report {
    /// Numbers the nodes among their likes, and remarks on what is odd.
    pub(super) fn check(&mut self) {
        let mut counts = vec![0u32; self.dictionary.elements.len()];
        let path = |unknown: Unknown<'_>| unknown.path();
        let unknown: Vec<String> = self.unknown().take(REMARKS).map(path).collect();
        self.remarks_left_out = self.foreign.len() - unknown.len();
        let remark = |path| Remark {
            kind: RemarkKind::UnknownElement,
            path,
        };
        self.remarks = unknown.into_iter().map(remark).collect();
        for node in 0..self.nodes.len() {
            match &self.element(node).form {
                Form::Item { .. } => self.check_item(node),
                Form::Unit { children, .. } => self.check_unit(node, children, &mut counts),
            }
        }
    }

    fn check_unit(&mut self, node: usize, children: &'static [u16], counts: &mut [u32]) {
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
        for child in children {
            let element = self.dictionary.at(*child);
            if counts[usize::from(*child)] < element.min {
                let path = |report: &Self| format!("{}/{}", report.path(node), element.code);
                self.remark(RemarkKind::Missing, path);
            }
            counts[usize::from(*child)] = 0;
        }
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
