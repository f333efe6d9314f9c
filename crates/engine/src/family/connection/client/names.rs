//! What a client calls itself: SETNAME, GETNAME, SETINFO.

use super::BASE;
use crate::call::Call;
use crate::client::ClientShared;
use crate::command::{Arg, ArgKind, Command};
use crate::error::Error;

const ALL_NODES: &[&str] = &["request_policy:all_nodes", "response_policy:all_succeeded"];

pub(super) const SETNAME: Command = Command {
    name: "setname",
    summary: "Names the connection.",
    since: "2.6.9",
    arity: 3,
    tips: ALL_NODES,
    args: &[Arg::new("connection-name", ArgKind::String)],
    handler: setname,
    ..BASE
};

fn setname(call: &mut Call<'_, '_>) -> Result<(), Error> {
    set_name(&call.client.shared, check_name(call.args.at(2))?);
    call.reply.ok();
    Ok(())
}

/// The name, if it is one.
///
/// # Errors
/// It would break the format of CLIENT LIST.
pub(in crate::family::connection) fn check_name(name: &[u8]) -> Result<&[u8], Error> {
    if is_printable(name) {
        return Ok(name);
    }
    Err(Error::new("ERR Client names cannot contain spaces, newlines or special characters."))
}

/// Names a client; an empty name is none.
pub(in crate::family::connection) fn set_name(client: &ClientShared, name: &[u8]) {
    client.names.lock().name = (!name.is_empty()).then(|| name.to_vec());
}

/// Whether all bytes are visible ASCII. Peers look no further than the first NUL; a name that goes on behind it could
/// forge lines of CLIENT LIST, so it is refused here.
fn is_printable(text: &[u8]) -> bool {
    text.iter().all(u8::is_ascii_graphic)
}

pub(super) const GETNAME: Command = Command {
    name: "getname",
    summary: "Returns the name of the connection.",
    since: "2.6.9",
    arity: 2,
    handler: getname,
    ..BASE
};

fn getname(call: &mut Call<'_, '_>) -> Result<(), Error> {
    match &call.client.shared.names.lock().name {
        Some(name) => call.reply.bulk(name),
        None => call.reply.null(),
    }
    Ok(())
}

pub(super) const SETINFO: Command = Command {
    name: "setinfo",
    summary: "Tells which library the client is.",
    since: "7.2.0",
    arity: 4,
    tips: ALL_NODES,
    args: &[Arg::one_of(
        "attr",
        &[
            Arg::new("libname", ArgKind::String).token("LIB-NAME"),
            Arg::new("libver", ArgKind::String).token("LIB-VER"),
        ],
    )],
    handler: setinfo,
    ..BASE
};

fn setinfo(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let (option, value) = (call.args.at(2), call.args.at(3));
    let is_name = call.args.is(2, "LIB-NAME");
    if !is_name && !call.args.is(2, "LIB-VER") {
        return Err(Error::quoting("ERR Unrecognized option '", option, "'"));
    }
    if !is_printable(value) {
        return Err(Error::quoting(
            "ERR ",
            option,
            " cannot contain spaces, newlines or special characters.",
        ));
    }
    let mut names = call.client.shared.names.lock();
    *(if is_name { &mut names.library } else { &mut names.library_version }) = value.to_vec();
    call.reply.ok();
    Ok(())
}
