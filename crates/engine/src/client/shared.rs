//! What other workers may see of a client: plain atomics that its own worker keeps up to date.

use std::sync::Arc;
use std::sync::atomic::{
    AtomicBool, AtomicI64, AtomicU8, AtomicU16, AtomicU32, AtomicU64, AtomicUsize, Ordering::Relaxed,
};

pub use ochre_acl::DEFAULT_USER;
use ochre_keyspace::WatchFlag;
use parking_lot::Mutex;

use super::wait::Wait;

/// Bits of [`ClientShared::flags`].
pub mod client_flags {
    /// Reads MONITOR's stream.
    pub const MONITOR: u64 = 1 << 0;
    /// Waits in a blocking command.
    pub const BLOCKED: u64 = 1 << 1;
    /// Is in a transaction.
    pub const MULTI: u64 = 1 << 2;
    /// Closes once its replies are sent.
    pub const CLOSE_AFTER_REPLY: u64 = 1 << 3;
    /// Came through the Unix socket.
    pub const UNIX_SOCKET: u64 = 1 << 5;
    /// Is not evicted (CLIENT NO-EVICT).
    pub const NO_EVICT: u64 = 1 << 6;
    /// Does not move access clocks (CLIENT NO-TOUCH).
    pub const NO_TOUCH: u64 = 1 << 7;
    /// Is subscribed to channels.
    pub const PUBSUB: u64 = 1 << 8;
    /// Tracks keys for client-side caching.
    pub const TRACKING: u64 = 1 << 9;
    /// Only reads cluster slots.
    pub const READONLY: u64 = 1 << 10;
    /// Is told to close as soon as possible.
    pub const CLOSE_ASAP: u64 = 1 << 11;
    /// Imports data (CLIENT IMPORT-SOURCE).
    pub const IMPORT_SOURCE: u64 = 1 << 12;
    /// Is a replica.
    pub const REPLICA: u64 = 1 << 13;
    /// Is a primary.
    pub const PRIMARY: u64 = 1 << 14;
    /// Waits in the pause queue.
    pub const POSTPONED: u64 = 1 << 15;
    /// Hears of all keys with some prefix (CLIENT TRACKING BCAST).
    pub const BROADCAST: u64 = 1 << 16;
    /// Does not hear of what it has changed itself (CLIENT TRACKING NOLOOP).
    pub const NO_LOOP: u64 = 1 << 17;
    /// The client that was to hear in its place is gone.
    pub const BROKEN_REDIRECTION: u64 = 1 << 18;
}

/// Bits of [`ClientShared::capabilities`].
pub mod capability {
    /// Understands being redirected to another server.
    pub const REDIRECT: u32 = 1 << 0;
}

/// What others want a client to look at before its next command. All in one word, so that there is one look.
#[derive(Debug, Default)]
pub struct Attention(AtomicU8);

impl Attention {
    const KILLED: u8 = 1 << 0;
    const USER_CHANGED: u8 = 1 << 1;
}

/// Names that a client gave itself.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// CLIENT SETNAME.
    pub name: Option<Vec<u8>>,
    /// CLIENT SETINFO LIB-NAME.
    pub library: Vec<u8>,
    /// CLIENT SETINFO LIB-VER.
    pub library_version: Vec<u8>,
    /// The user it authenticated as; empty until it did, which means [`DEFAULT_USER`].
    pub user: Vec<u8>,
}

impl Names {
    /// The user, the default one included.
    pub fn user(&self) -> &[u8] {
        if self.user.is_empty() { DEFAULT_USER } else { &self.user }
    }
}

/// The shared side of a client.
#[derive(Debug, Default)]
pub struct ClientShared {
    /// Its number.
    pub id: u64,
    /// The worker that serves it.
    pub worker: usize,
    /// Where it connects from, as CLIENT LIST shows it.
    pub address: String,
    /// Where it connected to.
    pub local_address: String,
    /// Where its worker keeps it.
    pub place: AtomicUsize,
    /// Its file descriptor.
    pub fd: i32,
    /// When it came, unix time in ms.
    pub created_ms: i64,
    /// When it last sent or took something, unix time in ms.
    pub last_interaction_ms: AtomicI64,
    /// What it is doing; see [`client_flags`].
    pub flags: AtomicU64,
    /// Its database.
    pub db: AtomicU32,
    /// 2 or 3.
    pub protocol: AtomicU32,
    /// The last command it sent, refused or not; `u16::MAX` for none or an unknown one.
    pub last_command: AtomicU16,
    /// Commands queued in MULTI, -1 outside.
    pub queued: AtomicI64,
    /// Bytes of queued commands.
    pub queued_bytes: AtomicUsize,
    /// Keys watched.
    pub watched: AtomicU32,
    /// Channels, patterns and sharded channels it is subscribed to.
    pub subscriptions: [AtomicU32; 3],
    /// The client that hears in its place which keys have changed; 0 if none does.
    pub redirection: AtomicU64,
    /// Bytes received but not run.
    pub query_bytes: AtomicUsize,
    /// Room left in the query buffer.
    pub query_free_bytes: AtomicUsize,
    /// Whether it waits until its socket takes more output.
    pub awaits_room: AtomicBool,
    /// CLIENT CAPA; a union of [`capability`] bits.
    pub capabilities: AtomicU32,
    /// Bytes of the arguments of the command that is being received.
    pub argument_bytes: AtomicUsize,
    /// Size of the reply buffer.
    pub reply_buffer_bytes: AtomicUsize,
    /// Its highest use lately.
    pub reply_buffer_peak_bytes: AtomicUsize,
    /// Bytes used in the reply buffer.
    pub reply_used_bytes: AtomicUsize,
    /// Replies beyond the buffer.
    pub reply_list_len: AtomicUsize,
    /// Bytes of those.
    pub reply_list_bytes: AtomicUsize,
    /// All memory that the client costs, bytes.
    pub memory_bytes: AtomicUsize,
    /// Bytes received so far.
    pub net_in_bytes: AtomicU64,
    /// Bytes sent so far.
    pub net_out_bytes: AtomicU64,
    /// Commands run so far.
    pub commands: AtomicU64,
    /// What others want it to look at.
    pub attention: Attention,
    /// What it calls itself.
    pub names: Mutex<Names>,
    /// Raised when a key it watches was changed; `None` while it watches nothing.
    pub watch_flag: Mutex<Option<Arc<WatchFlag>>>,
    /// Who ends its wait, if it is blocked.
    pub wait: Wait,
}

impl ClientShared {
    /// Whether there is anything that it must look at before its next command.
    #[inline]
    pub fn is_wanted(&self) -> bool {
        self.attention.0.load(Relaxed) != 0
    }

    /// Orders it to be closed; whether nobody had yet.
    pub fn kill(&self) -> bool {
        self.attention.0.fetch_or(Attention::KILLED, Relaxed) & Attention::KILLED == 0
    }

    /// Whether somebody ordered it to be closed.
    pub fn is_killed(&self) -> bool {
        self.attention.0.load(Relaxed) & Attention::KILLED != 0
    }

    /// Has it look its user up again.
    pub fn summon(&self) {
        self.attention.0.fetch_or(Attention::USER_CHANGED, Relaxed);
    }

    /// Whether its user may have changed.
    pub fn is_summoned(&self) -> bool {
        self.attention.0.load(Relaxed) & Attention::USER_CHANGED != 0
    }

    /// Takes note that its user is about to be looked up.
    pub fn heed_summons(&self) {
        self.attention.0.fetch_and(!Attention::USER_CHANGED, Relaxed);
    }

    /// Sets or clears flag bits.
    pub fn set_flag(&self, bits: u64, on: bool) {
        // Only the client's own worker changes flags, so load and store need not be one step.
        let flags = self.flags.load(Relaxed);
        self.flags.store(if on { flags | bits } else { flags & !bits }, Relaxed);
    }

    /// Whether all of the flag bits are set.
    pub fn has(&self, bits: u64) -> bool {
        self.flags.load(Relaxed) & bits == bits
    }

    /// Whether a key it watches was changed, so that EXEC will refuse.
    pub fn is_dirty(&self) -> bool {
        self.watch_flag.lock().as_ref().is_some_and(|flag| flag.is_raised())
    }
}
