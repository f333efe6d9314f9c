//! Runs the files of cases from the command line, on Ochre or on a peer, and records what a peer answers.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use lexopt::prelude::*;
use ochre_tests::cases::{CaseFile, Kind, Mode, Outcome, Runner, record};
use ochre_tests::{Server, ServerBuilder, ochre, workspace_root};

const USAGE: &str = "\
Usage: ochre-cases [OPTION]... [FILE]...

Runs the cases of these files (default: all of tests/cases) in every mode and prints what fails.

  --peer PATH     on this server instead of Ochre (also: the environment's OCHRE_PEER)
  --record        write the server's replies into the files, where they are unknown or others
  --mode NAME     in this mode only; may be repeated
  --workers N     with so many worker threads (Ochre only)
  --only TEXT     only cases whose title contains TEXT
Exit status: 0 all passed, 1 something failed, 2 wrong use.";

#[derive(Default)]
struct Options {
    peer: Option<PathBuf>,
    record: bool,
    modes: Vec<Mode>,
    workers: Option<usize>,
    only: String,
    files: Vec<PathBuf>,
}

fn parse() -> Result<Options, lexopt::Error> {
    let mut options =
        Options { peer: std::env::var_os("OCHRE_PEER").map(PathBuf::from), ..Options::default() };
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("peer") => options.peer = Some(parser.value()?.into()),
            Long("record") => options.record = true,
            Long("mode") => {
                let name = parser.value()?.string()?;
                options.modes.push(Mode::from_name(&name).ok_or_else(|| no_such_mode(&name))?);
            }
            Long("workers") => options.workers = Some(parser.value()?.parse()?),
            Long("only") => options.only = parser.value()?.string()?,
            Short('h') | Long("help") => {
                println!("{USAGE}");
                std::process::exit(0);
            }
            Value(path) => options.files.push(path.into()),
            other => return Err(other.unexpected()),
        }
    }
    if options.modes.is_empty() {
        options.modes = Mode::ALL.to_vec();
    }
    Ok(options)
}

fn no_such_mode(name: &str) -> String {
    let names: Vec<&str> = Mode::ALL.iter().map(|mode| mode.name).collect();
    format!("no mode is called {name}; there are {}", names.join(", "))
}

fn main() -> ExitCode {
    let options = match parse() {
        Ok(options) => options,
        Err(error) => {
            eprintln!("{error}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match go(&options) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(text) => {
            // Nobody may be reading that either.
            let _ = writeln!(std::io::stderr(), "{text}");
            ExitCode::from(2)
        }
    }
}

fn go(options: &Options) -> Result<bool, String> {
    let files = if options.files.is_empty() {
        CaseFile::read_all(&workspace_root().join("tests/cases"))?
    } else {
        options.files.iter().map(|path| CaseFile::read(path)).collect::<Result<_, _>>()?
    };
    if !files.iter().flat_map(|file| &file.cases).any(|case| case.title.contains(&options.only)) {
        return Err(format!("no case has {:?} in its title", options.only));
    }
    let program = options.peer.as_deref().unwrap_or_else(|| ochre());
    let server = start(program, options.workers);
    let kind = Kind::of(program);
    let mut runner = Runner::new(server.address(), kind).map_err(|error| error.to_string())?;
    if options.record {
        for file in &files {
            write(&mut runner, file, kind)?;
        }
        return Ok(true);
    }
    let mut failed = 0;
    for file in &files {
        failed += run(&mut runner, file, options)?;
    }
    Ok(failed == 0)
}

fn start(program: &Path, workers: Option<usize>) -> Server {
    let builder = ServerBuilder::new(program);
    match workers {
        Some(workers) => builder.workers(workers).start(),
        None => builder.start(),
    }
}

fn write(runner: &mut Runner, file: &CaseFile, kind: Kind) -> Result<(), String> {
    let (lines, written) = record(runner, file, kind.name())?;
    if written > 0 {
        let text = lines.join("\n") + "\n";
        std::fs::write(&file.path, text).map_err(|error| format!("{}: {error}", file.path.display()))?;
    }
    say(&format!("{}: {written} replies written", file.path.display()))
}

/// Runs a file's cases in all modes, prints what fails and how much there was; how many failed.
fn run(runner: &mut Runner, file: &CaseFile, options: &Options) -> Result<usize, String> {
    let (mut passed, mut failed) = (0, 0);
    for mode in &options.modes {
        for case in file.cases.iter().filter(|case| case.title.contains(&options.only)) {
            match runner.run(case, *mode) {
                Outcome::Passed => passed += 1,
                Outcome::Skipped => {}
                Outcome::Failed(text) => {
                    failed += 1;
                    say(&format!("{} {}: {}: {text}", file.path.display(), mode.name, case.title))?;
                }
            }
        }
    }
    say(&format!("{}: {passed} passed, {failed} failed", file.path.display()))?;
    Ok(failed)
}

/// Prints a line. When nobody reads any more, that is an error and no panic: the server has to be ended.
fn say(line: &str) -> Result<(), String> {
    writeln!(std::io::stdout(), "{line}").map_err(|error| format!("the output is gone: {error}"))
}
