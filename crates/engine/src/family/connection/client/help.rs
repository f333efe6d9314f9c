//! CLIENT HELP.

use super::BASE;
use crate::call::Call;
use crate::command::{Command, flags};
use crate::error::Error;

pub(super) const HELP: Command = Command {
    name: "help",
    summary: "Explains the subcommands.",
    since: "5.0.0",
    arity: 2,
    flags: flags::LOADING | flags::STALE | flags::SENTINEL,
    handler: help,
    ..BASE
};

fn help(call: &mut Call<'_, '_>) -> Result<(), Error> {
    call.reply.array(LINES.len());
    LINES.iter().for_each(|line| call.reply.simple(line));
    Ok(())
}

const LINES: &[&str] = &[
    "CLIENT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
    "CACHING (YES|NO)",
    "    Say whether the keys of the next command are tracked.",
    "CAPA <capability> [<capability> ...]",
    "    Tell what this client understands. REDIRECT: being sent to another server.",
    "GETNAME",
    "    Return this connection's name.",
    "GETREDIR",
    "    Return which client is told about changes of tracked keys.",
    "ID",
    "    Return this connection's number.",
    "IMPORT-SOURCE (ON|OFF)",
    "    Mark this connection as one that imports data, in import mode.",
    "INFO",
    "    Describe this connection.",
    "KILL <ip:port>",
    "    Close the connection from that address.",
    "KILL <filter> <value> [<filter> <value> ...]",
    "    Close the connections that fit all filters, and return their number. SKIPME is",
    "    YES unless said otherwise. For the filters see LIST.",
    "LIST [<filter> <value> ...]",
    "    Describe the connections that fit all filters, or all. Filters are:",
    "    * ID <client-id> [<client-id> ...]: one of these numbers.",
    "    * TYPE (NORMAL|MASTER|PRIMARY|REPLICA|PUBSUB): of this kind.",
    "    * ADDR <ip:port>, LADDR <ip:port>: from or to this address.",
    "    * IP <ip>: from this host.",
    "    * USER <username>: authenticated as this user.",
    "    * NAME <name>, LIB-NAME <name>, LIB-VER <version>: calling itself so.",
    "    * FLAGS <letters>, CAPA <letters>: with all of these letters.",
    "    * DB <db-id>: using this database.",
    "    * MAXAGE <seconds>, IDLE <seconds>: at least so old, so long idle.",
    "    * SKIPME (YES|NO): without this connection.",
    "    All but the last three also with NOT- before them.",
    "NO-EVICT (ON|OFF)",
    "    Keep this connection from being closed to save memory.",
    "NO-TOUCH (ON|OFF)",
    "    Have this connection's reads leave the access clocks of keys alone.",
    "PAUSE <timeout> [WRITE|ALL]",
    "    Have the commands of all clients, or only those that write, wait so many milliseconds.",
    "REPLY (ON|OFF|SKIP)",
    "    Say whether this connection wants replies.",
    "SETINFO (LIB-NAME|LIB-VER) <value>",
    "    Tell which library this client is.",
    "SETNAME <name>",
    "    Name this connection.",
    "TRACKING (ON|OFF) [REDIRECT <id>] [BCAST] [PREFIX <prefix> [...]]",
    "         [OPTIN] [OPTOUT] [NOLOOP]",
    "    Say whether the server tracks what this client caches.",
    "TRACKINGINFO",
    "    Describe how this connection's keys are tracked.",
    "UNBLOCK <clientid> [TIMEOUT|ERROR]",
    "    End the wait of a client in a blocking command.",
    "UNPAUSE",
    "    Have the clients go on that PAUSE had wait.",
    "HELP",
    "    Print this help.",
];
