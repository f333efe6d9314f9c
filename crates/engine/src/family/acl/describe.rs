//! ACL GETUSER, LIST, USERS and WHOAMI.
//!
//! Of databases, which only Valkey knows, GETUSER says something where they are restricted: everywhere else the reply is
//! Redis's.

use ochre_acl::Selector;
use ochre_resp::ReplyWriter;

use super::{ADMIN, BASE, hide_from};
use crate::call::Call;
use crate::command::{Arg, ArgKind, Command};
use crate::error::Error;

pub(super) const GETUSER: Command = Command {
    name: "getuser",
    summary: "Shows the rules of a user, part by part.",
    complexity: "O(N). Where N is the number of password, command and pattern rules that the user has.",
    arity: 3,
    flags: ADMIN,
    args: &[Arg::new("username", ArgKind::String)],
    history: &[
        ("6.2.0", "Patterns of channels."),
        ("7.0.0", "Selectors; patterns of keys and channels are rules in a string instead of a list."),
    ],
    handler: get_user,
    ..BASE
};

fn get_user(call: &mut Call<'_, '_>) -> Result<(), Error> {
    hide_from(call, 2);
    let Some(user) = call.engine.access.user(call.args.at(2)) else {
        call.reply.null();
        return Ok(());
    };
    let reply = &mut call.reply;
    reply.map(3 + fields(user.root()));
    reply.bulk(b"flags");
    reply.set(user.flags().count());
    user.flags().for_each(|flag| reply.bulk(flag.as_bytes()));
    reply.bulk(b"passwords");
    reply.array(user.passwords().iter().len());
    user.passwords().iter().for_each(|hash| reply.bulk(hash.text()));
    describe(reply, user.root());
    reply.bulk(b"selectors");
    reply.array(user.other_selectors().len());
    for selector in user.other_selectors() {
        reply.map(fields(selector));
        describe(reply, selector);
    }
    Ok(())
}

fn fields(selector: &Selector) -> usize {
    3 + usize::from(!selector.databases.is_all())
}

fn describe(reply: &mut ReplyWriter<'_>, selector: &Selector) {
    let parts = [
        ("commands", selector.commands.text()),
        ("keys", selector.keys.text()),
        ("channels", selector.channels.text()),
    ];
    for (name, text) in parts {
        reply.bulk(name.as_bytes());
        reply.bulk(&text);
    }
    if !selector.databases.is_all() {
        reply.bulk(b"databases");
        reply.bulk(selector.databases.list().unwrap_or_default().as_bytes());
    }
}

pub(super) const LIST: Command = Command {
    name: "list",
    summary: "Shows all users as the lines of a file.",
    complexity: "O(N). Where N is the number of configured users.",
    arity: 2,
    flags: ADMIN,
    handler: list,
    ..BASE
};

fn list(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let users = call.engine.access.users();
    call.reply.array(users.iter().len());
    users.iter().for_each(|user| call.reply.bulk(&[b"user ", user.line().as_slice()].concat()));
    Ok(())
}

pub(super) const USERS: Command = Command {
    name: "users",
    summary: "Names all users.",
    complexity: "O(N). Where N is the number of configured users.",
    arity: 2,
    flags: ADMIN,
    handler: users,
    ..BASE
};

fn users(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let users = call.engine.access.users();
    call.reply.array(users.iter().len());
    users.iter().for_each(|user| call.reply.bulk(&user.name));
    Ok(())
}

pub(super) const WHOAMI: Command = Command {
    name: "whoami",
    summary: "Names the user of this connection.",
    arity: 2,
    handler: who_am_i,
    ..BASE
};

fn who_am_i(call: &mut Call<'_, '_>) -> Result<(), Error> {
    call.reply.bulk(&call.client.user.name);
    Ok(())
}
