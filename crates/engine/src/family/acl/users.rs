//! ACL SETUSER and DELUSER.

use ochre_acl::{DEFAULT_USER, has_blanks};

use super::{ADMIN, ALL_NODES, BASE, hide_from, kill_all};
use crate::access::AccessControl;
use crate::call::Call;
use crate::command::{Arg, ArgKind, Command};
use crate::error::Error;

pub(super) const SETUSER: Command = Command {
    name: "setuser",
    summary: "Makes a user, or changes what one may do.",
    complexity: "O(N). Where N is the number of rules provided.",
    arity: -3,
    flags: ADMIN,
    tips: ALL_NODES,
    args: &[Arg::new("username", ArgKind::String), Arg::new("rule", ArgKind::String).optional().multiple()],
    history: &[("6.2.0", "Patterns of channels."), ("7.0.0", "Selectors, and keys to read or to write.")],
    handler: set_user,
    ..BASE
};

fn set_user(call: &mut Call<'_, '_>) -> Result<(), Error> {
    hide_from(call, 2);
    let name = call.args.at(2);
    if has_blanks(name) {
        return Err(Error::new("ERR Usernames can't contain spaces or null characters"));
    }
    let rules: Vec<&[u8]> = call.args.from(3).collect();
    let access = &call.engine.access;
    let defaults = AccessControl::defaults(&call.engine.config.read());
    let (result, _) = access.change(&call.engine.clients, |users| {
        let before = users.get(name).cloned();
        users.set(name, &rules, defaults, access.catalog()).map(|()| {
            let (before, after) = (before?, users.get(name)?);
            Some((name.to_vec(), after.channels_left(&before)?))
        })
    });
    let left = result.map_err(|error| Error::of_bytes([b"ERR ", error.text().as_slice()].concat()))?;
    let forbidden = call.engine.forbidden_subscribers(&left.into_iter().collect());
    kill_all(call, &forbidden);
    call.reply.ok();
    Ok(())
}

pub(super) const DELUSER: Command = Command {
    name: "deluser",
    summary: "Removes users and closes their connections.",
    complexity: "O(1) amortized time considering the typical user.",
    arity: -3,
    flags: ADMIN,
    tips: ALL_NODES,
    args: &[Arg::new("username", ArgKind::String).multiple()],
    handler: delete_users,
    ..BASE
};

fn delete_users(call: &mut Call<'_, '_>) -> Result<(), Error> {
    hide_from(call, 2);
    let names: Vec<&[u8]> = call.args.from(2).collect();
    if names.contains(&DEFAULT_USER) {
        return Err(Error::new("ERR The 'default' user cannot be removed"));
    }
    let engine = call.engine;
    let (deleted, orphans) =
        engine.access.change(&engine.clients, |users| names.iter().filter(|name| users.remove(name)).count());
    kill_all(call, &orphans);
    call.reply.integer(deleted as i64);
    Ok(())
}
