//! The forms of pops that wait until there is something to take.

use ochre_types::DataType;
use ochre_types::zset::{Direction, ZSet};

use super::pop::{END, first_there, pop, pop_first, pop_name, several_keys};
use super::*;
use crate::blocking::{Await, deadline};
use crate::call::Call;
use crate::command::flags;

const TIMEOUT: Arg = Arg::new("timeout", ArgKind::Double);

const BLOCKING_POP: Command = Command {
    since: "5.0.0",
    complexity: "O(log(N)), N being the number of members of the sorted set.",
    arity: -3,
    flags: flags::WRITE | flags::BLOCKING | flags::FAST,
    keys: &[KeySpec { find: Find::Range { last: -2, step: 1, limit: 0 }, ..KeySpec::first(POPS) }],
    args: &[KEY.multiple(), TIMEOUT],
    history: &[("6.0.0", "`timeout` may be a fraction.")],
    ..BASE
};

pub(super) const BZPOPMIN: Command = Command {
    name: "bzpopmin",
    summary: "Removes the member with the lowest score from the first sorted set that is there and returns it; waits for one \
              if there is none.",
    handler: |call| pop_or_wait(call, Direction::Ascending),
    ..BLOCKING_POP
};

pub(super) const BZPOPMAX: Command = Command {
    name: "bzpopmax",
    summary: "Removes the member with the highest score from the first sorted set that is there and returns it; waits for one \
              if there is none.",
    handler: |call| pop_or_wait(call, Direction::Descending),
    ..BLOCKING_POP
};

fn pop_or_wait(call: &mut Call<'_, '_>, direction: Direction) -> Result<(), Error> {
    let deadline_ms = deadline(call.args.at(call.args.len() - 1), call.now_ms())?;
    let Some(key) = first_there(call)? else {
        wait(call, deadline_ms);
        return Ok(());
    };
    pop(call, key, direction, 1, Shape::Flat, |reply, _| {
        reply.array(3);
        reply.bulk(key.bytes);
    })?;
    call.propagate(&[pop_name(direction), key.bytes]);
    Ok(())
}

/// Has the client wait until one of its keys is a sorted set. What cannot wait is told that there is none.
fn wait(call: &mut Call<'_, '_>, deadline_ms: i64) {
    if call.in_transaction {
        call.reply.null_array();
    } else {
        call.block_on_keys(Await::value(call.keys.len(), ZSet::NAME, deadline_ms));
    }
}

pub(super) const BZMPOP: Command = Command {
    name: "bzmpop",
    summary: "Removes the members with the lowest or highest scores from the first of several sorted sets that is there and \
              returns them; waits for one if there is none.",
    since: "7.0.0",
    complexity: "O(K)+O(M*log(N)), K being the number of keys, N that of the members of the sorted set and M that of \
                 those removed.",
    arity: -5,
    flags: flags::WRITE | flags::BLOCKING | flags::MOVABLE_KEYS,
    keys: &[numbered_keys(2, POPS)],
    args: &[TIMEOUT, NUMKEYS, KEY.multiple(), END, COUNT.token("COUNT").optional()],
    handler: bzmpop,
    ..BASE
};

fn bzmpop(call: &mut Call<'_, '_>) -> Result<(), Error> {
    // The timeout is looked at last.
    let (direction, count) = several_keys(call.args.cursor(2))?;
    let deadline_ms = deadline(call.args.at(1), call.now_ms())?;
    if !pop_first(call, direction, count)? {
        wait(call, deadline_ms);
    }
    Ok(())
}
