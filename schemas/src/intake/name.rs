//! Which element a name stands for.

use super::finding::{Fault, path_of};
use crate::edition::Edition;
use crate::plan::RecordPlan;
use crate::plan::tree::Shape;
use crate::validate::Finding;

/// A child of `node` by its tag or its Chinese name. `hint` is where to look first: names mostly
/// come in the order of the tables.
pub(super) fn child(plan: &RecordPlan, node: u16, name: &str, hint: &mut usize) -> Option<u16> {
    let children = &plan.nodes[node as usize].children;
    let exactly = |child: &u16| {
        let node = &plan.nodes[*child as usize];
        *node.tag == *name || *node.zh == *name
    };
    let after = children.get(*hint..).unwrap_or_default();
    let found = after.iter().position(exactly).map(|at| at + *hint);
    let found = found.or_else(|| children.iter().position(exactly));
    let found = found.or_else(|| children.iter().position(|child| bears(plan, *child, name)))?;
    *hint = found + 1;
    Some(children[found])
}

/// Whether a node goes by this name. Brackets, slashes and colons may be of either width: keyboards
/// write both.
pub(super) fn bears(plan: &RecordPlan, node: u16, name: &str) -> bool {
    let node = &plan.nodes[node as usize];
    *node.tag == *name || narrow(&node.zh).eq(narrow(name.trim()))
}

/// A name with narrow punctuation.
pub(super) fn narrow(name: &str) -> impl Iterator<Item = char> {
    name.chars().map(|c| match c {
        '（' => '(',
        '）' => ')',
        '／' => '/',
        '：' => ':',
        c => c,
    })
}

/// What to say of a name that stands for nothing inside `node`. `place` says where it was met.
pub(super) fn stray(
    edition: &Edition,
    plan: &RecordPlan,
    node: u16,
    name: &str,
    place: (&str, &str),
) -> Finding {
    let (zh, en) = place;
    let inside = path_of(plan, node);
    if let Some(forbidden) = edition.forbidden(name) {
        let (what_zh, what_en) = forbidden.names();
        let texts = (
            format!("{zh}不得采集：{what_zh}（征信业管理条例第十四条）；应删去"),
            format!(
                "{en} must not be collected: {what_en} (Regulation on the Credit Reporting \
                 Industry, Art 14); it should be taken out"
            ),
        );
        return Fault::Forbidden.at(plan.code(), inside, texts);
    }
    let elsewhere = places(plan, name);
    if elsewhere.is_empty() {
        let name = plain(name);
        let texts = (
            format!("{zh}（{name}）不是数据项；应为该处数据项的标签或中文名"),
            format!(
                "{en}: the name {name} is none; a tag or Chinese name of this place should stand here"
            ),
        );
        return Fault::NameUnknown.at(plan.code(), inside, texts);
    }
    let right = elsewhere.join(", ");
    let texts = (
        format!("{zh}不在其位置；应位于：{right}"),
        format!("{en} is out of its place; it should stand at: {right}"),
    );
    Fault::Nesting.at(plan.code(), inside, texts)
}

/// All paths at which something bears this name.
pub(super) fn places(plan: &RecordPlan, name: &str) -> Vec<String> {
    let bearing = |index: &u16| *index > 0 && bears(plan, *index, name);
    let indices = (0..plan.nodes.len() as u16).filter(bearing);
    indices.map(|index| path_of(plan, index)).collect()
}

/// What an index stands for in words.
pub(super) fn kind(plan: &RecordPlan, index: u16) -> (&'static str, &'static str) {
    match plan.nodes[index as usize].shape {
        Shape::Group(_) => ("数组（循环组）", "an array of objects (a group)"),
        Shape::Item(_) => ("字符串或数字（数据项）", "a string or a number (an item)"),
        Shape::Segment(_) => ("对象（段）", "an object (a segment)"),
    }
}

/// A name that can be shown: any other might be a person's.
pub(super) fn plain(name: &str) -> &str {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let begins = name.bytes().next().is_some_and(|b| b.is_ascii_alphabetic());
    let digits = name.bytes().filter(u8::is_ascii_digit).count();
    if begins && name.len() <= 40 && digits <= 4 && name.bytes().all(plain) {
        name
    } else {
        "?"
    }
}

#[cfg(test)]
mod tests {
    use crate::edition::Edition;

    #[test]
    fn beside_one_another_no_two_elements_bear_the_same_name() {
        let edition = Edition::embedded("pboc-submit-personal", jiff::civil::Date::MAX).unwrap();
        for plan in edition.plans() {
            for node in &plan.nodes {
                let children = || node.children.iter().map(|c| &plan.nodes[*c as usize]);
                let mut names: Vec<&str> = children().map(|c| &*c.tag).collect();
                names.extend(children().map(|c| &*c.zh));
                let all = names.len();
                names.sort_unstable();
                names.dedup();
                assert_eq!(names.len(), all, "{} {}", plan.code(), node.tag);
            }
        }
    }
}
