//! The checks, and what is counted and kept of refusals.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use ochre_acl::{Access, ChannelPatterns, Context, Denial, Event, Reason, User};
use ochre_config::Directive;

use crate::call::Args;
use crate::client::{Client, ClientShared};
use crate::command::CommandEntry;
use crate::engine::{Engine, clock_ms};
use crate::error::Error;
use crate::messages::Kind;

use super::question::{Question, database};

impl Engine {
    /// Whether a user may run a command with these arguments in a database.
    ///
    /// # Errors
    /// What is missing; nothing is counted or logged.
    pub fn check_user(
        &self,
        user: &User,
        entry: &CommandEntry,
        args: Args<'_>,
        db: u32,
    ) -> Result<(), Denial> {
        let databases = self.keyspace.databases();
        user.check(&Question::new(user, entry, args, (db, databases)).request())
    }

    /// Whether a client may run a command now. Of scripts, the context is that of the script.
    ///
    /// # Errors
    /// What is missing. It is counted and logged.
    pub fn check_access(
        &self,
        client: &Client,
        entry: &CommandEntry,
        args: Args<'_>,
        context: Context,
    ) -> Result<(), Denial> {
        if client.unrestricted {
            return Ok(());
        }
        let checked = self.check_user(&client.user, entry, args, client.db_of_next());
        checked.inspect_err(|denial| self.note_denial(client, entry, args, *denial, context))
    }

    /// The same, with the text that a client gets.
    ///
    /// # Errors
    /// `NOPERM`.
    #[cold]
    pub(crate) fn admit(&self, client: &Client, entry: &CommandEntry, args: Args<'_>) -> Result<(), Error> {
        let checked = self.check_access(client, entry, args, context_of(client));
        checked.map_err(|denial| {
            let text = denial.text(&client.user.name, &entry.full_name);
            Error::of_bytes([b"NOPERM ", text.as_slice()].concat())
        })
    }

    /// The same for a command that was admitted when it was queued.
    ///
    /// # Errors
    /// `NOPERM`, with what is missing now.
    #[cold]
    pub(crate) fn admit_late(
        &self,
        client: &Client,
        entry: &CommandEntry,
        args: Args<'_>,
    ) -> Result<(), Error> {
        let checked = self.check_access(client, entry, args, Context::Multi);
        checked.map_err(|denial| {
            Error::owned(format!(
                "NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC call. This \
                 command is no longer allowed for the following reason: {}",
                denial.late_text()
            ))
        })
    }

    /// Whether a client may run a command and also read keys that no argument names.
    pub(crate) fn may_read_every_key(&self, client: &Client, entry: &CommandEntry, args: Args<'_>) -> bool {
        let question = Question::new(&client.user, entry, args, (client.db, self.keyspace.databases()));
        client.user.check_with_every_key(&question.request(), Access::READ)
    }

    fn note_denial(
        &self,
        client: &Client,
        entry: &CommandEntry,
        args: Args<'_>,
        denial: Denial,
        context: Context,
    ) {
        let object = match denial.index {
            0 => entry.full_name.as_bytes(),
            index => args.get(index).unwrap_or_default(),
        };
        self.note_refusal(&client.shared, (denial.reason, context), object, &client.user.name);
    }

    /// Notes that somebody has not become a user; `command` is the word it was tried with.
    pub(crate) fn note_failed_login(&self, client: &Client, command: &[u8], user: &[u8]) {
        let what = (Reason::Authentication, context_of(client));
        self.note_refusal(&client.shared, what, command, user);
    }

    fn note_refusal(
        &self,
        client: &ClientShared,
        (reason, context): (Reason, Context),
        object: &[u8],
        user: &[u8],
    ) {
        let stats = &self.stats;
        let counter = match reason {
            Reason::Authentication => &stats.acl_denied_auth,
            Reason::Command => &stats.acl_denied_command,
            Reason::Key => &stats.acl_denied_key,
            Reason::Channel => &stats.acl_denied_channel,
            Reason::Database => &stats.acl_denied_database,
        };
        counter.fetch_add(1, Relaxed);
        let len_max = self.config.read().uint(Directive::AcllogMaxLen) as usize;
        let event = Event { reason, context, object, user, client: self.client_line(client) };
        self.access.log.lock().add(event, clock_ms(), len_max);
    }

    /// Clients of these users, by name, that are subscribed to what the user may not have any more; each user with the
    /// channels that are left.
    pub(crate) fn forbidden_subscribers(
        &self,
        left: &HashMap<Vec<u8>, ChannelPatterns>,
    ) -> Vec<Arc<ClientShared>> {
        let mut forbidden = BTreeMap::new();
        if left.is_empty() {
            return Vec::new();
        }
        self.messages.each_subscription(|id, kind, name| {
            let Some(client) = self.clients.get(id).filter(|_| !forbidden.contains_key(&id)) else { return };
            let channels = left.get(client.names.lock().user());
            if channels.is_some_and(|channels| !channels.permits(name, kind == Kind::Pattern)) {
                forbidden.insert(id, client);
            }
        });
        forbidden.into_values().collect()
    }

    /// What ACL LOG has kept.
    pub(crate) fn with_refusals<R>(&self, look: impl FnOnce(&mut ochre_acl::Log) -> R) -> R {
        look(&mut self.access.log.lock())
    }

    /// The database that a request selects, if it does: a transaction goes on there.
    pub(crate) fn selected_by(&self, entry: &CommandEntry, args: Args<'_>) -> Option<u32> {
        let count = self.keyspace.databases() as u32;
        (entry.full_name == "select").then(|| args.get(1).and_then(|arg| database(arg, count)))?
    }
}

fn context_of(client: &Client) -> Context {
    if client.transaction.open { Context::Multi } else { Context::TopLevel }
}
