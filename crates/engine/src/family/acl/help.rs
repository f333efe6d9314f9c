//! ACL HELP.

use super::BASE;
use crate::call::Call;
use crate::command::{Command, flags};
use crate::error::Error;
use crate::family::server::reply_help;

pub(super) const HELP: Command = Command {
    name: "help",
    summary: "Tells about the subcommands.",
    arity: 2,
    flags: flags::LOADING | flags::STALE | flags::SENTINEL,
    handler: help,
    ..BASE
};

const LINES: &[&str] = &[
    "CAT [<category>]",
    "    Name the categories of commands, or the commands of one.",
    "DELUSER <username> [<username> ...]",
    "    Remove users and close their connections.",
    "DRYRUN <username> <command> [<arg> ...]",
    "    Tell whether a user may run a command, without running it.",
    "GETUSER <username>",
    "    Show the rules of a user, part by part.",
    "GENPASS [<bits>]",
    "    Make up a password that nobody can guess, of 256 bits or as many as given.",
    "LIST",
    "    Show all users as the lines of a file.",
    "LOAD",
    "    Replace all users by those in the ACL file.",
    "LOG [<count> | RESET]",
    "    Show what was refused lately, or forget it.",
    "SAVE",
    "    Write all users into the ACL file.",
    "SETUSER <username> <rule> [<rule> ...]",
    "    Make a user, or change what one may do.",
    "USERS",
    "    Name all users.",
    "WHOAMI",
    "    Name the user of this connection.",
];

fn help(call: &mut Call<'_, '_>) -> Result<(), Error> {
    reply_help(call, "ACL", LINES)
}
