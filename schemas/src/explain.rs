//! What is wrong, in Chinese and English, told from the plan itself.
//!
//! # Promise
//!
//! A text is made from the compiled condition that was broken and the names in the tables, so that
//! it says what the engine tests and nothing else. It never holds a value of the record.

mod condition;

use std::fmt::Write as _;

use crate::expr::eval::State;
use crate::kind::{Kind, Length, YEARS};
use crate::plan::tree::{Condition, Item, Node};
use crate::plan::{RecordPlan, Rule};
use crate::record::Odd;

/// What a finding is about.
pub(crate) enum Problem<'p> {
    Bad(&'p Node, &'p Item, State),
    Counter(&'p Node, &'p Node),
    Empty(&'p Node, &'p Condition),
    Forbidden(&'p Node, &'p Condition),
    Missing(&'p Node, &'p Condition),
    Rule(&'p Rule),
    SegmentForbidden(&'p Node, &'p Condition),
    SegmentMissing(&'p Node, &'p Condition),
    Stray(&'p Odd),
    TooMany(&'p Node, u32),
}

/// The two languages of every text.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Language {
    English,
    Chinese,
}

/// A list of more codes than this is named, not told.
const MOST_CODES: usize = 20;

impl RecordPlan {
    /// Chinese and English.
    pub(crate) fn explain(&self, problem: &Problem<'_>) -> (String, String) {
        let zh = |node: &Node| Language::Chinese.name(node);
        let en = |node: &Node| Language::English.name(node);
        match problem {
            Problem::Bad(node, item, state) => {
                let (zh_form, en_form) = self.form(item, *state);
                (
                    format!("{}应{zh_form}", zh(node)),
                    format!("{} must be {en_form}", en(node)),
                )
            }
            Problem::Counter(counter, group) => (
                format!("{}应等于{}的条数", zh(counter), zh(group)),
                format!("{} must be the number of {} given", en(counter), en(group)),
            ),
            Problem::Empty(node, condition) => self.when(
                condition,
                format!("{}不得为空", zh(node)),
                format!("{} must have a value", en(node)),
            ),
            Problem::Forbidden(node, condition) | Problem::SegmentForbidden(node, condition) => {
                self.when(
                    condition,
                    format!("不得出现{}", zh(node)),
                    format!("{} must not be there, not even empty", en(node)),
                )
            }
            Problem::Missing(node, condition) | Problem::SegmentMissing(node, condition) => self
                .when(
                    condition,
                    format!("必须出现{}", zh(node)),
                    format!("{} must be there", en(node)),
                ),
            Problem::Rule(rule) => {
                let tell = |language: Language| self.condition(rule.must, language);
                let (zh, en) = (tell(Language::Chinese), tell(Language::English));
                let (zh, en) = (format!("应满足：{zh}"), format!("it must hold that {en}"));
                match rule.when {
                    Some(when) => (
                        format!("当{}时，{zh}", self.condition(when, Language::Chinese)),
                        format!("when {}, {en}", self.condition(when, Language::English)),
                    ),
                    None => (zh, en),
                }
            }
            Problem::Stray(odd) => stray(odd),
            Problem::TooMany(node, most) => (
                format!("{}最多{most}条", zh(node)),
                format!("there may be at most {most} of {}", en(node)),
            ),
        }
    }

    /// Puts the condition before what follows from it, unless it always holds.
    fn when(&self, condition: &Condition, zh: String, en: String) -> (String, String) {
        if self.always(condition.test) {
            return (zh, en);
        }
        (
            format!(
                "当{}时，{zh}",
                self.condition(condition.test, Language::Chinese)
            ),
            format!(
                "when {}, {en}",
                self.condition(condition.test, Language::English)
            ),
        )
    }

    /// What a value of this item looks like; follows 应 and `must be`.
    pub(crate) fn form(&self, item: &Item, state: State) -> (String, String) {
        match state {
            State::BadRange => (
                format!("在{}年至{}年之间", YEARS.start(), YEARS.end()),
                format!("from {} to {}", YEARS.start(), YEARS.end()),
            ),
            State::BadCode => self.codes(item),
            _ => {
                let (zh, en) = match item.kind {
                    Kind::Ascii => (
                        "半角字母、数字或符号",
                        "half-width letters, digits or signs",
                    ),
                    Kind::Code => ("代码", "a code"),
                    Kind::Date => ("yyyy-MM-dd形式的真实日期", "a real date as yyyy-MM-dd"),
                    Kind::Decimal2 => (
                        "两位小数的金额，小数点前",
                        "an amount with two decimals, before the point",
                    ),
                    Kind::Digits => ("数字", "digits"),
                    Kind::Month => ("yyyy-MM形式的月份", "a month as yyyy-MM"),
                    Kind::Text => ("不含控制字符的文字", "text without control characters"),
                    Kind::Uint => (
                        "不带符号的整数，前导零不计",
                        "a whole number without sign, leading zeros aside",
                    ),
                    Kind::Year => ("yyyy形式的年份", "a year as yyyy"),
                };
                let (zh_length, en_length) = match item.length {
                    Length::Any => (String::new(), String::new()),
                    Length::Exactly(n) => (
                        format!("，恰为{n}个字符"),
                        format!(", exactly {n} characters"),
                    ),
                    Length::UpTo(n) => (
                        format!("，至多{n}个字符"),
                        format!(", at most {n} characters"),
                    ),
                };
                (format!("为{zh}{zh_length}"), format!("{en}{en_length}"))
            }
        }
    }

    fn codes(&self, item: &Item) -> (String, String) {
        let lists = || item.lists.iter().map(|list| &self.lists.0[*list as usize]);
        let mut codes: Vec<&str> = lists()
            .flat_map(|(_, list)| list.iter().map(|meaning| meaning.code))
            .collect();
        codes.sort_unstable();
        codes.dedup();
        if codes.len() <= MOST_CODES {
            let codes = codes.join(", ");
            return (
                format!("为下列适用代码之一：{codes}"),
                format!("one of these codes, as far as they apply here: {codes}"),
            );
        }
        let mut names = String::new();
        for (name, _) in lists() {
            let _ = write!(names, "{}{name}", if names.is_empty() { "" } else { ", " });
        }
        (
            format!("为代码表{names}中的代码"),
            format!("a code of the list {names}"),
        )
    }
}

impl Language {
    pub(crate) fn name(self, node: &Node) -> String {
        match self {
            Self::English => format!("{} ({})", node.en, node.tag),
            Self::Chinese => format!("“{}”（{}）", node.zh, node.tag),
        }
    }
}

fn stray(odd: &Odd) -> (String, String) {
    let (zh, en) = match odd {
        Odd::Attribute => ("标签不得带属性", "a tag must have no attributes"),
        Odd::Repeated(_) => ("该标签只能出现一次", "this tag may stand only once"),
        Odd::Text => (
            "段内标签之间不得有文字",
            "no text may stand between the tags of a segment",
        ),
        Odd::Unknown(_) => (
            "该位置不得出现此标签",
            "no such tag may stand here; take it out or correct its name",
        ),
    };
    (zh.to_owned(), en.to_owned())
}
