//! Several sorted sets or sets at once: unions, intersections and differences, replied, stored or counted.
//!
//! The keys are looked at before the options are read, as Redis does: a key of another type is the first error.

use ochre_keyspace::{EntryRef, Key, View, event_class, object_of};
use ochre_types::set::Set;
use ochre_types::zset::{Aggregate, Weighted, ZSet, ZSource, zdiff, zinter, zinter_count, zunion};
use ochre_types::{DataType, parse_f64};

use super::*;
use crate::call::{Call, Cursor, integer, integer_between};
use crate::command::flags;
use crate::error::{SYNTAX, WRONG_TYPE};

const READ: u32 = key_flags::RO | key_flags::ACCESS;
const STORES: &[KeySpec] = &[KeySpec::first(key_flags::OW | key_flags::UPDATE), numbered_keys(2, READ)];
const KEYS: Arg = KEY.multiple();
const DESTINATION: Arg = Arg::key("destination", 0);
const SOURCES: Arg = Arg::key("key", 1).multiple();
const WEIGHTS: Arg = Arg::new("weight", ArgKind::Integer).token("WEIGHTS").optional().multiple();
const AGGREGATE: Arg = Arg::one_of(
    "aggregate",
    &[
        Arg::word("sum", "SUM"),
        Arg::word("min", "MIN"),
        Arg::word("max", "MAX"),
        Arg::word("count", "COUNT").since("8.8.0"),
    ],
)
.token("AGGREGATE")
.optional();

const UNITING: &str =
    "O(N)+O(M*log(M)), N being the number of members of all inputs and M that of the members of the result.";
const INTERSECTING: &str = "O(N*K)+O(M*log(M)) at worst, N being the number of members of the smallest input, K that of \
                            the inputs and M that of the members of the result.";
const SUBTRACTING: &str = "O(L+(N-K)*log(N)) at worst, L being the number of members of all inputs, N that of the first \
                           and K that of the result.";

const REPLIES: Command = Command {
    since: "6.2.0",
    arity: -3,
    flags: flags::READONLY | flags::MOVABLE_KEYS,
    keys: &[numbered_keys(1, READ)],
    ..BASE
};

const STORING: Command = Command {
    since: "2.0.0",
    arity: -4,
    flags: flags::WRITE | flags::DENYOOM | flags::MOVABLE_KEYS,
    keys: STORES,
    ..BASE
};

pub(super) const ZUNION: Command = Command {
    name: "zunion",
    summary: "Returns the members that any of several sorted sets has.",
    complexity: UNITING,
    args: &[NUMKEYS, KEYS, WEIGHTS, AGGREGATE, WITHSCORES],
    handler: |call| reply(call, Operation::Union),
    ..REPLIES
};

pub(super) const ZUNIONSTORE: Command = Command {
    name: "zunionstore",
    summary: "Stores the members that any of several sorted sets has in a key.",
    complexity: UNITING,
    args: &[DESTINATION, NUMKEYS, SOURCES, WEIGHTS, AGGREGATE],
    handler: |call| store(call, Operation::Union, "zunionstore"),
    ..STORING
};

pub(super) const ZINTER: Command = Command {
    name: "zinter",
    summary: "Returns the members that all of several sorted sets have.",
    complexity: INTERSECTING,
    args: &[NUMKEYS, KEYS, WEIGHTS, AGGREGATE, WITHSCORES],
    handler: |call| reply(call, Operation::Intersection),
    ..REPLIES
};

pub(super) const ZINTERSTORE: Command = Command {
    name: "zinterstore",
    summary: "Stores the members that all of several sorted sets have in a key.",
    complexity: INTERSECTING,
    args: &[DESTINATION, NUMKEYS, SOURCES, WEIGHTS, AGGREGATE],
    handler: |call| store(call, Operation::Intersection, "zinterstore"),
    ..STORING
};

pub(super) const ZDIFF: Command = Command {
    name: "zdiff",
    summary: "Returns the members of a sorted set that none of several others has.",
    complexity: SUBTRACTING,
    args: &[NUMKEYS, KEYS, WITHSCORES],
    handler: |call| reply(call, Operation::Difference),
    ..REPLIES
};

pub(super) const ZDIFFSTORE: Command = Command {
    name: "zdiffstore",
    summary: "Stores the members of a sorted set that none of several others has in a key.",
    since: "6.2.0",
    complexity: SUBTRACTING,
    args: &[DESTINATION, NUMKEYS, SOURCES],
    handler: |call| store(call, Operation::Difference, "zdiffstore"),
    ..STORING
};

pub(super) const ZINTERCARD: Command = Command {
    name: "zintercard",
    summary: "Returns how many members all of several sorted sets have, counted up to a limit.",
    since: "7.0.0",
    complexity: "O(N*K) at worst, N being the number of members of the smallest input and K that of the inputs.",
    args: &[NUMKEYS, KEYS, Arg::new("limit", ArgKind::Integer).token("LIMIT").optional()],
    handler: zintercard,
    ..REPLIES
};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Operation {
    Union,
    Intersection,
    Difference,
}

/// The options behind the keys.
#[derive(Default)]
struct Options {
    /// One for each key; none at all if all are 1.
    weights: Vec<f64>,
    aggregate: Aggregate,
    with_scores: bool,
}

impl Options {
    fn parse(mut cursor: Cursor<'_>, keys: usize, weighs: bool, replies: bool) -> Result<Options, Error> {
        let mut options = Options::default();
        while !cursor.is_at_end() {
            if weighs && cursor.left() > keys && cursor.eat("WEIGHTS") {
                let weights = (0..keys).map(|_| weight(cursor.next_arg()?));
                options.weights = weights.collect::<Result<_, _>>()?;
            } else if weighs && cursor.eat_with_value("AGGREGATE") {
                options.aggregate = aggregate(&mut cursor)?;
            } else if replies && cursor.eat("WITHSCORES") {
                options.with_scores = true;
            } else {
                return Err(SYNTAX);
            }
        }
        Ok(options)
    }
}

fn weight(arg: &[u8]) -> Result<f64, Error> {
    parse_f64(arg).ok_or(Error::new("ERR weight value is not a float"))
}

fn aggregate(cursor: &mut Cursor<'_>) -> Result<Aggregate, Error> {
    let words = [
        ("SUM", Aggregate::Sum),
        ("MIN", Aggregate::Min),
        ("MAX", Aggregate::Max),
        ("COUNT", Aggregate::Count),
    ];
    words.into_iter().find_map(|(word, aggregate)| cursor.eat(word).then_some(aggregate)).ok_or(SYNTAX)
}

/// The keys that are combined, their number being at an index, and what follows them. Each is looked at in the way that
/// counts, and holds a sorted set, a set or nothing.
fn inputs<'c>(call: &mut Call<'c, '_>, number_at: usize) -> Result<(&'c [Key<'c>], Cursor<'c>), Error> {
    let number = integer(call.args.at(number_at))?;
    if number < 1 {
        let name = call.full_name();
        return Err(Error::owned(format!("ERR at least 1 input key is needed for '{name}' command")));
    }
    let first = number_at + 1;
    if number as u64 > (call.args.len() - first) as u64 {
        return Err(SYNTAX);
    }
    // The destination, if there is one, comes before them.
    let keys = call.keys.get(number_at - 1..).ok_or(SYNTAX)?;
    let db = call.db();
    for key in keys {
        call.view.read(db, *key).map(source).transpose()?;
    }
    Ok((keys, call.args.cursor(first + keys.len())))
}

fn source(entry: EntryRef<'_>) -> Result<&dyn ZSource, Error> {
    let object = object_of(entry).ok_or(WRONG_TYPE)?;
    let as_zset = ZSet::of(object).map(|zset| zset as &dyn ZSource);
    as_zset.or_else(|| Set::of(object).map(|set| set as &dyn ZSource)).ok_or(WRONG_TYPE)
}

/// What the keys hold; a key that is not there is as an empty sorted set.
fn sources<'v>(
    view: &'v View<'_>,
    db: u32,
    keys: &[Key<'_>],
    nothing: &'v ZSet,
) -> Result<Vec<&'v dyn ZSource>, Error> {
    keys.iter().map(|key| view.glance(db, *key).map_or(Ok(nothing as &dyn ZSource), source)).collect()
}

fn combine(
    call: &Call<'_, '_>,
    operation: Operation,
    keys: &[Key<'_>],
    options: &Options,
) -> Result<ZSet, Error> {
    let nothing = ZSet::new();
    let sources = sources(call.view, call.db(), keys, &nothing)?;
    if operation == Operation::Difference {
        return Ok(zdiff(&sources));
    }
    let weights = options.weights.iter().copied().chain(std::iter::repeat(1.0));
    let weighted: Vec<Weighted<'_>> =
        sources.iter().zip(weights).map(|(source, weight)| Weighted { source: *source, weight }).collect();
    Ok(match operation {
        Operation::Union => zunion(&weighted, options.aggregate),
        _ => zinter(&weighted, options.aggregate),
    })
}

fn reply(call: &mut Call<'_, '_>, operation: Operation) -> Result<(), Error> {
    let (keys, rest) = inputs(call, 1)?;
    let options = Options::parse(rest, keys.len(), operation != Operation::Difference, true)?;
    let result = combine(call, operation, keys, &options)?;
    reply_members(&mut call.reply, result.iter(), options.with_scores);
    Ok(())
}

fn store(call: &mut Call<'_, '_>, operation: Operation, event: &'static str) -> Result<(), Error> {
    let (keys, rest) = inputs(call, 2)?;
    let options = Options::parse(rest, keys.len(), operation != Operation::Difference, false)?;
    let mut result = combine(call, operation, keys, &options)?;
    result.make_small(&call.engine.settings.zset_limits());
    call.reply.integer(result.len() as i64);
    call.view.store(call.client.db, call.keys[0], result, (event_class::ZSET, event));
    Ok(())
}

fn zintercard(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let (keys, mut rest) = inputs(call, 1)?;
    let mut limit = 0;
    while !rest.is_at_end() {
        if !rest.eat_with_value("LIMIT") {
            return Err(SYNTAX);
        }
        let text = "ERR LIMIT can't be negative";
        limit = integer_between(rest.next_arg()?, 0, i64::MAX, Some(text))? as usize;
    }
    let nothing = ZSet::new();
    let sources = sources(call.view, call.client.db, keys, &nothing)?;
    call.reply.integer(zinter_count(&sources, limit) as i64);
    Ok(())
}
