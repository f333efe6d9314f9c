//! All checks before a command runs, and what is said to those who fail them.

use std::sync::atomic::Ordering::Relaxed;

use ochre_resp::Protocol;

use crate::call::Args;
use crate::client::{Client, client_flags};
use crate::command::{Command, CommandEntry, flags};
use crate::engine::PauseMode;
use crate::error::{Error, NO_AUTH, NO_REPLICAS, OUT_OF_MEMORY, wrong_arity};
use crate::persistence::LOADING;
use crate::scripting::effective_flags;

use super::run::Runner;
use super::unwatch;

/// What happens to a request that passed the checks.
pub(super) enum Admission<'e> {
    /// It runs.
    Run(&'e CommandEntry),
    /// It runs those that were queued before it.
    RunQueue(&'e CommandEntry),
    /// It is queued.
    Queue(&'e CommandEntry),
    /// It waits for the end of a pause or of a session of the debugger, or until what there is to be told is told.
    Postpone,
}

impl Runner<'_> {
    /// All checks before a command runs, in Redis's order.
    pub(super) fn admit<'e>(
        self,
        client: &Client,
        entry: Option<&'e CommandEntry>,
        args: Args<'_>,
        now_ms: i64,
    ) -> Result<Admission<'e>, Error> {
        let Some(entry) = entry else { return Err(unknown_command(args)) };
        let command = entry.command;
        if !command.subcommands.is_empty() && args.len() > 1 {
            return Err(unknown_subcommand(command, args));
        }
        if !entry.accepts(args.len()) {
            return Err(wrong_arity(&entry.full_name));
        }
        if command.is(flags::PROTECTED) {
            self.check_protected(client, entry)?;
        }
        if !client.unrestricted {
            self.check_authentication(client, command)?;
        }
        let in_multi = client.transaction.open;
        if in_multi && command.is(flags::NO_MULTI) {
            return Err(Error::new("ERR Command not allowed inside a transaction"));
        }
        if !client.unrestricted {
            self.engine.admit(client, entry, args)?;
        }
        let queued_flags = if command.is(flags::RUNS_QUEUE) { client.transaction.flags } else { 0 };
        let command_flags = effective_flags(self.engine, entry, args) | queued_flags;
        if self.stage.is_out_of_memory && command_flags & flags::DENYOOM != 0 {
            return Err(OUT_OF_MEMORY);
        }
        let is_restricted = self.engine.restricted.load(Relaxed);
        if is_restricted {
            self.check_write(command, command_flags)?;
        }
        if client.listening.is_some() {
            check_subscriber(client, entry)?;
        }
        if is_restricted {
            if self.engine.is_debugging() && !command.is(flags::ALLOW_BUSY) {
                return Ok(Admission::Postpone);
            }
            self.check_restrictions(command)?;
            if self.must_wait_for_log(client, command, command_flags) {
                return Ok(Admission::Postpone);
            }
        }
        let touches_keys = flags::READONLY | flags::WRITE | flags::MAY_REPLICATE;
        if self.engine.monitor_count.load(Relaxed) != 0
            && command.flags & touches_keys != 0
            && client.shared.has(client_flags::MONITOR)
        {
            return Err(Error::new("ERR Replica can't interact with the keyspace"));
        }
        let adds_messages = (command.flags | queued_flags) & (flags::PUBSUB | flags::WRITE) != 0;
        if adds_messages && self.engine.messages.are_congested() {
            return Ok(Admission::Postpone);
        }
        if command.is(flags::RUNS_QUEUE) {
            return Ok(Admission::RunQueue(entry));
        }
        if !in_multi || command.is(flags::NOT_QUEUED) {
            return Ok(Admission::Run(entry));
        }
        let paused = self.engine.pause.mode(now_ms) == PauseMode::All;
        Ok(if paused { Admission::Postpone } else { Admission::Queue(entry) })
    }

    /// What may run after a snapshot has failed, or while there are too few replicas.
    #[cold]
    fn check_write(self, command: &Command, command_flags: u64) -> Result<(), Error> {
        let writes = command_flags & flags::WRITE != 0;
        if writes || command.name == "ping" {
            if let Some(refusal) = self.engine.why_writes_are_refused() {
                return Err(refusal);
            }
            // What was a reason may be none any more.
            self.engine.settle_restrictions();
        }
        if writes && self.engine.lacks_replicas() { Err(NO_REPLICAS) } else { Ok(()) }
    }

    /// What may run while data are loaded or a script is busy.
    #[cold]
    fn check_restrictions(self, command: &Command) -> Result<(), Error> {
        if self.engine.loading.load(Relaxed) && !command.is(flags::LOADING) {
            return Err(LOADING);
        }
        match self.engine.why_busy().filter(|_| !command.is(flags::ALLOW_BUSY)) {
            Some(refusal) => Err(refusal),
            None => Ok(()),
        }
    }

    /// Whether a command has to wait until less is to be written to the log. What is only queued has not.
    #[cold]
    fn must_wait_for_log(self, client: &Client, command: &Command, command_flags: u64) -> bool {
        // Nobody knows what a script will write.
        const APPENDING: u64 = flags::WRITE | flags::MAY_REPLICATE | flags::RUNS_SCRIPT;
        let runs = !client.transaction.open || command.is(flags::RUNS_QUEUE);
        runs && command_flags & APPENDING != 0 && self.engine.aof.is_full()
    }

    /// A client that came while there was a password may go on once there is none.
    #[cold]
    fn check_authentication(self, client: &Client, command: &Command) -> Result<(), Error> {
        let may_go_on = client.authenticated
            || command.is(flags::NO_AUTH)
            || !self.engine.access.requires_authentication();
        if may_go_on { Ok(()) } else { Err(NO_AUTH) }
    }

    #[cold]
    fn check_protected(self, client: &Client, entry: &CommandEntry) -> Result<(), Error> {
        let container = entry.parent.unwrap_or(entry.command);
        let directive = match container.name {
            "module" => ochre_config::Directive::EnableModuleCommand,
            _ => ochre_config::Directive::EnableDebugCommand,
        };
        let setting = self.engine.config.read().shown(directive);
        let local = client.shared.has(client_flags::UNIX_SOCKET)
            || client.shared.address.starts_with("127.")
            || client.shared.address.starts_with("[::1]");
        if setting == b"yes" || (setting == b"local" && local) {
            return Ok(());
        }
        let (upper, lower) = (container.name.to_ascii_uppercase(), container.name);
        Err(Error::owned(format!(
            "ERR {upper} command not allowed. If the enable-{lower}-command option is set to \"local\", you can run it \
             from a local connection, otherwise you need to set this option in the configuration file, and then restart \
             the server."
        )))
    }

    #[cold]
    pub(super) fn reject(
        self,
        client: &mut Client,
        entry: Option<&CommandEntry>,
        args: Args<'_>,
        error: &Error,
        out: &mut Vec<u8>,
    ) {
        // A container with a subcommand that it does not have is no command.
        let known = entry.filter(|entry| entry.command.subcommands.is_empty() || args.len() == 1);
        if let Some(entry) = known {
            self.context.stats.command(entry.id).rejected.add(1);
            if entry.command.is(flags::RUNS_QUEUE) {
                return self.reject_exec(client, args, error, out);
            }
        }
        if client.transaction.open {
            client.transaction.abort();
            client.publish_transaction();
        }
        self.write_error(error, client, out);
    }

    /// EXEC itself is refused: that ends the transaction, and the reply says so even where there is none.
    fn reject_exec(self, client: &mut Client, args: Args<'_>, error: &Error, out: &mut Vec<u8>) {
        let watched = std::mem::take(&mut client.transaction);
        unwatch(self.engine, &watched);
        client.publish_transaction();
        let why = error.bytes();
        let why = why.strip_prefix(b"ERR ").unwrap_or(why);
        let text = Error::quoting("EXECABORT Transaction discarded because of: ", why, "");
        self.write_error(&text, client, out);
        self.show_to_monitors(client, args);
    }
}

/// Between messages of channels, RESP2 can tell no reply apart; so only what belongs to them may be said.
#[cold]
fn check_subscriber(client: &Client, entry: &CommandEntry) -> Result<(), Error> {
    const ALLOWED: [&str; 9] = [
        "ping",
        "subscribe",
        "ssubscribe",
        "unsubscribe",
        "sunsubscribe",
        "psubscribe",
        "punsubscribe",
        "quit",
        "reset",
    ];
    let is_free = client.protocol == Protocol::Resp3 || !client.shared.has(client_flags::PUBSUB);
    if is_free || ALLOWED.contains(&entry.full_name.as_str()) {
        return Ok(());
    }
    Err(Error::owned(format!(
        "ERR Can't execute '{}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context",
        entry.full_name
    )))
}

/// Whether a browser was made to talk to the server: the first words of what it sends are `POST` and `Host:`. What
/// follows is an attacker's choice and must not run.
#[cold]
pub(super) fn is_web_request(args: Args<'_>) -> bool {
    args.is(0, "post") || args.is(0, "host:")
}

#[cold]
fn unknown_command(args: Args<'_>) -> Error {
    let mut listed = Vec::new();
    for arg in args.from(1) {
        if listed.len() >= QUOTED_MAX {
            break;
        }
        let room = QUOTED_MAX - listed.len();
        listed.extend_from_slice(&[b"'", quoted(arg, room), b"' "].concat());
    }
    let name = quoted(args.get(0).unwrap_or_default(), QUOTED_MAX);
    if args.len() < 2 {
        return Error::quoting("ERR unknown command '", name, "'");
    }
    let text = [b"ERR unknown command '", name, b"', with args beginning with: ", &listed].concat();
    Error::quoting("", &text, "")
}

#[cold]
fn unknown_subcommand(command: &Command, args: Args<'_>) -> Error {
    let after = format!("'. Try {} HELP.", command.name.to_ascii_uppercase());
    Error::quoting("ERR unknown subcommand '", quoted(args.at(1), QUOTED_MAX), &after)
}

/// So many bytes of a client's words are quoted in an error.
const QUOTED_MAX: usize = 128;

fn quoted(bytes: &[u8], max: usize) -> &[u8] {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    &bytes[..end.min(max)]
}
