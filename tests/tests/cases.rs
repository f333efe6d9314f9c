//! Every case in every mode, with one worker and with two; and on a peer, where `OCHRE_PEER` names its binary.

#![allow(clippy::unwrap_used, reason = "what fails in a test fails the test")]

use std::path::{Path, PathBuf};

use ochre_tests::cases::{CaseFile, Kind, Mode, Outcome, Runner};
use ochre_tests::{Server, ServerBuilder, ochre, workspace_root};

/// Runs all cases in a mode on a server.
fn run_all(server: &mut Server, kind: Kind, mode: Mode) {
    let files = CaseFile::read_all(&workspace_root().join("tests/cases")).unwrap();
    let mut runner = Runner::new(server.address(), kind).unwrap();
    let (mut passed, mut failures) = (0, Vec::new());
    for file in &files {
        for case in &file.cases {
            match runner.run(case, mode) {
                Outcome::Passed => passed += 1,
                Outcome::Skipped => {}
                Outcome::Failed(text) => {
                    let name = file.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                    failures.push(format!("{name}: {}: {text}", case.title));
                    if !server.is_running() {
                        failures.push("the server is gone".to_owned());
                        panic!("{}", failures.join("\n"));
                    }
                }
            }
        }
    }
    let failed = failures.len();
    assert!(failures.is_empty(), "{}: {passed} passed, {failed} failed\n{}", mode.name, failures.join("\n"));
    assert!(passed > 50, "only {passed} cases apply to {}", mode.name);
}

fn on_ochre(mode: &str, workers: usize) {
    let mut server = ServerBuilder::new(ochre()).workers(workers).start();
    run_all(&mut server, Kind::Ochre, Mode::from_name(mode).unwrap());
    let status = server.end().expect("the server ends when it is asked to");
    assert!(status.success(), "{status}");
}

macro_rules! modes {
    ($($name:ident: $mode:literal, $workers:literal;)*) => {
        $(#[test]
        fn $name() {
            on_ochre($mode, $workers);
        })*

        #[test]
        fn every_mode_is_run() {
            for mode in Mode::ALL {
                assert!([$($mode),*].contains(&mode.name), "{}", mode.name);
            }
        }
    };
}

modes! {
    resp2_one_worker: "resp2", 1;
    resp2_two_workers: "resp2", 2;
    resp3_one_worker: "resp3", 1;
    resp3_two_workers: "resp3", 2;
    pipelined_one_worker: "pipelined", 1;
    pipelined_two_workers: "pipelined", 2;
    pipelined_resp3: "pipelined3", 2;
    byte_by_byte: "bytes", 2;
    inline: "inline", 2;
    in_a_transaction_one_worker: "multi", 1;
    in_a_transaction_two_workers: "multi", 2;
    in_a_transaction_resp3: "multi3", 2;
}

/// What Ochre must answer is what its peers answer.
#[test]
fn peers_agree() {
    let Some(peers) = std::env::var_os("OCHRE_PEER") else {
        eprintln!("skipped: OCHRE_PEER names no server to compare with");
        return;
    };
    for peer in std::env::split_paths(&peers) {
        let path: PathBuf = workspace_root().join(Path::new(&peer));
        for mode in Mode::ALL {
            let mut server = ServerBuilder::new(&path).start();
            run_all(&mut server, Kind::of(&path), *mode);
        }
    }
}
