//! What HSCAN, SSCAN and ZSCAN have in common: their options and the form of their reply.

use ochre_types::listpack::Item;
use ochre_types::{Case, glob_match, parse_u64_lenient};

use crate::call::{Args, Call};
use crate::error::{Error, SYNTAX};

/// What is asked of a scan.
pub(super) struct Options<'a> {
    pattern: Option<&'a [u8]>,
    /// How many elements to look at, about.
    pub count: usize,
    /// Whether names are wanted without what belongs to them (NOVALUES, NOSCORES).
    pub is_bare: bool,
}

impl<'a> Options<'a> {
    /// Reads the options; `bare` is the word by which a command leaves out what belongs to the names.
    pub fn parse(args: Args<'a>, bare: Option<&str>) -> Result<Options<'a>, Error> {
        let mut options = Options { pattern: None, count: 10, is_bare: false };
        let mut cursor = args.cursor(3);
        while !cursor.is_at_end() {
            if cursor.eat_with_value("count") {
                options.count = usize::try_from(cursor.next_i64()?).map_err(|_| SYNTAX)?;
                if options.count == 0 {
                    return Err(SYNTAX);
                }
            } else if cursor.eat_with_value("match") {
                options.pattern = Some(cursor.next_arg()?).filter(|pattern| *pattern != b"*");
            } else if bare.is_some_and(|word| cursor.eat(word)) {
                options.is_bare = true;
            } else if cursor.eat("novalues") {
                return Err(Error::new("ERR NOVALUES option can only be used in HSCAN"));
            } else {
                return Err(SYNTAX);
            }
        }
        Ok(options)
    }

    /// Whether a name is wanted.
    pub fn matches(&self, name: Item<'_>) -> bool {
        let matches = |pattern| name.with_bytes(|name| glob_match(pattern, name, Case::Sensitive));
        self.pattern.is_none_or(matches)
    }
}

/// Where the scan goes on.
pub(super) fn cursor(call: &Call<'_, '_>) -> Result<u64, Error> {
    parse_u64_lenient(call.args.at(2)).ok_or(Error::new("ERR invalid cursor"))
}

/// Replies the next cursor and what was found, which is `count` replies.
pub(super) fn reply(call: &mut Call<'_, '_>, next: u64, count: usize, found: &[u8]) {
    call.reply.array(2);
    call.reply.bulk(itoa::Buffer::new().format(next).as_bytes());
    call.reply.array(count);
    call.reply.raw(found);
}
