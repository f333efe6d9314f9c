//! XCLAIM, XAUTOCLAIM: making a consumer the owner of pending entries.

use ochre_keyspace::{Edit, event_class};
use ochre_types::stream::{AutoClaimOptions, Claim, ClaimOptions, ClaimTime, NoGroup, Stream, StreamId};

use super::acknowledge::has_group;
use super::arguments::{Ids, id, start};
use super::propagation::{Progress, Reader};
use super::reply::{reply_entry, reply_id};
use super::*;
use crate::call::{Cursor, integer_between};
use crate::command::flags;
use crate::error::SYNTAX;

const MIN_IDLE: Arg = Arg::new("min-idle-time", ArgKind::String);
const JUST_ID: Arg = Arg::word("justid", "JUSTID").optional();

pub(super) const XCLAIM: Command = Command {
    name: "xclaim",
    summary: "Makes a consumer the owner of pending entries, and sets what is known of them.",
    complexity: "O(log N) for each entry, N being the number of pending ones.",
    arity: -6,
    flags: flags::WRITE | flags::FAST | flags::UNEVEN,
    keys: UPDATES,
    tips: &["nondeterministic_output"],
    args: &[
        KEY,
        GROUP,
        CONSUMER,
        MIN_IDLE,
        IDS,
        Arg::new("ms", ArgKind::Integer).token("IDLE").optional(),
        Arg::new("unix-time-milliseconds", ArgKind::UnixTime).token("TIME").optional(),
        Arg::new("count", ArgKind::Integer).token("RETRYCOUNT").optional(),
        Arg::word("force", "FORCE").optional(),
        JUST_ID,
        Arg::new("lastid", ArgKind::String).token("LASTID").optional(),
    ],
    handler: xclaim,
    ..BASE
};

fn xclaim(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let reader = reader_of(call);
    if !has_group(call, reader.group)? {
        return Err(no_group(reader.key, reader.group, ""));
    }
    let min_idle_ms = min_idle_ms(call.args.at(4), "ERR Invalid min-idle-time argument for XCLAIM")?;
    let mut cursor = call.args.cursor(5);
    let ids = leading_ids(&mut cursor);
    let options = claim_options(&mut cursor, min_idle_ms)?;
    let now_ms = call.now_ms();
    let outcome = change(call, reader, |stream, edit| {
        let report = stream.claim(reader.group, reader.consumer, &ids, &options, now_ms)?;
        if options.force {
            edit.wake();
        }
        let raised = report.last_id_raised && report.claimed.is_empty() && report.dropped.is_empty();
        Ok(Claimed { claims: report.claimed, dropped: report.dropped, next: None, raised })
    })?;
    reply_claims(call, &outcome.claims, options.just_id)
}

/// The arguments up to the first that is no ID.
fn leading_ids(cursor: &mut Cursor<'_>) -> Ids {
    let mut ids = Ids::new();
    while let Some(id) = cursor.peek().and_then(|arg| StreamId::parse(arg, 0)) {
        ids.push(id);
        if cursor.next_arg().is_err() {
            break;
        }
    }
    ids
}

fn claim_options(cursor: &mut Cursor<'_>, min_idle_ms: i64) -> Result<ClaimOptions, Error> {
    let mut options = ClaimOptions { min_idle_ms, ..ClaimOptions::default() };
    while let Some(word) = cursor.peek() {
        if cursor.eat("FORCE") {
            options.force = true;
        } else if cursor.eat("JUSTID") {
            options.just_id = true;
        } else if cursor.eat_with_value("IDLE") {
            let idle_ms = option(cursor, "ERR Invalid IDLE option argument for XCLAIM")?;
            options.time = ClaimTime::Idle(idle_ms);
        } else if cursor.eat_with_value("TIME") {
            let time_ms = option(cursor, "ERR Invalid TIME option argument for XCLAIM")?;
            options.time = ClaimTime::At(time_ms);
        } else if cursor.eat_with_value("RETRYCOUNT") {
            let count = option(cursor, "ERR Invalid RETRYCOUNT option argument for XCLAIM")?;
            options.deliveries = u64::try_from(count).ok();
        } else if cursor.eat_with_value("LASTID") {
            options.last_id = Some(id(cursor.next_arg()?)?);
        } else {
            return Err(Error::quoting("ERR Unrecognized XCLAIM option '", word, "'"));
        }
    }
    Ok(options)
}

fn option(cursor: &mut Cursor<'_>, text: &'static str) -> Result<i64, Error> {
    integer_between(cursor.next_arg()?, i64::MIN, i64::MAX, Some(text))
}

/// The time that an entry has to have been idle for; what is negative is none.
fn min_idle_ms(arg: &[u8], text: &'static str) -> Result<i64, Error> {
    Ok(integer_between(arg, i64::MIN, i64::MAX, Some(text))?.max(0))
}

pub(super) const XAUTOCLAIM: Command = Command {
    name: "xautoclaim",
    summary: "Makes a consumer the owner of entries that have been pending for some time.",
    since: "6.2.0",
    complexity: "O(1) if COUNT is small.",
    keys: DELETES,
    args: &[KEY, GROUP, CONSUMER, MIN_IDLE, Arg::new("start", ArgKind::String), COUNT, JUST_ID],
    history: &[(
        "7.0.0",
        "Added an element to the reply array, containing deleted entries the command cleared from the PEL",
    )],
    handler: xautoclaim,
    ..XCLAIM
};

/// Entries claimed if there is no COUNT.
const AUTO_COUNT: u64 = 100;
/// Redis makes room for as many IDs as may be claimed before it looks for them.
const AUTO_COUNT_MAX: i64 = i64::MAX / 16;
/// More than this is more than there is room for on any machine.
const AUTO_COUNT_ROOM: u64 = 1 << 43;

fn xautoclaim(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let reader = reader_of(call);
    let options = auto_options(call)?;
    if !has_group(call, reader.group)? {
        return Err(no_group(reader.key, reader.group, ""));
    }
    if options.count > AUTO_COUNT_ROOM {
        let text = "ERR Insufficient memory, failed allocating transient memory, COUNT too high.";
        return Err(Error::new(text));
    }
    let now_ms = call.now_ms();
    let outcome = change(call, reader, |stream, _| {
        let report = stream.auto_claim(reader.group, reader.consumer, &options, now_ms)?;
        let next = Some(report.next);
        Ok(Claimed { claims: report.claimed, dropped: report.dropped, next, raised: false })
    })?;
    call.reply.array(3);
    reply_id(&mut call.reply, outcome.next.unwrap_or_default());
    reply_claims(call, &outcome.claims, options.just_id)?;
    call.reply.array(outcome.dropped.len());
    outcome.dropped.iter().for_each(|id| reply_id(&mut call.reply, *id));
    Ok(())
}

fn auto_options(call: &Call<'_, '_>) -> Result<AutoClaimOptions, Error> {
    let min_idle_ms = min_idle_ms(call.args.at(4), "ERR Invalid min-idle-time argument for XAUTOCLAIM")?;
    let start = start(call.args.at(5))?;
    let mut options = AutoClaimOptions { min_idle_ms, start, count: AUTO_COUNT, just_id: false };
    let mut cursor = call.args.cursor(6);
    while !cursor.is_at_end() {
        if cursor.eat_with_value("COUNT") {
            let text = Some("ERR COUNT must be > 0");
            options.count = integer_between(cursor.next_arg()?, 1, AUTO_COUNT_MAX, text)?.unsigned_abs();
        } else if cursor.eat("JUSTID") {
            options.just_id = true;
        } else {
            return Err(SYNTAX);
        }
    }
    Ok(options)
}

fn reader_of<'c>(call: &Call<'c, '_>) -> Reader<'c> {
    Reader { key: call.key().bytes, group: call.args.at(2), consumer: call.args.at(3) }
}

/// What was claimed, and what else came of it.
#[derive(Default)]
struct Claimed {
    claims: Vec<Claim>,
    dropped: Vec<StreamId>,
    next: Option<StreamId>,
    /// Whether the group has read further now, and nothing else says so.
    raised: bool,
}

/// Claims with `claim`, and sees to all that follows but the reply.
fn change(
    call: &mut Call<'_, '_>,
    reader: Reader<'_>,
    claim: impl FnOnce(&mut Stream, &mut Edit) -> Result<Claimed, NoGroup>,
) -> Result<Claimed, Error> {
    let (db, key, now_ms) = (call.db(), call.key(), call.now_ms());
    let done = call.view.edit(db, key, |stream: &mut Stream, edit| {
        let created = stream.see_consumer(reader.group, reader.consumer, now_ms)?;
        if created {
            edit.notify(event_class::STREAM, CONSUMER_CREATED);
        }
        let claimed = claim(stream, edit)?;
        let changes = claimed.claims.len() + claimed.dropped.len();
        edit.counted(changes + usize::from(created) + usize::from(claimed.raised));
        Ok::<_, NoGroup>((claimed, created, Progress::of(stream, reader.group)))
    })?;
    let Some((Ok((claimed, created, progress)), _)) = done else {
        return Err(no_group(reader.key, reader.group, ""));
    };
    call.propagate_nothing();
    if call.engine.keyspace.journal.is_active() {
        if created && claimed.claims.is_empty() {
            reader.propagate_creation(call);
        }
        claimed.claims.iter().for_each(|claim| reader.propagate_claim(call, claim, progress.id()));
        claimed.dropped.iter().for_each(|id| reader.propagate_drop(call, *id, progress.id()));
        if claimed.raised {
            reader.propagate_progress(call, progress);
        }
    }
    Ok(claimed)
}

/// Replies claimed entries, or their IDs.
fn reply_claims(call: &mut Call<'_, '_>, claims: &[Claim], just_id: bool) -> Result<(), Error> {
    call.reply.array(claims.len());
    let stream = call.view.peek_as::<Stream>(call.client.db, call.keys[0])?;
    for claim in claims {
        match stream.and_then(|stream| stream.get(claim.id)) {
            Some(entry) if !just_id => reply_entry(&mut call.reply, &entry),
            _ => reply_id(&mut call.reply, claim.id),
        }
    }
    Ok(())
}
