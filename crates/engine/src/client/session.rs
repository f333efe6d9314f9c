//! A client as its own worker sees it.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use ochre_acl::User;
use ochre_keyspace::Waiter;
use ochre_resp::Protocol;

use super::listening::Listening;
use super::parked::Parked;
use super::shared::{ClientShared, client_flags};
use super::transaction::Transaction;
use crate::access::AccessControl;
use crate::aside::Aside;
use crate::messages::{Notice, Receiver};
use crate::sequel::Promise;

/// What happens to replies (CLIENT REPLY).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ReplyMode {
    /// They are sent.
    #[default]
    On,
    /// They are dropped.
    Off,
    /// The next one is dropped.
    SkipNext,
    /// This one is dropped.
    Skip,
}

/// Whether and when the connection ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Close {
    /// It stays.
    #[default]
    No,
    /// After what has been replied is sent; nothing more is read.
    AfterReply,
}

/// Whether a client goes through the next script that it runs with EVAL (SCRIPT DEBUG).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Debugging {
    /// It does not.
    #[default]
    No,
    /// It does, on a copy of the data; what the script changes is dropped.
    Yes,
    /// It does, and everybody else waits; what the script changes stays.
    Sync,
}

/// What a blocked client waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BlockedOn {
    /// Acknowledgements of replicas (WAIT).
    Replicas,
    /// Acknowledgements of the local log and of replicas' logs (WAITAOF).
    Logs {
        /// Whether of the local one.
        local: bool,
        /// Whether of any replica's.
        replicas: bool,
    },
    /// A key (BLPOP and its like).
    Keys,
    /// Something that the server does in its own time and then answers with a ready reply.
    Completion,
}

/// A client that waits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Blocked {
    /// For what.
    pub on: BlockedOn,
    /// Until when, unix time in ms; `i64::MAX` for ever.
    pub deadline_ms: i64,
}

impl Blocked {
    /// Whether it has an end.
    pub fn is_timed(&self) -> bool {
        self.deadline_ms != i64::MAX
    }
}

/// A session.
pub struct Client {
    /// What others may see.
    pub shared: Arc<ClientShared>,
    /// The selected database.
    pub db: u32,
    /// The protocol of replies.
    pub protocol: Protocol,
    /// Its user, as it was when its rules were last looked at.
    pub user: Arc<User>,
    /// Whether it authenticated, or came while nobody had to.
    pub authenticated: bool,
    /// Whether it may do everything: then there is nothing to check.
    pub(crate) unrestricted: bool,
    /// Whether they ever could: what such a client may leave unread is its own business.
    pub was_authenticated: bool,
    /// What happens to replies.
    pub reply_mode: ReplyMode,
    /// MULTI and WATCH.
    pub transaction: Transaction,
    /// Whether the connection ends.
    pub close: Close,
    /// What it waits for.
    pub blocked: Option<Blocked>,
    /// Its place in the queues of keys, if it waits for some.
    pub waiter: Option<Arc<Waiter>>,
    /// The journal's offset when its last step had its stripes locked: it can have seen nothing of what is behind that. Kept only
    /// while somebody reads the journal.
    pub seen_offset: u64,
    /// The journal's offset behind the last that it changed itself.
    pub changed_offset: u64,
    /// Whether its reads leave access clocks alone.
    pub no_touch: bool,
    /// Whether it imports data: in import mode it sees keys whose time has come.
    pub import_source: bool,
    /// Indexes of arguments of the present command that logs must not show.
    pub redacted: Vec<usize>,
    /// What is still to come of the present reply.
    pub(crate) promises: Vec<Promise>,
    /// What is being computed for its present request.
    pub(crate) aside: Option<Box<Aside>>,
    /// How long computing it has taken, ns.
    pub(crate) aside_ns: u64,
    /// Whether a script of its runs: its commands are those that the script calls.
    pub(crate) in_script: bool,
    /// Whether it goes through the next script.
    pub(crate) debugging: Debugging,
    /// Whether the script has asked for nobody else to hear of what they do (`redis.set_repl`).
    pub(crate) is_unreplicated: bool,
    /// What it has if it is told things besides replies.
    pub(crate) listening: Option<Box<Listening>>,
    /// The number of the last of what its worker's clients are told that it has been told, too.
    pub heard: u64,
    /// So many bytes of replies at once are too many: it is to be closed then, and what would follow is not made.
    pub output_bytes_max: usize,
}

impl Client {
    /// A new session of a user.
    pub fn new(
        shared: Arc<ClientShared>,
        protocol: Protocol,
        user: Arc<User>,
        authenticated: bool,
    ) -> Client {
        shared.queued.store(-1, Relaxed);
        shared.protocol.store(protocol_number(protocol), Relaxed);
        shared.last_command.store(u16::MAX, Relaxed);
        Client::silent(shared, protocol, user, authenticated)
    }

    /// A client in the place of another one, whose session is elsewhere for a time. Nobody gets to know.
    pub fn in_place_of(other: &Client) -> Client {
        let (shared, user) = (Arc::clone(&other.shared), Arc::clone(&other.user));
        Client::silent(shared, other.protocol, user, other.authenticated)
    }

    /// Whether it goes through the next script that it runs.
    pub fn is_debugging(&self) -> bool {
        self.debugging != Debugging::No
    }

    /// As a new one, and nobody gets to know.
    pub(super) fn silent(
        shared: Arc<ClientShared>,
        protocol: Protocol,
        user: Arc<User>,
        authenticated: bool,
    ) -> Client {
        Client {
            shared,
            db: 0,
            protocol,
            unrestricted: authenticated && user.is_unrestricted(),
            user,
            authenticated,
            was_authenticated: authenticated,
            reply_mode: ReplyMode::On,
            transaction: Transaction::default(),
            debugging: Debugging::No,
            close: Close::No,
            blocked: None,
            waiter: None,
            seen_offset: 0,
            changed_offset: 0,
            no_touch: false,
            import_source: false,
            redacted: Vec::new(),
            promises: Vec::new(),
            aside: None,
            aside_ns: 0,
            in_script: false,
            is_unreplicated: false,
            listening: None,
            heard: 0,
            output_bytes_max: usize::MAX,
        }
    }

    /// Whether anything is still to come of the present reply.
    #[inline]
    pub(crate) fn has_promises(&self) -> bool {
        !self.promises.is_empty()
    }

    /// Drops what was replied since there were so many bytes and promises.
    pub(crate) fn take_back(&mut self, out: &mut Vec<u8>, (bytes, promises): (usize, usize)) {
        out.truncate(bytes);
        self.promises.truncate(promises);
    }

    /// What is still to come of the reply to the last request, in the order of the output.
    pub fn take_promises(&mut self) -> Vec<Promise> {
        std::mem::take(&mut self.promises)
    }

    /// Whether it may run what it likes, at once, and gets the reply; and waits for nothing that is computed aside.
    #[inline]
    pub(crate) fn is_usual(&self) -> bool {
        self.unrestricted
            && !self.transaction.open
            && self.reply_mode == ReplyMode::On
            && self.listening.is_none()
            && self.aside.is_none()
    }

    /// What it has because it is told things.
    pub(crate) fn listen(&mut self) -> &mut Listening {
        self.listening.get_or_insert_default()
    }

    /// So many bytes were put into the output where replies begin that have promises.
    pub(crate) fn replies_moved(&mut self, at: usize, bytes: usize) {
        self.promises.iter_mut().filter(|promise| promise.at >= at).for_each(|promise| promise.at += bytes);
    }

    /// Where messages for it go.
    pub(crate) fn receiver(&self) -> Receiver {
        Receiver { client: self.id(), place: self.shared.place.load(Relaxed) }
    }

    /// Whether another worker has made the reply that it waits for, and it is on its way.
    #[inline]
    pub fn awaits_reply(&self) -> bool {
        self.listening.is_some() && self.shared.wait.is_served()
    }

    /// Keeps a notice until that reply is there.
    pub fn tell_after_reply(&mut self, notice: &Notice) {
        let mut told = Vec::new();
        notice.write(self, &mut told);
        self.listen().regardless.append(&mut told);
    }

    /// Adds what was to be told behind a late reply.
    pub fn take_told_after(&mut self, reply: &mut Vec<u8>) {
        if let Some(listening) = self.listening.as_deref_mut() {
            reply.append(&mut listening.regardless);
        }
    }

    /// Bytes that being told things takes.
    pub fn listening_bytes(&self) -> usize {
        self.listening.as_deref().map_or(0, Listening::memory_bytes)
    }

    /// Makes it a user's.
    pub(crate) fn become_user(&mut self, user: Arc<User>, authenticated: bool, access: &AccessControl) {
        self.authenticated = authenticated;
        self.unrestricted = access.is_unrestricted(&user, authenticated);
        self.user = user;
    }

    /// Makes a stand-in its user's as that is now; the summons is for the client itself to heed.
    pub(crate) fn become_present_user(&mut self, access: &AccessControl) {
        let name = self.shared.names.lock().user().to_vec();
        let user = access.user(&name).unwrap_or_else(|| access.nobody(&name));
        self.become_user(user, true, access);
    }

    /// The database in which its next command will run: in a transaction that of the last SELECT before it.
    pub(crate) fn db_of_next(&self) -> u32 {
        self.transaction.selected.filter(|_| self.transaction.open).unwrap_or(self.db)
    }

    /// Its number.
    pub fn id(&self) -> u64 {
        self.shared.id
    }

    /// Selects a database.
    pub fn select(&mut self, db: u32) {
        self.db = db;
        self.shared.db.store(db, Relaxed);
    }

    /// Changes the protocol of replies.
    pub fn set_protocol(&mut self, protocol: Protocol) {
        self.protocol = protocol;
        self.shared.protocol.store(protocol_number(protocol), Relaxed);
    }

    /// Ends the connection once everything is sent.
    pub fn close_after_reply(&mut self) {
        self.close = Close::AfterReply;
        self.shared.set_flag(client_flags::CLOSE_AFTER_REPLY, true);
    }

    /// Whether what is said now, to no command, is dropped: a CLIENT REPLY SKIP before it means that, too.
    pub fn is_silenced(&self) -> bool {
        self.reply_mode != ReplyMode::On
    }

    /// Whether the reply of the command that is being run is dropped.
    pub fn is_muted(&self) -> bool {
        matches!(self.reply_mode, ReplyMode::Off | ReplyMode::Skip)
    }

    /// Passes over an empty request, which is all that a CLIENT REPLY SKIP before it then skips.
    pub fn pass_over_empty(&mut self) {
        if self.reply_mode == ReplyMode::SkipNext {
            self.reply_mode = ReplyMode::On;
        }
    }

    /// Brings what others see of the transaction up to date.
    pub fn publish_transaction(&self) {
        let transaction = &self.transaction;
        let queued = if transaction.open { transaction.queue.len() as i64 } else { -1 };
        self.shared.queued.store(queued, Relaxed);
        self.shared.queued_bytes.store(transaction.queue_bytes, Relaxed);
        self.shared.set_flag(client_flags::MULTI, transaction.open);
        self.publish_watched();
    }

    /// Brings what others see of the watched keys up to date.
    pub fn publish_watched(&self) {
        let watched = self.transaction.watched.len() as u32;
        if self.shared.watched.load(Relaxed) != watched {
            self.shared.watched.store(watched, Relaxed);
            *self.shared.watch_flag.lock() = self.transaction.flag.clone().filter(|_| watched != 0);
        }
    }

    /// Blocks the client. The handler writes no reply.
    pub fn block(&mut self, on: BlockedOn, deadline_ms: i64) {
        self.blocked = Some(Blocked { on, deadline_ms });
        self.shared.wait.set(on != BlockedOn::Completion);
        self.shared.set_flag(client_flags::BLOCKED, true);
    }

    /// Bytes that waiting for keys takes.
    pub fn waiting_bytes(&self) -> usize {
        let of = |waiter: &Waiter| waiter.memory_bytes() + Parked::of(waiter).map_or(0, Parked::memory_bytes);
        self.waiter.as_deref().map_or(0, of)
    }

    /// Whether a reply to a request that had to wait is dropped (CLIENT REPLY).
    pub fn drops_late_reply(&mut self) -> bool {
        if self.reply_mode == ReplyMode::Skip {
            self.reply_mode = ReplyMode::On;
            return true;
        }
        self.reply_mode == ReplyMode::Off
    }

    /// Ends the blocking. Who serves the client or times it out asks [`Wait::end`](super::Wait::end) first: CLIENT UNBLOCK may
    /// have been faster. Who carries out [`Message::Unblock`](crate::Message::Unblock) asks
    /// [`Wait::is_claimed`](super::Wait::is_claimed) first: the client may be gone from that wait.
    pub fn unblock(&mut self) {
        self.blocked = None;
        self.shared.wait.set(false);
        self.shared.set_flag(client_flags::BLOCKED, false);
    }
}

fn protocol_number(protocol: Protocol) -> u32 {
    match protocol {
        Protocol::Resp2 => 2,
        Protocol::Resp3 => 3,
    }
}
