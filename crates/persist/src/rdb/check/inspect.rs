//! Reading a file from its first byte to its last, and telling what is there.

use std::io::{self, Read, Write};

use super::super::batch::{BigRecord, KeyInfo, Record};
use super::super::decode::Value;
use super::super::error::{RdbError, ReadError};
use super::super::format::ValueType;
use super::super::reader::{ChecksumState, Event, Position, ReadOptions, Reader};
use super::super::scan::Stage;
use super::super::version::{Version, VersionCheck};
use super::options::{StatisticsFormat, Style};
use super::statistics::Statistics;

/// Versions from here on are Valkey's, up to before it are others'.
const VALKEY_FIRST: u16 = 80;

/// A file that was looked at.
pub(super) struct Checked {
    pub(super) is_sound: bool,
    /// Where reading ended.
    pub(super) end: u64,
    pub(super) statistics: Statistics,
}

/// What stops the inspection: the file, or nobody to tell.
enum Stop {
    Bad(RdbError, Position),
    Report(io::Error),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Stop {
        Stop::Report(error)
    }
}

/// A file that is being looked at.
pub(super) struct Inspector<R> {
    reader: Reader<R>,
    options: ReadOptions,
    style: Style,
    has_statistics: bool,
    now_ms: i64,
    version: Option<Version>,
    keys: u64,
    expires: u64,
    expired: u64,
    hashes_with_times: u64,
    functions: u64,
    scripts: u64,
    statistics: Statistics,
}

impl<R: Read> Inspector<R> {
    pub(super) fn new(
        source: R,
        style: Style,
        statistics: Option<StatisticsFormat>,
        now_ms: i64,
    ) -> Inspector<R> {
        let version_check = match style {
            Style::Redis => VersionCheck::Strict,
            Style::Valkey => VersionCheck::Relaxed,
        };
        let options = ReadOptions { version_check, ..ReadOptions::default() };
        Inspector {
            reader: Reader::new(source, options),
            options,
            style,
            has_statistics: statistics.is_some(),
            now_ms,
            version: None,
            keys: 0,
            expires: 0,
            expired: 0,
            hashes_with_times: 0,
            functions: 0,
            scripts: 0,
            statistics: Statistics::default(),
        }
    }

    /// Looks at everything and reports it.
    pub(super) fn run(mut self, out: &mut dyn Write) -> io::Result<Checked> {
        let is_sound = match self.inspect(out) {
            Ok(()) => true,
            Err(Stop::Bad(error, position)) => {
                self.report_error(error, &position, out)?;
                false
            }
            Err(Stop::Report(error)) => return Err(error),
        };
        let offset = self.reader.offset();
        if self.style == Style::Valkey {
            let code = i32::from(!is_sound);
            writeln!(out, "[offset {offset}] Check RDB returned error code {code} (0 means success)")?;
        }
        if is_sound {
            let praise = match self.version {
                Some(version) if !version.is_known() => {
                    "RDB looks OK, but loading requires config 'rdb-version-check relaxed'"
                }
                _ => "RDB looks OK! \\o/",
            };
            writeln!(out, "[offset {offset}] \\o/ {praise}")?;
            self.report_totals(out)?;
        }
        Ok(Checked { is_sound, end: offset, statistics: self.statistics })
    }

    fn inspect(&mut self, out: &mut dyn Write) -> Result<(), Stop> {
        let version = self.reader.version();
        let version = version.map_err(|error| self.stop(error))?;
        self.version = Some(version);
        if !version.is_known() {
            let whose = if version.number() < VALKEY_FIRST { "Foreign" } else { "Future" };
            let offset = self.reader.offset();
            writeln!(out, "[offset {offset}] {whose} RDB version {} detected", version.number())?;
        }
        loop {
            let event = self.reader.next().map_err(|error| self.stop(error))?;
            if self.take(event, out)? {
                return Ok(());
            }
        }
    }

    fn stop(&self, error: ReadError) -> Stop {
        match error {
            ReadError::Rdb(error) => Stop::Bad(error, self.reader.position().clone()),
            ReadError::Io(error) => Stop::Report(error),
        }
    }

    /// Looks at what comes; whether that is the end.
    fn take(&mut self, event: Event, out: &mut dyn Write) -> Result<bool, Stop> {
        let offset = self.reader.offset();
        match event {
            Event::Aux { name, value } => {
                self.scripts += u64::from(name.eq_ignore_ascii_case(b"lua"));
                write!(out, "[offset {offset}] AUX FIELD ")?;
                out.write_all(c_text(&name))?;
                out.write_all(b" = '")?;
                out.write_all(c_text(&value))?;
                out.write_all(b"'\n")?;
            }
            Event::SelectDb(db) => {
                self.statistics.see_db(db);
                writeln!(out, "[offset {offset}] Selecting DB ID {db}")?;
            }
            Event::ModuleAux(id) => writeln!(out, "[offset {offset}] MODULE AUX for: {}", id.name())?,
            Event::Function(_) => self.functions += 1,
            Event::Sizes { .. } | Event::SlotSizes { .. } | Event::SlotImport { .. } => {}
            Event::Records(batch) => {
                batch.records().try_for_each(|record| self.record(batch.db(), &record))?;
                self.reader.recycle(batch);
            }
            Event::Big(big) => self.big(*big)?,
            Event::End(checksum) => {
                match checksum {
                    ChecksumState::None => {}
                    ChecksumState::Disabled => writeln!(
                        out,
                        "[offset {offset}] RDB file was saved with checksum disabled: no check performed."
                    )?,
                    ChecksumState::Right => writeln!(out, "[offset {offset}] Checksum OK")?,
                }
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn record(&mut self, db: u64, record: &Record<'_>) -> Result<(), Stop> {
        self.keys += 1;
        let value = record.decode(&self.options.limits);
        let key = record.key().map_err(|error| {
            let position = position_of(record.end_offset(), Stage::Key, None, record.kind());
            Stop::Bad(error, position)
        })?;
        let counted = key.with_bytes(|key| self.count(db, key, record.info(), value));
        counted.map_err(|error| {
            let key = key.into_vec();
            Stop::Bad(error, position_of(record.end_offset(), Stage::Value, Some(key), record.kind()))
        })
    }

    fn big(&mut self, big: BigRecord) -> Result<(), Stop> {
        self.keys += 1;
        let (offset, kind) = (self.reader.offset(), big.kind);
        self.count(big.db, &big.key, big.info, big.value)
            .map_err(|error| Stop::Bad(error, position_of(offset, Stage::Value, Some(big.key), kind)))
    }

    fn count(
        &mut self,
        db: u64,
        key: &[u8],
        info: KeyInfo,
        value: Result<Value<'_>, RdbError>,
    ) -> Result<(), RdbError> {
        let value = match value {
            Ok(value) => Some(value),
            // It ends where it should, which is all that can be said of it.
            Err(RdbError::Module(_)) => None,
            Err(error) => return Err(error),
        };
        self.expires += u64::from(info.expire_ms.is_some());
        self.expired += u64::from(info.expire_ms.is_some_and(|ms| ms < self.now_ms));
        if let Some(Value::Object(ochre_types::Object::Hash(hash))) = &value {
            self.hashes_with_times += u64::from(hash.next_expiry_ms().is_some());
        }
        if self.has_statistics {
            self.statistics.add(db, key.len(), value.as_ref(), info.expire_ms, self.now_ms);
        }
        Ok(())
    }

    fn report_error(&self, error: RdbError, position: &Position, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "--- RDB ERROR DETECTED ---")?;
        let number = self.version.map_or(0, Version::number);
        write!(out, "[offset {}] ", position.offset)?;
        match (error, self.version) {
            (RdbError::Type(code), Some(version)) if !version.is_known() => {
                let whose = if number < VALKEY_FIRST { "foreign" } else { "future" };
                writeln!(out, "Unknown object type {code} in RDB file with {whose} version {number}")?;
            }
            (RdbError::FunctionPreRelease, _) => writeln!(out, "{error} {number}")?,
            _ => writeln!(out, "{error}")?,
        }
        writeln!(out, "[additional info] While doing: {}", position.stage.name())?;
        if let Some(key) = &position.key {
            out.write_all(b"[additional info] Reading key '")?;
            out.write_all(c_text(key))?;
            out.write_all(b"'\n")?;
        }
        if let Some(kind) = position.kind {
            writeln!(out, "[additional info] Reading type {} ({})", kind.code(), kind.name())?;
        }
        self.report_totals(out)
    }

    fn report_totals(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "[info] {} keys read", self.keys)?;
        writeln!(out, "[info] {} expires", self.expires)?;
        writeln!(out, "[info] {} already expired", self.expired)?;
        match self.style {
            Style::Redis => writeln!(out, "[info] {} subexpires", self.hashes_with_times)?,
            Style::Valkey => writeln!(out, "[info] {} functions", self.functions)?,
        }
        if self.style == Style::Valkey && self.scripts > 0 {
            writeln!(out, "[info] {} lua scripts read", self.scripts)?;
        }
        Ok(())
    }
}

fn position_of(offset: u64, stage: Stage, key: Option<Vec<u8>>, kind: ValueType) -> Position {
    Position { offset, stage, key, kind: Some(kind) }
}

/// A text as tools written in C print it.
fn c_text(text: &[u8]) -> &[u8] {
    text.split(|byte| *byte == 0).next().unwrap_or_default()
}
