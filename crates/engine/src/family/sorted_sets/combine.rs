//! Several sorted sets or sets at once: unions, intersections and differences, replied, stored or counted. Large ones are combined
//! aside (see [`crate::aside`]), from what is pinned of them.
//!
//! The keys are looked at before the options are read, as Redis does: a key of another type is the first error.

use ochre_keyspace::{EntryRef, Key, View, event_class, object_of};
use ochre_types::set::Set;
use ochre_types::zset::{Aggregate, Weighted, ZSet, ZSource, zdiff, zinter, zinter_count, zunion};
use ochre_types::{DataType, Pinned, parse_f64};

use super::*;
use crate::call::{Call, Cursor, integer, integer_between};
use crate::command::flags;
use crate::error::{SYNTAX, WRONG_TYPE};
use crate::family::sequels::MembersSequel;
use crate::sequel::ELEMENTS_AT_ONCE;

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
#[derive(Clone, Default)]
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

/// Members that are combined where they are, in one go: some milliseconds.
const MEMBERS_AT_ONCE: usize = if cfg!(debug_assertions) { ELEMENTS_AT_ONCE } else { 2 * ELEMENTS_AT_ONCE };

/// How many members are looked at, or asked for, at least.
fn effort(operation: Operation, sources: &[&dyn ZSource]) -> usize {
    let counts = || sources.iter().map(|source| source.member_count());
    match operation {
        Operation::Intersection => counts().min().unwrap_or(0).saturating_mul(sources.len()),
        _ => counts().fold(0, usize::saturating_add),
    }
}

/// What the keys hold, as it is now; `None` for one that is not there.
type PinnedSources = Vec<Option<Box<dyn ZSource + Send>>>;

fn pinned(call: &mut Call<'_, '_>, keys: &[Key<'_>]) -> PinnedSources {
    let db = call.db();
    let mut pin = |key: &Key<'_>| match call.view.pin_any(db, *key)? {
        Pinned::ZSet(zset) => Some(Box::new(zset) as Box<dyn ZSource + Send>),
        Pinned::Set(set) => Some(Box::new(set) as Box<dyn ZSource + Send>),
        _ => None,
    };
    keys.iter().map(&mut pin).collect()
}

/// What `combine` makes of what the keys hold: aside, if that is large. `None` if it is not known yet. The keys are watched if what
/// is made is stored.
fn make<T: Send + 'static>(
    call: &mut Call<'_, '_>,
    (keys, is_stored): (&[Key<'_>], bool),
    operation: Operation,
    combine: impl Fn(&[&dyn ZSource]) -> T + Clone + Send + 'static,
) -> Result<Option<T>, Error> {
    let (nothing, elsewhere) = (ZSet::new(), combine.clone());
    call.make(
        if is_stored { keys } else { &[] },
        |call| {
            let sources = sources(call.view, call.db(), keys, &nothing).ok()?;
            if effort(operation, &sources) <= MEMBERS_AT_ONCE {
                return None;
            }
            let pinned = pinned(call, keys);
            Some(Box::new(move || {
                let nothing = ZSet::new();
                let looks = pinned.iter().map(|source| -> &dyn ZSource {
                    match source {
                        Some(source) => &**source,
                        None => &nothing,
                    }
                });
                elsewhere(&looks.collect::<Vec<_>>())
            }))
        },
        |call| Ok(combine(&sources(call.view, call.db(), keys, &nothing)?)),
    )
}

fn combine(sources: &[&dyn ZSource], operation: Operation, options: &Options) -> ZSet {
    if operation == Operation::Difference {
        return zdiff(sources);
    }
    let weights = options.weights.iter().copied().chain(std::iter::repeat(1.0));
    let weighted: Vec<Weighted<'_>> =
        sources.iter().zip(weights).map(|(source, weight)| Weighted { source: *source, weight }).collect();
    match operation {
        Operation::Union => zunion(&weighted, options.aggregate),
        _ => zinter(&weighted, options.aggregate),
    }
}

fn reply(call: &mut Call<'_, '_>, operation: Operation) -> Result<(), Error> {
    let (keys, rest) = inputs(call, 1)?;
    let options = Options::parse(rest, keys.len(), operation != Operation::Difference, true)?;
    let shape = Shape::of(options.with_scores, call.reply.protocol());
    let made = make(call, (keys, false), operation, move |sources| combine(sources, operation, &options))?;
    let Some(mut result) = made else { return Ok(()) };
    shape.begin(&mut call.reply, result.len());
    if result.len() <= ELEMENTS_AT_ONCE {
        result.iter().for_each(|(member, score)| shape.add(&mut call.reply, member, score));
        return Ok(());
    }
    let show = move |reply: &mut ReplyWriter<'_>, member: Item<'_>, score| shape.add(reply, member, score);
    call.promise(Box::new(MembersSequel { members: result.pin(), show }));
    Ok(())
}

fn store(call: &mut Call<'_, '_>, operation: Operation, event: &'static str) -> Result<(), Error> {
    let (keys, rest) = inputs(call, 2)?;
    let options = Options::parse(rest, keys.len(), operation != Operation::Difference, false)?;
    let limits = call.engine.settings.zset_limits();
    let made = make(call, (keys, true), operation, move |sources| {
        let mut result = combine(sources, operation, &options);
        result.make_small(&limits);
        result
    })?;
    let Some(result) = made else { return Ok(()) };
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
    let count = move |sources: &[&dyn ZSource]| zinter_count(sources, limit);
    if let Some(count) = make(call, (keys, false), Operation::Intersection, count)? {
        call.reply.integer(count as i64);
    }
    Ok(())
}
