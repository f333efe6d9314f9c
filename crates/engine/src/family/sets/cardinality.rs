//! How many members intersections, unions and differences have.

use ochre_types::set::{self, Set};

use super::combine::{Choice, make};
use super::*;
use crate::call::{Cursor, integer_between};
use crate::command::{Begin, Find, flags};
use crate::error::SYNTAX;

const LIMIT: Arg = Arg::new("limit", ArgKind::Integer).token("LIMIT").optional();
const NUMKEYS: Arg = Arg::new("numkeys", ArgKind::Integer);

const COUNTED: Command = Command {
    arity: -3,
    flags: flags::READONLY,
    keys: &[KeySpec {
        begin: Begin::Index(1),
        find: Find::KeyNum { number: 0, first: 1, step: 1 },
        flags: key_flags::RO | key_flags::ACCESS,
        notes: "",
    }],
    args: &[NUMKEYS, KEY.multiple(), LIMIT],
    ..BASE
};

pub(super) const SINTERCARD: Command = Command {
    name: "sintercard",
    summary: "Returns the number of members that all of several sets have.",
    since: "7.0.0",
    complexity: "O(N*M) at worst, N being the number of members of the smallest set and M the number of sets.",
    handler: |call| {
        let options = Options::parse(call, false)?;
        count(call, Choice::AllOrNone, move |sets| set::intersection(sets, options.limit, &mut |_| {}))
    },
    ..COUNTED
};

pub(super) const SUNIONCARD: Command = Command {
    name: "sunioncard",
    summary: "Returns the number of members that any of several sets has.",
    since: "8.10.0",
    complexity: "O(N), N being the number of members of all sets together.",
    args: &[NUMKEYS, KEY.multiple(), Arg::word("approx", "APPROX").optional(), LIMIT],
    handler: |call| {
        let options = Options::parse(call, true)?;
        count(call, Choice::ThoseThere, move |sets| match options.approximately {
            true => set::union_estimate(sets, options.limit),
            false => set::union(sets, options.limit, &mut |_| {}),
        })
    },
    ..COUNTED
};

pub(super) const SDIFFCARD: Command = Command {
    name: "sdiffcard",
    summary: "Returns the number of members of a set that none of several others has.",
    since: "8.10.0",
    complexity: "O(N), N being the number of members of all sets together.",
    handler: |call| {
        let options = Options::parse(call, false)?;
        count(call, Choice::IfFirstIsThere, move |sets| set::difference(sets, options.limit, &mut |_| {}))
    },
    ..COUNTED
};

fn count(
    call: &mut Call<'_, '_>,
    choice: Choice,
    len_of: impl Fn(&[&Set]) -> usize + Clone + Send + 'static,
) -> Result<(), Error> {
    if let Some(len) = make(call, (call.keys, false), choice, len_of)? {
        call.reply.integer(len as i64);
    }
    Ok(())
}

/// What follows the keys.
#[derive(Clone, Copy)]
struct Options {
    /// Where to stop counting; 0: nowhere.
    limit: usize,
    /// Whether an estimate will do.
    approximately: bool,
}

impl Options {
    fn parse(call: &Call<'_, '_>, may_approximate: bool) -> Result<Options, Error> {
        let number =
            integer_between(call.args.at(1), 1, i64::MAX, Some("ERR numkeys should be greater than 0"))?;
        if number as usize > call.args.len() - 2 {
            return Err(Error::new("ERR Number of keys can't be greater than number of args"));
        }
        let mut options = Options { limit: 0, approximately: false };
        let mut cursor = call.args.cursor(2 + number as usize);
        while !cursor.is_at_end() {
            options.eat(&mut cursor, may_approximate)?;
        }
        Ok(options)
    }

    fn eat(&mut self, cursor: &mut Cursor<'_>, may_approximate: bool) -> Result<(), Error> {
        if cursor.eat_with_value("limit") {
            let text = Some("ERR LIMIT can't be negative");
            self.limit = integer_between(cursor.next_arg()?, 0, i64::MAX, text)? as usize;
        } else if may_approximate && cursor.eat("approx") {
            self.approximately = true;
        } else {
            return Err(SYNTAX);
        }
        Ok(())
    }
}
