//! FUNCTION LIST and FUNCTION STATS.

use ochre_script::Library;
use ochre_types::{Case, glob_match};

use super::BASE;
use super::function::with_code;
use crate::call::Call;
use crate::command::{Arg, ArgKind, Command, flags};
use crate::error::Error;
use crate::scripting::Run;

pub(super) const LIST: Command = Command {
    name: "list",
    summary: "Lists the libraries.",
    since: "7.0.0",
    complexity: "O(N) where N is the number of functions",
    arity: -2,
    flags: flags::NOSCRIPT,
    tips: &["nondeterministic_output_order"],
    args: &[
        Arg::new("library-name-pattern", ArgKind::String).token("LIBRARYNAME").optional(),
        Arg::word("withcode", "WITHCODE").optional(),
    ],
    handler: list,
    ..BASE
};

fn list(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let (mut pattern, mut shows_code) = (None, false);
    let mut cursor = call.args.cursor(2);
    while let Some(arg) = cursor.peek() {
        if !shows_code && cursor.eat("withcode") {
            shows_code = true;
        } else if pattern.is_none() && cursor.eat("libraryname") {
            let missing = Error::new("ERR library name argument was not given");
            pattern = Some(cursor.next_arg().map_err(|_| missing)?);
        } else {
            let arg = arg.split(|byte| *byte == 0).next().unwrap_or_default();
            return Err(with_code([b"Unknown argument ", arg].concat()));
        }
    }
    let mut libraries = call.engine.scripting.libraries();
    libraries.retain(|library| {
        pattern.is_none_or(|pattern| glob_match(pattern, library.name(), Case::Insensitive))
    });
    call.reply.array(libraries.len());
    libraries.iter().for_each(|library| show(call, library, shows_code));
    Ok(())
}

fn show(call: &mut Call<'_, '_>, library: &Library, shows_code: bool) {
    let reply = &mut call.reply;
    reply.map(if shows_code { 4 } else { 3 });
    reply.bulk(b"library_name");
    reply.bulk(library.name());
    reply.bulk(b"engine");
    reply.bulk(b"LUA");
    reply.bulk(b"functions");
    reply.array(library.functions().len());
    for function in library.functions() {
        reply.map(3);
        reply.bulk(b"name");
        reply.bulk(&function.name);
        reply.bulk(b"description");
        match &function.description {
            Some(description) => reply.bulk(description),
            None => reply.null(),
        }
        reply.bulk(b"flags");
        reply.set(function.flags.words().count());
        function.flags.words().for_each(|word| reply.simple(word));
    }
    if shows_code {
        reply.bulk(b"library_code");
        reply.bulk(library.code());
    }
}

pub(super) const STATS: Command = Command {
    name: "stats",
    summary: "Tells about the function that is running.",
    since: "7.0.0",
    arity: 2,
    flags: flags::NOSCRIPT | flags::ALLOW_BUSY,
    tips: &["nondeterministic_output", "request_policy:all_shards", "response_policy:special"],
    handler: stats,
    ..BASE
};

fn stats(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let scripting = &call.engine.scripting;
    if scripting.standing.with(|run| run.is_function) == Some(false)
        && let Some(busy) = call.engine.why_busy()
    {
        return Err(busy);
    }
    let figures = scripting.figures();
    call.reply.map(2);
    call.reply.bulk(b"running_script");
    let reply = &mut call.reply;
    if scripting.standing.with(|run| show_run(reply, run)).is_none() {
        call.reply.null();
    }
    call.reply.bulk(b"engines");
    call.reply.map(1);
    call.reply.bulk(b"LUA");
    call.reply.map(2);
    call.reply.bulk(b"libraries_count");
    call.reply.integer(figures.libraries as i64);
    call.reply.bulk(b"functions_count");
    call.reply.integer(figures.functions as i64);
    Ok(())
}

fn show_run(reply: &mut ochre_resp::ReplyWriter<'_>, run: &Run) {
    reply.map(3);
    reply.bulk(b"name");
    reply.bulk(&run.name);
    reply.bulk(b"command");
    let args = run.command.args();
    reply.array(args.len());
    args.iter().for_each(|arg| reply.bulk(arg));
    reply.bulk(b"duration_ms");
    reply.integer(run.since.elapsed().as_millis() as i64);
}
