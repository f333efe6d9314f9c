//! The programs that run tests say what is wrong with how they were called, instead of passing.

use std::path::Path;
use std::process::{Command, Output};

use ochre_tests::{Scratch, ochre, workspace_root};

/// Calls a program with these arguments: its exit status and what it complained of.
fn call(program: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let Output { status, stderr, .. } =
        Command::new(program).args(arguments).output().expect("the program can be run");
    (status.code(), String::from_utf8_lossy(&stderr).into_owned())
}

#[test]
fn cases_that_are_not_there_do_not_pass() {
    let cases = Path::new(env!("CARGO_BIN_EXE_ochre-cases"));
    let (status, said) = call(cases, &["--only", "no case is called like this"]);
    assert_eq!(status, Some(2), "{said}");
    assert!(said.contains("no case has \"no case is called like this\" in its title"), "{said}");
    let (status, said) = call(cases, &["--mode", "resp4"]);
    assert_eq!(status, Some(2), "{said}");
    assert!(said.contains("no mode is called resp4; there are resp2, resp3, pipelined,"), "{said}");
}

#[test]
fn jobs_are_a_number() {
    let test = workspace_root().join("test");
    for arguments in [&["--jobs"][..], &["--jobs", "quick"], &["--jobs", "0", "list"]] {
        let (status, said) = call(&test, arguments);
        assert_eq!((status, &*said), (Some(2), "test: --jobs needs a number\n"), "{arguments:?}");
    }
    assert_eq!(call(&test, &["--jobs", "3", "list"]).0, Some(0));
}

/// The tools that the program says it is.
fn tools() -> Vec<String> {
    let (_, help) = call(ochre(), &["--help"]);
    let lines = help.lines().filter(|line| !line.contains("not in this version"));
    let words = lines.filter_map(|line| line.strip_prefix("       ochre ")?.split_whitespace().next());
    words
        .filter(|word| word.starts_with(|first: char| first.is_ascii_lowercase()))
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_tool_is_installed_under_its_names() {
    let tools = tools();
    assert!(tools.iter().any(|tool| tool == "check-aof"), "{tools:?}");
    let scratch = Scratch::new();
    let (target, prefix) = (scratch.path().join("target"), scratch.path().join("prefix"));
    std::fs::create_dir_all(target.join("release")).expect("a folder can be made");
    std::fs::copy(ochre(), target.join("release/ochre")).expect("the program can be copied");
    let mut install = Command::new(workspace_root().join("install"));
    install.args(["--no-build", "--links", "redis"]).arg(&prefix).env("CARGO_TARGET_DIR", &target);
    let output = install.output().expect("the script can be run");
    assert!(output.status.success(), "{output:?}");
    for name in
        ["ochre", "redis"].iter().flat_map(|family| tools.iter().map(move |tool| format!("{family}-{tool}")))
    {
        assert!(prefix.join("bin").join(&name).is_symlink(), "{name} is not installed");
    }
}
