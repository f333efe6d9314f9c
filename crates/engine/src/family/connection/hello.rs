//! HELLO: the handshake, in one command: protocol, user, name.

use ochre_config::Directive;
use ochre_resp::Protocol;

use super::auth::authenticate;
use super::client::names::{check_name, set_name};
use super::{BASE, HANDSHAKE};
use crate::call::{Call, integer};
use crate::command::{Arg, ArgKind, Command, flags};
use crate::engine::REDIS_VERSION;
use crate::error::Error;

pub(super) const HELLO: Command = Command {
    name: "hello",
    summary: "Agrees with the server on the protocol and says who is connected.",
    since: "6.0.0",
    arity: -1,
    flags: HANDSHAKE | flags::SENTINEL | flags::SENSITIVE,
    args: &[Arg::block(
        "arguments",
        &[
            Arg::new("protover", ArgKind::Integer),
            Arg::block(
                "auth",
                &[Arg::new("username", ArgKind::String), Arg::new("password", ArgKind::String)],
            )
            .token("AUTH")
            .optional(),
            Arg::new("clientname", ArgKind::String).token("SETNAME").optional(),
        ],
    )
    .optional()],
    history: &[("6.2.0", "The protocol version may be left out: then nothing is changed, only reported.")],
    handler: hello,
    ..BASE
};

#[derive(Default)]
struct Options<'a> {
    protocol: Option<Protocol>,
    credentials: Option<(&'a [u8], &'a [u8])>,
    name: Option<&'a [u8]>,
}

fn hello(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let options = options(call)?;
    if let Some((user, password)) = options.credentials {
        authenticate(call, user, password)?;
    }
    if !call.client.authenticated {
        return Err(Error::new(
            "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> \
             <pass> option can be used to authenticate the client and select the RESP protocol version at the same time",
        ));
    }
    if let Some(name) = options.name {
        set_name(&call.client.shared, name);
    }
    if let Some(protocol) = options.protocol {
        call.client.set_protocol(protocol);
        call.reply.set_protocol(protocol);
    }
    describe(call);
    Ok(())
}

fn options<'a>(call: &mut Call<'a, '_>) -> Result<Options<'a>, Error> {
    let mut options = Options::default();
    let mut cursor = call.args.cursor(1);
    if !cursor.is_at_end() {
        options.protocol = Some(protocol(cursor.next_arg()?)?);
    }
    while let Some(option) = cursor.peek() {
        if cursor.left() >= 3 && cursor.eat("AUTH") {
            call.client.redacted.extend([cursor.index(), cursor.index() + 1]);
            options.credentials = Some((cursor.next_arg()?, cursor.next_arg()?));
        } else if cursor.eat_with_value("SETNAME") {
            options.name = Some(check_name(cursor.next_arg()?)?);
        } else {
            return Err(Error::quoting("ERR Syntax error in HELLO option '", option, "'"));
        }
    }
    Ok(options)
}

fn protocol(arg: &[u8]) -> Result<Protocol, Error> {
    let version =
        integer(arg).map_err(|_| Error::new("ERR Protocol version is not an integer or out of range"))?;
    match version {
        2 => Ok(Protocol::Resp2),
        3 => Ok(Protocol::Resp3),
        _ => Err(Error::new("NOPROTO unsupported protocol version")),
    }
}

fn describe(call: &mut Call<'_, '_>) {
    let (mode, zone) = {
        let config = call.engine.config.read();
        let mode = if config.bool(Directive::ClusterEnabled) { "cluster" } else { "standalone" };
        (mode, config.text(Directive::AvailabilityZone).to_vec())
    };
    let protocol = if call.client.protocol == Protocol::Resp3 { 3 } else { 2 };
    let id = call.client.id() as i64;
    let reply = &mut call.reply;
    reply.map(7 + usize::from(!zone.is_empty()));
    reply.bulk(b"server");
    // Clients compare: what speaks this version of Redis has to call itself that.
    reply.bulk(b"redis");
    reply.bulk(b"version");
    reply.bulk(REDIS_VERSION.as_bytes());
    reply.bulk(b"proto");
    reply.integer(protocol);
    reply.bulk(b"id");
    reply.integer(id);
    reply.bulk(b"mode");
    reply.bulk(mode.as_bytes());
    reply.bulk(b"role");
    reply.bulk(b"master");
    reply.bulk(b"modules");
    reply.array(0);
    if !zone.is_empty() {
        reply.bulk(b"availability_zone");
        reply.bulk(&zone);
    }
}
