//! One line of a feedback file: which record was rejected, and why.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::MOST_FAULTS;
use super::check::Check;
use crate::edition::Edition;
use crate::plan::RecordPlan;
use crate::validate::Finding;
use crate::xml::{Limits, Scanner, Token};

/// What a feedback file says of one rejected record.
#[derive(Clone, Eq, PartialEq)]
pub struct FeedbackLine {
    /// Its line in the file, the header counted as line 1; absent where the whole file is refused.
    pub line: Option<u32>,
    /// Why.
    pub faults: Vec<Fault>,
    /// The record as it was sent; absent where the whole file is refused.
    pub record: Option<Vec<u8>>,
}

/// One reason for a rejection.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Fault {
    /// The bureau's error code.
    pub code: String,
    /// The tag of the item or segment; `0000` where several or all are concerned.
    pub tag: String,
}

/// Two tags go by another name in the bureau's answers: record, tag in the XML, tag in the answer.
const RENAMED: [(&str, &str, &str); 2] = [
    ("230", "InfoIDType", "InfoIdType"),
    ("514", "InfRecType", "DelRecType"),
];

impl Fault {
    /// What an answer says of a finding.
    pub(super) fn told(finding: &Finding) -> Self {
        let (record, tag) = (finding.record.as_str(), finding.tag.as_str());
        let renamed = { RENAMED.iter() }.find(|(of, xml, _)| (*of, *xml) == (record, tag));
        Self {
            code: finding.code.clone(),
            tag: renamed.map_or(tag, |(.., answer)| answer).to_owned(),
        }
    }

    /// The tag as the XML of this record type writes it: the bureau's answers spell two of them
    /// otherwise (`InfoIdType` in 230, `DelRecType` in 514).
    #[must_use]
    pub fn tag_in(&self, record: &str) -> &str {
        let tag = self.tag.as_str();
        let renamed = { RENAMED.iter() }.find(|(of, _, answer)| (*of, *answer) == (record, tag));
        renamed.map_or(tag, |(_, xml, _)| xml)
    }
}

impl FeedbackLine {
    /// Appends the line with its line end.
    pub fn write(&self, out: &mut Vec<u8>) {
        let mut text = String::from("<Document><FbInf>");
        if let Some(line) = self.line {
            text.push_str(&format!("<ErrRecId>{line}</ErrRecId>"));
        }
        text.push_str(&format!("<FbErrNum>{}</FbErrNum>", self.faults.len()));
        for Fault { code, tag } in &self.faults {
            text.push_str("<ErrInf><FbCode>");
            escape(code, &mut text);
            text.push_str("</FbCode><FbMsg>");
            escape(tag, &mut text);
            text.push_str("</FbMsg></ErrInf>");
        }
        if let Some(record) = &self.record {
            text.push_str("<ErrRec>");
            STANDARD.encode_string(record, &mut text);
            text.push_str("</ErrRec>");
        }
        text.push_str("</FbInf></Document>\r\n");
        out.extend_from_slice(text.as_bytes());
    }

    /// Reads a line, without its line end. Order and blanks between tags are free.
    ///
    /// # Errors
    ///
    /// All that is wrong with it: a missing member (ABD000), an empty one (ABE000), one of a wrong
    /// kind (ABE001), a wrong count (ABE010), a record text that is too long (ABH005).
    pub fn parse(line: &[u8]) -> Result<Self, Vec<Finding>> {
        let Some(read) = members(line) else {
            return Err(vec![Check::FbLine.finding_with(Some("ABR000"))]);
        };
        let mut findings = Vec::new();
        let wrong = |code| Check::FbLine.finding_with(Some(code));
        let count = match read.count.as_deref() {
            None => Err("ABD000"),
            Some("") => Err("ABE000"),
            Some(text) => digits(text, 3).ok_or("ABE001"),
        };
        findings.extend(count.err().map(wrong));
        let number = match read.line.as_deref() {
            None => Ok(None),
            Some("") => Err("ABE000"),
            Some(text) => digits(text, 8).map(Some).ok_or("ABE001"),
        };
        findings.extend(number.err().map(wrong));
        let record = match read.record.as_deref() {
            None => Ok(None),
            Some("") => Err("ABE000"),
            Some(text) if text.len() > MOST_RECORD => Err("ABH005"),
            Some(text) => STANDARD.decode(text).map(Some).map_err(|_| "ABE001"),
        };
        findings.extend(record.as_ref().err().copied().map(wrong));
        for fault in &read.faults {
            let code = match (&fault.code, &fault.tag) {
                (None, _) | (_, None) => "ABD000",
                (Some(text), _) | (_, Some(text)) if text.is_empty() => "ABE000",
                (Some(code), Some(tag)) if is_code(code) && tag.chars().count() <= 100 => continue,
                _ => "ABE001",
            };
            findings.push(wrong(code));
        }
        if read.faults.is_empty() {
            findings.push(wrong("ABD000"));
        }
        if let Ok(count) = count {
            let holds = count as usize == read.faults.len() && read.faults.len() <= MOST_FAULTS;
            Check::FbLineCount.unless(holds, &mut findings);
        }
        // A record without its line, or a line without its record, is neither form.
        if read.line.is_some() != read.record.is_some() {
            findings.push(wrong("ABD000"));
        }
        let faults = read.faults.into_iter().filter_map(|fault| {
            Some(Fault {
                code: fault.code?,
                tag: fault.tag?,
            })
        });
        let faults: Vec<Fault> = faults.collect();
        match (number, record) {
            (Ok(line), Ok(record)) if findings.is_empty() => Ok(Self {
                line,
                faults,
                record,
            }),
            _ => Err(findings),
        }
    }

    /// Whether the record that comes back is the line that was sent, byte for byte.
    #[must_use]
    pub fn check_record(&self, sent: &[u8]) -> Option<Finding> {
        let same = self.record.as_deref() == Some(sent);
        (!same).then(|| Check::FbLineRecord.finding())
    }

    /// Whether codes and tags are known: an unknown one is kept and shown, the bureau may have
    /// newer ones.
    #[must_use]
    pub fn check_codes(&self, edition: &Edition, plan: &RecordPlan) -> Option<Finding> {
        let known = |fault: &Fault| {
            let tag = fault.tag_in(plan.code());
            let named = tag == "0000" || plan.knows(tag);
            named && edition.official(&fault.code).next().is_some()
        };
        (!self.faults.iter().all(known)).then(|| Check::FbLineCode.finding())
    }
}

impl fmt::Debug for FeedbackLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (line, faults) = (self.line, &self.faults);
        write!(f, "FeedbackLine({line:?}, {faults:?}, record masked)")
    }
}

/// The longest record text in Base64 (`ANC..100000`).
const MOST_RECORD: usize = 100_000;

/// Room for a record text of that length and its errors.
const LIMITS: Limits = Limits {
    bytes: 200_000,
    depth: 4,
    elements: 4_000,
};

#[derive(Default)]
struct Members {
    line: Option<String>,
    count: Option<String>,
    faults: Vec<FaultMembers>,
    record: Option<String>,
}

#[derive(Default)]
struct FaultMembers {
    code: Option<String>,
    tag: Option<String>,
}

/// The members of `Document/FbInf`; `None` where the line is no such document.
fn members(line: &[u8]) -> Option<Members> {
    let mut scanner = Scanner::new(line, LIMITS).ok()?;
    let mut found = Members::default();
    let mut path: Vec<&str> = Vec::new();
    let mut text = String::new();
    let mut answers = 0;
    while let Some(token) = scanner.next().ok()? {
        match token {
            Token::Open { name, attributes } => {
                if attributes || !text.trim_ascii().is_empty() {
                    return None;
                }
                path.push(name);
                text.clear();
                match path[..] {
                    ["Document"] => {}
                    ["Document", "FbInf"] => answers += 1,
                    ["Document", "FbInf", "ErrInf"] => found.faults.push(FaultMembers::default()),
                    ["Document", "FbInf", "ErrRecId" | "FbErrNum" | "ErrRec"]
                    | ["Document", "FbInf", "ErrInf", "FbCode" | "FbMsg"] => {}
                    _ => return None,
                }
            }
            Token::Text(more) => text.push_str(more),
            Token::Char(c) => text.push(c),
            Token::Close => {
                let value = || Some(text.trim_ascii().to_owned());
                let taken = match *path.get(2..).unwrap_or_default() {
                    ["ErrRecId"] => found.line.replace(value()?),
                    ["FbErrNum"] => found.count.replace(value()?),
                    ["ErrRec"] => found.record.replace(value()?),
                    ["ErrInf", "FbCode"] => found.faults.last_mut()?.code.replace(value()?),
                    ["ErrInf", "FbMsg"] => found.faults.last_mut()?.tag.replace(value()?),
                    _ if text.trim_ascii().is_empty() => None,
                    _ => return None,
                };
                if taken.is_some() {
                    return None;
                }
                text.clear();
                path.pop();
            }
        }
    }
    (answers == 1).then_some(found)
}

fn is_code(code: &str) -> bool {
    let plain = |b: u8| b.is_ascii_digit() || b.is_ascii_uppercase();
    code.len() == 6 && code.bytes().all(plain)
}

fn digits(text: &str, most: usize) -> Option<u32> {
    let fits = text.len() <= most && text.bytes().all(|b| b.is_ascii_digit());
    fits.then(|| text.parse().ok()).flatten()
}

fn escape(value: &str, out: &mut String) {
    for c in value.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(text: &str) -> Vec<String> {
        let findings = FeedbackLine::parse(text.as_bytes()).unwrap_err();
        findings
            .iter()
            .map(|finding| finding.code.clone())
            .collect()
    }

    #[test]
    fn a_line_is_read_and_written() {
        let fault = |code: &str, tag: &str| Fault {
            code: code.to_owned(),
            tag: tag.to_owned(),
        };
        let lines = [
            FeedbackLine {
                line: Some(3),
                faults: vec![fault("BLR024", "0000"), fault("ABE001", "a<b&c")],
                record: Some("<Document>测试甲</Document>".into()),
            },
            FeedbackLine {
                line: None,
                faults: vec![fault("ABH005", "0000")],
                record: None,
            },
        ];
        for line in lines {
            let mut out = Vec::new();
            line.write(&mut out);
            let text = out.strip_suffix(b"\r\n").unwrap();
            assert_eq!(FeedbackLine::parse(text).unwrap(), line);
            assert!(!format!("{line:?}").contains("测试甲"));
        }
        assert_eq!(fault("ABE001", "InfoIdType").tag_in("230"), "InfoIDType");
        assert_eq!(fault("ABE001", "DelRecType").tag_in("514"), "InfRecType");
    }

    #[test]
    fn each_fault_of_a_line_has_its_code() {
        let good = "<Document><FbInf><ErrRecId>3</ErrRecId><FbErrNum>1</FbErrNum><ErrInf>\
                    <FbCode>BLR024</FbCode><FbMsg>0000</FbMsg></ErrInf><ErrRec>YWJj</ErrRec>\
                    </FbInf></Document>";
        assert!(FeedbackLine::parse(good.as_bytes()).is_ok());
        let long = format!("<ErrRec>{}</ErrRec>", "YWJj".repeat(25_001));
        let six = "<ErrInf><FbCode>BLR024</FbCode><FbMsg>0000</FbMsg></ErrInf>".repeat(6);
        let cases: [(&str, &str, &[&str]); 14] = [
            ("<FbErrNum>1</FbErrNum>", "", &["ABD000"]),
            ("<FbErrNum>1<", "<FbErrNum><", &["ABE000"]),
            ("<FbErrNum>1<", "<FbErrNum>x<", &["ABE001"]),
            ("<FbErrNum>1<", "<FbErrNum>2<", &["ABE010"]),
            ("<FbErrNum>1<", "<FbErrNum>6<", &["ABE010"]),
            ("<ErrRecId>3</ErrRecId>", "", &["ABD000"]),
            ("<ErrRecId>3<", "<ErrRecId>+3<", &["ABE001"]),
            ("BLR024", "blr024", &["ABE001"]),
            ("<FbMsg>0000</FbMsg>", "", &["ABD000"]),
            ("YWJj", "YWJ*", &["ABE001"]),
            ("<ErrRec>YWJj</ErrRec>", &long, &["ABH005"]),
            ("<FbInf>", "<FbInf><X/>", &["ABR000"]),
            ("</Document>", "", &["ABR000"]),
            ("</FbInf>", "</FbInf><FbInf></FbInf>", &["ABR000"]),
        ];
        for (from, to, expected) in cases {
            let text = good.replacen(from, to, 1);
            assert_ne!(text, good, "case {from}");
            assert_eq!(codes(&text), expected, "case {from}");
        }
        let one = "<ErrInf><FbCode>BLR024</FbCode><FbMsg>0000</FbMsg></ErrInf>";
        let text = good
            .replace(one, &six)
            .replace("<FbErrNum>1", "<FbErrNum>6");
        assert_eq!(codes(&text), ["ABE010"]);
        let text = good.replace(one, "").replace("<FbErrNum>1", "<FbErrNum>0");
        assert_eq!(codes(&text), ["ABD000"]);
    }
}
