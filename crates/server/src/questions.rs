//! Command lines that ask a question instead of starting a server: `--version`, `--help`, `--check-system`, ...

use std::ffi::OsString;
use std::process::ExitCode;

use ochre_engine::{OCHRE_VERSION, REDIS_VERSION};

use crate::process::build::Build;
use crate::process::{checks, memtest};

/// Passes of `--test-memory`, as many as Redis makes.
const MEMORY_PASSES: u32 = 50;

/// Answers, if the command line is a question. Help goes to standard error and counts as a failure, as with the peers.
pub fn answer(program: &str, arguments: &[OsString]) -> Option<ExitCode> {
    match arguments.first()?.to_str()? {
        "-v" | "--version" => print!("{}", version()),
        "-h" | "--help" => {
            eprint!("{}", usage(program));
            return Some(ExitCode::FAILURE);
        }
        "--check-system" => return Some(check_system()),
        "--test-memory" => return Some(test_memory(program, arguments)),
        _ => return None,
    }
    Some(ExitCode::SUCCESS)
}

fn version() -> String {
    let build = Build::this();
    format!(
        "Ochre server v={OCHRE_VERSION} redis={REDIS_VERSION} sha={}:{} malloc={} bits={} build={}\n",
        build.commit,
        u8::from(build.modified),
        ochre_memory::allocator_name(),
        usize::BITS,
        build.id
    )
}

fn usage(program: &str) -> String {
    format!(
        "Usage: {program} [/path/to/ochre.conf] [options] [-]\n       \
         {program} - (read the configuration from standard input)\n       \
         {program} -v or --version\n       \
         {program} -h or --help\n       \
         {program} --test-memory <megabytes>\n       \
         {program} --check-system\n\n\
         Options are the directives of the configuration file, each with two dashes before it:\n       \
         {program} --port 7777 --maxmemory 1gb\n       \
         {program} /etc/ochre.conf --loglevel verbose\n       \
         echo 'maxmemory 128mb' | {program} -\n"
    )
}

fn check_system() -> ExitCode {
    let findings = checks::check_system();
    for (name, finding) in &findings {
        match finding {
            None => println!("[{name}]...skipped"),
            Some(Ok(())) => println!("[{name}]...OK"),
            Some(Err(problem)) => println!("[{name}]...WARNING:\n{problem}"),
        }
    }
    let good = findings.iter().all(|(_, finding)| !matches!(finding, Some(Err(_))));
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn test_memory(program: &str, arguments: &[OsString]) -> ExitCode {
    let [_, megabytes] = arguments else {
        eprintln!(
            "Please specify the amount of memory to test in megabytes.\nExample: {program} --test-memory 4096\n"
        );
        return ExitCode::FAILURE;
    };
    let Some(megabytes) = megabytes.to_str().and_then(|text| text.parse::<usize>().ok()) else {
        eprintln!("'{}' is not a number of megabytes.", megabytes.to_string_lossy());
        return ExitCode::FAILURE;
    };
    let mut progress = |pass: u32| println!("Testing memory [{pass}/{MEMORY_PASSES}]");
    match memtest::test(megabytes, MEMORY_PASSES, &mut progress) {
        Some(0) => {
            println!("\nYour memory passed this test.");
            ExitCode::SUCCESS
        }
        Some(errors) => {
            println!("\n*** MEMORY ERROR DETECTED: {errors} words did not keep their values ***");
            ExitCode::FAILURE
        }
        None => {
            eprintln!("Unable to allocate {megabytes} megabytes.");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_a_question() {
        let cases = [
            (vec!["--version"], Some(true)),
            (vec!["-h"], Some(false)),
            (vec!["--test-memory"], Some(false)),
            (vec!["--test-memory", "x"], Some(false)),
            (vec!["--test-memory", "1"], Some(true)),
            (vec!["--port", "1"], None),
            (vec![], None),
        ];
        for (words, good) in cases {
            let arguments: Vec<OsString> = words.iter().map(OsString::from).collect();
            let code = answer("ochre", &arguments).map(|code| code == ExitCode::SUCCESS);
            assert_eq!(code, good, "{words:?}");
        }
    }
}
