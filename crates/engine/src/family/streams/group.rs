//! XGROUP: making and deleting groups and their consumers.

use ochre_keyspace::{Garbage, LAZY_FREE_EFFORT, event_class};
use ochre_types::stream::{GroupExists, Stream, StreamId};

use super::arguments::{INVALID_ID, id};
use super::*;
use crate::call::{Cursor, unknown_subcommand};
use crate::command::flags;
use crate::family::server::reply_help;

pub(super) const XGROUP: Command = Command {
    name: "xgroup",
    summary: "Makes, changes and deletes groups of streams and their consumers.",
    complexity: "Depends on subcommand.",
    arity: -2,
    acl: 0,
    subcommands: &[CREATE, CREATECONSUMER, DELCONSUMER, DESTROY, HELP, SETID],
    handler: unknown_subcommand,
    ..BASE
};

const ID_SELECTOR: Arg = Arg::one_of("id-selector", &[ID, Arg::word("new-id", "$")]);
const ENTRIES_READ: Arg =
    Arg::new("entriesread", ArgKind::Integer).token("ENTRIESREAD").display("entries-read").optional();

/// No more arguments than this are looked at.
const CREATE_ARGS_MAX: usize = 8;

const CREATE: Command = Command {
    name: "create",
    summary: "Makes a group.",
    arity: -5,
    flags: flags::WRITE | flags::DENYOOM,
    keys: &[KeySpec::at(2, key_flags::RW | key_flags::INSERT)],
    args: &[KEY, GROUP, ID_SELECTOR, Arg::word("mkstream", "MKSTREAM").optional(), ENTRIES_READ],
    history: &[("7.0.0", "Added the `entries_read` named argument.")],
    handler: create,
    ..BASE
};

fn create(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let options = Options::of(call, true)?;
    let (db, key, name) = (call.db(), call.key(), call.args.at(3));
    let stream = call.view.peek_as::<Stream>(db, key)?;
    if stream.is_none() && !options.make_stream {
        return Err(NO_KEY);
    }
    if call.args.len() > CREATE_ARGS_MAX {
        return Err(subcommand_error(call));
    }
    let last_id = stream.map_or(StreamId::MIN, Stream::last_id);
    let last_id = if call.args.at(4) == b"$" { last_id } else { id(call.args.at(4))? };
    let limits = limits_of_new(call);
    let (done, _) = call.view.edit_or_create(db, key, |stream: &mut Stream, edit| {
        if let Some(limits) = limits {
            stream.set_idempotency_limits(limits);
        }
        stream.create_group(name, last_id, options.entries_read)?;
        edit.counted(1);
        edit.notify(event_class::STREAM, "xgroup-create");
        Ok(())
    })?;
    done.map_err(|GroupExists| Error::new("BUSYGROUP Consumer Group name already exists"))?;
    call.reply.ok();
    Ok(())
}

const SETID: Command = Command {
    name: "setid",
    summary: "Sets how far a group has read.",
    flags: flags::WRITE,
    keys: &[KeySpec::at(2, key_flags::RW | key_flags::UPDATE)],
    args: &[KEY, GROUP, ID_SELECTOR, ENTRIES_READ],
    history: &[("7.0.0", "Added the optional `entries_read` argument.")],
    handler: set_id,
    ..CREATE
};

fn set_id(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let options = Options::of(call, false)?;
    let last_id = check_group(call)?;
    if call.args.len() != 5 && call.args.len() != 7 {
        return Err(subcommand_error(call));
    }
    let last_id = match call.args.at(4) {
        b"$" => last_id,
        text => StreamId::parse_or_extreme(text, 0).ok_or(INVALID_ID)?,
    };
    let (db, key, name) = (call.db(), call.key(), call.args.at(3));
    call.view.edit(db, key, |stream: &mut Stream, edit| {
        if stream.set_group_id(name, last_id, options.entries_read).is_ok() {
            edit.counted(1);
            edit.notify(event_class::STREAM, "xgroup-setid");
        }
    })?;
    call.reply.ok();
    Ok(())
}

const DESTROY: Command = Command {
    name: "destroy",
    summary: "Deletes a group.",
    complexity: "O(N), N being the number of entries that the group has pending.",
    arity: 4,
    flags: flags::WRITE,
    keys: &[KeySpec::at(2, key_flags::RW | key_flags::DELETE)],
    args: &[KEY, GROUP],
    handler: destroy,
    ..BASE
};

fn destroy(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let (db, key, name) = (call.db(), call.key(), call.args.at(3));
    let done = call.view.edit(db, key, |stream: &mut Stream, edit| {
        let group = stream.destroy_group(name)?;
        edit.counted(1);
        edit.notify(event_class::STREAM, "xgroup-destroy");
        // Those who wait in its name are told that it is gone.
        edit.wake();
        Some(group)
    })?;
    let (group, _) = done.ok_or(NO_KEY)?;
    call.reply.integer(i64::from(group.is_some()));
    if let Some(group) = group.filter(|group| group.free_effort() > LAZY_FREE_EFFORT) {
        call.view.effects().garbage.push(Garbage::Group(group));
    }
    Ok(())
}

const CREATECONSUMER: Command = Command {
    name: "createconsumer",
    summary: "Makes a consumer of a group.",
    since: "6.2.0",
    arity: 5,
    flags: flags::WRITE | flags::DENYOOM,
    keys: &[KeySpec::at(2, key_flags::RW | key_flags::INSERT)],
    args: &[KEY, GROUP, CONSUMER],
    handler: create_consumer,
    ..BASE
};

fn create_consumer(call: &mut Call<'_, '_>) -> Result<(), Error> {
    check_group(call)?;
    let (db, key, now_ms) = (call.db(), call.key(), call.now_ms());
    let (group, name) = (call.args.at(3), call.args.at(4));
    let done = call.view.edit(db, key, |stream: &mut Stream, edit| {
        let created = stream.create_consumer(group, name, now_ms).unwrap_or(false);
        if created {
            edit.counted(1);
            edit.notify(event_class::STREAM, CONSUMER_CREATED);
        }
        created
    })?;
    call.reply.integer(i64::from(done.is_some_and(|(created, _)| created)));
    Ok(())
}

const DELCONSUMER: Command = Command {
    name: "delconsumer",
    summary: "Deletes a consumer of a group and returns how many entries it had pending.",
    since: "5.0.0",
    flags: flags::WRITE,
    keys: DESTROY.keys,
    handler: delete_consumer,
    ..CREATECONSUMER
};

fn delete_consumer(call: &mut Call<'_, '_>) -> Result<(), Error> {
    check_group(call)?;
    let (db, key) = (call.db(), call.key());
    let (group, name) = (call.args.at(3), call.args.at(4));
    let done = call.view.edit(db, key, |stream: &mut Stream, edit| {
        let pending = stream.delete_consumer(group, name).unwrap_or_default();
        if pending.is_some() {
            edit.counted(1);
            edit.notify(event_class::STREAM, "xgroup-delconsumer");
        }
        pending
    })?;
    call.reply.integer(done.and_then(|(pending, _)| pending).unwrap_or(0) as i64);
    Ok(())
}

const HELP: Command = Command {
    name: "help",
    summary: "Explains the subcommands of XGROUP.",
    arity: 2,
    flags: flags::LOADING | flags::STALE,
    handler: help,
    ..BASE
};

fn help(call: &mut Call<'_, '_>) -> Result<(), Error> {
    reply_help(
        call,
        "XGROUP",
        &[
            "CREATE <key> <groupname> <id|$> [option]",
            "    Create a new consumer group. Options are:",
            "    * MKSTREAM",
            "      Create the empty stream if it does not exist.",
            "    * ENTRIESREAD entries_read",
            "      Set the group's entries_read counter (internal use).",
            "CREATECONSUMER <key> <groupname> <consumer>",
            "    Create a new consumer in the specified group.",
            "DELCONSUMER <key> <groupname> <consumer>",
            "    Remove the specified consumer.",
            "DESTROY <key> <groupname>",
            "    Remove the specified group.",
            "SETID <key> <groupname> <id|$> [ENTRIESREAD entries_read]",
            "    Set the current group ID and entries_read counter.",
        ],
    )
}

const NO_KEY: Error = Error::new(
    "ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM option to create an empty stream automatically.",
);

/// The last ID of the stream, which must be there with its group.
fn check_group(call: &mut Call<'_, '_>) -> Result<StreamId, Error> {
    let (key, name) = (call.key(), call.args.at(3));
    let stream = call.view.peek_as::<Stream>(call.client.db, key)?.ok_or(NO_KEY)?;
    stream.group(name).ok_or_else(|| no_such_group(name, key.bytes))?;
    Ok(stream.last_id())
}

/// Options of CREATE and SETID.
#[derive(Default)]
struct Options {
    make_stream: bool,
    entries_read: Option<u64>,
}

impl Options {
    fn of(call: &Call<'_, '_>, creates: bool) -> Result<Options, Error> {
        let mut options = Options::default();
        let mut cursor = call.args.cursor(5);
        while !cursor.is_at_end() {
            if creates && cursor.eat("MKSTREAM") {
                options.make_stream = true;
            } else if cursor.eat_with_value("ENTRIESREAD") {
                options.entries_read = entries_read(&mut cursor)?;
            } else {
                return Err(subcommand_error(call));
            }
        }
        Ok(options)
    }
}

/// How many entries a group has read; -1 if that is not known.
fn entries_read(cursor: &mut Cursor<'_>) -> Result<Option<u64>, Error> {
    match cursor.next_i64()? {
        -1 => Ok(None),
        read => u64::try_from(read)
            .map(Some)
            .map_err(|_| Error::new("ERR value for ENTRIESREAD must be positive or -1")),
    }
}

/// The arguments of a subcommand do not follow its grammar.
#[cold]
pub(super) fn subcommand_error(call: &Call<'_, '_>) -> Error {
    let container = call.engine.commands.full_name(call.command);
    let container = container.split('|').next().unwrap_or_default().to_ascii_uppercase();
    let word = call.args.at(1);
    Error::quoting(
        "ERR unknown subcommand or wrong number of arguments for '",
        &word[..word.len().min(128)],
        &format!("'. Try {container} HELP."),
    )
}
