//! ZSCAN: the members of a sorted set, some at each call.
//!
//! The cursor is the sorted set's own: a small one is returned whole.

use ochre_types::zset::ZSet;
use ochre_types::{Case, glob_match, parse_u64_lenient};

use super::*;
use crate::call::{Args, Call};
use crate::command::flags;
use crate::error::SYNTAX;

pub(super) const ZSCAN: Command = Command {
    name: "zscan",
    summary: "Returns the members of a sorted set with their scores, some at each call.",
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
        Arg::word("noscores", "NOSCORES").optional(),
    ],
    handler: zscan,
    ..BASE
};

fn zscan(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let cursor = parse_u64_lenient(call.args.at(2)).ok_or(Error::new("ERR invalid cursor"))?;
    let mut found = Vec::new();
    let mut members = ReplyWriter::new(&mut found, call.reply.protocol());
    let (mut count, mut next) = (0, 0);
    if let Some(zset) = call.view.read_as::<ZSet>(call.client.db, call.keys[0])? {
        // Without a key, Redis does not get to the options.
        let options = Options::parse(call.args)?;
        let mut text = Vec::new();
        next = zset.scan(cursor, options.count, &mut |member, score| {
            if options.matches(member) {
                reply_item(&mut members, member);
                count += 1;
                if options.with_scores {
                    text.clear();
                    zset.push_score(&mut text, score);
                    members.bulk(&text);
                    count += 1;
                }
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
    with_scores: bool,
}

impl<'a> Options<'a> {
    fn parse(args: Args<'a>) -> Result<Options<'a>, Error> {
        let mut options = Options { pattern: None, count: 10, with_scores: true };
        let mut cursor = args.cursor(3);
        while !cursor.is_at_end() {
            if cursor.eat_with_value("count") {
                options.count = usize::try_from(cursor.next_i64()?).map_err(|_| SYNTAX)?;
                if options.count == 0 {
                    return Err(SYNTAX);
                }
            } else if cursor.eat_with_value("match") {
                options.pattern = Some(cursor.next_arg()?).filter(|pattern| *pattern != b"*");
            } else if cursor.eat("noscores") {
                options.with_scores = false;
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
