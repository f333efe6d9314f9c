//! The ends of lists, in the words of requests, events and the journal.

use ochre_types::list::End;

use crate::call::Cursor;
use crate::command::Arg;
use crate::error::{Error, SYNTAX};

const LEFT_OR_RIGHT: &[Arg] = &[Arg::word("left", "LEFT"), Arg::word("right", "RIGHT")];
pub(super) const WHERE: Arg = Arg::one_of("where", LEFT_OR_RIGHT);
pub(super) const WHERE_FROM: Arg = Arg::one_of("wherefrom", LEFT_OR_RIGHT);
pub(super) const WHERE_TO: Arg = Arg::one_of("whereto", LEFT_OR_RIGHT);

/// Reads LEFT or RIGHT.
pub(super) fn next_end(cursor: &mut Cursor<'_>) -> Result<End, Error> {
    if cursor.eat("left") {
        Ok(End::Head)
    } else if cursor.eat("right") {
        Ok(End::Tail)
    } else {
        Err(SYNTAX)
    }
}

/// The event of a push.
pub(super) fn pushed(end: End) -> &'static str {
    match end {
        End::Head => "lpush",
        End::Tail => "rpush",
    }
}

/// The event of a pop.
pub(super) fn popped(end: End) -> &'static str {
    match end {
        End::Head => "lpop",
        End::Tail => "rpop",
    }
}

/// The command that pops.
pub(super) fn pop_command(end: End) -> &'static [u8] {
    match end {
        End::Head => b"LPOP",
        End::Tail => b"RPOP",
    }
}
