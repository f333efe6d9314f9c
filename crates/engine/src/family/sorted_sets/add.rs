//! ZADD and ZINCRBY: scores for members, old and new.

use ochre_keyspace::{Edit, event_class};
use ochre_types::parse_f64;
use ochre_types::zset::{AddRule, Added, Comparison, Existence, NotANumber, ZSet, ZSetLimits};
use smallvec::SmallVec;

use super::*;
use crate::call::{Call, Cursor};
use crate::command::flags;
use crate::error::{NOT_A_FLOAT, SYNTAX};

const UPDATES: &[KeySpec] = &[KeySpec::first(key_flags::RW | key_flags::UPDATE)];
const REPLIED_UPDATES: &[KeySpec] = &[KeySpec::first(key_flags::RW | key_flags::ACCESS | key_flags::UPDATE)];

pub(super) const ZADD: Command = Command {
    name: "zadd",
    summary: "Gives members of a sorted set their scores; makes the key if it is not there.",
    since: "1.2.0",
    complexity: "O(log(N)) for each member, N being the number of members of the sorted set.",
    arity: -4,
    flags: flags::WRITE | flags::DENYOOM | flags::FAST,
    keys: UPDATES,
    args: &[
        KEY,
        Arg::one_of("condition", &[Arg::word("nx", "NX"), Arg::word("xx", "XX")]).optional().since("3.0.2"),
        Arg::one_of("comparison", &[Arg::word("gt", "GT"), Arg::word("lt", "LT")]).optional().since("6.2.0"),
        Arg::word("change", "CH").optional().since("3.0.2"),
        Arg::word("increment", "INCR").optional().since("3.0.2"),
        Arg::block("data", &[Arg::new("score", ArgKind::Double), MEMBER]).multiple(),
    ],
    history: &[
        ("2.4.0", "Takes several members."),
        ("3.0.2", "The options `XX`, `NX`, `CH` and `INCR` came."),
        ("6.2.0", "The options `GT` and `LT` came."),
    ],
    handler: |call| add(call, AddOptions::default()),
    ..BASE
};

pub(super) const ZINCRBY: Command = Command {
    name: "zincrby",
    summary: "Adds to the score of a member of a sorted set.",
    since: "1.2.0",
    complexity: "O(log(N)), N being the number of members of the sorted set.",
    arity: 4,
    flags: flags::WRITE | flags::DENYOOM | flags::FAST,
    keys: REPLIED_UPDATES,
    args: &[KEY, Arg::new("increment", ArgKind::Integer), MEMBER],
    handler: |call| add(call, AddOptions { increment: true, ..AddOptions::default() }),
    ..BASE
};

/// The options of ZADD. What GEOADD takes of them means the same there.
#[derive(Clone, Copy, Default)]
pub(in crate::family) struct AddOptions {
    /// NX
    pub only_new: bool,
    /// XX
    pub only_existing: bool,
    /// GT
    pub greater: bool,
    /// LT
    pub less: bool,
    /// CH
    pub count_changed: bool,
    /// INCR
    pub increment: bool,
}

impl AddOptions {
    /// Goes past an option.
    #[inline]
    fn eat(&mut self, cursor: &mut Cursor<'_>) -> bool {
        // Nearly always a score is here, and no option begins like a number.
        if cursor.peek().and_then(|arg| arg.first()).is_none_or(|first| !first.is_ascii_alphabetic()) {
            return false;
        }
        for (word, option) in [
            ("NX", &mut self.only_new),
            ("XX", &mut self.only_existing),
            ("CH", &mut self.count_changed),
            ("INCR", &mut self.increment),
            ("GT", &mut self.greater),
            ("LT", &mut self.less),
        ] {
            if cursor.eat(word) {
                *option = true;
                return true;
            }
        }
        false
    }

    fn check(&self, pairs: usize) -> Result<(), Error> {
        if self.only_new && self.only_existing {
            return Err(Error::new("ERR XX and NX options at the same time are not compatible"));
        }
        if self.only_new && (self.greater || self.less) || self.greater && self.less {
            return Err(Error::new("ERR GT, LT, and/or NX options at the same time are not compatible"));
        }
        if self.increment && pairs > 1 {
            return Err(Error::new("ERR INCR option supports a single increment-element pair"));
        }
        Ok(())
    }

    fn rule(&self) -> AddRule {
        let existence = match (self.only_new, self.only_existing) {
            (true, _) => Existence::OnlyNew,
            (_, true) => Existence::OnlyExisting,
            _ => Existence::Any,
        };
        let comparison = match (self.greater, self.less) {
            (true, _) => Comparison::Greater,
            (_, true) => Comparison::Less,
            _ => Comparison::Any,
        };
        AddRule { existence, comparison }
    }
}

/// Scores with their members.
pub(in crate::family) type Pairs<'a> = SmallVec<[(f64, &'a [u8]); 4]>;

fn add(call: &mut Call<'_, '_>, mut options: AddOptions) -> Result<(), Error> {
    let mut cursor = call.args.cursor(2);
    while options.eat(&mut cursor) {}
    if cursor.is_at_end() || !cursor.left().is_multiple_of(2) {
        return Err(SYNTAX);
    }
    options.check(cursor.left() / 2)?;
    let mut pairs = Pairs::new();
    while !cursor.is_at_end() {
        let score = parse_f64(cursor.next_arg()?).ok_or(NOT_A_FLOAT)?;
        pairs.push((score, cursor.next_arg()?));
    }
    add_pairs(call, options, &pairs)?;
    Ok(())
}

/// Gives members their scores and replies how many are new, or what the options ask for. Whether anything was changed.
pub(in crate::family) fn add_pairs(
    call: &mut Call<'_, '_>,
    options: AddOptions,
    pairs: &[(f64, &[u8])],
) -> Result<bool, Error> {
    let (db, key, limits) = (call.db(), call.key(), call.engine.settings.zset_limits());
    let change = |zset: &mut ZSet, edit: &mut Edit| apply(zset, edit, options, pairs, &limits);
    let done = match options.only_existing {
        true => call.view.edit(db, key, change)?.map(|(done, _)| done),
        false => Some(call.view.edit_or_create(db, key, change)?.0),
    };
    let tally = done
        .unwrap_or(Ok(Tally::default()))
        .map_err(|_| Error::new("ERR resulting score is not a number (NaN)"))?;
    match tally.score {
        Some(score) if options.increment => call.reply.double(score),
        None if options.increment => call.reply.null(),
        _ if options.count_changed => call.reply.integer((tally.added + tally.updated) as i64),
        _ => call.reply.integer(tally.added as i64),
    }
    Ok(tally.added + tally.updated > 0)
}

fn apply(
    zset: &mut ZSet,
    edit: &mut Edit,
    options: AddOptions,
    pairs: &[(f64, &[u8])],
    limits: &ZSetLimits,
) -> Result<Tally, NotANumber> {
    prepare(zset, pairs, limits);
    let (mut tally, rule) = (Tally::default(), options.rule());
    for (score, member) in pairs {
        tally.count(match options.increment {
            true => zset.increment(member, *score, rule, limits)?,
            false => zset.add(member, *score, rule, limits)?,
        });
    }
    let changed = tally.added + tally.updated;
    if changed > 0 {
        edit.changed(changed);
        edit.notify(event_class::ZSET, if options.increment { "zincr" } else { "zadd" });
    }
    Ok(tally)
}

/// Readies a sorted set for so many members.
fn prepare(zset: &mut ZSet, pairs: &[(f64, &[u8])], limits: &ZSetLimits) {
    if zset.is_empty() {
        // The first says what the others are like, as in Redis (in Valkey, the longest does).
        let len = pairs.first().map_or(0, |(_, member)| member.len());
        *zset = ZSet::with_hints(pairs.len(), len, limits);
    } else {
        zset.expect(pairs.len(), limits);
    }
}

/// What became of the members.
#[derive(Clone, Copy, Default)]
struct Tally {
    added: usize,
    updated: usize,
    /// The score of the last one, if the rule allowed it any.
    score: Option<f64>,
}

impl Tally {
    fn count(&mut self, added: Added) {
        self.added += usize::from(matches!(added, Added::New(_)));
        self.updated += usize::from(matches!(added, Added::Updated(_)));
        self.score = added.score();
    }
}
