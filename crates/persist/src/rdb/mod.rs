//! RDB, the format of Redis's snapshots, of full synchronizations and of DUMP.
//!
//! [`Reader`] cuts a source into records and [`Record::decode`] builds values, on other threads if wanted. [`Encoder`] makes
//! records of values, in parts if wanted, and [`Writer`] makes a file of records. Nothing here opens a file or knows of keys
//! that expired: sources are `Read`, sinks are `Write`, what to do with a record is the caller's.
//!
//! - `format`, `version`, `module`, `error`: numbers, names, what can be wrong
//! - `checksum`: the sum at the end
//! - `cursor`, `text`: lengths and texts
//! - `grammar`, `scan`, `window`, `reader`: from a source to records
//! - `batch`, `template`, `decode`: from records to values
//! - `encode`: from values to records
//! - `writer`: from records to a file
//! - `dump`: one value by itself
//! - [`check`]: the tool that checks a file

mod batch;
pub mod check;
mod checksum;
mod cursor;
mod decode;
mod dump;
mod encode;
mod error;
mod format;
mod grammar;
mod module;
mod reader;
mod scan;
mod template;
mod text;
mod version;
mod window;
mod writer;

pub use batch::{Access, Batch, BigRecord, KeyInfo, Record};
pub use checksum::crc64;
pub use decode::{Limits, Value};
pub use dump::{Payload, RestoreError, dump, dump_functions, dump_pinned, restore};
pub use encode::{
    CannotHold, EncodeOptions, Encoder, Fields, HashWriter, ListWriter, Members, Nodes, ScoredMembers,
    SetWriter, StreamFigures, StreamSource, StreamWriter, Target, ValueParts, ValueRef, ValueWriter,
    ZSetWriter, pinned_writer,
};
pub(crate) use encode::{PlainFields, PlainMembers, PlainScored};
pub use error::{RdbError, ReadError};
pub use format::ValueType;
pub use module::{ModuleId, ModuleName};
pub use reader::{ChecksumState, Event, Position, ReadOptions, Reader, is_rdb};
pub use scan::Stage;
pub use text::Text;
pub use version::{Dialect, HEADER_LEN, Version, VersionCheck};
pub use writer::{WriteError, WriteOptions, Writer, Written};
