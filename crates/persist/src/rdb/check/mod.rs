//! The tool that checks a file: ochre-check-rdb, and redis-check-rdb and valkey-check-rdb where it is called so.
//!
//! It reads a file as a server does, value by value, prints what it finds in the words of those tools, and ends with 0 if
//! everything is sound and 1 if not. Redis's and Valkey's differ in a few lines and in options; the name decides.
//!
//! - `options`: the command line
//! - `inspect`: reading and reporting
//! - `statistics`, `histogram`: what `--stats` shows

mod histogram;
mod inspect;
mod options;
mod statistics;

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use inspect::Inspector;
use options::{Options, Request};
pub use options::{StatisticsFormat, Style};

/// Runs the tool: `name` as it was called, and its arguments.
pub fn main(name: &str, arguments: &[OsString]) -> ExitCode {
    match Options::parse(name, arguments) {
        Request::Check(options) => exit_code(run(&options)),
        Request::Version => {
            println!("{} v={}", options::base_name(name), env!("CARGO_PKG_VERSION"));
            ExitCode::SUCCESS
        }
        Request::Help(usage) => {
            println!("{usage}");
            ExitCode::SUCCESS
        }
        Request::Wrong(usage) => {
            eprintln!("{usage}");
            ExitCode::FAILURE
        }
    }
}

fn exit_code(is_sound: io::Result<bool>) -> ExitCode {
    match is_sound {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        // Whoever read the report has gone, which is no reason to say anything.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> io::Result<bool> {
    let mut out = BufWriter::new(io::stdout().lock());
    let is_sound = check_file(options, &mut out)?;
    out.flush()?;
    Ok(is_sound)
}

fn check_file(options: &Options, out: &mut dyn Write) -> io::Result<bool> {
    let shown_name = options.file.to_string_lossy();
    writeln!(out, "[offset 0] Checking RDB file {shown_name}")?;
    let file = match File::open(&options.file) {
        Ok(file) => file,
        Err(error) => {
            // Peers do not say why, and what they print stays what others read.
            eprintln!("Cannot open file {shown_name}: {error}");
            if options.style == Style::Valkey {
                writeln!(out, "[offset 0] Check RDB returned error code 1 (0 means success)")?;
            }
            return Ok(false);
        }
    };
    let statistics_to = match &options.output {
        None => None,
        Some(path) => match File::create(path) {
            Ok(file) => Some(file),
            Err(error) => {
                let reason = format!("Cannot open output file: '{}': {error}", path.to_string_lossy());
                return Err(io::Error::new(error.kind(), reason));
            }
        },
    };
    let checked = Inspector::new(file, options.style, options.format, now_ms()).run(out)?;
    if let Some(format) = options.format {
        match statistics_to {
            Some(mut file) => checked.statistics.print(format, &mut file)?,
            None => checked.statistics.print(format, out)?,
        }
    }
    Ok(checked.is_sound)
}

pub(crate) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// Checks a file from a source, in the words of a style; where it ends, `None` if it is not sound. What is older than `now_ms`
/// counts as expired.
///
/// # Errors
/// When the report cannot be written.
pub fn check_rdb(
    source: impl Read,
    style: Style,
    now_ms: i64,
    out: &mut dyn Write,
) -> io::Result<Option<u64>> {
    let checked = Inspector::new(source, style, None, now_ms).run(out)?;
    Ok(checked.is_sound.then_some(checked.end))
}

#[cfg(test)]
mod tests;
