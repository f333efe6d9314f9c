//! ACL LOAD and SAVE: users from the `aclfile` and into it.

use std::path::PathBuf;

use super::{ADMIN, ALL_NODES, BASE, kill_all};
use crate::access::AccessControl;
use crate::call::Call;
use crate::command::Command;
use crate::error::Error;

pub(super) const LOAD: Command = Command {
    name: "load",
    summary: "Replaces all users by those in the ACL file.",
    complexity: "O(N). Where N is the number of configured users.",
    arity: 2,
    flags: ADMIN,
    handler: load,
    ..BASE
};

/// All of the file or, if anything in it is wrong, nothing.
fn load(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let (path, engine) = (path(call)?, call.engine);
    let defaults = AccessControl::defaults(&engine.config.read());
    let loaded = engine.access.load(&path, defaults);
    let loaded = loaded.map_err(|text| Error::of_bytes([b"ERR ", text.as_slice()].concat()))?;
    let (left, orphans) = engine.access.change(&engine.clients, |users| {
        let before = std::mem::replace(users, loaded);
        let left = before
            .iter()
            .filter_map(|user| Some((user.name.to_vec(), users.get(&user.name)?.channels_left(user)?)));
        left.collect()
    });
    kill_all(call, &orphans);
    let forbidden = engine.forbidden_subscribers(&left);
    kill_all(call, &forbidden);
    call.reply.ok();
    Ok(())
}

pub(super) const SAVE: Command = Command {
    name: "save",
    summary: "Writes all users into the ACL file.",
    complexity: "O(N). Where N is the number of configured users.",
    arity: 2,
    flags: ADMIN,
    tips: ALL_NODES,
    handler: save,
    ..BASE
};

fn save(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let path = path(call)?;
    if let Err((what, error)) = call.engine.access.save(&path) {
        log::error!("{what}: {}", ochre_config::os_reason(&error));
        return Err(Error::new(
            "ERR There was an error trying to save the ACLs. Please check the server logs for more information",
        ));
    }
    call.reply.ok();
    Ok(())
}

fn path(call: &Call<'_, '_>) -> Result<PathBuf, Error> {
    AccessControl::path(&call.engine.config.read()).ok_or(Error::new(
        "ERR This Redis instance is not configured to use an ACL file. You may want to specify users via the ACL SETUSER \
         command and then issue a CONFIG REWRITE (assuming you have a Redis configuration file set) in order to store \
         users in the Redis configuration.",
    ))
}
