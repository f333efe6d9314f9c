//! COMMAND: the server's own description, read from the records of all families.

mod docs;
mod get_keys;
mod info;
mod list;

use crate::call::Call;
use crate::command::{Arg, ArgKind, Command, Group, acl, flags};
use crate::error::Error;
use crate::family::server::reply_help;

/// The family's commands.
pub const COMMANDS: &[Command] = &[COMMAND];

const BASE: Command = Command {
    group: Group::Server,
    since: "2.8.13",
    acl: acl::CONNECTION,
    flags: flags::LOADING | flags::STALE,
    ..Command::BASE
};

const COMMAND: Command = Command {
    name: "command",
    summary: "Describes all commands in detail.",
    complexity: "O(N), N being the number of commands",
    arity: -1,
    tips: &["nondeterministic_output_order"],
    subcommands: &[LIST, INFO, DOCS, COUNT, GET_KEYS, GET_KEYS_AND_FLAGS, HELP],
    handler: info::all,
    ..BASE
};

const NAMES: &[Arg] = &[Arg::new("command-name", ArgKind::String).optional().multiple()];
const REQUEST: &[Arg] =
    &[Arg::new("command", ArgKind::String), Arg::new("arg", ArgKind::String).optional().multiple()];

const LIST: Command = Command {
    name: "list",
    summary: "Lists the names of commands.",
    since: "7.0.0",
    complexity: "O(N), N being the number of commands",
    arity: -2,
    tips: &["nondeterministic_output_order"],
    args: &[Arg::one_of(
        "filterby",
        &[
            Arg::new("module-name", ArgKind::String).token("MODULE"),
            Arg::new("category", ArgKind::String).token("ACLCAT"),
            Arg::new("pattern", ArgKind::Pattern).token("PATTERN"),
        ],
    )
    .token("FILTERBY")
    .optional()],
    handler: list::list,
    ..BASE
};

const INFO: Command = Command {
    name: "info",
    summary: "Describes some or all commands: arity, flags, keys.",
    complexity: "O(N), N being the number of names",
    arity: -2,
    tips: &["nondeterministic_output_order"],
    args: NAMES,
    history: &[("7.0.0", "Without a name, all commands are described.")],
    handler: info::info,
    ..BASE
};

const DOCS: Command = Command {
    name: "docs",
    summary: "Documents some or all commands: summary, arguments, history.",
    since: "7.0.0",
    complexity: "O(N), N being the number of names",
    arity: -2,
    tips: &["nondeterministic_output_order"],
    args: NAMES,
    handler: docs::docs,
    ..BASE
};

const COUNT: Command =
    Command { name: "count", summary: "Counts the commands.", arity: 2, handler: count, ..BASE };

fn count(call: &mut Call<'_, '_>) -> Result<(), Error> {
    call.reply.integer(call.engine.commands.top_level().len() as i64);
    Ok(())
}

const GET_KEYS: Command = Command {
    name: "getkeys",
    summary: "Finds the keys of a whole request.",
    complexity: "O(N), N being the number of arguments",
    arity: -3,
    args: REQUEST,
    handler: get_keys::get_keys,
    ..BASE
};

const GET_KEYS_AND_FLAGS: Command = Command {
    name: "getkeysandflags",
    summary: "Finds the keys of a whole request and what it does to them.",
    since: "7.0.0",
    complexity: "O(N), N being the number of arguments",
    arity: -3,
    args: REQUEST,
    handler: get_keys::get_keys_and_flags,
    ..BASE
};

const HELP: Command = Command {
    name: "help",
    summary: "Explains the subcommands.",
    since: "5.0.0",
    arity: 2,
    handler: help,
    ..BASE
};

fn help(call: &mut Call<'_, '_>) -> Result<(), Error> {
    const LINES: &[&str] = &[
        "(no subcommand)",
        "    Describe every command in detail.",
        "COUNT",
        "    Count the commands of this server.",
        "LIST",
        "    List the names of the commands of this server.",
        "INFO [<command-name> ...]",
        "    Describe the named commands in detail, or all if none is named.",
        "DOCS [<command-name> ...]",
        "    Document the named commands, or all if none is named.",
        "GETKEYS <full-command>",
        "    Find the keys in a whole request.",
        "GETKEYSANDFLAGS <full-command>",
        "    Find the keys in a whole request and what it does to each of them.",
    ];
    reply_help(call, "COMMAND", LINES)
}

#[cfg(test)]
mod tests {
    use crate::testing::Harness;

    #[test]
    fn answers_are_redis_s() {
        let mut client = Harness::new();
        let cases = [
            ("command x", "-ERR unknown subcommand 'x'. Try COMMAND HELP.|"),
            ("command count 1", "-ERR wrong number of arguments for 'command|count' command|"),
            ("command info nosuch get|x command|get|x", "*3|$-1|$-1|$-1|"),
            ("command docs nosuch", "*0|"),
            ("command list filterby", "-ERR syntax error|"),
            ("command list filterby module x", "*0|"),
            ("command list filterby aclcat nosuch", "*0|"),
            ("command list filterby pattern GE?", "*1|$3|get|"),
            ("command list filterby pattern *|getkeys", "*1|$15|command|getkeys|"),
            ("command getkeys get", "-ERR Invalid number of arguments specified for command|"),
            ("command getkeys nosuch x", "-ERR Invalid command specified|"),
            ("command getkeys command nosuch", "-ERR Invalid command specified|"),
            ("command getkeys command", "-ERR The command has no key arguments|"),
            ("command getkeys ping", "-ERR The command has no key arguments|"),
            ("command getkeys watch a b", "*2|$1|a|$1|b|"),
            ("command getkeysandflags watch a", "*1|*2|$1|a|*1|+RO|"),
            ("command getkeysandflags set a ifeq", "*1|*2|$1|a|*2|+OW|+update|"),
            ("command getkeysandflags set a b ifdne c", "*1|*2|$1|a|*2|+RW|+update|"),
            ("command getkeysandflags set a b ifeq get", "*1|*2|$1|a|*3|+RW|+access|+update|"),
            ("command getkeysandflags delex a b c", "*1|*2|$1|a|*2|+RM|+delete|"),
            ("command getkeysandflags delex a ifeq c", "*1|*2|$1|a|*2|+RW|+delete|"),
        ];
        for (request, reply) in cases {
            assert_eq!(client.run(request), reply, "{request}");
        }
    }

    #[test]
    fn a_subcommand_is_described_in_both_protocols() {
        let mut client = Harness::new();
        let resp2 =
            "*1|*10|$15|command|getkeys|:-3|*2|+loading|+stale|:0|:0|:0|*2|+@slow|+@connection|*0|*0|*0|";
        assert_eq!(client.run("command info command|getkeys"), resp2);
        let docs = client.run("command docs command|count");
        assert!(docs.starts_with("*2|$13|command|count|*8|$7|summary|"), "{docs}");
        client.client.set_protocol(ochre_resp::Protocol::Resp3);
        let resp3 =
            "*1|*10|$15|command|getkeys|:-3|~2|+loading|+stale|:0|:0|:0|~2|+@slow|+@connection|~0|~0|~0|";
        assert_eq!(client.run("command info command|getkeys"), resp3);
        let docs = client.run("command docs command|count");
        assert!(docs.starts_with("%1|$13|command|count|%4|$7|summary|"), "{docs}");
    }

    #[test]
    fn the_whole_table_is_described() {
        let mut client = Harness::new();
        let count = client.executor.engine.commands.top_level().len();
        assert_eq!(client.run("command count"), format!(":{count}|"));
        assert!(client.run("command").starts_with(&format!("*{count}|*10|")));
        assert_eq!(client.run("command info"), client.run("command"));
        assert!(client.run("command docs").starts_with(&format!("*{}|", count * 2)));
        let all = client.executor.engine.commands.all().len();
        assert!(client.run("command list").starts_with(&format!("*{all}|")));
        assert!(client.run("command help").ends_with("+HELP|+    Print this help.|"));
    }
}
