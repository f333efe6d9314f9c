//! MODULE: there are none. Modules are libraries that are loaded into a server's process and know its insides.

use super::{BASE, reply_help};
use crate::call::Call;
use crate::command::{Arg, ArgKind, Command, flags};
use crate::error::Error;

pub(super) const MODULE: Command = Command {
    name: "module",
    summary: "Holds the commands about modules.",
    since: "4.0.0",
    complexity: "That of the subcommand.",
    arity: -2,
    subcommands: &[LIST, LOAD, UNLOAD, LOAD_EX, HELP],
    ..BASE
};

const CHANGE: Command = Command {
    since: "4.0.0",
    flags: flags::ADMIN | flags::NOSCRIPT | flags::NO_ASYNC_LOADING | flags::PROTECTED,
    ..BASE
};

const LIST: Command = Command {
    name: "list",
    summary: "Lists the loaded modules.",
    since: "4.0.0",
    complexity: "O(N), N being the number of loaded modules.",
    arity: 2,
    flags: flags::ADMIN | flags::NOSCRIPT,
    tips: &["nondeterministic_output_order"],
    handler: list,
    ..BASE
};

fn list(call: &mut Call<'_, '_>) -> Result<(), Error> {
    call.reply.array(0);
    Ok(())
}

const LOAD: Command = Command {
    name: "load",
    summary: "Brings a module into the server.",
    arity: -3,
    args: &[Arg::new("path", ArgKind::String), Arg::new("arg", ArgKind::String).optional().multiple()],
    handler: load,
    ..CHANGE
};

const LOAD_EX: Command = Command {
    name: "loadex",
    summary: "Loads a module with its configuration.",
    since: "7.0.0",
    arity: -3,
    args: &[
        Arg::new("path", ArgKind::String),
        Arg {
            multiple_token: true,
            ..Arg::block("configs", &[Arg::new("name", ArgKind::String), Arg::new("value", ArgKind::String)])
                .token("CONFIG")
                .optional()
                .multiple()
        },
        Arg::new("args", ArgKind::String).token("ARGS").optional().multiple(),
    ],
    handler: load,
    ..CHANGE
};

fn load(call: &mut Call<'_, '_>) -> Result<(), Error> {
    log::warn!("Module {} not loaded: this server has no modules", String::from_utf8_lossy(call.args.at(2)));
    Err(Error::new("ERR Error loading the extension. Please check the server logs."))
}

const UNLOAD: Command = Command {
    name: "unload",
    summary: "Takes a module out of the server.",
    arity: 3,
    args: &[Arg::new("name", ArgKind::String)],
    handler: unload,
    ..CHANGE
};

fn unload(_: &mut Call<'_, '_>) -> Result<(), Error> {
    Err(Error::new("ERR Error unloading module: no such module with that name"))
}

const HELP: Command = Command {
    name: "help",
    summary: "Explains the subcommands.",
    since: "5.0.0",
    arity: 2,
    flags: flags::LOADING | flags::STALE,
    handler: help,
    ..BASE
};

fn help(call: &mut Call<'_, '_>) -> Result<(), Error> {
    const LINES: &[&str] = &[
        "LIST",
        "    List the loaded modules.",
        "LOAD <path> [<arg> ...]",
        "    Load a module from <path> and hand it the arguments.",
        "LOADEX <path> [[CONFIG NAME VALUE] [CONFIG NAME VALUE]] [ARGS ...]",
        "    Load a module from <path> with its configuration, and hand it the arguments.",
        "UNLOAD <name>",
        "    Unload a module.",
    ];
    reply_help(call, "MODULE", LINES)
}

#[cfg(test)]
mod tests {
    use crate::testing::Harness;

    #[test]
    fn there_are_no_modules() {
        let mut client = Harness::new();
        assert_eq!(client.run("module list"), "*0|");
        for request in ["module load x", "module loadex x", "module unload x"] {
            let reply = client.run(request);
            let beginning = "-ERR MODULE command not allowed. If the enable-module-command option is set";
            assert!(reply.starts_with(beginning), "{request}: {reply}");
        }
        assert!(client.run("module help").starts_with("*11|+MODULE <subcommand>"));
    }
}
