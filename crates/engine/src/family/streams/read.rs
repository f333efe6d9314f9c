//! XREAD, and the arguments that it shares with XREADGROUP.

use ochre_types::DataType;
use ochre_types::stream::{Stream, StreamId};
use smallvec::SmallVec;

use super::arguments::{count, id};
use super::budget::Budget;
use super::reply::{Replies, reply_entries};
use super::wanted::Wanted;
use super::*;
use crate::blocking::{Await, deadline_in_ms};
use crate::call::integer_between;
use crate::client::OwnedRequest;
use crate::command::{Begin, Find, flags};
use crate::error::SYNTAX;

/// The keys after STREAMS, which are half of what follows it.
pub(super) const fn stream_keys(from: i16) -> KeySpec {
    KeySpec {
        begin: Begin::Keyword { word: "STREAMS", from },
        find: Find::Range { last: -1, step: 1, limit: 2 },
        ..KeySpec::first(key_flags::RO | key_flags::ACCESS)
    }
}

pub(super) const MAXCOUNT: Arg =
    Arg::new("maxcount", ArgKind::Integer).token("MAXCOUNT").since("8.10.0").optional();
pub(super) const MAXSIZE: Arg =
    Arg::new("maxsize", ArgKind::Integer).token("MAXSIZE").since("8.10.0").optional();
pub(super) const BLOCK: Arg = Arg::new("milliseconds", ArgKind::Integer).token("BLOCK").optional();
pub(super) const STREAMS: Arg = Arg::block("streams", &[KEY.multiple(), IDS]).token("STREAMS");

pub(super) const XREAD: Command = Command {
    name: "xread",
    summary: "Returns the entries of streams after given IDs; waits for some if there are none and that is asked for.",
    complexity: "",
    arity: -4,
    flags: flags::READONLY | flags::BLOCKING | flags::MOVABLE_KEYS,
    keys: &[stream_keys(1)],
    args: &[COUNT, MAXCOUNT, MAXSIZE, BLOCK, STREAMS],
    handler: xread,
    ..BASE
};

fn xread(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let request = Request::of(call, false)?;
    let after = starts(call, &request)?;
    let mut budget = request.budget();
    let mut replies = match budget.is_limited() {
        true => Replies::of(request.streams),
        false => Replies::of_exactly(count_with_news(call, &after)?),
    };
    for (key, after) in call.keys.iter().zip(&after) {
        let Some(stream) = call.view.read_as::<Stream>(call.client.db, *key)? else { continue };
        let Some(start) = after.next().filter(|start| *start <= stream.last_id()) else { continue };
        let wanted = Wanted { first: start, last: StreamId::MAX, back: false, count: request.count() };
        if !budget.is_limited() && wanted.are_many(stream) {
            replies.begin(&mut call.reply, key.bytes);
            wanted.reply_in_parts(call, *key);
            continue;
        }
        let entries = stream.range(start, StreamId::MAX).take(request.count());
        let mut entries = entries.take_while(|entry| budget.allows(entry)).peekable();
        if entries.peek().is_some() {
            replies.begin(&mut call.reply, key.bytes);
            reply_entries(&mut call.reply, entries);
        }
    }
    if !replies.end(&mut call.reply) {
        let later = request.for_later(call, &after);
        request.wait(call, false, later);
    }
    Ok(())
}

/// How many of the streams have entries after the IDs that are given.
fn count_with_news(call: &mut Call<'_, '_>, after: &[StreamId]) -> Result<usize, Error> {
    let (db, mut count) = (call.db(), 0);
    for (key, after) in call.keys.iter().zip(after) {
        let stream = call.view.peek_as::<Stream>(db, *key)?;
        let last = stream.and_then(Stream::last_entry_id);
        count += usize::from(last.is_some_and(|last| last > *after));
    }
    Ok(count)
}

/// The IDs after which entries are wanted.
fn starts(call: &mut Call<'_, '_>, request: &Request<'_>) -> Result<SmallVec<[StreamId; 4]>, Error> {
    const ONLY_GROUPS: Error = Error::new(
        "ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option.",
    );
    let mut starts = SmallVec::new();
    for (index, key) in call.keys.iter().enumerate() {
        let text = request.id(call, index);
        let stream = call.view.read_as::<Stream>(call.client.db, *key)?;
        starts.push(match text {
            b"$" => stream.map_or(StreamId::MIN, Stream::last_id),
            b"+" => stream.and_then(Stream::last_entry_id).and_then(StreamId::prev).unwrap_or_default(),
            b">" => return Err(ONLY_GROUPS),
            text => id(text)?,
        });
    }
    Ok(starts)
}

/// What is to be read.
#[derive(Debug, Default)]
pub(super) struct Request<'a> {
    count: Option<u64>,
    count_max: Option<u64>,
    bytes_max: Option<u64>,
    /// Until when to wait, if at all; unix time in ms.
    deadline_ms: Option<i64>,
    /// The group and the consumer to read for.
    pub(super) group: Option<(&'a [u8], &'a [u8])>,
    /// Whether what is read does not become pending.
    pub(super) no_ack: bool,
    /// Whether what has been pending for so long is read, too.
    pub(super) claim_ms: Option<i64>,
    /// Where the first ID is.
    ids_at: usize,
    /// How many streams.
    pub(super) streams: usize,
}

impl<'a> Request<'a> {
    /// Reads the arguments.
    pub(super) fn of(call: &Call<'a, '_>, for_group: bool) -> Result<Request<'a>, Error> {
        const NOT_AN_INTEGER: &str = "ERR min-idle-time is not an integer or out of range";
        let mut request = Request::default();
        let mut cursor = call.args.cursor(1);
        loop {
            if cursor.eat_with_value("STREAMS") {
                request.find_streams(call, cursor.index(), for_group)?;
                return Ok(request);
            } else if cursor.eat_with_value("BLOCK") {
                request.deadline_ms = Some(deadline_in_ms(cursor.next_arg()?, call.now_ms())?);
            } else if cursor.eat_with_value("COUNT") {
                request.count = count(cursor.next_arg()?)?;
            } else if cursor.eat_with_value("MAXCOUNT") {
                request.count_max = count(cursor.next_arg()?)?;
            } else if cursor.eat_with_value("MAXSIZE") {
                request.bytes_max = count(cursor.next_arg()?)?;
            } else if cursor.left() >= 3 && cursor.eat("GROUP") {
                only_for_groups(for_group, "GROUP")?;
                request.group = Some((cursor.next_arg()?, cursor.next_arg()?));
            } else if cursor.eat("NOACK") {
                only_for_groups(for_group, "NOACK")?;
                request.no_ack = true;
            } else if cursor.eat_with_value("CLAIM") {
                only_for_groups(for_group, "CLAIM")?;
                let idle_ms = integer_between(cursor.next_arg()?, i64::MIN, i64::MAX, Some(NOT_AN_INTEGER))?;
                if idle_ms < 0 {
                    return Err(Error::new("ERR min-idle-time must be a positive integer"));
                }
                request.claim_ms = Some(idle_ms);
            } else {
                return Err(SYNTAX);
            }
        }
    }

    /// The arguments from `at` on are keys and as many IDs.
    fn find_streams(&mut self, call: &Call<'a, '_>, at: usize, for_group: bool) -> Result<(), Error> {
        let left = call.args.len() - at;
        if !left.is_multiple_of(2) {
            let ids = if for_group { "an ID or '>'" } else { "an ID, '+', or '$'" };
            return Err(Error::owned(format!(
                "ERR Unbalanced '{}' list of streams: for each stream key {ids} must be specified.",
                call.full_name()
            )));
        }
        self.streams = left / 2;
        self.ids_at = at + self.streams;
        // The locks were taken for the keys that the key specification finds.
        let keys = call.args.from(at).take(self.streams);
        if keys.eq(call.keys.iter().map(|key| key.bytes)) { Ok(()) } else { Err(SYNTAX) }
    }

    /// The ID for a stream.
    pub(super) fn id(&self, call: &Call<'a, '_>, index: usize) -> &'a [u8] {
        call.args.at(self.ids_at + index)
    }

    /// The most entries of a stream.
    pub(super) fn count(&self) -> usize {
        self.count.and_then(|count| usize::try_from(count).ok()).unwrap_or(usize::MAX)
    }

    /// The limits of all entries.
    pub(super) fn budget(&self) -> Budget {
        Budget::new(self.count_max, self.bytes_max)
    }

    /// The request to wait with, if that has to be another one: `$` is what it is now.
    fn for_later(&self, call: &Call<'_, '_>, after: &[StreamId]) -> Option<OwnedRequest> {
        let is_now = |arg: &[u8]| arg == b"$";
        if self.deadline_ms.is_none() || !call.args.from(self.ids_at).any(is_now) {
            return None;
        }
        let mut parts: Vec<Vec<u8>> = call.args.iter().map(<[u8]>::to_vec).collect();
        let ids = parts.get_mut(self.ids_at..).unwrap_or_default();
        for (part, after) in ids.iter_mut().zip(after).filter(|(part, _)| is_now(part)) {
            *part = after.to_string().into_bytes();
        }
        Some(OwnedRequest::from_parts(&parts))
    }

    /// Has the client wait, if that is asked for and possible; otherwise there is nothing for it. `on_no_key`: it is to be told
    /// when a stream is gone.
    pub(super) fn wait(&self, call: &mut Call<'_, '_>, on_no_key: bool, request: Option<OwnedRequest>) {
        match self.deadline_ms.filter(|_| !call.in_transaction) {
            None => call.reply.null_array(),
            Some(deadline_ms) => {
                let what = Await::value(self.streams, Stream::NAME, deadline_ms);
                call.block_on_keys(Await { on_no_key, request, ..what });
            }
        }
    }
}

fn only_for_groups(for_group: bool, option: &str) -> Result<(), Error> {
    if for_group {
        return Ok(());
    }
    Err(Error::owned(format!(
        "ERR The {option} option is only supported by XREADGROUP. You called XREAD instead."
    )))
}
