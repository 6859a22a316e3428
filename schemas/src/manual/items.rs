//! The items of a record: one table for each segment.

use std::fmt::Write as _;

use super::{both, cell, path, words};
use crate::expr::Test;
use crate::expr::eval::State;
use crate::plan::RecordPlan;
use crate::plan::tree::{Choice, Condition, Item, Node, Rows};
use crate::text::{Label, Language};

/// Writes a table for the record element and for each segment and group that has items.
pub(super) fn tables(page: &mut String, plan: &RecordPlan, language: Language) {
    for (index, node) in plan.nodes.iter().enumerate() {
        if node.item().is_some() {
            continue;
        }
        let children = node
            .children
            .iter()
            .map(|child| &plan.nodes[*child as usize]);
        let items: Vec<(&Node, &Item)> = children
            .filter_map(|child| Some((child, child.item()?)))
            .collect();
        if items.is_empty() {
            continue;
        }
        let header = match language {
            Language::En => "| Tag | Name | Holds | Tag must be there | Must be filled |",
            Language::Zh => "| 标签 | 名称 | 内容 | 标签出现 | 必填 |",
        };
        let title = if index == 0 {
            format!("`{}`", node.tag)
        } else {
            let name = Label {
                zh: &node.zh,
                en: &node.en,
            };
            format!(
                "`{}` {}",
                path(plan, node.parent, &node.tag),
                both(name, language)
            )
        };
        let _ = writeln!(page, "## {title}\n\n{header}\n|---|---|---|---|---|");
        for (node, item) in items {
            let is_type = plan
                .type_item
                .is_some_and(|it| std::ptr::eq(&plan.nodes[it as usize], node));
            let form = if is_type {
                format!("`{}`", plan.code)
            } else {
                form(plan, item, language)
            };
            let name = Label {
                zh: &node.zh,
                en: &node.en,
            };
            let _ = writeln!(
                page,
                "| `{}` | {} | {} | {} | {} |",
                node.tag,
                cell(&both(name, language)),
                cell(&coded(&form, item)),
                cell(&presence(plan, &item.rows, language)),
                cell(&filled(plan, &item.rows, language)),
            );
        }
        page.push('\n');
    }
}

/// `text when it is so (CODE)`; without the condition where it always holds.
pub(super) fn when(
    plan: &RecordPlan,
    condition: &Condition,
    text: &str,
    language: Language,
) -> String {
    let warns = if condition.code.warns { "~" } else { "" };
    let code = &condition.code.code;
    if matches!(plan.program.tests[condition.test as usize], Test::Always) {
        return format!("{text} ({warns}{code})");
    }
    let said = plan.condition(condition.test, words(language));
    match language {
        Language::En => format!("{text} when {said} ({warns}{code})"),
        Language::Zh => format!("当{said}时{text}（{warns}{code}）"),
    }
}

/// What a value looks like.
fn form(plan: &RecordPlan, item: &Item, language: Language) -> String {
    let Some(choice) = &item.choice else {
        let (zh, en) = plan.form(item, State::BadForm);
        return match language {
            Language::En => en,
            Language::Zh => zh.trim_start_matches('为').to_owned(),
        };
    };
    codes(plan, choice, language)
}

/// The form with the code of a value that has another.
fn coded(form: &str, item: &Item) -> String {
    let warns = if item.bad.warns { "~" } else { "" };
    match &*item.bad.code {
        "" => form.to_owned(),
        code => format!("{form} ({warns}{code})"),
    }
}

fn codes(plan: &RecordPlan, choice: &Choice, language: Language) -> String {
    let link = |list: u16| {
        let name = &plan.lists.0[list as usize].0;
        format!("[{name}](#{})", super::codes::anchor(name))
    };
    let en = language == Language::En;
    let said = match choice {
        Choice::Any(lists) => lists
            .iter()
            .map(|list| link(*list))
            .collect::<Vec<_>>()
            .join("; "),
        Choice::First(lists) => {
            let lists = lists.iter().map(|(test, list)| match test {
                Some(test) if en => {
                    format!(
                        "{} when {}",
                        link(*list),
                        plan.condition(*test, words(language))
                    )
                }
                Some(test) => {
                    format!(
                        "当{}时{}",
                        plan.condition(*test, words(language)),
                        link(*list)
                    )
                }
                None if en => format!("else {}", link(*list)),
                None => format!("否则{}", link(*list)),
            });
            lists.collect::<Vec<_>>().join("; ")
        }
        Choice::Under { item, lists } => {
            let tag = &plan.nodes[item.node as usize].tag;
            let lists = lists
                .iter()
                .map(|(code, list)| format!("{code}: {}", link(*list)));
            let lists = lists.collect::<Vec<_>>().join(", ");
            if en {
                format!("by the value of `{tag}`: {lists}")
            } else {
                format!("按`{tag}`的取值：{lists}")
            }
        }
    };
    let label = if en { "a code: " } else { "代码：" };
    format!("{label}{said}")
}

fn presence(plan: &RecordPlan, rows: &[Rows], language: Language) -> String {
    let (yes, no) = match language {
        Language::En => ("yes", "must not"),
        Language::Zh => ("是", "不得出现"),
    };
    let said = rows.iter().flat_map(|row| {
        let there = row.tag.as_ref().map(|it| when(plan, it, yes, language));
        let absent = row
            .forbidden
            .as_ref()
            .map(|it| when(plan, it, no, language));
        [there, absent].into_iter().flatten()
    });
    joined(said, language)
}

fn filled(plan: &RecordPlan, rows: &[Rows], language: Language) -> String {
    let yes = match language {
        Language::En => "yes",
        Language::Zh => "是",
    };
    let values = rows.iter().filter_map(|row| row.value.as_ref());
    joined(values.map(|it| when(plan, it, yes, language)), language)
}

fn joined(said: impl Iterator<Item = String>, language: Language) -> String {
    let said: Vec<String> = said.collect();
    match (said.is_empty(), language) {
        (true, Language::En) => "no".to_owned(),
        (true, Language::Zh) => "否".to_owned(),
        _ => said.join("<br>"),
    }
}
