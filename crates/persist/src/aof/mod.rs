//! The append-only file.
//!
//! The log is a base (the data set at one moment) and incremental files (the units since), which a manifest names: the
//! format of Redis 7 and later, file for file. From the bottom up:
//!
//! | module | what it knows |
//! |---|---|
//! | `record` | the bytes of one file: commands, transactions, annotations, sums |
//! | `manifest`, `layout` | which files there are, and their names |
//! | `folder` | whose log it is: the lock of the folder |
//! | `store` | the files on a disk, and the steps that change them |
//! | `recovery` | loading them, and what is given up of a damaged end |
//! | `rewrite` | when the log is to be rewritten |
//! | `base` | a base as a file of commands |
//! | `log` | writing it while the server runs |

mod base;
mod folder;
mod layout;
mod log;
mod manifest;
mod record;
mod recovery;
mod report;
mod rewrite;
mod store;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use self::log::*;
pub use base::{CommandEncoder, CommandParts, pinned_commands};
pub use folder::{FolderError, FolderLock};
pub use layout::{BaseFormat, Layout};
pub use manifest::{Entry, Manifest, ManifestError, ManifestFault, Role};
pub(crate) use record::{Annotation, FrameHeader, Tail, look_at_tail, parse_annotation};
pub use record::{Command, Defect, ReadLimits, Reader, Stop, Unit, push_timestamp};
#[cfg(test)]
pub(crate) use record::{push_frame_header, write_frame_header};
pub use recovery::{Decision, Load, LoadError, LoadSettings, Loaded, Stopped, decide, load};
pub use report::{Report, emit_all};
pub use rewrite::{Growth, RewriteDecision, RewriteHistory};
pub use store::{Adopted, Behind, Store, StoreError};
