//! What values are read from while they are written: some elements at a time.
//!
//! Each trait is fulfilled by plain values (in `plain`) and by values as they were at some instant (in `pinned`).

use ochre_types::Portion;
use ochre_types::hash::HashEntry;
use ochre_types::list::SavedNode;
use ochre_types::listpack::{Item, Listpack};
use ochre_types::stream::{Group, IdempotencyFigures, IdempotencyLimits, StreamId};

use super::encoder::Encoder;
use super::plan::{CannotHold, Target};

/// A value that is written in parts.
pub trait ValueParts {
    /// The type that it gets, and the oldest version that has it.
    ///
    /// # Errors
    /// When the target cannot hold it.
    fn plan(&mut self, target: Target) -> Result<(u8, super::super::version::Version), CannotHold>;

    /// Writes on, until there are about `bytes` in the buffer; whether the value is complete.
    fn write_part(&mut self, out: &mut Encoder, bytes: usize) -> bool;
}

/// The nodes of a list.
pub trait Nodes {
    /// Number of nodes.
    fn nodes_len(&self) -> usize;

    /// Number of elements.
    fn elements_len(&self) -> usize;

    /// The next node.
    fn next_node(&mut self) -> Option<SavedNode>;
}

/// The members of a set.
pub trait Members {
    /// Number of members.
    fn members_len(&self) -> usize;

    /// Shows about so many more; whether there may be others.
    fn next_members(&mut self, portion: Portion, visit: &mut dyn FnMut(Item<'_>)) -> bool;
}

/// The fields of a hash, those included that expired and are still there.
pub trait Fields {
    /// Number of fields.
    fn fields_len(&self) -> usize;

    /// A time before which no field expires, unix time in ms; `None` if none ever does.
    fn earliest_ms(&self) -> Option<i64>;

    /// Shows about so many more; whether there may be others.
    fn next_fields(&mut self, portion: Portion, visit: &mut dyn FnMut(HashEntry<'_>)) -> bool;
}

/// The members of a sorted set; a server reads them fastest with the highest score first.
pub trait ScoredMembers {
    /// Number of members.
    fn members_len(&self) -> usize;

    /// Shows about so many more; whether there may be others.
    fn next_members(&mut self, portion: Portion, visit: &mut dyn FnMut(Item<'_>, f64)) -> bool;
}

/// What a stream has besides its nodes and groups.
#[derive(Clone, Copy, Debug)]
pub struct StreamFigures {
    /// Number of entries.
    pub len: u64,
    /// The last ID.
    pub last_id: StreamId,
    /// That of the first entry, `0-0` if there is none.
    pub first_id: StreamId,
    /// The greatest ID that was deleted.
    pub max_deleted_id: StreamId,
    /// How many entries were ever added.
    pub entries_added: u64,
    /// What is remembered of producers, if the stream has limits for it.
    pub idempotency: Option<(IdempotencyLimits, IdempotencyFigures)>,
}

/// A stream.
pub trait StreamSource {
    /// Number of nodes.
    fn nodes_len(&self) -> usize;

    /// Shows the next node with its first ID; whether there was one.
    fn next_node(&mut self, visit: &mut dyn FnMut(StreamId, &Listpack)) -> bool;

    /// Its figures.
    fn figures(&self) -> StreamFigures;

    /// Number of groups.
    fn groups_len(&self) -> usize;

    /// A group by its number, in the order of names.
    fn group(&self, index: usize) -> Option<(&[u8], &Group)>;

    /// What is remembered of producers: producer, message and entry; all of a producer in a row, oldest first.
    fn messages(&self) -> Box<dyn Iterator<Item = (&[u8], &[u8], StreamId)> + '_>;
}
