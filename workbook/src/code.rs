//! Codes with their names, as drop-downs offer them: `13 保理`.

use schemas::codes::Meaning;
use schemas::plan::Element;
use schemas::text::{Label, Language};

use crate::finding::Fault;

/// What a drop-down offers for a code.
pub(crate) fn offered(meaning: &Meaning<'_>, language: Language) -> String {
    let label = Label {
        zh: meaning.zh,
        en: meaning.en,
    };
    match label.text(language) {
        "" => meaning.code.to_owned(),
        name => format!("{} {name}", meaning.code),
    }
}

/// The code in a text: alone, or before the name it has in the lists of the item. What is in no
/// list is left for the plan to tell.
pub(crate) fn of_text<'t>(item: Element<'_>, text: &'t str) -> Result<&'t str, Fault> {
    let Some((code, name)) = text.split_once(char::is_whitespace) else {
        return Ok(text);
    };
    let (mut known, mut named) = (false, false);
    for meaning in item.codes().filter(|it| it.code == code) {
        known = true;
        named |= [meaning.zh, meaning.en].contains(&name.trim());
    }
    match (known, named) {
        (true, false) => Err(Fault::Code),
        (true, true) => Ok(code),
        (false, _) => Ok(text),
    }
}
