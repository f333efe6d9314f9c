//! ACL CAT.

use super::{BASE, too_many};
use crate::call::Call;
use crate::command::{Arg, ArgKind, Command};
use crate::error::Error;

pub(super) const CAT: Command = Command {
    name: "cat",
    summary: "Names the categories of commands, or the commands of one.",
    complexity: "O(1) since the categories and commands are a fixed set.",
    arity: -2,
    args: &[Arg::new("category", ArgKind::String).optional()],
    handler: categories,
    ..BASE
};

fn categories(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let catalog = call.engine.access.catalog();
    if call.args.len() > 3 {
        return Err(too_many(call));
    }
    let Some(name) = call.args.get(2) else {
        call.reply.array(catalog.categories().len());
        catalog.categories().iter().for_each(|category| call.reply.bulk(category.as_bytes()));
        return Ok(());
    };
    let unknown = || Error::quoting("ERR Unknown category '", &name[..name.len().min(128)], "'");
    let category = catalog.category(name).ok_or_else(unknown)?;
    call.reply.array(catalog.commands_of(category).count());
    catalog.commands_of(category).for_each(|id| call.reply.bulk(catalog.name(id).as_bytes()));
    Ok(())
}
