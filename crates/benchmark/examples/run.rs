//! Runs the load generator on its own, for work on it before there is a binary that calls it.

use std::process::ExitCode;

fn main() -> ExitCode {
    ochre_benchmark::main(std::env::args_os().skip(1).collect())
}
