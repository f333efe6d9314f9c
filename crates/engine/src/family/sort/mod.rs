//! SORT and SORT_RO: the elements of a list or a set in order, as they are or as other keys say.
//!
//! 1. `options`: what the request asks for.
//! 2. `elements`: the elements, copied out of the value, since other keys are looked at (and expired ones removed)
//!    afterwards.
//! 3. `pattern`: what BY and GET make of an element: the value of another key, or of a field of one.
//! 4. `order`: the order, as indexes of elements.
//!
//! Where there are very many and no other keys are needed, `parts` does all of that later and bit by bit, with `gradual` to sort and
//! `kept` for what is not sorted; `stored` does it aside where the result is stored.
//!
//! Which keys the patterns lead to is not known before the elements are: with such a pattern all stripes are locked.

mod elements;
mod gradual;
mod kept;
mod options;
mod order;
mod parts;
mod pattern;
mod stored;
#[cfg(test)]
mod tests;

use ochre_keyspace::{ValueRef, event_class};
use ochre_types::ObjectRef;
use ochre_types::list::{End, List};

use crate::call::Call;
use crate::command::{Arg, ArgKind, Begin, Command, Find, Group, KeySpec, acl, flags, key_flags};
use crate::error::{Error, WRONG_TYPE};
use crate::family::list_limits;
use crate::sequel::ELEMENTS_AT_ONCE;

use elements::Texts;
use kept::Kept;
use options::Options;
use order::Weights;
use parts::Sorting;

/// The family's commands.
pub const COMMANDS: &[Command] = &[SORT, SORT_RO];

const COMPLEXITY: &str = "O(N+M*log(M)), N being the number of elements to sort and M the number that is returned; \
                          O(N) where nothing is sorted.";

const SOURCE: KeySpec = KeySpec::first(key_flags::RO | key_flags::ACCESS);
const PATTERNS: KeySpec = KeySpec {
    begin: Begin::Unknown,
    find: Find::Unknown,
    flags: key_flags::RO | key_flags::ACCESS,
    notes: "For the optional BY/GET keyword. It is marked 'unknown' because the key names derive from the content of \
            the key we sort",
};
const DESTINATION: KeySpec = KeySpec {
    begin: Begin::Computed(options::destination),
    find: Find::Range { last: 0, step: 1, limit: 0 },
    flags: key_flags::OW | key_flags::UPDATE,
    notes: "For the optional STORE keyword. It is marked 'unknown' because the keyword can appear anywhere in the \
            argument array",
};

const KEY: Arg = Arg::key("key", 0);
const BY: Arg = Arg { key_spec: Some(1), ..Arg::new("by-pattern", ArgKind::Pattern) }
    .token("BY")
    .display("pattern")
    .optional();
const LIMIT: Arg =
    Arg::block("limit", &[Arg::new("offset", ArgKind::Integer), Arg::new("count", ArgKind::Integer)])
        .token("LIMIT")
        .optional();
const GET: Arg = Arg {
    key_spec: Some(1),
    multiple_token: true,
    ..Arg::new("get-pattern", ArgKind::Pattern).token("GET").display("pattern").optional().multiple()
};
const ORDER: Arg = Arg::one_of("order", &[Arg::word("asc", "ASC"), Arg::word("desc", "DESC")]).optional();
const ALPHA: Arg = Arg::word("sorting", "ALPHA").optional();
const STORE: Arg = Arg::key("destination", 2).token("STORE").optional();

const SORT: Command = Command {
    name: "sort",
    summary: "Returns the elements of a list, a set or a sorted set in order, or stores them.",
    complexity: COMPLEXITY,
    group: Group::Generic,
    arity: -2,
    flags: flags::WRITE | flags::DENYOOM | flags::MAY_REACH_ALL,
    acl: acl::SET | acl::SORTED_SET | acl::LIST | acl::DANGEROUS,
    keys: &[SOURCE, PATTERNS, DESTINATION],
    args: &[KEY, BY, LIMIT, GET, ORDER, ALPHA, STORE],
    reaches_all: options::has_patterns,
    handler: |call| sort(call, true),
    ..Command::BASE
};

const SORT_RO: Command = Command {
    name: "sort_ro",
    summary: "Returns the elements of a list, a set or a sorted set in order.",
    since: "7.0.0",
    flags: flags::READONLY | flags::MAY_REACH_ALL,
    keys: &[SOURCE, PATTERNS],
    args: &[KEY, BY, LIMIT, GET, ORDER, ALPHA],
    handler: |call| sort(call, false),
    ..SORT
};

fn sort(call: &mut Call<'_, '_>, may_store: bool) -> Result<(), Error> {
    let reads_every_key = call.may_read_every_key();
    let mut options = Options::parse(call.args, may_store, reads_every_key)?;
    options.orders_sets |= call.client.in_script;
    if options.is_plain() && sort_in_parts(call, &options) {
        return Ok(());
    }
    if options.is_plain_but_unsorted() && reply_in_parts(call, &options) {
        return Ok(());
    }
    if options.stores {
        return store(call, &options);
    }
    let (elements, order) = sorted(call, &options)?;
    reply(call, &options, &elements, &order);
    Ok(())
}

/// Leaves the sorting of very many elements for later; whether they are so many.
fn sort_in_parts(call: &mut Call<'_, '_>, options: &Options<'_>) -> bool {
    let (db, key) = (call.client.db, call.keys[0]);
    let object = match call.view.peek(db, key).map(|entry| entry.value()) {
        Some(ValueRef::Object(object)) => object,
        _ => return false,
    };
    let len = match object {
        ObjectRef::List(list) => list.len(),
        ObjectRef::Set(set) => set.len(),
        ObjectRef::ZSet(zset) => zset.len(),
        _ => return false,
    };
    if len <= ELEMENTS_AT_ONCE {
        return false;
    }
    // The read that it is.
    let is_there = call.view.read(db, key).is_some();
    let pinned = call.view.pin_any(db, key).filter(|_| is_there);
    pinned.map(|pinned| call.promise(Box::new(Sorting::new(pinned, len, options)))).is_some()
}

/// Leaves the replying of very many elements in the order that they have for later; whether they are so many.
fn reply_in_parts(call: &mut Call<'_, '_>, options: &Options<'_>) -> bool {
    let (db, key) = (call.client.db, call.keys[0]);
    let object = match call.view.peek(db, key).map(|entry| entry.value()) {
        Some(ValueRef::Object(object)) => object,
        _ => return false,
    };
    let Some(kept) = Kept::of(object, options).filter(|kept| kept.window.end > ELEMENTS_AT_ONCE) else {
        return false;
    };
    // The read that it is.
    let is_there = call.view.read(db, key).is_some();
    let pinned = kept.pin(call).filter(|_| is_there);
    let sorting = pinned.map(|pinned| Sorting::keeping_order(pinned, kept, options));
    sorting.map(|sorting| call.promise(Box::new(sorting))).is_some()
}

/// The elements, and the indexes of those that are asked for, in order.
fn sorted(call: &mut Call<'_, '_>, options: &Options<'_>) -> Result<(Texts, Vec<usize>), Error> {
    let value = call.view.read(call.client.db, call.keys[0]).map(|entry| entry.value());
    let (elements, window) = match value {
        None => return Ok(Default::default()),
        Some(ValueRef::Object(object)) => elements::collect(object, options).ok_or(WRONG_TYPE)?,
        Some(_) => return Err(WRONG_TYPE),
    };
    let Some(window) = window else {
        let all = (0..elements.len()).collect();
        return Ok((elements, all));
    };
    let weights = Weights::collect(call, options, &elements)?;
    let order = order::sorted(&elements, &weights, options, window);
    Ok((elements, order))
}

fn reply(call: &mut Call<'_, '_>, options: &Options<'_>, elements: &Texts, order: &[usize]) {
    call.reply.array(order.len() * options.gets.len().max(1));
    for element in order.iter().map(|index| elements.get(*index)) {
        if options.gets.is_empty() {
            call.reply.bulk(element);
        }
        for pattern in &options.gets {
            let reply = &mut call.reply;
            pattern.with_value(call.view, call.client.db, element, |value| match value {
                Some(bytes) => reply.bulk(bytes),
                None => reply.null(),
            });
        }
    }
}

/// Stores a list of what the reply would be.
fn store(call: &mut Call<'_, '_>, options: &Options<'_>) -> Result<(), Error> {
    let source = call.keys[0];
    let made = call.make(
        &[source],
        |call| stored::made_aside(call, options),
        |call| {
            let (elements, order) = sorted(call, options)?;
            Ok(Ok(listed(call, options, &elements, &order)))
        },
    )?;
    let Some(list) = made.transpose()? else { return Ok(()) };
    let (db, len) = (call.db(), list.len());
    if let Some(to) = call.keys.get(1) {
        call.view.store(db, *to, list, (event_class::LIST, "sortstore"));
        call.view.changed_more(*to, len.saturating_sub(1));
    }
    call.reply.integer(len as i64);
    Ok(())
}

/// A list of what the reply would be; what is missing becomes an empty string.
fn listed(call: &mut Call<'_, '_>, options: &Options<'_>, elements: &Texts, order: &[usize]) -> List {
    let (db, limits) = (call.db(), list_limits(call.engine));
    let mut list = List::new();
    for element in order.iter().map(|index| elements.get(*index)) {
        if options.gets.is_empty() {
            list.push(End::Tail, [element], &limits);
        }
        for pattern in &options.gets {
            pattern.with_value(call.view, db, element, |value| {
                list.push(End::Tail, [value.unwrap_or_default()], &limits);
            });
        }
    }
    list
}
