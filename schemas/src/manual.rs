//! The manual page of a record, in Markdown, made from its plan.
//!
//! # Promise
//!
//! A page tells whoever must fill the record all that the engine tests, in the order of the XML: what
//! stands where, when it must be there, what it may hold, which rules bind it, and what only the
//! bureau can judge. It is made from what is compiled, so that it cannot say something else.

mod codes;
mod items;

use std::fmt::Write as _;

use crate::classified::Class;
use crate::coverage::{Coverage, RecordCoverage, RuleCoverage};
use crate::edition::Edition;
use crate::explain::Language as Words;
use crate::plan::RecordPlan;
use crate::plan::tree::{Group, Shape};
use crate::role::Does;
use crate::text::{Label, Language};

/// The pages of one edition.
#[derive(Debug)]
pub struct Manual<'e> {
    edition: &'e Edition,
    coverage: Coverage<'e>,
    language: Language,
}

impl<'e> Manual<'e> {
    /// The pages of `edition`, whose format is called so.
    #[must_use]
    pub fn of(format: &'e str, edition: &'e Edition, language: Language) -> Self {
        Self {
            edition,
            coverage: Coverage::of(format, edition),
            language,
        }
    }

    /// The page of a record type; `None` where the edition has none of this name.
    #[must_use]
    pub fn page(&self, code: &str) -> Option<String> {
        let plan = self.edition.plan(code)?;
        let mut records = self.coverage.records.iter();
        let record = records.find(|record| record.record == code)?;
        let mut page = String::new();
        self.head(&mut page, plan, record);
        self.segments(&mut page, plan);
        items::tables(&mut page, plan, self.language);
        self.rules(&mut page, record);
        codes::lists(&mut page, plan, self.language);
        Some(page)
    }

    /// The list of all pages, one line each.
    #[must_use]
    pub fn index(&self) -> String {
        let mut page = String::new();
        for record in &self.coverage.records {
            let off = if record.off {
                self.pick("（停用）", " (not in use)")
            } else {
                ""
            };
            let _ = writeln!(
                page,
                "- [{}]({}/{}.md) {}{off}",
                record.record,
                self.coverage.format,
                record.record,
                both(record.name, self.language)
            );
        }
        page
    }

    fn head(&self, page: &mut String, plan: &RecordPlan, record: &RecordCoverage<'_>) {
        let (code, element) = (record.record, record.element);
        let root = &plan.engine.root;
        let _ = writeln!(page, "# {code} {}\n", both(record.name, self.language));
        if record.off {
            page.push_str(self.pick(
                "**该记录类型停用**：送入即被拒绝（`intake_record_off`），除非叠加表`edition.tsv`的`off`中去掉它。\n\n",
                "**Not in use**: such a record is refused when it is handed in (`intake_record_off`), \
                 unless an overlay's `edition.tsv` leaves it out of `off`.\n\n",
            ));
        }
        let _ = match self.language {
            Language::En => writeln!(
                page,
                "Format `{}`, for report dates from {} on. In a file it is one line, \
                 `<{root}><{element}>…</{element}></{root}>`, its elements in the order of this \
                 page. A code in brackets, such as ABE000, is what the bureau answers; `~` before \
                 it marks what only warns.\n",
                self.coverage.format, self.coverage.first_day
            ),
            Language::Zh => writeln!(
                page,
                "格式`{}`，适用于{}起的信息报告日期。报文中占一行：\
                 `<{root}><{element}>…</{element}></{root}>`，各元素按本页顺序书写。括号内的代码（如ABE000）\
                 是征信机构的反馈代码，前有`~`的仅为提示。\n",
                self.coverage.format, self.coverage.first_day
            ),
        };
        if let Some(role) = self.edition.role(code) {
            let family = role.family();
            let (zh, en) = match role.does() {
                Does::Correct => (format!("它更正{family}已被接收的一个段。"), format!("It corrects one segment of what was accepted with {family}.")),
                Does::Delete => (format!("它整笔删除{family}已被接收的内容。"), format!("It takes back all that was accepted with {family}.")),
                Does::DeleteSegments => (format!("它删除一段时间内{family}已被接收的段。"), format!("It takes back segments of a span of time that were accepted with {family}.")),
                Does::Event => (format!("它说明{family}账户的特殊事件。"), format!("It notes a special event of an account of {family}.")),
                Does::Normal => ("它首次报送某一账户（主体、合同），并报送其后的变化。".to_owned(), "It reports an account (subject, contract) for the first time, and its changes after that.".to_owned()),
                Does::Rename => (format!("它变更{family}账户的标识。"), format!("It changes the key of an account of {family}.")),
            };
            let _ = writeln!(page, "{}\n", self.pick(&zh, &en));
        }
    }

    /// The tree of segments and groups.
    fn segments(&self, page: &mut String, plan: &RecordPlan) {
        let there = plan.nodes.iter().skip(1).any(|node| node.item().is_none());
        if !there {
            return;
        }
        let (title, header) = match self.language {
            Language::En => ("Segments", "| Segment | Name | How often | When |"),
            Language::Zh => ("段", "| 段 | 名称 | 次数 | 条件 |"),
        };
        let _ = writeln!(page, "## {title}\n\n{header}\n|---|---|---|---|");
        for node in plan.nodes.iter().skip(1) {
            let (rows, often) = match &node.shape {
                Shape::Item(_) => continue,
                Shape::Segment(rows) => (rows, "1".to_owned()),
                Shape::Group(Group {
                    rows,
                    most,
                    counter,
                    ..
                }) => {
                    let most = if *most == u32::MAX {
                        "n".to_owned()
                    } else {
                        most.to_string()
                    };
                    let counted = counter.map(|counter| &plan.nodes[counter as usize].tag);
                    let counted = counted.map_or(String::new(), |tag| match self.language {
                        Language::En => format!(", counted by `{tag}`"),
                        Language::Zh => format!("，个数填`{tag}`"),
                    });
                    (rows, format!("{most}{counted}"))
                }
            };
            let conditions = rows.iter().flat_map(|row| {
                let required = row
                    .required
                    .as_ref()
                    .map(|it| (it, "必须有", "must be there"));
                let forbidden = row
                    .forbidden
                    .as_ref()
                    .map(|it| (it, "不得有", "must not be there"));
                [required, forbidden].into_iter().flatten()
            });
            let conditions = conditions
                .map(|(it, zh, en)| items::when(plan, it, self.pick(zh, en), self.language));
            let name = Label {
                zh: &node.zh,
                en: &node.en,
            };
            let _ = writeln!(
                page,
                "| `{}` | {} | {often} | {} |",
                path(plan, node.parent, &node.tag),
                cell(&both(name, self.language)),
                cell(&conditions.collect::<Vec<_>>().join("<br>"))
            );
        }
        page.push('\n');
    }

    fn rules(&self, page: &mut String, record: &RecordCoverage<'_>) {
        // What the codes of segments and items say stands there already.
        let judged: Vec<_> = record.rules.iter().filter(|rule| rule.judged).collect();
        if !judged.is_empty() {
            let title = self.pick("规则", "Rules");
            let header = self.pick("| 规则 | 代码 | 内容 |", "| Rule | Code | What it asks |");
            let _ = writeln!(page, "## {title}\n\n{header}\n|---|---|---|");
            for rule in judged {
                self.rule(page, rule);
            }
            page.push('\n');
        }
        // What concerns whole files (third letter N, H or F) stands elsewhere.
        let of_file = |rule: &RuleCoverage<'_>| {
            matches!(rule.code.as_bytes(), [_, _, b'F' | b'H' | b'N', ..])
        };
        let every = self.coverage.rules.iter().filter(|rule| !of_file(rule));
        let beyond = record.rules.iter().chain(every);
        let beyond: Vec<_> = beyond
            .filter(|rule| rule.cure.is_some() || rule.class == Class::File)
            .collect();
        if !beyond.is_empty() {
            let title = self.pick("只有征信机构能判断的", "What only the bureau can judge");
            let header = self.pick(
                "| 规则 | 代码 | 含义 | 如何处理 |",
                "| Rule | Code | What it means | What to do |",
            );
            let _ = writeln!(page, "## {title}\n\n{header}\n|---|---|---|---|");
            for rule in beyond {
                let twice = self.pick("删去重复的一条。", "Leave the second one out.");
                let cure = rule.cure.map_or(twice, |cure| cure.text(self.language));
                let _ = writeln!(
                    page,
                    "| {} | {} | {} | {} |",
                    rule.rule,
                    rule.code,
                    cell(self.pick(&rule.zh, &rule.en)),
                    cell(cure)
                );
            }
            page.push('\n');
        }
        let open: Vec<_> = record
            .rules
            .iter()
            .filter(|it| it.class == Class::Unsettled)
            .collect();
        if !open.is_empty() {
            let _ = writeln!(page, "## {}\n", self.pick("未定", "Not settled"));
            for rule in open {
                let mut conflicts = self.coverage.conflicts.iter();
                let conflict = conflicts.find(|conflict| conflict.conflict == rule.by);
                let why = conflict.map_or("", |conflict| conflict.name.text(self.language));
                let _ = writeln!(
                    page,
                    "- {} ({}): {} `{}`: {why}",
                    rule.rule,
                    rule.code,
                    self.pick(&rule.zh, &rule.en),
                    rule.by
                );
            }
            page.push('\n');
        }
    }

    fn rule(&self, page: &mut String, rule: &RuleCoverage<'_>) {
        let warns = if rule.warns { "~" } else { "" };
        let _ = writeln!(
            page,
            "| {} | {warns}{} | {} |",
            rule.rule,
            rule.code,
            cell(self.pick(&rule.zh, &rule.en))
        );
    }

    fn pick<'a>(&self, zh: &'a str, en: &'a str) -> &'a str {
        Label { zh, en }.text(self.language)
    }
}

/// A name in the language of the page, the other one beside it.
fn both(name: Label<'_>, language: Language) -> String {
    let (first, second) = match language {
        Language::En => (name.en, name.zh),
        Language::Zh => (name.zh, name.en),
    };
    match (first, second) {
        ("", only) | (only, "") => only.to_owned(),
        (first, second) => format!("{first} ({second})"),
    }
}

/// The path of an element from the record element.
fn path(plan: &RecordPlan, parent: u16, tag: &str) -> String {
    if parent == 0 {
        return tag.to_owned();
    }
    let above = &plan.nodes[parent as usize];
    format!("{}/{tag}", path(plan, above.parent, &above.tag))
}

/// A text as the cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('*', "\\*")
}

fn words(language: Language) -> Words {
    match language {
        Language::En => Words::English,
        Language::Zh => Words::Chinese,
    }
}
