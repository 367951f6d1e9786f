//! Does the demo's story come true?

#![cfg(feature = "demo")]

use std::process::{Command, Output};

fn run(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_innkeeper"));
    command.args(arguments).output().expect("the demo starts")
}

#[test]
fn every_part_of_the_story_comes_true_and_the_exit_status_says_so() {
    let output = run(&["demo", "--speed", "3"]);
    let said = String::from_utf8_lossy(&output.stdout);
    let told = format!("{said}\n{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{told}");
    assert!(!said.contains("NOT COME TRUE"), "{told}");
    for part in [
        "promise KEPT",
        "EMERGENCY",
        "booking_vs_device",
        "hot-milk",
        "the line is mended",
        "0 gaps",
    ] {
        assert!(said.contains(part), "the story does not tell of {part:?}:\n{told}");
    }
    assert!(said.lines().all(|line| line.chars().count() <= 100), "{told}");
    assert!(!said.contains('\x1b'), "no colours into a file");
}
