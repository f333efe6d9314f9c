//! Parts of strings.

use ochre_types::get_range;

use super::long::long_range;
use super::*;
use crate::call::{Call, integer};
use crate::command::flags;
use crate::error::Error;

pub(super) const GETRANGE: Command = Command {
    name: "getrange",
    summary: "Returns the bytes of a string from one index to another.",
    since: "2.4.0",
    complexity: "O(N), N being the length of the returned bytes.",
    arity: 4,
    flags: flags::READONLY,
    keys: READS,
    args: &[KEY, Arg::new("start", ArgKind::Integer), Arg::new("end", ArgKind::Integer)],
    handler: getrange,
    ..BASE
};

pub(super) const SUBSTR: Command = Command {
    name: "substr",
    summary: "The former name of GETRANGE.",
    since: "1.0.0",
    deprecated: Some(("2.0.0", "`GETRANGE`")),
    ..GETRANGE
};

fn getrange(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let (start, end) = (integer(call.args.at(2))?, integer(call.args.at(3))?);
    let Some(entry) = call.view.read(call.client.db, call.keys[0]) else {
        call.reply.bulk(b"");
        return Ok(());
    };
    let value = StringRef::of(entry)?;
    let range = get_range(value.len(), start, end);
    match long_range(entry, range.clone()) {
        Some(reply) => call.promise(Box::new(reply)),
        None => value.with(|bytes| call.reply.bulk(&bytes[range])),
    }
    Ok(())
}
