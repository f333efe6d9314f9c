//! XADD.
//!
//! The journal gets the ID that was chosen, and trimming as it came out. A message that was recognized as one that is there
//! already adds nothing, so nothing is propagated.

use ochre_keyspace::{Edit, event_class};
use ochre_types::stream::{
    AddError, IdRequest, IdempotencyLimits, NodeLimits, Stream, StreamId, Trim, Trimmed, message_id_of,
};
use smallvec::SmallVec;

use super::arguments::{CONDITION, INVALID_ID};
use super::reply::reply_id;
use super::trim::{Again, RepeatsItself, TRIM, TrimOptions, is_replayed};
use super::*;
use crate::call::Cursor;
use crate::command::flags;

const PRODUCER: Arg = Arg::new("pid", ArgKind::String);

pub(super) const XADD: Command = Command {
    name: "xadd",
    summary: "Adds an entry to a stream, which is created if it is not there.",
    complexity: "O(1); with trimming O(N), N being the number of removed entries.",
    arity: -5,
    flags: flags::WRITE | flags::DENYOOM | flags::FAST | flags::UNEVEN,
    keys: &[KeySpec {
        notes: "UPDATE instead of INSERT because of the optional trimming feature",
        ..KeySpec::first(key_flags::RW | key_flags::UPDATE)
    }],
    tips: &["nondeterministic_output"],
    args: &[
        KEY,
        Arg::word("nomkstream", "NOMKSTREAM").since("6.2.0").optional(),
        CONDITION,
        Arg::one_of(
            "idmp",
            &[
                Arg::block("idmpauto-with-pid", &[Arg::word("idmpauto-token", "IDMPAUTO"), PRODUCER]),
                Arg::block(
                    "idmp-with-pid-iid",
                    &[Arg::word("idmp-token", "IDMP"), PRODUCER, Arg::new("iid", ArgKind::String)],
                ),
            ],
        )
        .optional(),
        TRIM,
        Arg::one_of("id-selector", &[Arg::word("auto-id", "*"), ID]),
        Arg::block("data", &[Arg::new("field", ArgKind::String), Arg::new("value", ArgKind::String)])
            .multiple(),
    ],
    history: &[
        ("6.2.0", "Added the `NOMKSTREAM` option, `MINID` trimming strategy and the `LIMIT` option."),
        ("7.0.0", "Added support for the `<ms>-*` explicit ID form."),
        ("8.2.0", "Added the `KEEPREF`, `DELREF` and `ACKED` options."),
    ],
    handler: xadd,
    ..BASE
};

fn xadd(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let request = Request::of(call)?;
    let context = Context {
        limits: node_limits(call),
        now_ms: call.now_ms(),
        is_replayed: is_replayed(call),
        limits_of_new: limits_of_new(call),
    };
    let (db, key) = (call.db(), call.key());
    let change = |stream: &mut Stream, edit: &mut Edit| request.add_to(stream, edit, &context);
    let added = if request.only_existing {
        let Some((added, _)) = call.view.edit(db, key, change)? else {
            call.reply.null();
            return Ok(());
        };
        added
    } else {
        call.view.edit_or_create(db, key, change)?.0
    };
    let added = added.map_err(add_error)?;
    reply_id(&mut call.reply, added.id);
    match added.is_duplicate {
        true => call.propagate_nothing(),
        false if request.repeats_itself() => {}
        false => propagate(call, &request, &added),
    }
    Ok(())
}

/// A request to add an entry.
struct Request<'a> {
    only_existing: bool,
    message: Option<Message<'a>>,
    trim: Option<Trim>,
    id: IdRequest,
    fields: SmallVec<[&'a [u8]; 16]>,
}

/// A message of a producer that may send it again: the producer, and the message's ID unless that is made from what it
/// says.
#[derive(Clone, Copy)]
struct Message<'a> {
    producer: &'a [u8],
    id: Option<&'a [u8]>,
}

/// What adding an entry depends on besides the request.
struct Context {
    limits: NodeLimits,
    now_ms: i64,
    is_replayed: bool,
    /// What is set for a new stream.
    limits_of_new: Option<IdempotencyLimits>,
}

/// What became of a request.
struct Added {
    id: StreamId,
    is_duplicate: bool,
    trimmed: Option<Trimmed>,
    len: u64,
}

impl<'a> Request<'a> {
    fn of(call: &Call<'a, '_>) -> Result<Request<'a>, Error> {
        let mut cursor = call.args.cursor(2);
        let (mut only_existing, mut message, mut options) = (false, None, TrimOptions::default());
        let mut id = None;
        while let Some(arg) = cursor.peek() {
            if arg != b"*" && options.eat(&mut cursor)? {
                continue;
            }
            match arg {
                b"*" => {}
                _ if cursor.eat("NOMKSTREAM") => {
                    only_existing = true;
                    continue;
                }
                _ if Message::eat(&mut cursor, &mut message)? => continue,
                _ => {}
            }
            id = Some(IdRequest::parse(arg).ok_or(INVALID_ID)?);
            cursor.next_arg()?;
            break;
        }
        let id = id.unwrap_or(IdRequest::Auto);
        if message.is_some() && id != IdRequest::Auto && !is_replayed(call) {
            let text = "ERR syntax error, IDMP/IDMPAUTO can be used only with auto-generated IDs";
            return Err(Error::new(text));
        }
        let trim = options.finish(call)?;
        if cursor.left() < 2 || cursor.left() % 2 == 1 {
            return Err(call.wrong_arity());
        }
        let fields = call.args.from(cursor.index()).collect();
        let request = Request { only_existing, message, trim, id, fields };
        request.check()
    }

    /// Refuses what no stream would take, so that none is made for it.
    fn check(self) -> Result<Request<'a>, Error> {
        if self.id == IdRequest::Exact(StreamId::MIN) {
            return Err(add_error(AddError::ZeroId));
        }
        if !Stream::can_hold(&self.fields) {
            return Err(add_error(AddError::TooLarge));
        }
        Ok(self)
    }

    fn add_to(&self, stream: &mut Stream, edit: &mut Edit, context: &Context) -> Result<Added, AddError> {
        let now_ms = context.now_ms;
        if let Some(limits) = context.limits_of_new {
            stream.set_idempotency_limits(limits);
        }
        if let Some(message) = self.message.filter(|_| !context.is_replayed) {
            let known = message.with_id(&self.fields, |id| stream.find_message(message.producer, id, now_ms));
            if let Some(id) = known {
                edit.counted(1);
                return Ok(Added { id, is_duplicate: true, trimmed: None, len: stream.len() });
            }
        }
        let id = stream.add(self.id, &self.fields, context.limits, now_ms)?;
        edit.changed(1);
        edit.notify(event_class::STREAM, "xadd");
        if let Some(message) = self.message {
            let defaults = IdempotencyLimits::default();
            // The message is not known: it has just been looked for, or is repeated as it was accepted.
            let _ = message.with_id(&self.fields, |message_id| {
                stream.remember_message(message.producer, message_id, id, defaults, now_ms)
            });
        }
        let trimmed = self.trim.map(|trim| stream.trim(&trim));
        if trimmed.is_some_and(|trimmed| trimmed.removed > 0) {
            edit.notify(event_class::STREAM, "xtrim");
        }
        Ok(Added { id, is_duplicate: false, trimmed, len: stream.len() })
    }

    /// Whether it does the same whenever and wherever it is carried out.
    fn repeats_itself(&self) -> bool {
        matches!(self.id, IdRequest::Exact(_)) && self.trim.is_none_or(|trim| trim.repeats_itself())
    }
}

impl<'a> Message<'a> {
    /// Goes past IDMP or IDMPAUTO, if the cursor is at one.
    fn eat(cursor: &mut Cursor<'a>, message: &mut Option<Message<'a>>) -> Result<bool, Error> {
        const EMPTY_PRODUCER: Error = Error::new("ERR syntax error, IDMP requires a non-empty producer ID");
        const EMPTY_ID: Error = Error::new("ERR syntax error, IDMP requires a non-empty idempotent ID");
        const EMPTY_AUTO_PRODUCER: Error =
            Error::new("ERR syntax error, IDMPAUTO requires a non-empty producer ID");
        let found = if cursor.left() >= 3 && cursor.eat("IDMP") {
            let (producer, id) = (cursor.next_arg()?, cursor.next_arg()?);
            let producer = non_empty(producer, EMPTY_PRODUCER)?;
            Message { producer, id: Some(non_empty(id, EMPTY_ID)?) }
        } else if cursor.eat_with_value("IDMPAUTO") {
            Message { producer: non_empty(cursor.next_arg()?, EMPTY_AUTO_PRODUCER)?, id: None }
        } else {
            return Ok(false);
        };
        if message.replace(found).is_some() {
            return Err(Error::new("ERR syntax error, IDMP/IDMPAUTO specified multiple times"));
        }
        Ok(true)
    }

    /// Calls `take` with the message's ID.
    fn with_id<R>(self, fields: &[&[u8]], take: impl FnOnce(&[u8]) -> R) -> R {
        match self.id {
            Some(id) => take(id),
            None => take(&message_id_of(fields)),
        }
    }
}

fn non_empty(arg: &[u8], error: Error) -> Result<&[u8], Error> {
    if arg.is_empty() { Err(error) } else { Ok(arg) }
}

fn add_error(error: AddError) -> Error {
    Error::new(match error {
        AddError::ZeroId => "ERR The ID specified in XADD must be greater than 0-0",
        AddError::Exhausted => "ERR The stream has exhausted the last possible ID, unable to add more items",
        AddError::NotGreater => {
            "ERR The ID specified in XADD is equal or smaller than the target stream top item"
        }
        AddError::TooLarge => "ERR Elements are too large to be stored",
    })
}

/// Has the journal contain what was done.
fn propagate(call: &mut Call<'_, '_>, request: &Request<'_>, added: &Added) {
    if !call.engine.keyspace.journal.is_active() {
        return call.propagate_nothing();
    }
    let trimmed = added.trimmed.filter(|trimmed| trimmed.removed > 0).zip(request.trim);
    let again = trimmed.map(|(trimmed, asked)| Again::of(&trimmed, &asked, added.len));
    let id = added.id.to_string();
    let mut args: SmallVec<[&[u8]; 32]> = SmallVec::new();
    args.extend([&b"XADD"[..], call.args.at(1)]);
    match request.message {
        Some(Message { producer, id: Some(id) }) => args.extend([b"IDMP", producer, id]),
        Some(Message { producer, id: None }) => args.extend([b"IDMPAUTO", producer]),
        None => {}
    }
    if let Some(again) = &again {
        args.extend(again.words());
    }
    args.push(id.as_bytes());
    args.extend(request.fields.iter().copied());
    call.propagate(&args);
}
