//! ACL DRYRUN: whether a user may run a command, without running it.

use super::{ADMIN, BASE};
use crate::call::Call;
use crate::client::OwnedRequest;
use crate::command::{Arg, ArgKind, Command, Latest};
use crate::error::{Error, wrong_arity};

pub(super) const DRYRUN: Command = Command {
    name: "dryrun",
    summary: "Tells whether a user may run a command, which is not run.",
    since: "7.0.0",
    complexity: "O(1).",
    arity: -4,
    flags: ADMIN,
    args: &[
        Arg::new("username", ArgKind::String),
        Arg::new("command", ArgKind::String),
        Arg::new("arg", ArgKind::String).optional().multiple(),
    ],
    handler: dry_run,
    ..BASE
};

fn dry_run(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let (name, engine) = (call.args.at(2), call.engine);
    let user = engine.access.user(name).ok_or_else(|| Error::quoting("ERR User '", name, "' not found"))?;
    let parts: Vec<Vec<u8>> = call.args.from(3).map(<[u8]>::to_vec).collect();
    let request = OwnedRequest::from_parts(&parts);
    let args = request.args();
    let entry = engine.commands.resolve(args, 0, &mut Latest::default());
    let entry = entry.filter(|entry| entry.command.subcommands.is_empty() || args.len() == 1);
    let entry = entry.ok_or_else(|| Error::quoting("ERR Command '", args.at(0), "' not found"))?;
    if !entry.accepts(args.len()) {
        return Err(wrong_arity(&entry.full_name));
    }
    match engine.check_user(&user, entry, args, call.client.db_of_next()) {
        Ok(()) => call.reply.ok(),
        Err(denial) => {
            let object = args.get(denial.index).unwrap_or_default();
            call.reply.bulk(&denial.long_text(&user.name, &entry.full_name, object));
        }
    }
    Ok(())
}
