//! What a record breaks: presence of segments and items, kinds, lists, rules.

use super::{
    ask::Place,
    condition::Expr,
    identify::{is_date, is_listed},
    line::{Fault, Field, Fields, Record, State},
    tables::{Condition, Item, Lists, RecordType, What},
    text::Form,
};

/// All faults, in the order of the tables: segments, items, rules.
pub(crate) fn faults(record: &Record, form: &Form) -> Vec<Fault> {
    let (kind, fields) = (record.kind, &record.fields);
    let place = Place {
        kind,
        form,
        record: fields,
        entry: None,
    };
    each_item(kind, place, &mut |item, field, _| {
        field.state.set(alone(kind, item, field))
    });
    each_item(kind, place, &mut |item, field, at| {
        if field.state.get() == State::Good && !chosen(kind, item, &field.text, at) {
            field.state.set(State::Bad);
        }
    });
    let mut faults = Vec::new();
    segments(place, 0, &mut faults);
    items(place, 0, &mut faults);
    for rule in &kind.rules {
        if place.holds(&rule.when) != Some(true) {
            continue;
        }
        let mut fault = || faults.push((rule.code.to_owned(), rule.tag.to_owned()));
        match &rule.must {
            // Each entry that breaks it is told.
            Expr::Each(true, group, must) => {
                for entry in place.entries(*group) {
                    if entry.holds(must) == Some(false) {
                        fault();
                    }
                }
            }
            must if place.holds(must) == Some(false) => fault(),
            _ => {}
        }
    }
    faults
}

/// Visits every item that is there, with its field and where it stands.
fn each_item(
    kind: &RecordType,
    record: Place<'_>,
    visit: &mut dyn FnMut(&Item, &Field, Place<'_>),
) {
    for node in &kind.nodes {
        let What::Item(item) = &node.what else {
            continue;
        };
        let places = match node.within {
            0 => vec![record],
            group => record.entries(group),
        };
        for place in places {
            let field = place.fields(node.within).field(node.place);
            if field.state.get() != State::Absent {
                visit(item, field, place);
            }
        }
    }
}

/// What is to be said of a value by its kind, its length and its plain lists.
fn alone(kind: &RecordType, item: &Item, field: &Field) -> State {
    let value = field.text.as_str();
    if value.is_empty() {
        return State::Blank;
    }
    let signs = |text: &str| text.chars().count();
    let fits = |text: &str| match item.length {
        Some((limit, true)) => signs(text) == limit,
        Some((limit, false)) => signs(text) <= limit,
        None => true,
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|it| it.is_ascii_digit());
    let good = match item.kind {
        "ascii" => value.bytes().all(|it| it == b' ' || it.is_ascii_graphic()) && fits(value),
        "code" => true,
        "digits" => digits(value) && fits(value),
        "text" => !value.contains(char::is_control) && fits(value),
        "uint" => digits(value) && fits(value.trim_start_matches('0')),
        "decimal2" => {
            let amount = value.strip_prefix('-').unwrap_or(value);
            let parts = amount.split_once('.');
            parts.is_some_and(|(whole, cents)| {
                digits(whole) && fits(whole) && digits(cents) && cents.len() == 2
            })
        }
        "date" => is_date(value),
        "month" => is_date(&format!("{value}-01")),
        "year" => is_date(&format!("{value}-01-01")),
        _ => false,
    };
    if !good {
        return State::Bad;
    }
    if value.chars().all(|it| it == FULL_WIDTH) {
        return State::Blank;
    }
    if ["date", "month", "year"].contains(&item.kind) && !("1901".."2100").contains(&&value[..4]) {
        return State::Beyond;
    }
    match &item.lists {
        Lists::Any(lists) if !lists.iter().any(|list| is_listed(kind, list, value)) => State::Bad,
        _ => State::Good,
    }
}

/// Whether a value is in the list that other items choose.
fn chosen(kind: &RecordType, item: &Item, value: &str, place: Place<'_>) -> bool {
    match &item.lists {
        Lists::First(choices) => {
            for (when, list) in choices {
                match when.as_ref().map_or(Some(true), |when| place.holds(when)) {
                    Some(true) => return is_listed(kind, list, value),
                    Some(false) => {}
                    None => return true,
                }
            }
            true
        }
        Lists::Under(prefix, node) => match place.good(*node) {
            Some(under) => is_listed(kind, &format!("{prefix}.{under}"), value),
            None => true,
        },
        Lists::Any(_) | Lists::None => true,
    }
}

fn segments(place: Place<'_>, above: usize, faults: &mut Vec<Fault>) {
    let kind = place.kind;
    for &index in &kind.nodes[above].children {
        let node = &kind.nodes[index];
        let What::Segment(segment) = &node.what else {
            continue;
        };
        let field = place.fields(node.within).field(node.place);
        let mut fault = |code: &str, tag: &str| faults.push((code.to_owned(), tag.to_owned()));
        if field.state.get() == State::Absent {
            for code in broken(place, &segment.required) {
                fault(code, node.tag);
            }
            continue;
        }
        let forbidden = broken(place, &segment.forbidden);
        if !forbidden.is_empty() {
            for code in forbidden {
                fault(code, node.tag);
            }
            hide(kind, index, place.fields(node.within));
            continue;
        }
        if !segment.repeats {
            segments(place, index, faults);
            continue;
        }
        if field.entries.len() > segment.most {
            fault("ABR000", node.tag);
        }
        let counter = segment.counter.and_then(|counter| place.good(counter));
        let said = counter.and_then(|counter| counter.parse().ok());
        if said.is_some_and(|said: usize| said != field.entries.len()) {
            let counter = segment.counter.unwrap_or_default();
            fault("ABE010", kind.nodes[counter].tag);
        }
        for entry in place.entries(index) {
            segments(entry, index, faults);
        }
    }
}

fn items(place: Place<'_>, above: usize, faults: &mut Vec<Fault>) {
    let kind = place.kind;
    for &index in &kind.nodes[above].children {
        let node = &kind.nodes[index];
        let field = place.fields(node.within).field(node.place);
        match &node.what {
            What::Item(item) => {
                for code in wrong(item, field, place) {
                    faults.push((code.to_owned(), node.tag.to_owned()));
                }
            }
            What::Segment(_) if field.state.get() == State::Absent || field.hidden.get() => {}
            What::Segment(segment) if segment.repeats => {
                for entry in place.entries(index) {
                    items(entry, index, faults);
                }
            }
            What::Segment(_) => items(place, index, faults),
        }
    }
}

/// The codes that an item costs.
fn wrong<'t>(item: &'t Item, field: &Field, place: Place<'_>) -> Vec<&'t str> {
    let state = field.state.get();
    if state == State::Absent {
        return broken(place, &item.there);
    }
    let barred = broken(place, &item.barred);
    if !barred.is_empty() {
        return barred;
    }
    match state {
        // What only the texts forbid is let pass.
        State::Bad if item.bad.starts_with('~') => Vec::new(),
        State::Bad => vec![item.bad],
        State::Beyond => vec!["ABE008"],
        State::Blank => broken(place, &item.filled),
        State::Absent | State::Good => Vec::new(),
    }
}

/// The codes of the conditions that hold, each once.
fn broken<'t>(place: Place<'_>, conditions: &'t [Condition]) -> Vec<&'t str> {
    let mut codes = Vec::new();
    for condition in conditions {
        if place.holds(&condition.when) == Some(true) && !codes.contains(&condition.code) {
            codes.push(condition.code);
        }
    }
    codes
}

/// What must not be there is not looked into.
fn hide(kind: &RecordType, index: usize, fields: &Fields) {
    let field = fields.field(kind.nodes[index].place);
    field.hidden.set(true);
    let repeats = matches!(&kind.nodes[index].what, What::Segment(it) if it.repeats);
    for &child in &kind.nodes[index].children {
        if repeats {
            field
                .entries
                .iter()
                .for_each(|entry| hide(kind, child, entry));
        } else {
            hide(kind, child, fields);
        }
    }
}

const FULL_WIDTH: char = '\u{3000}';
