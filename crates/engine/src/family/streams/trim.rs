//! XTRIM, and the options that XADD has of it.

use ochre_keyspace::event_class;
use ochre_types::stream::{References, Stream, Trim, TrimTo, Trimmed};

use super::arguments::{CONDITION, eat_references, id, references_word};
use super::*;
use crate::call::{Cursor, integer};
use crate::command::flags;
use crate::error::SYNTAX;

const STRATEGY: Arg =
    Arg::one_of("strategy", &[Arg::word("maxlen", "MAXLEN"), Arg::word("minid", "MINID").since("6.2.0")]);
const OPERATOR: Arg =
    Arg::one_of("operator", &[Arg::word("equal", "="), Arg::word("approximately", "~")]).optional();
const THRESHOLD: Arg = Arg::new("threshold", ArgKind::String);
const LIMIT: Arg = COUNT.token("LIMIT").since("6.2.0");

/// The trimming options of XADD.
pub(super) const TRIM: Arg = Arg::block("trim", &[STRATEGY, OPERATOR, THRESHOLD, LIMIT]).optional();

pub(super) const XTRIM: Command = Command {
    name: "xtrim",
    summary: "Removes entries from the front of a stream.",
    complexity: "O(N), N being the number of removed entries; they go node by node, which is quick.",
    arity: -4,
    flags: flags::WRITE,
    keys: DELETES,
    tips: &["nondeterministic_output"],
    args: &[KEY, Arg::block("trim", &[STRATEGY, OPERATOR, THRESHOLD, LIMIT, CONDITION])],
    history: &[
        ("6.2.0", "Added the `MINID` trimming strategy and the `LIMIT` option."),
        ("8.2.0", "Added the `KEEPREF`, `DELREF` and `ACKED` options."),
    ],
    handler: xtrim,
    ..BASE
};

fn xtrim(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let mut options = TrimOptions::default();
    let mut cursor = call.args.cursor(2);
    while !cursor.is_at_end() {
        if !options.eat(&mut cursor)? {
            return Err(SYNTAX);
        }
    }
    let trim = options.finish(call)?;
    let trim = trim.ok_or(Error::new("ERR syntax error, XTRIM must be called with a trimming strategy"))?;
    let (db, key) = (call.db(), call.key());
    let done = call.view.edit(db, key, |stream: &mut Stream, edit| {
        let trimmed = stream.trim(&trim);
        if trimmed.removed > 0 {
            edit.notify(event_class::STREAM, "xtrim");
        }
        edit.changed(trimmed.removed as usize);
        (trimmed, stream.len())
    })?;
    let Some(((trimmed, len), _)) = done else {
        call.reply.integer(0);
        return Ok(());
    };
    call.reply.integer(trimmed.removed as i64);
    if trimmed.removed > 0 && !trim.repeats_itself() {
        let again = Again::of(&trimmed, &trim, len);
        call.propagate(&[&[&b"XTRIM"[..], key.bytes], &again.words()[..]].concat());
    }
    Ok(())
}

/// Whether trimming does the same wherever nodes end.
pub(super) trait RepeatsItself {
    /// Whether it does.
    fn repeats_itself(&self) -> bool;
}

impl RepeatsItself for Trim {
    fn repeats_itself(&self) -> bool {
        !self.approximate && self.references == References::Keep
    }
}

/// The options that repeat what trimming did, as texts.
pub(super) struct Again {
    strategy: &'static [u8],
    threshold: Vec<u8>,
    references: References,
}

impl Again {
    /// For what was `asked` and left `len` entries.
    pub(super) fn of(trimmed: &Trimmed, asked: &Trim, len: u64) -> Again {
        let references = trimmed.again.references;
        let by_len = matches!(asked.to, TrimTo::Len(_)) && references == References::Keep;
        let to = if by_len { TrimTo::Len(len) } else { trimmed.again.to };
        let (strategy, threshold) = match to {
            TrimTo::Len(len) => (&b"MAXLEN"[..], len.to_string()),
            TrimTo::MinId(id) => (&b"MINID"[..], id.to_string()),
        };
        Again { strategy, threshold: threshold.into_bytes(), references }
    }

    /// The options.
    pub(super) fn words(&self) -> [&[u8]; 4] {
        [self.strategy, b"=", &self.threshold, references_word(self.references)]
    }
}

/// Without a LIMIT, approximate trimming removes what so many full nodes have.
const NODES_MAX: u64 = 100;
const LIMIT_WITHOUT_NODES: u64 = 10_000;
const LIMIT_MAX: u64 = 1_000_000;

/// The options as they were read.
#[derive(Clone, Copy, Default)]
pub(super) struct TrimOptions {
    to: Option<TrimTo>,
    approximate: bool,
    limit: Option<u64>,
    references: Option<References>,
}

impl TrimOptions {
    /// Goes past one of the options, if the cursor is at one.
    pub(super) fn eat(&mut self, cursor: &mut Cursor<'_>) -> Result<bool, Error> {
        if cursor.eat_with_value("MAXLEN") {
            self.begin_strategy(cursor)?;
            let len = integer(cursor.next_arg()?)?;
            let negative = Error::new("ERR The MAXLEN argument must be >= 0.");
            self.to = Some(TrimTo::Len(u64::try_from(len).map_err(|_| negative)?));
        } else if cursor.eat_with_value("MINID") {
            self.begin_strategy(cursor)?;
            self.to = Some(TrimTo::MinId(id(cursor.next_arg()?)?));
        } else if cursor.eat_with_value("LIMIT") {
            let limit = integer(cursor.next_arg()?)?;
            let negative = Error::new("ERR The LIMIT argument must be >= 0.");
            self.limit = Some(u64::try_from(limit).map_err(|_| negative)?);
        } else {
            return Ok(eat_references(cursor, &mut self.references));
        }
        Ok(true)
    }

    /// Takes the operator, which an argument has to follow, or it is the argument.
    fn begin_strategy(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Error> {
        if self.to.is_some() {
            let text = "ERR syntax error, MAXLEN and MINID options at the same time are not compatible";
            return Err(Error::new(text));
        }
        self.approximate = cursor.eat_with_value("~");
        if !self.approximate {
            cursor.eat_with_value("=");
        }
        Ok(())
    }

    /// How to trim, if that is asked for.
    pub(super) fn finish(self, call: &Call<'_, '_>) -> Result<Option<Trim>, Error> {
        let replayed = is_replayed(call);
        let Some(to) = self.to else {
            return match self.limit {
                None => Ok(None),
                Some(0) if replayed => Ok(None),
                Some(0) => Err(LIMIT_NEEDS_APPROXIMATION),
                Some(_) => Err(LIMIT_NEEDS_STRATEGY),
            };
        };
        let limit = match self.limit {
            _ if replayed => 0,
            Some(_) if !self.approximate => return Err(LIMIT_NEEDS_APPROXIMATION),
            Some(limit) => limit,
            None if self.approximate => limit_by_default(call),
            None => 0,
        };
        let references = self.references.unwrap_or_default();
        Ok(Some(Trim { to, approximate: self.approximate, limit, references }))
    }
}

const LIMIT_NEEDS_STRATEGY: Error =
    Error::new("ERR syntax error, LIMIT cannot be used without specifying a trimming strategy");
const LIMIT_NEEDS_APPROXIMATION: Error =
    Error::new("ERR syntax error, LIMIT cannot be used without the special ~ option");

fn limit_by_default(call: &Call<'_, '_>) -> u64 {
    match call.engine.settings.stream_node_max_entries.load(Relaxed).saturating_mul(NODES_MAX) {
        0 => LIMIT_WITHOUT_NODES,
        limit => limit.min(LIMIT_MAX),
    }
}

/// Whether a command comes from where it has been carried out before: then it does what it did there.
pub(super) fn is_replayed(call: &Call<'_, '_>) -> bool {
    call.engine.loading.load(Relaxed)
}
