//! COMMAND LIST: names, filtered or not.

use ochre_types::{Case, glob_match};

use crate::call::Call;
use crate::command::{CommandEntry, acl};
use crate::error::{Error, SYNTAX};

enum Filter<'a> {
    All,
    /// Of a module: there are none, so no command is of one.
    Module,
    /// Of ACL categories; none at all if the name is unknown.
    Category(u32),
    Pattern(&'a [u8]),
}

impl Filter<'_> {
    fn lets_pass(&self, entry: &CommandEntry) -> bool {
        match self {
            Filter::All => true,
            Filter::Module => false,
            Filter::Category(category) => entry.command.categories() & category != 0,
            Filter::Pattern(pattern) => glob_match(pattern, entry.full_name.as_bytes(), Case::Insensitive),
        }
    }
}

pub(super) fn list(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let filter = parse(call)?;
    let entries = call.engine.commands.all();
    call.reply.array(entries.iter().filter(|entry| filter.lets_pass(entry)).count());
    for entry in entries.iter().filter(|entry| filter.lets_pass(entry)) {
        call.reply.bulk(entry.full_name.as_bytes());
    }
    Ok(())
}

fn parse<'c>(call: &Call<'c, '_>) -> Result<Filter<'c>, Error> {
    let mut cursor = call.args.cursor(2);
    if cursor.is_at_end() {
        return Ok(Filter::All);
    }
    if cursor.left() != 3 || !cursor.eat("FILTERBY") {
        return Err(SYNTAX);
    }
    let (by, what) = (cursor.next_arg()?, cursor.next_arg()?);
    match by.to_ascii_uppercase().as_slice() {
        b"MODULE" => Ok(Filter::Module),
        b"ACLCAT" => Ok(Filter::Category(category(what))),
        b"PATTERN" => Ok(Filter::Pattern(what)),
        _ => Err(SYNTAX),
    }
}

fn category(name: &[u8]) -> u32 {
    let index = acl::NAMES.iter().position(|known| known.as_bytes().eq_ignore_ascii_case(name));
    index.map_or(0, |index| 1 << index)
}
