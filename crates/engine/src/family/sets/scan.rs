//! SSCAN: the members of a set, some at each call.
//!
//! The cursor is the set's own: where it is small enough for a flat encoding, one call returns all of it.

use ochre_types::set::Set;
use ochre_types::{Case, glob_match, parse_u64_lenient};

use super::*;
use crate::call::Args;
use crate::command::flags;
use crate::error::SYNTAX;

pub(super) const SSCAN: Command = Command {
    name: "sscan",
    summary: "Returns the members of a set, some at each call.",
    since: "2.8.0",
    complexity: "O(1) for every call. O(N) for all calls until the cursor is 0 again, N being the number of members.",
    arity: -3,
    flags: flags::READONLY,
    keys: READS,
    tips: &["nondeterministic_output"],
    args: &[
        KEY,
        Arg::new("cursor", ArgKind::Integer),
        Arg::new("pattern", ArgKind::Pattern).token("MATCH").optional(),
        COUNT.token("COUNT").optional(),
    ],
    handler: sscan,
    ..BASE
};

fn sscan(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let cursor = parse_u64_lenient(call.args.at(2)).ok_or(Error::new("ERR invalid cursor"))?;
    let mut found = Vec::new();
    let mut members = ReplyWriter::new(&mut found, call.reply.protocol());
    let (mut count, mut next) = (0, 0);
    if let Some(set) = call.view.read_as::<Set>(call.client.db, call.keys[0])? {
        // Without a key, Redis does not get to the options.
        let options = Options::parse(call.args)?;
        next = set.scan(cursor, options.count, &mut |item| {
            if options.matches(item) {
                reply_item(&mut members, item);
                count += 1;
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
}

impl<'a> Options<'a> {
    fn parse(args: Args<'a>) -> Result<Options<'a>, Error> {
        let mut options = Options { pattern: None, count: 10 };
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
                return Err(Error::new("ERR NOVALUES option can only be used in HSCAN"));
            } else {
                return Err(SYNTAX);
            }
        }
        Ok(options)
    }

    fn matches(&self, item: Item<'_>) -> bool {
        let matches = |pattern| item.with_bytes(|member| glob_match(pattern, member, Case::Sensitive));
        self.pattern.is_none_or(matches)
    }
}
