//! Does `docs/rules.md` list every rule and every refusal that the code can give, and none that it cannot?

use std::collections::BTreeSet;
use std::path::Path;

/// Words in kebab case that stand in the engine and are no rules: the stem of a request id, the because of an aim that
/// nothing has been wanted of yet.
const NO_RULES: [&str; 2] = ["cannot-reach", "none"];

fn read(file: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap()
}

/// The code of a folder, without comments and tests.
fn code_of(folder: &str) -> String {
    fn walk(dir: &Path, all: &mut String) {
        let mut entries: Vec<_> = std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().path()).collect();
        entries.sort();
        for entry in entries {
            if entry.ends_with("tests") || entry.ends_with("tests.rs") {
                continue;
            }
            if entry.is_dir() {
                walk(&entry, all);
            } else {
                let text = std::fs::read_to_string(&entry).unwrap();
                let body = text.split("#[cfg(test)]").next().unwrap_or_default();
                let code = body.lines().map(|line| line.split("//").next().unwrap_or_default());
                code.for_each(|line| all.extend([line, "\n"]));
            }
        }
    }
    let mut all = String::new();
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &mut all);
    all
}

/// Every text literal that has no escapes in it.
fn literals(code: &str) -> impl Iterator<Item = &str> {
    code.split('"').skip(1).step_by(2)
}

fn is_made_of(text: &str, joint: char) -> bool {
    let parts: Vec<&str> = text.split(joint).collect();
    parts.len() > 1
        && parts
            .iter()
            .all(|p| !p.is_empty() && p.chars().all(|c| c.is_ascii_lowercase()))
}

/// The names in the first column of the tables under a heading.
fn listed(heading: &str) -> BTreeSet<String> {
    let text = read("docs/rules.md");
    let from = text
        .find(&format!("\n## {heading}\n"))
        .unwrap_or_else(|| panic!("docs/rules.md has no {heading}"));
    let section = &text[from + 4..];
    let section = section.split("\n## ").next().unwrap_or_default();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.filter_map(|row| row.split('`').next())
        .map(str::to_owned)
        .collect()
}

fn told(code: BTreeSet<String>, heading: &str) {
    let listed = listed(heading);
    let missing: Vec<_> = code.difference(&listed).collect();
    let surplus: Vec<_> = listed.difference(&code).collect();
    assert!(
        missing.is_empty(),
        "docs/rules.md, {heading}, does not list {missing:?}"
    );
    assert!(
        surplus.is_empty(),
        "docs/rules.md, {heading}, lists what no code says: {surplus:?}"
    );
    assert!(!listed.is_empty());
}

#[test]
fn every_rule_the_engine_can_give_is_explained() {
    let code = code_of("src/engine");
    let kebab = literals(&code).filter(|text| is_made_of(text, '-'));
    let named = code
        .split("Because::rule(\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next());
    let rules = kebab.chain(named).filter(|rule| !NO_RULES.contains(rule));
    told(rules.map(str::to_owned).collect(), "Rules of the engine");
}

#[test]
fn every_refusal_of_the_engine_is_explained() {
    let code = code_of("src/engine");
    let after_call = |call: &'static str| {
        let calls = code.split(call).skip(1);
        calls.filter_map(|rest| rest.split(')').next()?.split('"').nth(1))
    };
    let is_returned = |text: &&str| text.starts_with("stay_") || text.starts_with("override_");
    let stays = literals(&code).filter(|text| is_returned(text) && is_made_of(text, '_'));
    let reasons = after_call("refuse(&mut effects,")
        .chain(after_call("refuse(effects,"))
        .chain(after_call(".refuse("));
    let reasons = reasons.chain(stays).filter(|reason| is_made_of(reason, '_'));
    told(reasons.map(str::to_owned).collect(), "Refusals of the engine");
}

#[test]
fn every_refusal_of_a_message_from_a_device_is_explained() {
    use innkeeper::profile::Rejection;
    told(
        Rejection::ALL.iter().map(|r| r.word().to_owned()).collect(),
        "Refusals of messages from devices",
    );
}

#[cfg(feature = "daemon")]
#[test]
fn every_refusal_of_a_message_from_central_is_explained() {
    use innkeeper::uplink::Reason;
    told(
        Reason::ALL.iter().map(|r| r.name().to_owned()).collect(),
        "Refusals of messages from central",
    );
}

#[cfg(feature = "daemon")]
#[test]
fn every_refusal_of_a_link_to_devices_is_explained() {
    use innkeeper::device::modbus::FailReason;
    // However the formatter breaks a call over lines, it is found.
    let code: String = code_of("src/device").split_whitespace().collect();
    let noted = code
        .split("tally.note(")
        .skip(1)
        .filter_map(|rest| rest.split(';').next()?.split('"').nth(1));
    let of_messages = listed("Refusals of messages from devices");
    let own = noted.filter(|reason| !of_messages.contains(*reason));
    let of_others = innkeeper::device::property::refusals().chain(FailReason::WORDS);
    let all = own.map(str::to_owned).chain(of_others.map(str::to_owned)).collect();
    told(all, "Refusals of the links to devices");
}
