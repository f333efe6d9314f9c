//! HSCAN: the fields of a hash, some at each call.
//!
//! The cursor is the hash's own: where it is small enough for a flat encoding, one call returns all of it.

use ochre_types::hash::{Hash, HashEntry};
use ochre_types::{Case, glob_match, parse_u64_lenient};

use super::*;
use crate::call::{Args, Call};
use crate::command::flags;
use crate::error::{Error, SYNTAX};

pub(super) const HSCAN: Command = Command {
    name: "hscan",
    summary: "Returns the fields of a hash and their values, some at each call.",
    since: "2.8.0",
    complexity: "O(1) for every call. O(N) for all calls until the cursor is 0 again, N being the number of fields.",
    arity: -3,
    flags: flags::READONLY,
    keys: READS,
    tips: &["nondeterministic_output"],
    args: &[
        KEY,
        Arg::new("cursor", ArgKind::Integer),
        Arg::new("pattern", ArgKind::Pattern).token("MATCH").optional(),
        COUNT.token("COUNT").optional(),
        Arg::word("novalues", "NOVALUES").optional(),
    ],
    handler: hscan,
    ..BASE
};

fn hscan(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let cursor = parse_u64_lenient(call.args.at(2)).ok_or(Error::new("ERR invalid cursor"))?;
    let now_ms = call.view.field_clock_ms();
    let mut found = Vec::new();
    let mut fields = ReplyWriter::new(&mut found, call.reply.protocol());
    let (mut count, mut next) = (0, 0);
    if let Some(hash) = call.view.read_as::<Hash>(call.client.db, call.keys[0])? {
        // Without a key, Redis does not get to the options.
        let options = Options::parse(call.args)?;
        next = hash.scan(cursor, options.count, now_ms, &mut |field| {
            if options.matches(field) {
                count += options.show(field, &mut fields);
            }
        });
    }
    call.reply.array(2);
    call.reply.bulk(itoa::Buffer::new().format(next).as_bytes());
    call.reply.array(count);
    call.reply.raw(&found);
    Ok(())
}

struct Options<'a> {
    pattern: Option<&'a [u8]>,
    count: usize,
    no_values: bool,
}

impl<'a> Options<'a> {
    fn parse(args: Args<'a>) -> Result<Options<'a>, Error> {
        let mut options = Options { pattern: None, count: 10, no_values: false };
        let mut cursor = args.cursor(3);
        while !cursor.is_at_end() {
            if cursor.eat_with_value("count") {
                options.count = usize::try_from(cursor.next_i64()?).map_err(|_| SYNTAX)?;
                if options.count == 0 {
                    return Err(SYNTAX);
                }
            } else if cursor.eat_with_value("match") {
                options.pattern = Some(cursor.next_arg()?).filter(|pattern| *pattern != b"*");
            } else if cursor.eat("novalues") {
                options.no_values = true;
            } else {
                return Err(SYNTAX);
            }
        }
        Ok(options)
    }

    fn matches(&self, field: HashEntry<'_>) -> bool {
        let matches = |pattern| field.name.with_bytes(|name| glob_match(pattern, name, Case::Sensitive));
        self.pattern.is_none_or(matches)
    }

    /// Replies a field; the number of elements that it takes.
    fn show(&self, field: HashEntry<'_>, reply: &mut ReplyWriter<'_>) -> usize {
        reply_item(reply, field.name);
        if self.no_values {
            return 1;
        }
        reply_item(reply, field.value);
        2
    }
}
