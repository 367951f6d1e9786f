//! Does the demo's story come true, and does the program end as it should?

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

#[test]
fn an_interrupt_ends_it_in_order_and_is_no_success() {
    use std::io::{BufRead, BufReader};
    let mut command = Command::new(env!("CARGO_BIN_EXE_innkeeper"));
    let mut demo = command
        .arg("demo")
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("the demo starts");
    let pid = demo.id().to_string();
    let mut lines = BufReader::new(demo.stdout.take().expect("its output is a pipe")).lines();
    lines
        .by_ref()
        .map_while(Result::ok)
        .find(|line| line.contains("INNKEEPER  "))
        .expect("the story begins");
    let status = Command::new("kill").args(["-INT", &pid]).status();
    assert!(status.is_ok_and(|status| status.success()));
    let rest: Vec<String> = lines.map_while(Result::ok).collect();
    assert!(rest.iter().any(|line| line.contains("stopped in order")), "{rest:?}");
    assert_eq!(demo.wait().ok().and_then(|status| status.code()), Some(1));
    let left = std::env::temp_dir().join(format!("innkeeper-demo-{pid}"));
    assert!(!left.exists(), "the demo cleans up behind itself");
}

#[test]
fn a_command_whose_reader_has_gone_ends_silently() {
    let mut schema = Command::new(env!("CARGO_BIN_EXE_innkeeper"))
        .args(["schema", "config"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("the program starts");
    drop(schema.stdout.take());
    let output = schema.wait_with_output().expect("it ends");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(output.status.code(), None, "the broken pipe ended it");
}
