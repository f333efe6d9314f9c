//! What a request does to each of its keys.

use super::keys::{KeyIndexes, find};
use super::record::{Begin, Command, key_flags};
use crate::call::Args;

/// The argument indexes of a request's keys, each with what happens to it: a union of [`key_flags`] bits. `None` as for
/// [`key_indexes`](super::key_indexes).
pub fn key_uses(command: &Command, args: Args<'_>) -> Option<Vec<(usize, u32)>> {
    uses(command, args, usize::MAX)
}

/// Those of them that clients are told of: of a keyword that is repeated, the first.
pub fn told_key_uses(command: &Command, args: Args<'_>) -> Option<Vec<(usize, u32)>> {
    uses(command, args, 1)
}

fn uses(command: &Command, args: Args<'_>, keywords_max: usize) -> Option<Vec<(usize, u32)>> {
    let mut keys = Vec::new();
    for spec in command.keys.iter().filter(|spec| spec.flags & key_flags::NOT_KEY == 0) {
        let mut indexes = KeyIndexes::new();
        find(spec, args, &mut indexes)?;
        if matches!(spec.begin, Begin::EachKeyword { .. }) {
            indexes.truncate(keywords_max);
        }
        let bits = match spec.flags & key_flags::VARIABLE_FLAGS {
            0 => spec.flags,
            _ => flags_by_arguments(command.name, args).unwrap_or(spec.flags),
        };
        keys.extend(indexes.iter().map(|index| (*index as usize, bits)));
    }
    Some(keys)
}

/// What these arguments do to the key, of the commands whose specification leaves that open.
fn flags_by_arguments(name: &str, args: Args<'_>) -> Option<u32> {
    use key_flags::{ACCESS, DELETE, OW, RM, RO, RW, UPDATE};
    let has = |from: usize, option: &str| (from..args.len()).any(|index| args.is(index, option));
    let compares = |from| ["IFEQ", "IFNE", "IFDEQ", "IFDNE"].iter().any(|option| has(from, option));
    match name {
        "set" => Some(match (has(3, "GET"), compares(3)) {
            (true, _) => RW | ACCESS | UPDATE,
            (false, true) => RW | UPDATE,
            (false, false) => OW | UPDATE,
        }),
        "bitfield" => Some(if only_gets(args) { RO | ACCESS } else { RW | ACCESS | UPDATE }),
        "delex" => Some(if compares(2) { RW | DELETE } else { RM | DELETE }),
        _ => None,
    }
}

/// Whether a BITFIELD has no other operation than GET.
fn only_gets(args: Args<'_>) -> bool {
    let mut index = 2;
    while index < args.len() {
        let len = if args.is(index, "GET") { 3 } else { 2 };
        if (len == 2 && !args.is(index, "OVERFLOW")) || index + len > args.len() {
            return false;
        }
        index += len;
    }
    true
}
