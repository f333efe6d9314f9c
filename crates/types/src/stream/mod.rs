//! Streams: append-only logs of entries with consumer groups.
//!
//! - `id`: entry IDs and their text
//! - `value`, `node`, `log`: how entries are stored, from a single value up to the whole
//! - `ordered`, `runs`, `lowest`: the ordered collections under the log and under what is pending
//! - `state`, `equality`: the stream itself, adding and finding entries
//! - `remove`: deleting and trimming with regard to groups
//! - `consumer`, `pending`, `group`, `groups`: readers and what they have not acknowledged
//! - `read`, `claim`: delivering entries, changing who owns them
//! - `pin`: a stream as it was, for whoever reads it bit by bit
//! - `lag`, `radix`: figures that Redis shows
//! - `listpack_form`, `restore`: nodes as files have them, a stream from its parts
//! - `idempotency`: producers that may send an entry twice

mod claim;
mod consumer;
mod equality;
mod group;
mod groups;
mod id;
mod idempotency;
mod lag;
mod listpack_form;
mod log;
mod lowest;
mod node;
mod ordered;
mod pending;
mod pin;
mod radix;
mod read;
mod remove;
mod restore;
mod runs;
mod sizes;
mod state;
#[cfg(test)]
mod tests;
mod value;

pub use claim::{AutoClaimOptions, AutoClaimReport, Claim, ClaimOptions, ClaimReport, ClaimTime, NackMode};
pub use consumer::Consumer;
pub use group::{Group, PendingEntry};
pub use groups::{GroupExists, NoGroup};
pub use id::{BoundError, IdRequest, StreamId};
pub use idempotency::{IdempotencyFigures, IdempotencyLimits, OtherEntry, message_id_of};
pub use log::{NodeLimits, Range, RangeBack};
pub use node::{Entry, Fields};
pub use pin::{PinnedEntries, PinnedStream};
pub use read::{Delivery, IdleClaim};
pub use remove::{Deletion, References, Trim, TrimTo, Trimmed};
pub use state::{AddError, SetIdError, Stream};
