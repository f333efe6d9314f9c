//! COMMAND DOCS: summary, history and arguments of each command.

use ochre_resp::ReplyWriter;

use crate::call::Call;
use crate::command::{Arg, ArgKind, CommandEntry, CommandTable};
use crate::error::Error;
use crate::family::reply_map::ReplyMap;

/// Commands that servers and their tests use among themselves.
const SYSTEM: [&str; 5] = ["debug", "pfdebug", "pfselftest", "replconf", "restore-asking"];

pub(super) fn docs(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let table = &call.engine.commands;
    let names = call.args.from(2);
    if names.len() == 0 {
        call.reply.map(table.top_level().len());
        table.top_level().for_each(|entry| named(&mut call.reply, table, entry));
        return Ok(());
    }
    let found = names.clone().filter_map(|name| table.find_full(name)).count();
    call.reply.map(found);
    names.filter_map(|name| table.find_full(name)).for_each(|entry| named(&mut call.reply, table, entry));
    Ok(())
}

fn named(reply: &mut ReplyWriter<'_>, table: &CommandTable, entry: &CommandEntry) {
    reply.bulk(entry.full_name.as_bytes());
    let command = entry.command;
    let mut map = ReplyMap::begin(reply);
    map.text("summary", command.summary);
    map.text("since", command.since);
    map.text("group", command.group.name());
    map.text("complexity", command.complexity);
    doc_flags(&mut map, entry);
    if let Some((since, instead)) = command.deprecated {
        map.text("deprecated_since", since);
        map.text("replaced_by", instead);
    }
    if !command.history.is_empty() {
        map.field("history").set(command.history.len());
        command.history.iter().for_each(|(since, change)| {
            map.reply.array(2);
            map.reply.bulk(since.as_bytes());
            map.reply.bulk(change.as_bytes());
        });
    }
    if !command.args.is_empty() {
        arguments(map.field("arguments"), command.args);
    }
    let subcommands = table.subcommands_of(entry);
    if subcommands.len() > 0 {
        map.field("subcommands").map(subcommands.len());
        subcommands.for_each(|sub| named(map.reply, table, sub));
    }
    map.end();
}

fn doc_flags(map: &mut ReplyMap<'_, '_>, entry: &CommandEntry) {
    let deprecated = entry.command.deprecated.is_some();
    let system = SYSTEM.contains(&entry.full_name.as_str());
    if deprecated || system {
        let reply = map.field("doc_flags");
        reply.set(usize::from(deprecated) + usize::from(system));
        if deprecated {
            reply.simple("deprecated");
        }
        if system {
            reply.simple("syscmd");
        }
    }
}

fn arguments(reply: &mut ReplyWriter<'_>, args: &[Arg]) {
    reply.array(args.len());
    args.iter().for_each(|arg| argument(reply, arg));
}

fn argument(reply: &mut ReplyWriter<'_>, arg: &Arg) {
    let mut map = ReplyMap::begin(reply);
    map.text("name", arg.name);
    map.text("type", kind_name(arg.kind));
    if !matches!(arg.kind, ArgKind::OneOf | ArgKind::Block) {
        map.text("display_text", if arg.display.is_empty() { arg.name } else { arg.display });
    }
    if let Some(spec) = arg.key_spec {
        map.integer("key_spec_index", i64::from(spec));
    }
    map.text("token", arg.token);
    map.text("summary", arg.summary);
    map.text("since", arg.since);
    map.text("deprecated_since", arg.deprecated_since);
    argument_flags(&mut map, arg);
    if !arg.parts.is_empty() {
        arguments(map.field("arguments"), arg.parts);
    }
    map.end();
}

fn argument_flags(map: &mut ReplyMap<'_, '_>, arg: &Arg) {
    let flags =
        [(arg.optional, "optional"), (arg.multiple, "multiple"), (arg.multiple_token, "multiple_token")];
    let count = flags.iter().filter(|(set, _)| *set).count();
    if count > 0 {
        let reply = map.field("flags");
        reply.set(count);
        flags.iter().filter(|(set, _)| *set).for_each(|(_, name)| reply.simple(name));
    }
}

const fn kind_name(kind: ArgKind) -> &'static str {
    match kind {
        ArgKind::String => "string",
        ArgKind::Integer => "integer",
        ArgKind::Double => "double",
        ArgKind::Key => "key",
        ArgKind::Pattern => "pattern",
        ArgKind::UnixTime => "unix-time",
        ArgKind::PureToken => "pure-token",
        ArgKind::OneOf => "oneof",
        ArgKind::Block => "block",
    }
}
