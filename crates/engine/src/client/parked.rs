//! A request that waits for keys, as whoever serves it needs it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};

use ochre_acl::User;
use ochre_keyspace::Waiter;
use ochre_resp::Protocol;

use super::request::OwnedRequest;
use super::session::Client;
use super::shared::ClientShared;
use crate::command::CommandId;

/// A request that could not be answered yet: any worker can run it again with what is in here.
pub struct Parked {
    /// Whose.
    pub shared: Arc<ClientShared>,
    /// Its user, as it was then.
    pub user: Arc<User>,
    /// The command.
    pub command: CommandId,
    /// The request.
    pub request: OwnedRequest,
    /// How it is answered.
    pub protocol: Protocol,
    /// Whether its reads leave access clocks alone.
    pub no_touch: bool,
    /// Whether the keys that it reads are to be noted.
    pub notes_reads: bool,
    /// Whether the client imports data.
    pub import_source: bool,
    /// How long it has run so far, ns.
    pub spent_ns: AtomicU64,
    /// Whether its wait has ended although it is still in the queues of its keys (see `left_behind`).
    pub(crate) is_over: AtomicBool,
}

impl Parked {
    /// The request of somebody who waits in a queue.
    pub fn of(waiter: &Waiter) -> Option<&Parked> {
        waiter.who.downcast_ref()
    }

    /// Bytes that it takes.
    pub fn memory_bytes(&self) -> usize {
        size_of::<Parked>() + self.request.memory_bytes()
    }

    /// A session to run the request in while the client's own is elsewhere. What is done to it, the client does not hear of.
    pub fn stand_in(&self, db: u32) -> Client {
        Client {
            db,
            no_touch: self.no_touch,
            import_source: self.import_source,
            ..Client::silent(Arc::clone(&self.shared), self.protocol, Arc::clone(&self.user), true)
        }
    }
}
