//! The program around the check.

use std::ffi::OsString;
use std::io::{self, BufRead, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use super::check::{Check, Halt};
use super::files::{Style, style};
use super::options::{Misuse, Options};
use crate::aof::Manifest;
use crate::disk::{Access, Disk, DiskFile, FileReader, RealDisk, read_full_at, reason};
use crate::rdb;

/// Checks the snapshot that a log may begin with.
pub trait CheckRdb {
    /// Checks the snapshot at the start of a file, writes what there is to say, and tells where it ends; `None` if it is
    /// damaged.
    ///
    /// # Errors
    /// Those of `out`.
    fn check(&mut self, file: &dyn DiskFile, name: &str, out: &mut dyn Write) -> io::Result<Option<u64>>;
}

/// Checks it as ochre-check-rdb does.
#[derive(Clone, Copy, Default, Debug)]
pub struct CheckBegin;

impl CheckRdb for CheckBegin {
    fn check(&mut self, file: &dyn DiskFile, name: &str, out: &mut dyn Write) -> io::Result<Option<u64>> {
        writeln!(out, "[offset 0] Checking RDB file {name}")?;
        let source = FileReader::new(file, 0);
        rdb::check::check_rdb(source, rdb::check::Style::Redis, rdb::check::now_ms(), out)
    }
}

/// Where the program reads answers from, and where it writes.
pub struct Terminal<'a> {
    /// Answers.
    pub input: &'a mut dyn BufRead,
    /// Everything that it says.
    pub out: &'a mut dyn Write,
}

/// Runs the program with the arguments behind its name.
pub fn main(program: &str, arguments: &[OsString], rdb: &mut dyn CheckRdb) -> ExitCode {
    let (mut input, mut out) = (io::stdin().lock(), io::stdout().lock());
    let mut terminal = Terminal { input: &mut input, out: &mut out };
    match run(program, arguments, Arc::new(RealDisk), rdb, &mut terminal) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) | Err(_) => ExitCode::FAILURE,
    }
}

/// Runs the program on a disk; whether all is well.
///
/// # Errors
/// Those of the terminal.
pub fn run(
    program: &str,
    arguments: &[OsString],
    disk: Arc<dyn Disk>,
    rdb: &mut dyn CheckRdb,
    terminal: &mut Terminal<'_>,
) -> io::Result<bool> {
    let text = match Options::parse(arguments) {
        Ok(Options::Version) => {
            writeln!(terminal.out, "ochre-check-aof v={}", env!("CARGO_PKG_VERSION"))?;
            return Ok(true);
        }
        Ok(Options::Check { path, fix, until_s }) => {
            let mut check = Check::new(disk, rdb, terminal, fix, until_s);
            match check_path(&mut check, Path::new(&path)) {
                Ok(()) => return Ok(true),
                Err(Halt::Terminal(error)) => return Err(error),
                Err(Halt::Says(text)) => text,
            }
        }
        Err(Misuse::Timestamp) => "Invalid timestamp, aborting...\n".to_owned(),
        Err(Misuse::Usage) => {
            format!("Usage: {program} [--fix|--truncate-to-timestamp $timestamp] <file.manifest|file.aof>\n")
        }
    };
    terminal.out.write_all(text.as_bytes())?;
    Ok(false)
}

fn check_path(check: &mut Check<'_, '_>, path: &Path) -> Result<(), Halt> {
    match style(&*check.disk, path)? {
        Style::Manifest => check_manifest(check, path),
        Style::Old { has_snapshot } => {
            check.say("Start checking Old-Style AOF\n")?;
            let name = path.display().to_string();
            let outcome = check.file(&name, path, true, has_snapshot)?;
            check.say_outcome(outcome, &name, "AOF")
        }
    }
}

fn check_manifest(check: &mut Check<'_, '_>, path: &Path) -> Result<(), Halt> {
    check.say("Start checking Multi Part AOF\n")?;
    let manifest = read_manifest(&*check.disk, path)?;
    let directory = path.parent().unwrap_or(Path::new(""));
    let count = manifest.live().count();
    for (index, entry) in manifest.live().enumerate() {
        let (name, file) = (entry.name.display().to_string(), directory.join(&entry.name));
        let is_base = manifest.base() == Some(entry);
        let has_snapshot = is_base && super::files::has_snapshot(&*check.disk, &file)?;
        if is_base {
            let format = if has_snapshot { "RDB" } else { "RESP" };
            check.say(&format!("Start to check BASE AOF ({format} format).\n"))?;
        } else if index == usize::from(manifest.base().is_some()) {
            check.say("Start to check INCR files.\n")?;
        }
        let outcome = check.file(&name, &file, index + 1 == count, has_snapshot)?;
        check.say_outcome(outcome, &name, if is_base { "BASE AOF" } else { "INCR AOF" })?;
    }
    check.say("All AOF files and manifest are valid\n")
}

fn read_manifest(disk: &dyn Disk, path: &Path) -> Result<Manifest, Halt> {
    let read = disk.open(path, Access::Read).and_then(|file| {
        let mut text = vec![0; usize::try_from(file.len()?.min(16 << 20)).unwrap_or(0)];
        let len = read_full_at(&*file, 0, &mut text)?;
        text.truncate(len);
        Ok(text)
    });
    let text = read.map_err(|error| {
        let (path, error) = (path.display(), reason(&error));
        Halt::Says(format!("Fatal error: can't open the AOF manifest file {path} for reading: {error}\n"))
    })?;
    Manifest::parse(&text).map_err(|error| Halt::Says(error.log_lines().join("\n") + "\n"))
}
