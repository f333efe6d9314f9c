//! Arguments that several commands share.

use ochre_types::stream::{BoundError, References, StreamId};
use smallvec::SmallVec;

use super::*;
use crate::call::{Cursor, integer, integer_between};
use crate::error::SYNTAX;

/// An argument is no ID.
pub(super) const INVALID_ID: Error = Error::new("ERR Invalid stream ID specified as stream command argument");

/// KEEPREF, DELREF or ACKED.
pub(super) const CONDITION: Arg = Arg::one_of(
    "condition",
    &[Arg::word("keepref", "KEEPREF"), Arg::word("delref", "DELREF"), Arg::word("acked", "ACKED")],
)
.optional();

/// IDS numids id ...
pub(super) const ID_BLOCK: Arg = Arg::block("ids", &[Arg::new("numids", ArgKind::Integer), IDS]).token("IDS");

/// A few IDs.
pub(super) type Ids = SmallVec<[StreamId; 8]>;

/// An ID; a sequence number that is left out is 0.
pub(super) fn id(arg: &[u8]) -> Result<StreamId, Error> {
    StreamId::parse(arg, 0).ok_or(INVALID_ID)
}

/// IDs, all or none.
pub(super) fn ids<'a>(args: impl Iterator<Item = &'a [u8]>) -> Result<Ids, Error> {
    args.map(id).collect()
}

/// The start of a range.
pub(super) fn start(arg: &[u8]) -> Result<StreamId, Error> {
    StreamId::parse_start(arg).map_err(|error| bound_error(error, "ERR invalid start ID for the interval"))
}

/// The end of a range.
pub(super) fn end(arg: &[u8]) -> Result<StreamId, Error> {
    StreamId::parse_end(arg).map_err(|error| bound_error(error, "ERR invalid end ID for the interval"))
}

fn bound_error(error: BoundError, empty: &'static str) -> Error {
    match error {
        BoundError::Invalid => INVALID_ID,
        BoundError::Empty => Error::new(empty),
    }
}

/// A count of which anything below 1 means all there is.
pub(super) fn count(arg: &[u8]) -> Result<Option<u64>, Error> {
    Ok(u64::try_from(integer(arg)?).ok().filter(|count| *count > 0))
}

/// Goes past KEEPREF, DELREF or ACKED, unless there was one already.
pub(super) fn eat_references(cursor: &mut Cursor<'_>, references: &mut Option<References>) -> bool {
    const WORDS: [(&str, References); 3] =
        [("KEEPREF", References::Keep), ("DELREF", References::Delete), ("ACKED", References::Acked)];
    if references.is_some() {
        return false;
    }
    *references = WORDS.iter().find(|(word, _)| cursor.eat(word)).map(|(_, references)| *references);
    references.is_some()
}

/// The word of a way to treat references.
pub(super) fn references_word(references: References) -> &'static [u8] {
    match references {
        References::Keep => b"KEEPREF",
        References::Delete => b"DELREF",
        References::Acked => b"ACKED",
    }
}

/// The arguments after IDS: their number and the IDs, which are not looked at yet.
pub(super) fn id_block<'a>(cursor: &mut Cursor<'a>) -> Result<SmallVec<[&'a [u8]; 8]>, Error> {
    const NOT_POSITIVE: &str = "ERR Number of IDs must be a positive integer";
    let number = integer_between(cursor.next_arg()?, 1, i64::MAX, Some(NOT_POSITIVE))?;
    let number = usize::try_from(number).ok().filter(|number| *number <= cursor.left());
    let number = number.ok_or(Error::new("ERR The `numids` parameter must match the number of arguments"))?;
    (0..number).map(|_| cursor.next_arg()).collect()
}

/// What XDELEX and XACKDEL are told: how to treat references, and the IDs.
pub(super) struct Deletions<'a> {
    pub(super) references: References,
    pub(super) ids: SmallVec<[&'a [u8]; 8]>,
}

impl<'a> Deletions<'a> {
    /// Reads both, in either order.
    pub(super) fn next(cursor: &mut Cursor<'a>) -> Result<Deletions<'a>, Error> {
        let (mut references, mut ids) = (None, None);
        while !cursor.is_at_end() {
            if ids.is_none() && cursor.eat_with_value("IDS") {
                ids = Some(id_block(cursor)?);
            } else if !eat_references(cursor, &mut references) {
                return Err(SYNTAX);
            }
        }
        Ok(Deletions { references: references.unwrap_or_default(), ids: ids.ok_or(SYNTAX)? })
    }
}
