//! Commands as data: their records, the table that finds them, and where their keys are.

mod absent;
mod derived;
mod keys;
mod record;
mod table;
mod uses;

pub(crate) use absent::full_names as absent_names;
pub use derived::KeyRange;
pub use keys::{KeyIndexes, find as find_keys, key_indexes};
pub use record::{Arg, ArgKind, Begin, Command, Find, Group, KeySpec, acl, flags, key_flags};
pub use table::{CommandEntry, CommandId, CommandTable, Latest, RenameError};
pub use uses::{key_uses, told_key_uses};
