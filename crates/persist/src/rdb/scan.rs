//! What comes next in a file: an opcode with its arguments, or where a record lies.

use super::batch::{Access, Frame, KeyInfo};
use super::cursor::Cursor;
use super::error::RdbError;
use super::format::{ValueType, code, opcode};
use super::grammar;
use super::module::{ModuleId, part};
use super::template::Templates;
use super::version::{Dialect, Version};

/// The first version in which modules keep something beside keys.
const KEY_META_SINCE: u16 = 13;
/// Bytes of the name under which slots are imported.
const JOB_NAME_LEN: usize = 40;

/// What the reader was at when it failed, in the terms of the checking tools.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The first bytes.
    Start,
    /// What kind of record comes.
    Type,
    /// A time.
    Expiry,
    /// A key.
    Key,
    /// A value.
    Value,
    /// The sum at the end.
    Checksum,
    /// The number or the sizes of a database.
    Length,
    /// A field about the file.
    Aux,
    /// What a module keeps in files.
    ModuleAux,
    /// A library of functions.
    Functions,
}

impl Stage {
    /// Its name, as the checking tools print it.
    pub fn name(self) -> &'static str {
        match self {
            Stage::Start => "start",
            Stage::Type => "read-type",
            Stage::Expiry => "read-expire",
            Stage::Key => "read-key",
            Stage::Value => "read-object-value",
            Stage::Checksum => "check-sum",
            Stage::Length => "read-len",
            Stage::Aux => "read-aux",
            Stage::ModuleAux => "read-module-aux",
            Stage::Functions => "read-functions",
        }
    }
}

/// A record that is no key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Note {
    Aux { name: Vec<u8>, value: Vec<u8> },
    Function(Vec<u8>),
    SelectDb(u64),
    Sizes { keys: u64, expires: u64 },
    SlotInfo { slot: u64, keys: u64, expires: u64 },
    SlotImport { job: Vec<u8>, slots: Vec<(u64, u64)> },
    ModuleAux(ModuleId),
    Template,
    End,
}

/// What comes next.
pub(super) enum Item {
    Record(Frame),
    Note(Note),
}

/// A look at what comes next, and how far it got.
pub(super) struct Scan<'a> {
    whole: usize,
    cursor: Cursor<'a>,
    version: Version,
    info: KeyInfo,
    pub(super) stage: Stage,
    /// The record's head, once it is known.
    pub(super) kind: Option<ValueType>,
    pub(super) key_at: Option<usize>,
    pub(super) value_at: Option<usize>,
}

impl<'a> Scan<'a> {
    pub(super) fn new(bytes: &'a [u8], version: Version) -> Scan<'a> {
        Scan {
            whole: bytes.len(),
            cursor: Cursor::new(bytes),
            version,
            info: KeyInfo::default(),
            stage: Stage::Type,
            kind: None,
            key_at: None,
            value_at: None,
        }
    }

    pub(super) fn info(&self) -> KeyInfo {
        self.info
    }

    /// How many bytes were taken.
    pub(super) fn at(&self) -> usize {
        self.whole - self.cursor.remaining()
    }

    /// What comes next; it ends at [`Scan::at`]. Positions in a record are from the first byte looked at.
    pub(super) fn item(&mut self, templates: &Templates) -> Result<Item, RdbError> {
        loop {
            self.stage = Stage::Type;
            let first = self.cursor.byte()?;
            match first {
                opcode::EXPIRE_S => {
                    self.stage = Stage::Expiry;
                    let seconds = i32::from_le_bytes(self.cursor.array()?);
                    self.info.expire_ms = Some(i64::from(seconds) * 1000);
                }
                opcode::EXPIRE_MS => {
                    self.stage = Stage::Expiry;
                    self.info.expire_ms = Some(self.cursor.ms()?);
                }
                opcode::IDLE => self.info.access = Some(Access::Idle(self.cursor.length()?)),
                opcode::FREQ => self.info.access = Some(Access::Frequency(self.cursor.byte()?)),
                opcode::KEY_META if self.has_key_metadata() => {
                    grammar::skip_key_metadata(&mut self.cursor)?;
                }
                opcode::HASH_TEMPLATE.. if self.at() == 1 => return self.note(first).map(Item::Note),
                _ => return self.record(first, templates).map(Item::Record),
            }
        }
    }

    fn has_key_metadata(&self) -> bool {
        self.version.dialect() == Dialect::Redis && self.version.number() >= KEY_META_SINCE
    }

    fn record(&mut self, first: u8, templates: &Templates) -> Result<Frame, RdbError> {
        let kind = ValueType::new(first, self.version.dialect()).ok_or(RdbError::Type(first))?;
        if kind.code == code::MODULE_PRE_RELEASE {
            return Err(RdbError::Corrupt("Pre-release module format not supported"));
        }
        self.kind = Some(kind);
        self.stage = Stage::Key;
        let key_at = self.at();
        self.key_at = Some(key_at);
        self.cursor.skip_text()?;
        self.stage = Stage::Value;
        let value_at = self.at();
        self.value_at = Some(value_at);
        grammar::skip(kind, &mut self.cursor, templates)?;
        Ok(Frame { info: self.info, kind, key_at, value_at, end: self.at() })
    }

    fn note(&mut self, first: u8) -> Result<Note, RdbError> {
        let cursor = &mut self.cursor;
        Ok(match first {
            opcode::AUX => {
                self.stage = Stage::Aux;
                Note::Aux { name: cursor.text()?.into_vec(), value: cursor.text()?.into_vec() }
            }
            opcode::SELECT_DB => {
                self.stage = Stage::Length;
                Note::SelectDb(cursor.length()?)
            }
            opcode::RESIZE_DB => {
                self.stage = Stage::Length;
                Note::Sizes { keys: cursor.length()?, expires: cursor.length()? }
            }
            opcode::FUNCTION => {
                self.stage = Stage::Functions;
                Note::Function(cursor.text()?.into_vec())
            }
            opcode::FUNCTION_PRE_RELEASE => return Err(RdbError::FunctionPreRelease),
            opcode::MODULE_AUX => self.module_aux()?,
            opcode::SLOT_INFO => {
                Note::SlotInfo { slot: cursor.length()?, keys: cursor.length()?, expires: cursor.length()? }
            }
            opcode::SLOT_IMPORT if self.version.dialect() == Dialect::Valkey => self.slot_import()?,
            opcode::HASH_TEMPLATE if self.version.dialect() == Dialect::Redis => {
                Templates::default().add(cursor)?;
                Note::Template
            }
            opcode::EOF => Note::End,
            _ => return Err(RdbError::Type(first)),
        })
    }

    fn module_aux(&mut self) -> Result<Note, RdbError> {
        self.stage = Stage::ModuleAux;
        let id = ModuleId(self.cursor.length()?);
        if self.cursor.length()? != part::UNSIGNED {
            return Err(RdbError::Corrupt("bad when_opcode"));
        }
        self.cursor.length()?;
        while self.cursor.skip_module_part()? {}
        Ok(Note::ModuleAux(id))
    }

    fn slot_import(&mut self) -> Result<Note, RdbError> {
        let job = self.cursor.text()?.into_vec();
        if job.len() != JOB_NAME_LEN {
            return Err(RdbError::Corrupt("Invalid slot import job name length in RDB"));
        }
        let ranges = self.cursor.length()?;
        let slots = (0..ranges).map(|_| Ok((self.cursor.length()?, self.cursor.length()?)));
        Ok(Note::SlotImport { job, slots: slots.collect::<Result<_, RdbError>>()? })
    }
}
