//! The program that runs cases leaves nothing behind.
#![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]

use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

use ochre_tests::{Scratch, ochre, wait_for};
use rustix::process::{Pid, test_kill_process};

#[test]
fn ends_its_server_when_nobody_reads_its_output() {
    let scratch = Scratch::new();
    let (server, number) = (scratch.path().join("ochre-server"), scratch.path().join("pid"));
    let script = format!("#!/bin/sh\necho $$ > {}\nexec {} \"$@\"\n", number.display(), ochre().display());
    std::fs::write(&server, script).unwrap();
    std::fs::set_permissions(&server, std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut program = Command::new(env!("CARGO_BIN_EXE_ochre-cases"))
        .args(["--only", "APPEND and STRLEN", "--mode", "resp2"])
        .env("OCHRE_PEER", &server)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop((program.stdout.take(), program.stderr.take()));
    assert!(!program.wait().unwrap().success(), "what cannot be told is no success");
    let number = std::fs::read_to_string(&number).unwrap();
    let pid = Pid::from_raw(number.trim().parse().unwrap()).unwrap();
    wait_for(|| test_kill_process(pid).is_err().then_some(())).expect("the server ends with the program");
}
