//! Client-side caching: TRACKING, CACHING, GETREDIR, TRACKINGINFO.
//!
//! Who hears of keys by prefix has every change told that is made from then on, so TRACKING needs all stripes. What is read
//! is noted where commands are run (`execute::listen`), and whom a change concerns is found in [`crate::messages`].

use std::sync::atomic::Ordering::Relaxed;

use super::describe::redirection;
use super::{BASE, ON_OFF, on_or_off};
use crate::call::{Call, integer};
use crate::client::{Client, Tracking, client_flags};
use crate::command::{Arg, ArgKind, Command, flags};
use crate::engine::Engine;
use crate::error::{Error, SYNTAX};
use crate::execute::set_public;

pub(super) const TRACKING: Command = Command {
    name: "tracking",
    summary: "Says whether the server tracks what the client caches.",
    since: "6.0.0",
    complexity: "O(1). Some options may introduce additional complexity.",
    arity: -3,
    flags: BASE.flags | flags::WHOLE_KEYSPACE,
    args: &[
        Arg::one_of("status", ON_OFF),
        Arg::new("client-id", ArgKind::Integer).token("REDIRECT").optional(),
        Arg {
            multiple_token: true,
            ..Arg::new("prefix", ArgKind::String).token("PREFIX").optional().multiple()
        },
        Arg::word("bcast", "BCAST").optional(),
        Arg::word("optin", "OPTIN").optional(),
        Arg::word("optout", "OPTOUT").optional(),
        Arg::word("noloop", "NOLOOP").optional(),
    ],
    handler: tracking,
    ..BASE
};

/// What CLIENT TRACKING was given.
#[derive(Default)]
struct Options<'a> {
    redirection: u64,
    prefixes: Vec<&'a [u8]>,
    broadcasts: bool,
    opts_in: bool,
    opts_out: bool,
    no_loop: bool,
}

fn tracking(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let options = options(call)?;
    if on_or_off(call)? {
        check(&options, call.client.listening.as_ref().map(|listening| &listening.tracking))?;
        switch_on(call, &options);
    } else if end_tracking(call.engine, call.client) {
        call.view.set_public(call.engine.messages.has_prefixes());
    }
    call.reply.ok();
    Ok(())
}

fn options<'a>(call: &Call<'a, '_>) -> Result<Options<'a>, Error> {
    let mut cursor = call.args.cursor(3);
    let mut options = Options::default();
    while !cursor.is_at_end() {
        if cursor.eat_with_value("REDIRECT") {
            if options.redirection != 0 {
                return Err(Error::new("ERR A client can only redirect to a single other client"));
            }
            options.redirection = target(call, integer(cursor.next_arg()?)?)?;
        } else if cursor.eat("BCAST") {
            options.broadcasts = true;
        } else if cursor.eat("OPTIN") {
            options.opts_in = true;
        } else if cursor.eat("OPTOUT") {
            options.opts_out = true;
        } else if cursor.eat("NOLOOP") {
            options.no_loop = true;
        } else if cursor.eat_with_value("PREFIX") {
            options.prefixes.push(cursor.next_arg()?);
        } else {
            return Err(SYNTAX);
        }
    }
    Ok(options)
}

/// Somebody who is there.
fn target(call: &Call<'_, '_>, id: i64) -> Result<u64, Error> {
    let target = u64::try_from(id).ok().and_then(|id| call.engine.clients.get(id));
    let target = target.filter(|target| !target.is_killed());
    target.map(|target| target.id).ok_or(Error::new("ERR The client ID you want redirect to does not exist"))
}

/// Whether options agree with each other and with how the client's keys are tracked already.
fn check(options: &Options<'_>, now: Option<&Tracking>) -> Result<(), Error> {
    let now = now.filter(|now| now.is_on);
    let is = |mode: fn(&Tracking) -> bool| now.is_some_and(mode);
    if !options.broadcasts && !options.prefixes.is_empty() {
        return Err(Error::new("ERR PREFIX option requires BCAST mode to be enabled"));
    }
    if now.is_some_and(|now| now.broadcasts != options.broadcasts) {
        return Err(Error::new(
            "ERR You can't switch BCAST mode on/off before disabling tracking for this client, and then re-enabling it with \
             a different mode.",
        ));
    }
    if options.broadcasts && (options.opts_in || options.opts_out) {
        return Err(Error::new("ERR OPTIN and OPTOUT are not compatible with BCAST"));
    }
    if options.opts_in && options.opts_out {
        return Err(Error::new("ERR You can't specify both OPTIN mode and OPTOUT mode"));
    }
    if (options.opts_in && is(|now| now.opts_out)) || (options.opts_out && is(|now| now.opts_in)) {
        return Err(Error::new(
            "ERR You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, and then re-enabling it with \
             a different mode.",
        ));
    }
    check_overlaps(&options.prefixes, now.map_or(&[], |now| &now.prefixes))
}

/// Whether prefixes are apart, so that no key is told twice.
fn check_overlaps(prefixes: &[&[u8]], present: &[Box<[u8]>]) -> Result<(), Error> {
    for (index, prefix) in prefixes.iter().enumerate() {
        let overlaps = |other: &[u8]| prefix.starts_with(other) || other.starts_with(prefix);
        let refuse = |other: &[u8], what: &str| {
            let text = [b"' overlaps with ", what.as_bytes(), b" '", other].concat();
            let text = [b"ERR Prefix '", *prefix, &text].concat();
            Err(Error::quoting("", &text, "'. Prefixes for a single client must not overlap."))
        };
        if let Some(other) = present.iter().find(|other| overlaps(other)) {
            return refuse(other, "an existing prefix");
        }
        if let Some(other) = prefixes[index + 1..].iter().find(|other| overlaps(other)) {
            return refuse(other, "another provided prefix");
        }
    }
    Ok(())
}

fn switch_on(call: &mut Call<'_, '_>, options: &Options<'_>) {
    let (id, messages) = (call.client.id(), &call.engine.messages);
    let tracking = &mut call.client.listen().tracking;
    tracking.is_on = true;
    tracking.broadcasts = options.broadcasts;
    (tracking.opts_in, tracking.opts_out) = (options.opts_in, options.opts_out);
    if options.broadcasts {
        let all: [&[u8]; 1] = [b""];
        let prefixes = if options.prefixes.is_empty() { &all[..] } else { &options.prefixes };
        for prefix in prefixes {
            if !tracking.prefixes.iter().any(|present| **present == **prefix) {
                tracking.prefixes.push(Box::from(*prefix));
                messages.add_prefix(prefix, id);
            }
        }
        call.view.set_public(true);
    }
    let shared = &call.client.shared;
    shared.redirection.store(options.redirection, Relaxed);
    shared.set_flag(client_flags::TRACKING, true);
    shared.set_flag(client_flags::BROKEN_REDIRECTION, false);
    shared.set_flag(client_flags::BROADCAST, options.broadcasts);
    shared.set_flag(client_flags::NO_LOOP, options.no_loop);
}

/// Ends the tracking of a client's keys. Whether it heard of keys by prefix: then the caller sees to it that nobody is told of
/// all changes any more, if this was the last.
pub(crate) fn end_tracking(engine: &Engine, client: &mut Client) -> bool {
    let Some(listening) = client.listening.as_deref_mut().filter(|listening| listening.tracking.is_on) else {
        return false;
    };
    let tracking = std::mem::take(&mut listening.tracking);
    tracking.prefixes.iter().for_each(|prefix| engine.messages.remove_prefix(prefix, client.shared.id));
    let all = client_flags::TRACKING
        | client_flags::BROKEN_REDIRECTION
        | client_flags::BROADCAST
        | client_flags::NO_LOOP;
    client.shared.set_flag(all, false);
    client.shared.redirection.store(0, Relaxed);
    tracking.broadcasts
}

/// What RESET does about it; holds no stripe.
pub(in crate::family::connection) fn reset_tracking(call: &mut Call<'_, '_>) {
    if end_tracking(call.engine, call.client) {
        set_public(call.engine);
    }
}

pub(super) const CACHING: Command = Command {
    name: "caching",
    summary: "Says whether the keys of the next command are tracked.",
    since: "6.0.0",
    arity: 3,
    args: &[Arg::one_of("mode", &[Arg::word("yes", "YES"), Arg::word("no", "NO")])],
    handler: caching,
    ..BASE
};

fn caching(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let tracking = call.client.listening.as_deref_mut().map(|listening| &mut listening.tracking);
    let Some(tracking) = tracking.filter(|tracking| tracking.is_on) else {
        return Err(Error::new(
            "ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled",
        ));
    };
    let (yes, no) = (call.args.is(2, "YES"), call.args.is(2, "NO"));
    match (yes, no) {
        (true, _) if tracking.opts_in => tracking.caching = Some(true),
        (_, true) if tracking.opts_out => tracking.caching = Some(false),
        (false, false) => return Err(SYNTAX),
        (true, _) => {
            return Err(Error::new(
                "ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode.",
            ));
        }
        (_, true) => {
            return Err(Error::new(
                "ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.",
            ));
        }
    }
    call.reply.ok();
    Ok(())
}

pub(super) const GETREDIR: Command = Command {
    name: "getredir",
    summary: "Returns which client is told about changes of tracked keys.",
    since: "6.0.0",
    arity: 2,
    handler: getredir,
    ..BASE
};

fn getredir(call: &mut Call<'_, '_>) -> Result<(), Error> {
    call.reply.integer(redirection(&call.client.shared));
    Ok(())
}

pub(super) const TRACKINGINFO: Command = Command {
    name: "trackinginfo",
    summary: "Returns how the connection's keys are tracked.",
    since: "6.2.0",
    arity: 2,
    handler: trackinginfo,
    ..BASE
};

fn trackinginfo(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let none = Tracking::default();
    let shared = &call.client.shared;
    let tracking = call.client.listening.as_ref().map_or(&none, |listening| &listening.tracking);
    let words = [
        ("off", !tracking.is_on),
        ("on", tracking.is_on),
        ("bcast", tracking.broadcasts),
        ("optin", tracking.opts_in),
        ("caching-yes", tracking.opts_in && tracking.caching == Some(true)),
        ("optout", tracking.opts_out),
        ("caching-no", tracking.opts_out && tracking.caching == Some(false)),
        ("noloop", shared.has(client_flags::NO_LOOP)),
        ("broken_redirect", shared.has(client_flags::BROKEN_REDIRECTION)),
    ];
    let words: Vec<&str> = words.iter().filter(|(_, holds)| *holds).map(|(word, _)| *word).collect();
    let reply = &mut call.reply;
    reply.map(3);
    reply.bulk(b"flags");
    reply.set(words.len());
    words.iter().for_each(|word| reply.bulk(word.as_bytes()));
    reply.bulk(b"redirect");
    reply.integer(redirection(shared));
    reply.bulk(b"prefixes");
    reply.array(tracking.prefixes.len());
    tracking.prefixes.iter().for_each(|prefix| reply.bulk(prefix));
    Ok(())
}
