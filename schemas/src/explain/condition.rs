//! A compiled condition in words.

use super::Language;
use crate::expr::{HeaderField, Number, NumberId, Order, Predicate, Ref, Run, Test, TestId, Text};
use crate::kind::Kind;
use crate::plan::RecordPlan;

impl RecordPlan {
    pub(crate) fn always(&self, test: TestId) -> bool {
        matches!(self.program.tests[test as usize], Test::Always)
    }

    /// The condition as a clause of a sentence.
    pub(crate) fn condition(&self, id: TestId, language: Language) -> String {
        let say = |zh: String, en: String| match language {
            Language::Chinese => zh,
            Language::English => en,
        };
        let node = |node: Ref| language.name(&self.nodes[node.node as usize]);
        let text = |text: Text| self.text(text, language);
        match self.program.tests[id as usize] {
            Test::AllDigits(x) => {
                let x = text(x);
                say(format!("{x}全为数字"), format!("{x} has only digits"))
            }
            Test::Always => say("在任何情况下".to_owned(), "in every case".to_owned()),
            Test::And(left, right) => {
                let (left, right) = (self.inner(left, language), self.inner(right, language));
                say(format!("{left}且{right}"), format!("{left} and {right}"))
            }
            Test::Differ {
                group,
                tag,
                one,
                other,
                keys,
            } => {
                let (group, tag, keys) = (node(group), node(tag), self.keys(keys, language));
                let [one, other] = [one, other].map(|word| &self.program.words[word as usize]);
                say(
                    format!("{tag}为{one}与为{other}的{group}，其{keys}不全相同"),
                    format!("no {group} with {tag} {one} agrees in {keys} with one with {other}"),
                )
            }
            Test::Each { group, all, test } => {
                let (group, test) = (node(group), self.condition(test, language));
                if all {
                    say(
                        format!("每条{group}均有{test}"),
                        format!("for every {group}, {test}"),
                    )
                } else {
                    say(
                        format!("至少一条{group}有{test}"),
                        format!("for some {group}, {test}"),
                    )
                }
            }
            Test::Filled(x) => say(
                format!("{}有值", node(x)),
                format!("{} has a value", node(x)),
            ),
            Test::Identifier { kind, number, .. } => {
                let (kind, number) = (text(kind), text(number));
                say(
                    format!("{number}符合{kind}所示类型的号码规则（含校验位）"),
                    format!(
                        "{number} is a sound number of the type in {kind}, check digit included"
                    ),
                )
            }
            Test::Known { list, text: x } => {
                let (x, list) = (text(x), &self.lists.0[list as usize].0);
                say(
                    format!("{x}为代码表{list}中的代码"),
                    format!("{x} is a code of {list}"),
                )
            }
            Test::Not(inner) => {
                let inner = self.condition(inner, language);
                say(
                    format!("以下不成立：{inner}"),
                    format!("it is not so that {inner}"),
                )
            }
            Test::Number { order, left, right } => self.comparison(order, left, right, language),
            Test::NumberIn { left, set, inside } => {
                let scale = self.scale(left);
                let set =
                    self.program.numbers[set.range()]
                        .iter()
                        .filter_map(|number| match number {
                            Number::Literal(number) => Some((number / scale).to_string()),
                            _ => None,
                        });
                membership(&self.number(left, language, scale), set, inside, language)
            }
            Test::Or(left, right) => {
                if let Test::Not(condition) = self.program.tests[left as usize] {
                    let (condition, right) = (
                        self.condition(condition, language),
                        self.condition(right, language),
                    );
                    return say(
                        format!("若{condition}，则{right}"),
                        format!("if {condition}, then {right}"),
                    );
                }
                let (left, right) = (self.inner(left, language), self.inner(right, language));
                say(format!("{left}或{right}"), format!("{left} or {right}"))
            }
            Test::Predicate(which, x) => {
                let x = text(x);
                let (zh, en) = match which {
                    Predicate::LoanCard => ("中征码", "central credit code"),
                    Predicate::Organization => ("组织机构代码", "organization code"),
                    Predicate::UnifiedCredit => ("统一社会信用代码", "unified social credit code"),
                };
                say(
                    format!("{x}为校验正确的{zh}"),
                    format!("{x} is a sound {en}"),
                )
            }
            Test::Present(x) => say(format!("有{}", node(x)), format!("{} is there", node(x))),
            Test::Starts(x, start) => {
                let (x, start) = (text(x), &self.program.words[start as usize]);
                say(
                    format!("{x}以{start}开头"),
                    format!("{x} begins with {start}"),
                )
            }
            Test::Text { left, right, equal } => {
                let (left, right) = (text(left), text(right));
                let (zh, en) = if equal {
                    ("等于", "is")
                } else {
                    ("不等于", "is not")
                };
                say(format!("{left}{zh}{right}"), format!("{left} {en} {right}"))
            }
            Test::TextIn { left, set, inside } => {
                let set = self.program.words[set.range()]
                    .iter()
                    .map(ToString::to_string);
                membership(&text(left), set, inside, language)
            }
            Test::Unique { group, keys } => {
                let (group, keys) = (node(group), self.keys(keys, language));
                say(
                    format!("任意两条{group}的{keys}不全相同"),
                    format!("no two of {group} have the same {keys}"),
                )
            }
        }
    }

    /// A part of a longer condition, in brackets where it could be misread.
    fn inner(&self, id: TestId, language: Language) -> String {
        let clause = self.condition(id, language);
        match (self.program.tests[id as usize], language) {
            (Test::And(..) | Test::Or(..), Language::Chinese) => format!("（{clause}）"),
            (Test::And(..) | Test::Or(..), Language::English) => format!("({clause})"),
            _ => clause,
        }
    }

    fn comparison(
        &self,
        order: Order,
        left: NumberId,
        right: NumberId,
        language: Language,
    ) -> String {
        let (scale, dates) = (self.scale(left), self.is_date(left) || self.is_date(right));
        let (left, right) = (
            self.number(left, language, scale),
            self.number(right, language, scale),
        );
        let (zh, en) = match (order, dates) {
            (Order::Above, true) => ("晚于", "is after"),
            (Order::Above, false) => ("大于", "is greater than"),
            (Order::AtLeast, true) => ("不早于", "is not before"),
            (Order::AtLeast, false) => ("不小于", "is at least"),
            (Order::AtMost, true) => ("不晚于", "is not after"),
            (Order::AtMost, false) => ("不大于", "is at most"),
            (Order::Below, true) => ("早于", "is before"),
            (Order::Below, false) => ("小于", "is less than"),
            (Order::Equal, _) => ("等于", "is"),
            (Order::Unequal, _) => ("不等于", "is not"),
        };
        match language {
            Language::Chinese => format!("{left}{zh}{right}"),
            Language::English => format!("{left} {en} {right}"),
        }
    }

    fn number(&self, id: NumberId, language: Language, scale: i128) -> String {
        let say = |zh: String, en: String| match language {
            Language::Chinese => zh,
            Language::English => en,
        };
        let inner = |id: NumberId| self.number(id, language, scale);
        let node = |node: Ref| language.name(&self.nodes[node.node as usize]);
        match self.program.numbers[id as usize] {
            Number::Add(left, right) => format!("{} + {}", inner(left), inner(right)),
            Number::Count { group, test: None } => say(
                format!("{}的条数", node(group)),
                format!("the number of {}", node(group)),
            ),
            Number::Count {
                group,
                test: Some(test),
            } => {
                let (group, test) = (node(group), self.condition(test, language));
                say(
                    format!("满足“{test}”的{group}条数"),
                    format!("the number of {group} for which {test}"),
                )
            }
            Number::Days(left, right) => {
                let (left, right) = (inner(left), inner(right));
                say(
                    format!("{left}减{right}的天数"),
                    format!("the number of days from {right} to {left}"),
                )
            }
            Number::HeaderDate => say(
                "文件生成日期".to_owned(),
                "the creation date of the file".to_owned(),
            ),
            Number::Item(item) => node(item),
            Number::Len(text) => {
                let text = self.text(text, language);
                say(
                    format!("{text}的字符数"),
                    format!("the number of characters of {text}"),
                )
            }
            Number::Literal(number) => (number / scale).to_string(),
            Number::MonthOf(day) => say(
                format!("{}所在月份", inner(day)),
                format!("the month of {}", inner(day)),
            ),
            Number::Months([(left, _), (right, _)]) => {
                let (left, right) = (inner(left), inner(right));
                say(
                    format!("{left}减{right}的月数"),
                    format!("the number of months from {right} to {left}"),
                )
            }
            Number::Sub(left, right) => format!("{} - {}", inner(left), inner(right)),
        }
    }

    fn text(&self, text: Text, language: Language) -> String {
        match text {
            Text::Header(field) => {
                let (zh, en) = match field {
                    HeaderField::Org => ("文件的机构代码", "the organization of the file"),
                    HeaderField::Record => ("文件的记录类型", "the record type of the file"),
                    HeaderField::Template => ("文件的模板号", "the template of the file"),
                };
                if language == Language::Chinese {
                    zh.to_owned()
                } else {
                    en.to_owned()
                }
            }
            Text::Item(item) | Text::Raw(item) => language.name(&self.nodes[item.node as usize]),
            Text::Word(word) => self.program.words[word as usize].to_string(),
        }
    }

    fn keys(&self, keys: Run, language: Language) -> String {
        let keys = &self.program.keys[keys.range()];
        let keys = keys
            .iter()
            .map(|key| language.name(&self.nodes[key.node as usize]));
        let keys: Vec<String> = keys.collect();
        keys.join(if language == Language::Chinese {
            "、"
        } else {
            ", "
        })
    }

    /// What a literal beside this number is counted in: hundredths, but for years.
    fn scale(&self, id: NumberId) -> i128 {
        match self.kind_of(id) {
            Some(Kind::Year) => 1,
            _ => 100,
        }
    }

    fn is_date(&self, id: NumberId) -> bool {
        matches!(self.program.numbers[id as usize], Number::HeaderDate)
            || matches!(
                self.kind_of(id),
                Some(Kind::Date | Kind::Month | Kind::Year)
            )
    }

    fn kind_of(&self, id: NumberId) -> Option<Kind> {
        match self.program.numbers[id as usize] {
            Number::Item(item) => self.nodes[item.node as usize].item().map(|item| item.kind),
            _ => None,
        }
    }
}

fn membership(
    left: &str,
    set: impl Iterator<Item = String>,
    inside: bool,
    language: Language,
) -> String {
    let set: Vec<String> = set.collect();
    match (language, inside) {
        (Language::Chinese, true) => format!("{left}为{}之一", set.join("、")),
        (Language::Chinese, false) => format!("{left}不为{}中任何一个", set.join("、")),
        (Language::English, true) => format!("{left} is one of {}", set.join(", ")),
        (Language::English, false) => format!("{left} is none of {}", set.join(", ")),
    }
}
