//! The sheets of a record type.

use schemas::plan::{Element, NodeId, RecordPlan, What};
use schemas::text::Language;

/// Rows of the header: names, and below them tags.
pub(crate) const HEADER: u32 = 2;

/// The tag of the first column.
pub(crate) const KEY: &str = "@key";
pub(crate) const DISPUTE: &str = "@dispute";
pub(crate) const CORRECTS: &str = "@corrects";

/// The longest name of a sheet.
const NAME: usize = 31;

/// The sheets of a record type, in the order of its segments; the first tells which records there
/// are.
pub(crate) struct Layout<'p> {
    pub(crate) plan: &'p RecordPlan,
    pub(crate) sheets: Vec<Sheet>,
}

/// One sheet.
pub(crate) struct Sheet {
    /// The segment, or the group, or the record itself.
    pub(crate) node: NodeId,
    pub(crate) is_group: bool,
    /// The items that a person fills; what follows from the rest is not among them.
    pub(crate) items: Vec<NodeId>,
    zh: String,
    tag: String,
}

impl<'p> Layout<'p> {
    pub(crate) fn new(plan: &'p RecordPlan) -> Self {
        let mut layout = Self {
            plan,
            sheets: Vec::new(),
        };
        layout.collect(plan.root());
        for at in 0..layout.sheets.len() {
            let element = plan.element(layout.sheets[at].node);
            let sheet = &mut layout.sheets[at];
            (sheet.zh, sheet.tag) = (named(plan, element, false), named(plan, element, true));
        }
        layout
    }

    fn collect(&mut self, element: Element<'p>) {
        let is_item = |it: &Element<'p>| matches!(it.what(), What::Item { .. });
        let is_group = matches!(element.what(), What::Group { .. });
        let items = element.children().filter(is_item);
        let items: Vec<NodeId> = items.filter(|it| !it.follows()).map(Element::id).collect();
        if !items.is_empty() {
            self.sheets.push(Sheet {
                node: element.id(),
                is_group,
                items,
                zh: String::new(),
                tag: String::new(),
            });
        }
        for child in element.children().filter(|it| !is_item(it)) {
            self.collect(child);
        }
    }

    /// The sheet of this name, in either language.
    pub(crate) fn find(&self, name: &str) -> Option<usize> {
        let bears = |sheet: &Sheet| [&sheet.zh, &sheet.tag].contains(&&name.to_owned());
        self.sheets.iter().position(bears)
    }
}

impl Sheet {
    pub(crate) fn name(&self, language: Language) -> &str {
        match language {
            Language::En => &self.tag,
            Language::Zh => &self.zh,
        }
    }
}

/// Record type and element, with the one around it where another element bears the same name. Of
/// what does not fit, both ends.
fn named(plan: &RecordPlan, element: Element<'_>, by_tag: bool) -> String {
    let own = |it: Element<'_>| if by_tag { it.tag() } else { it.zh() }.to_owned();
    let mut name = own(element);
    if twins(plan.root(), &name, by_tag) > 1
        && let Some(parent) = element.parent()
    {
        name = format!("{}·{name}", own(parent));
    }
    let name = format!("{} {name}", plan.code());
    let name = name.replace(['[', ']', ':', '*', '?', '/', '\\', '\''], "_");
    let all: Vec<char> = name.chars().collect();
    if all.len() <= NAME {
        return name;
    }
    // Names begin alike and end in an edition, or the other way round: both ends tell them apart.
    let (head, tail) = (&all[..NAME / 2], &all[all.len() - NAME / 2..]);
    head.iter().chain(&['…']).chain(tail).collect()
}

/// How many segments and groups bear a name.
fn twins(element: Element<'_>, name: &str, by_tag: bool) -> usize {
    if let What::Item { .. } = element.what() {
        return 0;
    }
    let own = if by_tag { element.tag() } else { element.zh() };
    let inside: usize = element.children().map(|it| twins(it, name, by_tag)).sum();
    inside + usize::from(own == name)
}

/// What a sheet that holds no records is called.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Beside {
    Codes,
    Example,
    Findings,
    Guide,
}

impl Beside {
    pub(crate) fn name(self, language: Language) -> &'static str {
        match (self, language) {
            (Self::Codes, Language::Zh) => "代码表",
            (Self::Codes, Language::En) => "Codes",
            (Self::Example, Language::Zh) => "示例",
            (Self::Example, Language::En) => "Example",
            (Self::Findings, Language::Zh) => "检查结果",
            (Self::Findings, Language::En) => "Findings",
            (Self::Guide, Language::Zh) => "说明",
            (Self::Guide, Language::En) => "Guide",
        }
    }

    pub(crate) fn of(name: &str) -> Option<Self> {
        let all = [Self::Codes, Self::Example, Self::Findings, Self::Guide];
        let bears = |it: &Self| [it.name(Language::Zh), it.name(Language::En)].contains(&name);
        all.into_iter().find(bears)
    }
}

#[cfg(test)]
mod tests {
    use schemas::edition::Edition;

    use super::*;

    #[test]
    fn every_record_type_has_sheets_with_names_of_their_own_that_fit() {
        let mut records = 0;
        for format in ["pboc-submit-personal", "pboc-submit-enterprise"] {
            let edition = Edition::embedded(format, jiff::civil::Date::MAX).unwrap();
            for plan in edition.plans() {
                let layout = Layout::new(plan);
                records += 1;
                assert!(!layout.sheets[0].is_group, "{}", plan.code());
                let mut names: Vec<&str> = Vec::new();
                for (at, sheet) in layout.sheets.iter().enumerate() {
                    for language in [Language::Zh, Language::En] {
                        let name = sheet.name(language);
                        assert!(name.encode_utf16().count() <= NAME, "{name}");
                        assert_eq!(layout.find(name), Some(at), "{name}");
                        assert!(Beside::of(name).is_none());
                    }
                    names.push(sheet.name(Language::Zh));
                }
                names.sort_unstable();
                names.dedup();
                assert_eq!(names.len(), layout.sheets.len(), "{}", plan.code());
                // Spreadsheets do not tell letters by their case.
                let tags = layout.sheets.iter().map(|it| it.tag.to_lowercase());
                let tags: std::collections::BTreeSet<String> = tags.collect();
                assert_eq!(tags.len(), layout.sheets.len(), "{}", plan.code());
                // Every item that a person fills has its column.
                let columns: usize = layout.sheets.iter().map(|it| it.items.len()).sum();
                assert_eq!(columns, filled(plan.root()), "{}", plan.code());
            }
        }
        assert!(records > 50, "{records}");
    }

    fn filled(element: Element<'_>) -> usize {
        let own = matches!(element.what(), What::Item { .. }) && !element.follows();
        usize::from(own) + element.children().map(filled).sum::<usize>()
    }
}
