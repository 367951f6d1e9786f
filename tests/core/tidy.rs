//! Is the house in order? Layers, the clock, the database, and what must not stand in a source file.

use std::path::{Path, PathBuf};

/// A layer, and what it may use of the others. An arrow only points down.
const LAYERS: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("strict", &["model"]),
    ("engine", &["model"]),
    ("profile", &["model", "strict"]),
    ("record", &["engine", "model"]),
    ("evaluate", &["engine", "model"]),
    (
        "simulate",
        &[
            "engine", "profile", "model", "mqtt", "uplink", "config", "strict", "daemon",
        ],
    ),
    ("config", &["profile", "model", "strict", "device", "engine"]),
    ("store", &["model"]),
    ("mqtt", &["model"]),
    ("uplink", &["mqtt", "store", "model"]),
    ("device", &["mqtt", "profile", "model"]),
    ("observe", &["model"]),
];

/// Files outside the layers: they wire everything.
const WIRING: &[&str] = &["lib.rs", "main.rs", "cli", "daemon", "daemon.rs"];

fn sources() -> Vec<(String, String)> {
    fn walk(dir: &Path, files: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().path()) {
            if entry.is_dir() {
                walk(&entry, files)
            } else {
                files.push(entry)
            }
        }
    }
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    walk(&src, &mut files);
    files.sort();
    let name = |f: &PathBuf| f.strip_prefix(&src).unwrap().to_string_lossy().into_owned();
    files
        .iter()
        .filter(|f| f.extension().is_some_and(|e| e == "rs") && !is_test(f))
        .map(|f| (name(f), std::fs::read_to_string(f).unwrap()))
        .collect()
}

/// Files that are compiled for tests only.
fn is_test(file: &Path) -> bool {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    let in_folder = file
        .parent()
        .and_then(Path::file_name)
        .is_some_and(|folder| folder == "tests");
    in_folder || stem == "tests" || stem == "proof"
}

fn layer_of(file: &str) -> &str {
    let first = file.split('/').next().unwrap_or(file);
    first.strip_suffix(".rs").unwrap_or(first)
}

/// The code of a file: without comments, and without its tests.
fn code(text: &str) -> String {
    let body = text.split("#[cfg(test)]").next().unwrap_or(text);
    body.lines()
        .map(|line| line.split("//").next().unwrap_or_default())
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn an_arrow_only_points_down() {
    let mut faults = Vec::new();
    for (file, text) in sources() {
        let layer = layer_of(&file);
        if WIRING.iter().any(|w| file == *w || layer == *w) {
            continue;
        }
        let Some((_, may)) = LAYERS.iter().find(|(name, _)| *name == layer) else {
            faults.push(format!("src/{file}: stands in no layer of docs/architecture.md"));
            continue;
        };
        for (other, _) in LAYERS.iter().filter(|(o, _)| *o != layer && !may.contains(o)) {
            if code(&text).contains(&format!("crate::{other}")) {
                faults.push(format!("src/{file}: {layer} may not use {other}"));
            }
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn only_the_clock_asks_the_time_and_only_the_store_names_the_database() {
    let mut faults = Vec::new();
    for (file, text) in sources() {
        let code = code(&text);
        let pure = ["model", "engine", "profile", "strict", "record"].contains(&layer_of(&file));
        for wall in ["SystemTime::now", "Timestamp::now", "Zoned::now", "Utc::now"] {
            if code.contains(wall) && file != "daemon/clock.rs" {
                faults.push(format!("src/{file}: asks the time ({wall}); only daemon/clock.rs does"));
            }
        }
        for word in [
            "Instant::now",
            "tokio::",
            "tracing::",
            "std::fs",
            "std::net",
            "std::thread",
            "HashMap",
        ] {
            if pure && code.contains(word) {
                faults.push(format!("src/{file}: the pure core names {word}"));
            }
        }
        if code.contains("sled::") && layer_of(&file) != "store" {
            faults.push(format!("src/{file}: names the database; only store/ does"));
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn each_file_opens_with_its_question_and_none_is_unfinished() {
    let mut faults = Vec::new();
    for (file, text) in sources() {
        if !text.starts_with("//!") {
            faults.push(format!("src/{file}: does not open with the question it answers"));
        }
        let unfinished = ["todo!", "unimplemented!", "FIX", "XX"]
            .iter()
            .zip(["(", "(", "ME", "X"]);
        for (head, tail) in unfinished {
            if text.contains(&format!("{head}{tail}")) {
                faults.push(format!("src/{file}: {head}{tail} stands in it"));
            }
        }
        let room_for_one_question = 1100;
        if text.lines().count() > room_for_one_question {
            faults.push(format!(
                "src/{file}: {} lines answer more than one question",
                text.lines().count()
            ));
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}
