//! What HSCAN, SSCAN and ZSCAN have in common: their options and the form of their reply.
//!
//! COUNT is about how much is done at a time. Who wants the whole of a big value at once gets it, in parts (see `gathered`), and a
//! step that begins or ends within one is kept so short that it keeps nobody waiting: it ends after [`STEP_MAX`] elements, whatever
//! COUNT says. Programs that follow the cursor need more steps then, and see the same. Those that take a single step with a COUNT that
//! they think no value reaches, and never look at the cursor, get all there is, since their COUNT is not below the size.

use ochre_resp::ReplyWriter;
use ochre_types::listpack::Item;
use ochre_types::{Case, glob_match, parse_u64_lenient};

use crate::call::{Args, Call};
use crate::error::{Error, SYNTAX};
use crate::sequel::ELEMENTS_AT_ONCE;

/// A step looks at no more elements than this.
const STEP_MAX: usize = 4 * ELEMENTS_AT_ONCE;

/// Which names are wanted of a scan whose reply is made later.
pub(super) struct Filter(Option<Vec<u8>>);

impl Filter {
    /// Whether a name is wanted.
    pub(super) fn matches(&self, name: Item<'_>) -> bool {
        matches(self.0.as_deref(), name)
    }
}

fn matches(pattern: Option<&[u8]>, name: Item<'_>) -> bool {
    let matches = |pattern| name.with_bytes(|name| glob_match(pattern, name, Case::Sensitive));
    pattern.is_none_or(matches)
}

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
        matches(self.pattern, name)
    }

    /// The same, for later.
    pub fn filter(&self) -> Filter {
        Filter(self.pattern.map(<[u8]>::to_vec))
    }

    /// Whether the whole of a value of `len` elements is wanted at once, and that is much.
    pub fn want_all_of_many(&self, cursor: u64, len: usize) -> bool {
        cursor == 0 && len > ELEMENTS_AT_ONCE && self.count >= len
    }

    /// How many elements a step looks at, about.
    pub fn step(&self) -> usize {
        self.count.min(STEP_MAX)
    }
}

/// Where the scan goes on.
pub(super) fn cursor(call: &Call<'_, '_>) -> Result<u64, Error> {
    parse_u64_lenient(call.args.at(2)).ok_or(Error::new("ERR invalid cursor"))
}

/// Begins the reply of a scan that has found `count` replies and is over.
pub(super) fn begin_last(reply: &mut ReplyWriter<'_>, count: usize) {
    reply.array(2);
    reply.bulk(b"0");
    reply.array(count);
}

/// Replies the next cursor and what was found, which is `count` replies.
pub(super) fn reply(call: &mut Call<'_, '_>, next: u64, count: usize, found: &[u8]) {
    call.reply.array(2);
    call.reply.bulk(itoa::Buffer::new().format(next).as_bytes());
    call.reply.array(count);
    call.reply.raw(found);
}
