//! Databases as arguments, and SWAPDB.

use super::BASE;
use crate::call::{Call, integer};
use crate::command::{Arg, ArgKind, Command, Group, acl, flags};
use crate::error::{DB_OUT_OF_RANGE, Error};

/// The database that an argument names.
pub(super) fn database_argument(call: &Call<'_, '_>, arg: &[u8]) -> Result<u32, Error> {
    let number = integer(arg)?;
    if i32::try_from(number).is_err() {
        let text = "ERR value is out of range, value must between -2147483648 and 2147483647";
        return Err(Error::new(text));
    }
    existing(call, number)
}

fn existing(call: &Call<'_, '_>, number: i64) -> Result<u32, Error> {
    let number = u32::try_from(number).map_err(|_| DB_OUT_OF_RANGE)?;
    let exists = (number as usize) < call.engine.keyspace.databases();
    if exists { Ok(number) } else { Err(DB_OUT_OF_RANGE) }
}

pub(super) const SWAPDB: Command = Command {
    name: "swapdb",
    summary: "Exchanges two databases.",
    since: "4.0.0",
    group: Group::Server,
    complexity: "O(N) where N is the number of clients that watch keys of either database or wait for them.",
    arity: 3,
    flags: flags::WRITE | flags::FAST | flags::WHOLE_KEYSPACE,
    acl: acl::KEYSPACE | acl::DANGEROUS,
    args: &[Arg::new("index1", ArgKind::Integer), Arg::new("index2", ArgKind::Integer)],
    handler: swap,
    ..BASE
};

fn swap(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let number = |index: usize, text| {
        let number = ochre_types::parse_i64(call.args.at(index));
        number.filter(|number| i32::try_from(*number).is_ok()).ok_or(Error::new(text))
    };
    let a = number(1, "ERR invalid first DB index")?;
    let b = number(2, "ERR invalid second DB index")?;
    let (a, b) = (existing(call, a)?, existing(call, b)?);
    call.view.swap(a, b);
    call.reply.ok();
    Ok(())
}
