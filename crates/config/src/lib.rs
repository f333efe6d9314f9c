//! Every directive of redis.conf in one typed table, the file grammar, CONFIG GET and SET, and CONFIG REWRITE.
//!
//! The crate is pure: it turns bytes into a [`Config`] and back. It opens files only through a [`FileSource`] that the
//! caller gives, and it applies nothing: CONFIG SET yields [`Changes`], the engine acts on them, and if that fails it
//! puts the clone it kept back. Reading a value is an index into an array ([`Directive`]); there is no look-up by name
//! at run time.
//!
//! Layers, from below: `record` (what is known about a directive), `table` (all of them), `value` and the modules of
//! the special values (text to value and back), `config` (all current values), and on top of it `get`, `set`, `load`
//! and `rewrite`, which are the four ways in and out.
//!
//! For fuzzing, three entries take any bytes: [`Config::load_text`] with [`NoFiles`], [`Config::set`] and
//! [`Config::rewrite`]. They must never panic, and what they accept must be read back from what they write.

mod check;
mod choices;
mod config;
mod directive;
mod error;
mod files;
mod get;
mod load;
mod number;
mod quote;
mod record;
mod rewrite;
mod set;
mod special;
mod table;
mod value;

pub use choices::{
    AclPubsubDefault, AppendFsync, Choice, ClusterConfigSave, EndpointType, LogFormat, LogLevel,
    LogTimestampFormat, MaxmemoryPolicy, OOM_ABSOLUTE, OOM_NO, OOM_RELATIVE, PropagationError,
    ProtectedAction, RdbVersionCheck, ReplDisklessLoad, SHUTDOWN_FAILOVER, SHUTDOWN_FORCE, SHUTDOWN_NOSAVE,
    SHUTDOWN_NOW, SHUTDOWN_SAFE, SHUTDOWN_SAVE, SLOT_STATS_CPU, SLOT_STATS_MEM, SLOT_STATS_NET,
    SanitizeDumpPayload, Supervised, SyslogFacility, TlsAuthClients, TlsAuthClientsUser,
};
pub use config::{ClientMemoryLimit, Config};
pub use directive::Directive;
pub use error::{ConfigError, SetError, os_reason};
pub use files::{FileSource, NoFiles, SystemFiles};
pub use load::{Loaded, Origin, Statement};
pub use number::parse_memory;
pub use quote::join_words;
pub use record::{Check, Effect, Integer, Kind, LiveCheck, Mutability, Record, Text, Unit, Word};
pub use rewrite::Appendix;
pub use set::{Changes, SetContext};
pub use special::{ClientClass, KeyspaceEvents, OutputBufferLimit, ReplicaOf, SavePoint};
pub use table::TABLE;
pub use value::Value;
