//! Which topic is meant by a template, and which parameters does a topic speak of?

use crate::model::Few;

/// The parameter that may hold several levels of a topic: a bridge's friendly names contain slashes.
const DEEP: &str = "name";

/// The values of a profile's parameters.
pub type Parameters = Few<String, String>;

/// Returns the names in `{braces}`, in order.
pub(crate) fn placeholders(text: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once('{') {
        let Some((name, tail)) = after.split_once('}') else {
            break;
        };
        if is_name(name) {
            names.push(name);
            rest = tail;
        } else {
            rest = after;
        }
    }
    names
}

fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

/// Fills in the parameters; a name without a value stays as it stands.
pub(crate) fn fill(text: &str, parameters: &Parameters) -> String {
    let mut filled = text.to_owned();
    for name in placeholders(text) {
        if let Some(value) = parameters.get(name) {
            filled = filled.replace(&format!("{{{name}}}"), value);
        }
    }
    filled
}

/// Returns what the parameters must be for the template to mean this topic.
pub(crate) fn infer(template: &str, topic: &str) -> Option<Parameters> {
    let want: Vec<&str> = template.split('/').collect();
    let have: Vec<&str> = topic.split('/').collect();
    let mut found = Parameters::new();
    levels(&want, &have, &mut found).then_some(found)
}

fn levels(want: &[&str], have: &[&str], found: &mut Parameters) -> bool {
    let Some((first, rest)) = want.split_first() else {
        return have.is_empty();
    };
    if *first == format!("{{{DEEP}}}") {
        return (1..=have.len()).rev().any(|n| {
            let mut tried = found.clone();
            let fits = take(&mut tried, DEEP, &have[..n].join("/")) && levels(rest, &have[n..], &mut tried);
            if fits {
                *found = tried;
            }
            fits
        });
    }
    match have.split_first() {
        Some((level, others)) => one_level(first, level, found) && levels(rest, others, found),
        None => false,
    }
}

/// One level of a template: text, at most one placeholder, text.
fn one_level(want: &str, have: &str, found: &mut Parameters) -> bool {
    let names = placeholders(want);
    let Some(name) = names.first() else { return want == have };
    let hole = format!("{{{name}}}");
    let (before, after) = want.split_once(&hole).unwrap_or((want, ""));
    match have.strip_prefix(before).and_then(|rest| rest.strip_suffix(after)) {
        Some(value) if names.len() == 1 && !value.is_empty() => take(found, name, value),
        _ => false,
    }
}

fn take(found: &mut Parameters, name: &str, value: &str) -> bool {
    found.get_or_insert_with(&name.to_owned(), || value.to_owned()) == value
}

/// Whether a text can be a parameter's value in a topic: no wildcard, no empty level, nothing invisible.
pub(crate) fn is_safe_value(text: &str) -> bool {
    let level = |level: &str| !level.is_empty() && !level.chars().any(|c| matches!(c, '+' | '#') || c.is_control());
    text.len() <= 200 && text.split('/').all(level)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters(pairs: &[(&str, &str)]) -> Parameters {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    #[test]
    fn a_friendly_name_may_hold_slashes() {
        let found = infer("{base}/{name}", "zigbee2mqtt/hotel/1201/door");
        assert_eq!(
            found,
            Some(parameters(&[("base", "zigbee2mqtt"), ("name", "hotel/1201/door")]))
        );
        let found = infer("{base}/{name}/set", "z/hotel/1201/door/set");
        assert_eq!(found, Some(parameters(&[("base", "z"), ("name", "hotel/1201/door")])));
        assert_eq!(infer("{base}/{name}/set", "z/hotel/1201/door"), None);
    }

    #[test]
    fn levels_match_one_to_one() {
        let template = "application/{app}/device/{deveui}/event/up";
        let found = infer(template, "application/a1/device/24e1/event/up");
        assert_eq!(found, Some(parameters(&[("app", "a1"), ("deveui", "24e1")])));
        assert_eq!(infer(template, "application/a1/device/24e1/event/join"), None);
        assert_eq!(
            infer("v3/{id}/eui-{eui}/up", "v3/x/eui-99/up"),
            Some(parameters(&[("eui", "99"), ("id", "x")]))
        );
        assert_eq!(infer("{a}/{a}", "x/y"), None, "one name, one value");
    }

    #[test]
    fn a_wildcard_is_no_value() {
        for text in ["", "a/", "/a", "a//b", "+", "a/#", "a\nb"] {
            assert!(!is_safe_value(text), "{text:?}");
        }
        assert!(is_safe_value("hotel/1201/door"));
    }
}
