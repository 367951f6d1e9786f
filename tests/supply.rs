//! Does anything come into the program that nobody agreed to? Licences, banned crates, sources, doubles, and known
//! advisories with a date. What is agreed stands in `tests/supply.toml`.
//!
//! No advisory database is asked: this holds the exceptions we know of to their reasons, it does not find new ones.
#![cfg(feature = "daemon")]
#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests, too

use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Agreed {
    licences: BTreeSet<String>,
    banned: BTreeMap<String, String>,
    single: BTreeMap<String, String>,
    licence: Vec<LicenceException>,
    advisory: Vec<Advisory>,
    duplicates: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LicenceException {
    #[serde(rename = "crate")]
    name: String,
    licences: BTreeSet<String>,
    reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advisory {
    id: String,
    #[serde(rename = "crate")]
    name: String,
    version: String,
    through: BTreeSet<String>,
    /// A date, as 2027-06-30.
    expires: String,
    reason: String,
}

#[derive(Deserialize)]
struct Lock {
    package: Vec<Locked>,
}

#[derive(Deserialize)]
struct Locked {
    name: String,
    version: String,
    source: Option<String>,
    #[serde(default)]
    dependencies: Vec<String>,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    license: Option<String>,
}

fn text(file: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap()
}

fn agreed() -> Agreed {
    toml::from_str(&text("tests/supply.toml")).unwrap()
}

fn lock() -> Vec<Locked> {
    toml::from_str::<Lock>(&text("Cargo.lock")).unwrap().package
}

/// What cargo says of every crate that is built on this machine, tests included.
fn metadata() -> Vec<Package> {
    let rustc = Command::new("rustc").arg("-vV").output().unwrap();
    let said = String::from_utf8(rustc.stdout).unwrap();
    let host = said.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    let out = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version",
            "1",
            "--offline",
            "--locked",
            "--filter-platform",
            host,
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    serde_json::from_slice::<Metadata>(&out.stdout).unwrap().packages
}

/// Whether one alternative of an SPDX expression is allowed as a whole. Only `OR`, `AND`, the old `/`, and brackets
/// around a part; an expression it cannot take apart is not allowed.
fn is_allowed(expression: &str, may: &dyn Fn(&str) -> bool) -> bool {
    let text = expression.replace('/', " OR ");
    split(&text, " OR ").iter().any(|alternative| {
        split(alternative, " AND ").iter().all(|part| {
            let part = part.trim();
            match part.strip_prefix('(').and_then(|inner| inner.strip_suffix(')')) {
                Some(inner) => is_allowed(inner, may),
                None => may(part),
            }
        })
    })
}

/// Splits at a word that stands outside brackets.
fn split<'a>(text: &'a str, word: &str) -> Vec<&'a str> {
    let (mut parts, mut depth, mut from) = (Vec::new(), 0, 0);
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ if depth == 0 && at >= from && text[at..].starts_with(word) => {
                parts.push(&text[from..at]);
                from = at + word.len();
            }
            _ => {}
        }
    }
    parts.push(&text[from..]);
    parts
}

#[test]
fn every_crate_is_under_a_licence_that_was_agreed_to() {
    let agreed = agreed();
    let mut faults = Vec::new();
    let packages = metadata();
    assert!(packages.len() > 100, "only {} crates were looked at", packages.len());
    for package in &packages {
        let own = agreed.licence.iter().find(|exception| exception.name == package.name);
        let may = |name: &str| agreed.licences.contains(name) || own.is_some_and(|own| own.licences.contains(name));
        let licence = package.license.as_deref().unwrap_or("none");
        if !is_allowed(licence, &may) {
            faults.push(format!("{}: {licence}", package.name));
        }
    }
    for exception in &agreed.licence {
        assert!(!exception.reason.is_empty(), "{}: say why", exception.name);
        let is_needed = packages.iter().any(|package| package.name == exception.name);
        assert!(
            is_needed,
            "{}: the exception is no longer needed, take it out",
            exception.name
        );
    }
    assert!(faults.is_empty(), "not agreed to:\n{}", faults.join("\n"));
}

#[test]
fn an_expression_is_taken_apart_as_spdx_says() {
    let may = |name: &str| ["MIT", "ISC"].contains(&name);
    for good in [
        "MIT",
        "MIT OR GPL-3.0",
        "GPL-3.0/MIT",
        "MIT AND ISC",
        "(GPL-3.0 OR ISC) AND MIT",
    ] {
        assert!(is_allowed(good, &may), "{good}");
    }
    for bad in [
        "GPL-3.0",
        "MIT AND GPL-3.0",
        "(MIT OR ISC) AND GPL-3.0",
        "none",
        "",
        "MIT WITH X",
    ] {
        assert!(!is_allowed(bad, &may), "{bad}");
    }
}

#[test]
fn no_banned_crate_no_second_provider_and_no_other_source() {
    let (agreed, lock) = (agreed(), lock());
    let mut faults = Vec::new();
    for locked in &lock {
        if let Some(why) = agreed.banned.get(&locked.name) {
            faults.push(format!("{} is banned: {why}", locked.name));
        }
        if locked.source.as_deref().is_some_and(|source| source != CRATES_IO) {
            faults.push(format!(
                "{} does not come from crates.io: {:?}",
                locked.name, locked.source
            ));
        }
        if locked.source.is_none() && locked.name != "innkeeper" {
            faults.push(format!("{} is a crate of this machine", locked.name));
        }
    }
    for (name, why) in &agreed.single {
        let count = lock.iter().filter(|locked| locked.name == *name).count();
        if count != 1 {
            faults.push(format!("{name} is there {count} times: {why}"));
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn each_known_advisory_is_still_there_comes_only_the_known_way_and_has_not_run_out() {
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let lock = lock();
    let mut faults = Vec::new();
    for Advisory {
        id,
        name,
        version,
        through,
        expires,
        reason,
    } in agreed().advisory
    {
        let several = lock.iter().filter(|locked| locked.name == name).count() > 1;
        let written = if several {
            format!("{name} {version}")
        } else {
            name.clone()
        };
        let users = lock.iter().filter(|locked| locked.dependencies.contains(&written));
        let users: BTreeSet<String> = users.map(|locked| locked.name.clone()).collect();
        if !lock
            .iter()
            .any(|locked| locked.name == name && locked.version == version)
        {
            faults.push(format!("{id}: {name} {version} is gone; take the exception out"));
        } else if users != through {
            faults.push(format!(
                "{id}: {name} {version} now comes through {users:?}, not only {through:?}"
            ));
        }
        if expires.parse::<jiff::civil::Date>().unwrap() <= today {
            faults.push(format!("{id}: the exception ran out on {expires}; look at it again"));
        }
        if reason.is_empty() {
            faults.push(format!("{id}: say why"));
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn a_crate_is_there_in_two_versions_only_where_somebody_said_why() {
    let agreed = agreed();
    let mut versions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for locked in lock() {
        versions.entry(locked.name).or_default().insert(locked.version);
    }
    let doubles: BTreeSet<&String> = versions
        .iter()
        .filter(|(_, v)| v.len() > 1)
        .map(|(name, _)| name)
        .collect();
    let listed: BTreeSet<&String> = agreed.duplicates.keys().collect();
    let new: Vec<_> = doubles.difference(&listed).collect();
    let gone: Vec<_> = listed.difference(&doubles).collect();
    assert!(
        new.is_empty(),
        "say why these are there twice, or bring them together: {new:?}"
    );
    assert!(
        gone.is_empty(),
        "no longer there twice, take them out of the list: {gone:?}"
    );
}
