//! BITFIELD: integers of any width at any bit of a string.
//!
//! A request is a list of operations that are done one after the other on the same string. All of it is read before
//! anything is done; a request that only reads leaves the key alone.

use ochre_keyspace::event_class;
use ochre_resp::ReplyWriter;
use ochre_types::{FieldKind, Overflow, get_field, set_field};
use smallvec::SmallVec;

use super::*;
use crate::command::flags;
use crate::error::WRONG_TYPE;
use crate::family::strings::StringRef;

const ENCODING: Arg = Arg::new("encoding", ArgKind::String);
const GET: Arg = Arg::block("get-block", &[ENCODING, OFFSET]).token("GET");

pub(super) const BITFIELD: Command = Command {
    name: "bitfield",
    summary: "Reads, sets and adds to integers of any width within a string.",
    since: "3.2.0",
    complexity: "O(1) for each operation.",
    arity: -2,
    flags: flags::WRITE | flags::DENYOOM,
    keys: &[KeySpec {
        notes: "What is done to the key depends on the operations",
        ..KeySpec::first(key_flags::RW | key_flags::ACCESS | key_flags::UPDATE | key_flags::VARIABLE_FLAGS)
    }],
    args: &[
        KEY,
        Arg::one_of(
            "operation",
            &[
                GET,
                Arg::block(
                    "write",
                    &[
                        Arg::one_of(
                            "overflow-block",
                            &[Arg::word("wrap", "WRAP"), Arg::word("sat", "SAT"), Arg::word("fail", "FAIL")],
                        )
                        .token("OVERFLOW")
                        .optional(),
                        Arg::one_of(
                            "write-operation",
                            &[
                                Arg::block(
                                    "set-block",
                                    &[ENCODING, OFFSET, Arg::new("value", ArgKind::Integer)],
                                )
                                .token("SET"),
                                Arg::block(
                                    "incrby-block",
                                    &[ENCODING, OFFSET, Arg::new("increment", ArgKind::Integer)],
                                )
                                .token("INCRBY"),
                            ],
                        ),
                    ],
                ),
            ],
        )
        .optional()
        .multiple(),
    ],
    handler: |call| bitfield(call, false),
    ..BASE
};

pub(super) const BITFIELD_RO: Command = Command {
    name: "bitfield_ro",
    summary: "Reads integers of any width within a string.",
    since: "6.0.0",
    complexity: "O(1) for each operation.",
    arity: -2,
    flags: flags::READONLY | flags::FAST,
    keys: READS,
    args: &[KEY, Arg { multiple_token: true, ..GET.optional().multiple() }],
    handler: |call| bitfield(call, true),
    ..BASE
};

/// An operation on one field.
#[derive(Clone, Copy)]
struct Operation {
    kind: FieldKind,
    offset: u64,
    action: Action,
}

#[derive(Clone, Copy)]
enum Action {
    Get,
    Set(i64, Overflow),
    Add(i64, Overflow),
}

type Operations = SmallVec<[Operation; 8]>;

impl Operation {
    /// The last bit that it writes.
    fn last_written(&self) -> Option<u64> {
        match self.action {
            Action::Get => None,
            Action::Set(..) | Action::Add(..) => Some(self.offset + u64::from(self.kind.bits()) - 1),
        }
    }

    /// Does it on a string that is long enough and writes its reply; whether that counts as a change, as whatever is written
    /// does if the string had to grow.
    fn apply(&self, bytes: &mut [u8], is_longer: bool, reply: &mut ReplyWriter<'_>) -> bool {
        let (value, add, overflow) = match self.action {
            Action::Get => {
                reply.integer(get_field(bytes, self.kind, self.offset));
                return false;
            }
            Action::Set(value, overflow) => (value, false, overflow),
            Action::Add(value, overflow) => (value, true, overflow),
        };
        let Some(change) = set_field(bytes, self.kind, self.offset, value, add, overflow) else {
            reply.null();
            return false;
        };
        reply.integer(if add { change.new } else { change.old });
        is_longer || change.old != change.new
    }
}

fn bitfield(call: &mut Call<'_, '_>, only_reads: bool) -> Result<(), Error> {
    let operations = parse(call)?;
    match operations.iter().filter_map(Operation::last_written).max() {
        None => read(call, &operations),
        Some(_) if only_reads => Err(Error::new("ERR BITFIELD_RO only supports the GET subcommand")),
        Some(last) => write(call, &operations, len_up_to(last)),
    }
}

fn parse(call: &Call<'_, '_>) -> Result<Operations, Error> {
    let mut cursor = call.args.cursor(2);
    let mut operations = Operations::new();
    let mut overflow = Overflow::Wrap;
    while !cursor.is_at_end() {
        if cursor.eat_with_value("OVERFLOW") {
            overflow = parse_overflow(&mut cursor)?;
            continue;
        }
        let (left, word) = (cursor.left(), cursor.next_arg()?);
        let is = |text: &str, len: usize| left >= len && word.eq_ignore_ascii_case(text.as_bytes());
        let (reads, sets, adds) = (is("GET", 3), is("SET", 4), is("INCRBY", 4));
        if !reads && !sets && !adds {
            return Err(SYNTAX);
        }
        let kind = parse_kind(&mut cursor)?;
        let offset = bit_offset(call, cursor.next_arg()?, Some(kind.bits()))?;
        let action = match (reads, sets) {
            (true, _) => Action::Get,
            (false, true) => Action::Set(cursor.next_i64()?, overflow),
            (false, false) => Action::Add(cursor.next_i64()?, overflow),
        };
        operations.push(Operation { kind, offset, action });
    }
    Ok(operations)
}

fn parse_overflow(cursor: &mut Cursor<'_>) -> Result<Overflow, Error> {
    let words = [("WRAP", Overflow::Wrap), ("SAT", Overflow::Saturate), ("FAIL", Overflow::Fail)];
    let found = words.into_iter().find(|(word, _)| cursor.eat(word));
    found.map(|(_, overflow)| overflow).ok_or(Error::new("ERR Invalid OVERFLOW type specified"))
}

fn parse_kind(cursor: &mut Cursor<'_>) -> Result<FieldKind, Error> {
    FieldKind::parse(cursor.next_arg()?).ok_or(Error::new(
        "ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.",
    ))
}

fn read(call: &mut Call<'_, '_>, operations: &[Operation]) -> Result<(), Error> {
    let value = call.view.read(call.client.db, call.keys[0]).map(StringRef::of).transpose()?;
    let reply = &mut call.reply;
    let mut answer = |bytes: &[u8]| {
        reply.array(operations.len());
        operations.iter().for_each(|of| reply.integer(get_field(bytes, of.kind, of.offset)));
    };
    match value {
        Some(value) => value.with(answer),
        None => answer(&[]),
    }
    Ok(())
}

fn write(call: &mut Call<'_, '_>, operations: &[Operation], len: usize) -> Result<(), Error> {
    let (db, key) = (call.db(), call.key());
    let reply = &mut call.reply;
    let edit = |bytes: &mut [u8], is_longer: bool| {
        reply.array(operations.len());
        operations.iter().map(|operation| u64::from(operation.apply(bytes, is_longer, reply))).sum()
    };
    let changes = call.view.edit_string(db, key, len, edit).ok_or(WRONG_TYPE)?;
    if changes > 0 {
        call.notify(event_class::STRING, "setbit", key);
    }
    Ok(())
}
