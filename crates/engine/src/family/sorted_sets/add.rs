//! ZADD and ZINCRBY: scores for members, old and new.

use ochre_keyspace::{Edit, event_class};
use ochre_types::parse_f64;
use ochre_types::zset::{AddRule, Added, Comparison, Existence, NotANumber, ZSet, ZSetLimits};
use smallvec::SmallVec;

use super::*;
use crate::call::{Args, Call, Cursor};
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
    handler: |call| add(call, Options::default()),
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
    handler: |call| add(call, Options { increment: true, ..Options::default() }),
    ..BASE
};

#[derive(Clone, Copy, Default)]
struct Options {
    only_new: bool,
    only_existing: bool,
    greater: bool,
    less: bool,
    count_changed: bool,
    increment: bool,
}

impl Options {
    /// Goes past an option.
    #[inline]
    fn eat(&mut self, cursor: &mut Cursor<'_>) -> bool {
        // Nearly always a score is here: no option begins like a number.
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

/// What is to be added.
struct Additions<'a> {
    options: Options,
    rule: AddRule,
    scores: SmallVec<[f64; 4]>,
    /// The arguments, where scores and members take turns from `first` on.
    args: Args<'a>,
    first: usize,
}

impl<'a> Additions<'a> {
    fn parse(args: Args<'a>, mut options: Options) -> Result<Additions<'a>, Error> {
        let mut cursor = args.cursor(2);
        while options.eat(&mut cursor) {}
        let first = cursor.index();
        if cursor.is_at_end() || !cursor.left().is_multiple_of(2) {
            return Err(SYNTAX);
        }
        options.check(cursor.left() / 2)?;
        let scores = args.from(first).step_by(2).map(|score| parse_f64(score).ok_or(NOT_A_FLOAT));
        Ok(Additions {
            options,
            rule: options.rule(),
            scores: scores.collect::<Result<_, _>>()?,
            args,
            first,
        })
    }

    fn member(&self, index: usize) -> &'a [u8] {
        self.args.at(self.first + 2 * index + 1)
    }

    /// Readies a sorted set for so many members.
    fn prepare(&self, zset: &mut ZSet, limits: &ZSetLimits) {
        let pairs = self.scores.len();
        if zset.is_empty() {
            let longest = (0..pairs).map(|index| self.member(index).len()).max().unwrap_or(0);
            *zset = ZSet::with_hints(pairs, longest, limits);
        } else {
            zset.expect(pairs, limits);
        }
    }

    fn apply(&self, zset: &mut ZSet, edit: &mut Edit, limits: &ZSetLimits) -> Result<Tally, NotANumber> {
        self.prepare(zset, limits);
        let mut tally = Tally::default();
        for (index, score) in self.scores.iter().enumerate() {
            let member = self.member(index);
            tally.count(match self.options.increment {
                true => zset.increment(member, *score, self.rule, limits)?,
                false => zset.add(member, *score, self.rule, limits)?,
            });
        }
        let changed = tally.added + tally.updated;
        if changed > 0 {
            edit.changed(changed);
            edit.notify(event_class::ZSET, if self.options.increment { "zincr" } else { "zadd" });
        }
        Ok(tally)
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

fn add(call: &mut Call<'_, '_>, options: Options) -> Result<(), Error> {
    let additions = Additions::parse(call.args, options)?;
    let (db, key, limits) = (call.db(), call.key(), call.engine.settings.zset_limits());
    let change = |zset: &mut ZSet, edit: &mut Edit| additions.apply(zset, edit, &limits);
    let done = match additions.options.only_existing {
        true => call.view.edit(db, key, change)?.map(|(done, _)| done),
        false => Some(call.view.edit_or_create(db, key, change)?.0),
    };
    let tally = done
        .unwrap_or(Ok(Tally::default()))
        .map_err(|_| Error::new("ERR resulting score is not a number (NaN)"))?;
    let options = additions.options;
    match tally.score {
        Some(score) if options.increment => call.reply.double(score),
        None if options.increment => call.reply.null(),
        _ if options.count_changed => call.reply.integer((tally.added + tally.updated) as i64),
        _ => call.reply.integer(tally.added as i64),
    }
    Ok(())
}
