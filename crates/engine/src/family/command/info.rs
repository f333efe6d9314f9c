//! COMMAND and COMMAND INFO: ten facts of each command.

use ochre_resp::ReplyWriter;

use crate::call::Call;
use crate::command::{Begin, CommandEntry, CommandTable, Find, KeySpec, key_flags};
use crate::error::Error;

pub(super) fn all(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let table = &call.engine.commands;
    call.reply.array(table.top_level().len());
    table.top_level().for_each(|entry| describe(&mut call.reply, table, entry));
    Ok(())
}

pub(super) fn info(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let names = call.args.from(2);
    if names.len() == 0 {
        return all(call);
    }
    let table = &call.engine.commands;
    call.reply.array(names.len());
    for name in names {
        match table.find_full(name) {
            Some(entry) => describe(&mut call.reply, table, entry),
            None => call.reply.null(),
        }
    }
    Ok(())
}

fn describe(reply: &mut ReplyWriter<'_>, table: &CommandTable, entry: &CommandEntry) {
    let command = entry.command;
    reply.array(10);
    reply.bulk(entry.full_name.as_bytes());
    reply.integer(i64::from(command.arity));
    words(reply, command.flag_names());
    let range = command.key_range();
    [range.first, range.last, range.step].into_iter().for_each(|number| reply.integer(i64::from(number)));
    reply.set(command.category_names().count());
    command.category_names().for_each(|name| reply.simple(&format!("@{name}")));
    reply.set(command.tips.len());
    command.tips.iter().for_each(|tip| reply.bulk(tip.as_bytes()));
    reply.set(command.keys.len());
    command.keys.iter().for_each(|spec| key_spec(reply, spec));
    let subcommands = table.subcommands_of(entry);
    match subcommands.len() {
        // An empty set, not an empty array: so it is in Redis.
        0 => reply.set(0),
        count => reply.array(count),
    }
    subcommands.for_each(|sub| describe(reply, table, sub));
}

fn words(reply: &mut ReplyWriter<'_>, words: impl Iterator<Item = &'static str> + Clone) {
    reply.set(words.clone().count());
    words.for_each(|word| reply.simple(word));
}

/// Flags of a key as a set of words.
pub(super) fn key_flag_words(reply: &mut ReplyWriter<'_>, bits: u32) {
    let named = key_flags::NAMES.iter().enumerate();
    words(reply, named.filter(move |(bit, _)| bits & 1 << bit != 0).map(|(_, name)| *name));
}

fn key_spec(reply: &mut ReplyWriter<'_>, spec: &KeySpec) {
    reply.map(if spec.notes.is_empty() { 3 } else { 4 });
    if !spec.notes.is_empty() {
        reply.bulk(b"notes");
        reply.bulk(spec.notes.as_bytes());
    }
    reply.bulk(b"flags");
    key_flag_words(reply, spec.flags);
    reply.bulk(b"begin_search");
    begin_search(reply, spec.begin);
    reply.bulk(b"find_keys");
    // Who cannot be told where it begins has no use for the rest.
    let is_computed = matches!(spec.begin, Begin::Computed(_));
    find_keys(reply, if is_computed { Find::Unknown } else { spec.find });
}

/// `{type, spec}` with `fields` fields to follow.
fn typed(reply: &mut ReplyWriter<'_>, kind: &str, fields: usize) {
    reply.map(2);
    reply.bulk(b"type");
    reply.bulk(kind.as_bytes());
    reply.bulk(b"spec");
    reply.map(fields);
}

fn number(reply: &mut ReplyWriter<'_>, name: &str, value: i64) {
    reply.bulk(name.as_bytes());
    reply.integer(value);
}

fn begin_search(reply: &mut ReplyWriter<'_>, begin: Begin) {
    match begin {
        Begin::Index(index) => {
            typed(reply, "index", 1);
            number(reply, "index", i64::from(index));
        }
        Begin::Keyword { word, from } => {
            typed(reply, "keyword", 2);
            reply.bulk(b"keyword");
            reply.bulk(word.as_bytes());
            number(reply, "startfrom", i64::from(from));
        }
        Begin::IndexIf { index, .. } => begin_search(reply, Begin::Index(index)),
        Begin::KeywordAt { word, from, .. } => begin_search(reply, Begin::Keyword { word, from }),
        Begin::EachKeyword { word, from } => begin_search(reply, Begin::Keyword { word, from: from as i16 }),
        Begin::Computed(_) | Begin::Unknown => typed(reply, "unknown", 0),
    }
}

fn find_keys(reply: &mut ReplyWriter<'_>, find: Find) {
    match find {
        Find::Range { last, step, limit } => {
            typed(reply, "range", 3);
            number(reply, "lastkey", i64::from(last));
            number(reply, "keystep", i64::from(step));
            number(reply, "limit", i64::from(limit));
        }
        Find::KeyNum { number: index, first, step } => {
            typed(reply, "keynum", 3);
            number(reply, "keynumidx", i64::from(index));
            number(reply, "firstkey", i64::from(first));
            number(reply, "keystep", i64::from(step));
        }
        Find::Unknown => typed(reply, "unknown", 0),
    }
}
