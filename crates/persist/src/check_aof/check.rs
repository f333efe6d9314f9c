//! The check of one file.

use std::io;
use std::path::Path;
use std::sync::Arc;

use super::program::{CheckRdb, Terminal};
use super::scan::{Broken, Fault, Scan, leading_number};
use super::truncate::{Outcome, ask_and_truncate};
use crate::aof::{Annotation, FrameHeader, ReadLimits, Tail, look_at_tail, parse_annotation};
use crate::disk::{Access, Disk, DiskFile, reason};

/// Why the check ends early.
pub(super) enum Halt {
    /// It says this, and that all is not well.
    Says(String),
    /// Nobody listens.
    Terminal(io::Error),
}

impl From<io::Error> for Halt {
    fn from(error: io::Error) -> Halt {
        Halt::Terminal(error)
    }
}

/// The check of a log.
pub(super) struct Check<'a, 't> {
    pub(super) disk: Arc<dyn Disk>,
    rdb: &'a mut dyn CheckRdb,
    pub(super) terminal: &'a mut Terminal<'t>,
    fix: bool,
    /// What is later is cut off; 0 for nothing.
    pub(super) until_s: i64,
    /// Counts on from file to file.
    line: u64,
}

/// A file that is being checked.
pub(super) struct Subject<'s> {
    /// As it is called.
    pub(super) name: &'s str,
    /// As it is opened.
    pub(super) path: &'s str,
    /// Whether no other file follows.
    pub(super) is_last: bool,
}

/// How reading a file ended.
enum Read {
    /// At its end or where something is wrong; what is wrong.
    Until(Option<Fault>),
    /// Nothing from here on is wanted.
    Later(u64),
}

impl<'a, 't> Check<'a, 't> {
    pub(super) fn new(
        disk: Arc<dyn Disk>,
        rdb: &'a mut dyn CheckRdb,
        terminal: &'a mut Terminal<'t>,
        fix: bool,
        until_s: i64,
    ) -> Check<'a, 't> {
        Check { disk, rdb, terminal, fix, until_s, line: 1 }
    }

    pub(super) fn say(&mut self, text: &str) -> Result<(), Halt> {
        Ok(self.terminal.out.write_all(text.as_bytes())?)
    }

    /// Says how the check of a file ended.
    pub(super) fn say_outcome(&mut self, outcome: Outcome, name: &str, kind: &str) -> Result<(), Halt> {
        let until_s = self.until_s;
        self.say(&match outcome {
            Outcome::Valid => format!("{kind} {name} is valid\n"),
            Outcome::Empty => format!("{kind} {name} is empty\n"),
            Outcome::CutAtTime => format!("Successfully truncated AOF {name} to timestamp {until_s}\n"),
            Outcome::Cut => format!("Successfully truncated AOF {name}\n"),
        })
    }

    /// Checks a file.
    pub(super) fn file(
        &mut self,
        name: &str,
        path: &Path,
        is_last: bool,
        has_snapshot: bool,
    ) -> Result<Outcome, Halt> {
        let shown = path.display().to_string();
        let subject = Subject { name, path: &shown, is_last };
        let mut file = self.disk.open(path, Access::Write).map_err(|error| {
            Halt::Says(format!("Cannot open file {shown}: {}, aborting...\n", reason(&error)))
        })?;
        let len = file.len().map_err(|_| Halt::Says(format!("Cannot stat file: {name}, aborting...\n")))?;
        if len == 0 {
            return Ok(Outcome::Empty);
        }
        let start = if has_snapshot { self.snapshot(&*file, &subject)? } else { 0 };
        let mut scan = Scan::new(&*file, start, len, self.line);
        let (read, valid_end) = self.read(&mut scan, &subject)?;
        self.line = scan.line;
        match read {
            Read::Later(at) => self.cut_at_time(&mut *file, at, &subject),
            Read::Until(fault) => {
                if let Some(fault) = &fault {
                    self.say(&fault.line())?;
                }
                self.conclude(&mut *file, len, valid_end, &subject)
            }
        }
    }

    fn snapshot(&mut self, file: &dyn DiskFile, subject: &Subject<'_>) -> Result<u64, Halt> {
        match self.rdb.check(file, subject.path, self.terminal.out)? {
            Some(end) => {
                self.say("RDB preamble is OK, proceeding with AOF tail...\n")?;
                Ok(end)
            }
            None => Err(Halt::Says("RDB preamble of AOF file is not sane, aborting.\n".to_owned())),
        }
    }

    /// Reads the file; where the last thing ended that can be relied on.
    fn read(&mut self, scan: &mut Scan<'_>, subject: &Subject<'_>) -> Result<(Read, u64), Halt> {
        let mut in_transaction = false;
        let mut valid_end = scan.position;
        let unreadable = || Halt::Says(format!("Failed to read from AOF {}, aborting...\n", subject.name));
        loop {
            if !in_transaction {
                valid_end = scan.position;
            }
            let fault = match scan.next().map_err(|_| unreadable())? {
                None if in_transaction => {
                    Some(scan.fault("Reached EOF before reading EXEC for MULTI".to_owned()))
                }
                None => None,
                Some(b'#') => {
                    let line = scan.annotation().map_err(|_| unreadable())?;
                    if self.is_later(&line, scan, subject)? {
                        return Ok((Read::Later(scan.last), valid_end));
                    }
                    match annotation(scan, &line).map_err(|_| unreadable())? {
                        None => continue,
                        fault => fault,
                    }
                }
                Some(b'*') => match scan.command() {
                    Ok(name) => match transaction(scan, &name, &mut in_transaction, subject) {
                        None => continue,
                        fault => fault,
                    },
                    // As the peers: an end where an argument should begin is not named, unless it breaks a transaction.
                    Err(Broken::End) if in_transaction => {
                        Some(scan.fault("Reached EOF before reading EXEC for MULTI".to_owned()))
                    }
                    Err(Broken::End) => None,
                    Err(Broken::Fault(fault)) => Some(fault),
                    Err(Broken::Disk) => return Err(unreadable()),
                },
                Some(_) => {
                    self.say(&format!("AOF {} format error\n", subject.name))?;
                    None
                }
            };
            return Ok((Read::Until(fault), valid_end));
        }
    }

    /// Whether an annotation says that what follows is later than what is wanted.
    fn is_later(&mut self, line: &[u8], scan: &Scan<'_>, subject: &Subject<'_>) -> Result<bool, Halt> {
        let Some(rest) = line.strip_prefix(b"#TS:").filter(|_| self.until_s != 0) else { return Ok(false) };
        let (time_s, len) = leading_number(rest);
        if rest.get(len) != Some(&b'\r') {
            return Err(Halt::Says("Invalid timestamp annotation\n".to_owned()));
        }
        if time_s <= self.until_s {
            return Ok(false);
        }
        let (path, until_s) = (subject.path, self.until_s);
        if scan.last == 0 {
            return Err(Halt::Says(format!(
                "AOF {path} has nothing before timestamp {until_s}, aborting...\n"
            )));
        }
        Ok(true)
    }

    fn conclude(
        &mut self,
        file: &mut dyn DiskFile,
        len: u64,
        valid_end: u64,
        subject: &Subject<'_>,
    ) -> Result<Outcome, Halt> {
        let (name, lost) = (subject.name, len - valid_end);
        if lost == 0 && self.until_s != 0 {
            let until_s = self.until_s;
            self.say(&format!("Truncate nothing in AOF {name} to timestamp {until_s}\n"))?;
            return Ok(Outcome::Valid);
        }
        let line = self.line;
        self.say(&format!(
            "AOF analyzed: filename={name}, size={len}, ok_up_to={valid_end}, ok_up_to_line={line}, diff={lost}\n"
        ))?;
        match lost {
            0 => Ok(Outcome::Valid),
            _ if self.fix => ask_and_truncate(self.terminal, file, len, valid_end, subject),
            _ => {
                Err(Halt::Says(format!("AOF {name} is not valid. Use the --fix option to try fixing it.\n")))
            }
        }
    }
}

/// Follows MULTI and EXEC; what is wrong with them.
fn transaction(scan: &Scan<'_>, name: &[u8], inside: &mut bool, subject: &Subject<'_>) -> Option<Fault> {
    let (begins, ends) = (name.eq_ignore_ascii_case(b"multi"), name.eq_ignore_ascii_case(b"exec"));
    let wrong = begins && *inside || ends && !*inside;
    if begins || ends {
        *inside = begins;
    }
    let word = if begins { "MULTI" } else { "EXEC" };
    wrong.then(|| scan.fault(format!("Unexpected {word} in AOF {}", subject.path)))
}

/// Looks at an annotation; what is wrong with it or with the frame that it is about.
fn annotation(scan: &mut Scan<'_>, line: &[u8]) -> io::Result<Option<Fault>> {
    let text = line.strip_suffix(b"\n").unwrap_or(line);
    let text = text.strip_suffix(b"\r").unwrap_or(text);
    match parse_annotation(text) {
        Ok(Annotation::Timestamp(seconds)) => {
            scan.timestamp_s = seconds;
            Ok(None)
        }
        Ok(Annotation::Frame(header)) => frame(scan, &header),
        Err(_) if line.starts_with(b"#SUM:") => Ok(Some(scan.fault("Malformed checksum".to_owned()))),
        // What peers let pass passes.
        Ok(Annotation::Other) | Err(_) => Ok(None),
    }
}

/// Compares the sum of a frame.
fn frame(scan: &mut Scan<'_>, header: &FrameHeader) -> io::Result<Option<Fault>> {
    let len = header.len;
    let timestamp_s = std::mem::take(&mut scan.timestamp_s);
    let Some(bytes) = scan.frame(len)? else {
        let there = scan.len.saturating_sub(scan.position);
        let rest = scan.frame(there)?.unwrap_or_default();
        if look_at_tail(&rest, scan.position, ReadLimits::default().argument_bytes_max) == Tail::Whole {
            return Ok(None);
        }
        return Ok(Some(scan.fault(format!("Expected {len} bytes with a checksum, got {there} bytes"))));
    };
    let fits = header.matches(&bytes, timestamp_s);
    Ok((!fits).then(|| scan.fault(format!("The checksum of {len} bytes does not match"))))
}
