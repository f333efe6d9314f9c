//! LCS.

use ochre_types::{CommonSubsequence, LcsError, lcs as longest_common, lcs_len};

use super::append::len_max;
use super::*;
use crate::call::{Call, Cursor};
use crate::command::flags;
use crate::error::{Error, SYNTAX};

pub(super) const LCS: Command = Command {
    name: "lcs",
    summary: "Returns the longest subsequence that two strings have in common, or where it is, or its length.",
    since: "7.0.0",
    complexity: "O(N*M), N and M being the lengths of the strings",
    arity: -3,
    flags: flags::READONLY,
    keys: &[KeySpec {
        find: crate::command::Find::Range { last: 1, step: 1, limit: 0 },
        ..KeySpec::first(key_flags::RO | key_flags::ACCESS)
    }],
    args: &[
        Arg::key("key1", 0),
        Arg::key("key2", 0),
        Arg::word("len", "LEN").optional(),
        Arg::word("idx", "IDX").optional(),
        Arg::new("min-match-len", ArgKind::Integer).token("MINMATCHLEN").optional(),
        Arg::word("withmatchlen", "WITHMATCHLEN").optional(),
    ],
    handler: lcs,
    ..BASE
};

#[derive(Default)]
struct Options {
    len: bool,
    ranges: bool,
    match_len_min: i64,
    with_match_len: bool,
}

impl Options {
    fn parse(mut cursor: Cursor<'_>) -> Result<Options, Error> {
        let mut options = Options::default();
        while !cursor.is_at_end() {
            if cursor.eat("IDX") {
                options.ranges = true;
            } else if cursor.eat("LEN") {
                options.len = true;
            } else if cursor.eat("WITHMATCHLEN") {
                options.with_match_len = true;
            } else if cursor.eat_with_value("MINMATCHLEN") {
                options.match_len_min = cursor.next_i64()?;
            } else {
                return Err(SYNTAX);
            }
        }
        match options.len && options.ranges {
            true => Err(Error::new("ERR If you want both the length and indexes, please just use IDX.")),
            false => Ok(options),
        }
    }
}

fn lcs(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let (a, b) = (copy_of(call, 0)?, copy_of(call, 1)?);
    let options = Options::parse(call.args.cursor(3))?;
    let limit_bytes = len_max(call);
    if options.len {
        let len = lcs_len(&a, &b, limit_bytes).map_err(error_of)?;
        call.reply.integer(len as i64);
        return Ok(());
    }
    let common = longest_common(&a, &b, limit_bytes).map_err(error_of)?;
    match options.ranges {
        true => reply_ranges(call, &common, &options),
        false => call.reply.bulk(&common.bytes(&a)),
    }
    Ok(())
}

/// A copy, because the two strings cannot be borrowed from the view at once; the work to come is far greater.
fn copy_of(call: &mut Call<'_, '_>, index: usize) -> Result<Vec<u8>, Error> {
    let Some(entry) = call.view.read(call.client.db, call.keys[index]) else { return Ok(Vec::new()) };
    StringRef::of(entry)
        .map(|value| value.with(<[u8]>::to_vec))
        .map_err(|_| Error::new("ERR The specified keys must contain string values"))
}

fn error_of(error: LcsError) -> Error {
    Error::new(match error {
        LcsError::ExceedsLimit => {
            "ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len"
        }
        LcsError::StringTooLong => "ERR String too long for LCS",
        LcsError::OutOfMemory => "ERR Insufficient memory, failed allocating transient memory for LCS",
    })
}

fn reply_ranges(call: &mut Call<'_, '_>, common: &CommonSubsequence, options: &Options) {
    let reply = &mut call.reply;
    let shown = || common.matches.iter().filter(|run| run.len as i64 >= options.match_len_min);
    reply.map(2);
    reply.bulk(b"matches");
    reply.array(shown().count());
    for run in shown() {
        reply.array(2 + usize::from(options.with_match_len));
        for start in [run.a_start, run.b_start] {
            reply.array(2);
            reply.integer(start as i64);
            reply.integer((start + run.len - 1) as i64);
        }
        if options.with_match_len {
            reply.integer(run.len as i64);
        }
    }
    reply.bulk(b"len");
    reply.integer(common.len as i64);
}
