//! SCAN: a walk over a database in steps that each stay small.
//!
//! The cursor is a position in the order of the keys' hashes, 48 bits, which neither growth nor shrinking of the tables
//! changes. A step returns whole table lines and answers where the next one begins. So a key that is there from the
//! first step to the last is returned: its position is passed exactly once, or again where lines became wider between
//! two steps. No step holds more than one stripe at a time (in a transaction, where all are held anyway, it lets none
//! go), and expired keys that it meets are removed.
//!
//! A step ends after the line in which the number of keys looked at reaches COUNT. Empty stripes and lines are passed
//! over without a limit: their number is bounded by that of the stripes and, because tables shrink with their content,
//! by a small multiple of the keys.
//!
//! Nothing says that a step is of one instant. So one with a large COUNT is made aside (see [`crate::aside`]), stripe after stripe;
//! there, expired keys are passed over.

use ochre_keyspace::{Effects, Locks, POSITION_BITS, View, type_name};
use ochre_types::{Case, glob_match, parse_u64_lenient};

use super::BASE;
use crate::aside::Compute;
use crate::call::{Args, Call};
use crate::command::{Arg, ArgKind, Command, flags};
use crate::error::{Error, SYNTAX};
use crate::family::pieces::Pieces;
use crate::sequel::ELEMENTS_AT_ONCE;

pub(super) const SCAN: Command = Command {
    name: "scan",
    summary: "Returns the keys of the database, some at each call.",
    since: "2.8.0",
    complexity: "O(1) for every call. O(N) for all calls until the cursor is 0 again, where N is the number of keys.",
    arity: -2,
    flags: flags::READONLY | flags::WALKS_KEYSPACE,
    tips: &["nondeterministic_output", "request_policy:special", "response_policy:special"],
    args: &[
        Arg::new("cursor", ArgKind::Integer),
        Arg::new("pattern", ArgKind::Pattern).token("MATCH").optional(),
        Arg::new("count", ArgKind::Integer).token("COUNT").optional(),
        Arg::new("type", ArgKind::String).token("TYPE").optional().since("6.0.0"),
    ],
    history: &[("6.0.0", "The option `TYPE` came.")],
    handler: scan,
    ..BASE
};

fn scan(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let options = Options::parse(call.args)?;
    let (db, protocol) = (call.db(), call.reply.protocol());
    let here = |call: &mut Call<'_, '_>| Ok(walk(call.view, db, options, Pieces::new(protocol)));
    let made = call.make(&[], |call| walked_aside(call, options), here)?;
    let Some((found, cursor)) = made else { return Ok(()) };
    call.reply.array(2);
    call.reply.bulk_int(cursor as i64);
    call.reply.array(found.count());
    found.reply(call);
    Ok(())
}

/// A step that may look at more keys is made aside.
const COUNT_AT_ONCE: i64 = if cfg!(debug_assertions) { 100 } else { 4 * ELEMENTS_AT_ONCE as i64 };

/// Has a long step made aside. It holds no more than one stripe at a time there, either, and none for long.
fn walked_aside(call: &mut Call<'_, '_>, options: Options<'_>) -> Option<Compute<(Pieces, u64)>> {
    if options.count <= COUNT_AT_ONCE {
        return None;
    }
    let engine = call.engine.persistence.engine()?;
    let (db, now_ms, is_import_source) = (call.db(), call.now_ms(), call.client.import_source);
    let Options { cursor, count, .. } = options;
    let pattern = options.pattern.map(<[u8]>::to_vec);
    let type_name = options.type_name.map(<[u8]>::to_vec);
    let pieces = Pieces::new(call.reply.protocol());
    Some(Box::new(move || {
        let mut effects = Effects::default();
        let mut view = engine.keyspace.view(Locks::None, now_ms, &mut effects);
        view.set_import_source(is_import_source);
        let (pattern, type_name) = (pattern.as_deref(), type_name.as_deref());
        // Nobody here would tell others what was removed.
        walk(&mut view, db, Options { cursor, pattern, type_name, count, is_aside: true }, pieces)
    }))
}

/// Lines after which a walk aside lets others in: some hundred keys.
const LINES_AT_ONCE: usize = 64;

/// Writes the names of the keys of one step. With them, the cursor of the next step, 0 at the end.
fn walk(view: &mut View<'_>, db: u32, options: Options<'_>, mut found: Pieces) -> (Pieces, u64) {
    let (now_ms, sees_expired) = (view.now_ms(), view.sees_expired());
    let (mut looked_at, mut lines) = (0, 0_usize);
    let mut expired: Vec<Vec<u8>> = Vec::new();
    let mut position = Some(options.cursor).filter(|cursor| *cursor < 1 << POSITION_BITS);
    while let Some(at) = position
        && looked_at < options.count
    {
        lines += 1;
        if options.is_aside && lines.is_multiple_of(LINES_AT_ONCE) {
            view.let_go();
        }
        view.walk_to(at);
        position = view.visit_line(db, at, &mut |entry| {
            looked_at += 1;
            if !options.matches(entry.key()) {
                return;
            }
            if !sees_expired && entry.expire_ms().is_some_and(|expire_ms| expire_ms <= now_ms) {
                expired.push(entry.key().to_vec());
            } else if options.wants(type_name(entry)) {
                found.add(|reply| reply.bulk(entry.key()));
            }
        });
        for name in expired.drain(..).filter(|_| !options.is_aside) {
            let key = view.key(&name);
            view.exists(db, key);
        }
    }
    (found, position.unwrap_or(0))
}

#[derive(Clone, Copy)]
struct Options<'a> {
    cursor: u64,
    pattern: Option<&'a [u8]>,
    type_name: Option<&'a [u8]>,
    count: i64,
    /// Whether others are let in between, and expired keys only passed over, not removed.
    is_aside: bool,
}

impl<'a> Options<'a> {
    fn parse(args: Args<'a>) -> Result<Options<'a>, Error> {
        let cursor = parse_u64_lenient(args.at(1)).ok_or(Error::new("ERR invalid cursor"))?;
        let mut options = Options { cursor, pattern: None, type_name: None, count: 10, is_aside: false };
        let mut cursor = args.cursor(2);
        while !cursor.is_at_end() {
            if cursor.eat_with_value("count") {
                options.count = cursor.next_i64()?;
                if options.count < 1 {
                    return Err(SYNTAX);
                }
            } else if cursor.eat_with_value("match") {
                options.pattern = Some(cursor.next_arg()?).filter(|pattern| *pattern != b"*");
            } else if cursor.eat_with_value("type") {
                options.type_name = Some(cursor.next_arg()?);
            } else if cursor.eat("novalues") {
                return Err(Error::new("ERR NOVALUES option can only be used in HSCAN"));
            } else {
                return Err(SYNTAX);
            }
        }
        Ok(options)
    }

    fn matches(&self, key: &[u8]) -> bool {
        self.pattern.is_none_or(|pattern| glob_match(pattern, key, Case::Sensitive))
    }

    /// A type that nobody knows is no error: no key has it.
    fn wants(&self, name: &str) -> bool {
        self.type_name.is_none_or(|wanted| wanted.eq_ignore_ascii_case(name.as_bytes()))
    }
}
