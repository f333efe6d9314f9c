//! What a client has that is told things besides its replies: subscriptions, and the keys that it keeps copies of.

use crate::messages::Subscriptions;

/// How a client's keys are tracked (CLIENT TRACKING).
#[derive(Debug, Default)]
pub struct Tracking {
    /// Whether they are.
    pub is_on: bool,
    /// Whether it hears of all keys with some prefix instead of those that it has read.
    pub broadcasts: bool,
    /// Those prefixes.
    pub prefixes: Vec<Box<[u8]>>,
    /// Whether only those reads count that CLIENT CACHING YES precedes.
    pub opts_in: bool,
    /// Whether those reads do not count that CLIENT CACHING NO precedes.
    pub opts_out: bool,
    /// Whether CLIENT CACHING has just been called, and what it was told.
    pub caching: Option<bool>,
}

impl Tracking {
    /// Whether the keys that the client reads now are to be noted.
    #[inline]
    pub(crate) fn notes_reads(&self) -> bool {
        self.is_on
            && !self.broadcasts
            && match self.caching {
                Some(is_wanted) => is_wanted,
                None => !self.opts_in,
            }
    }
}

/// All of it.
#[derive(Debug, Default)]
pub struct Listening {
    /// What it is subscribed to.
    pub subscriptions: Subscriptions,
    /// Which keys it keeps copies of.
    pub tracking: Tracking,
    /// What is to be told before the reply of the command that is being run: everything up to this number.
    pub(crate) until: u64,
    /// What the command told it although it wants no reply.
    pub(crate) regardless: Vec<u8>,
}

impl Listening {
    /// Whether there is nothing that it could be told.
    pub(crate) fn is_over(&self) -> bool {
        self.subscriptions.is_empty() && !self.tracking.is_on
    }

    /// Bytes that it takes.
    pub(crate) fn memory_bytes(&self) -> usize {
        let prefixes: usize = self.tracking.prefixes.iter().map(|prefix| 2 * prefix.len() + 64).sum();
        size_of::<Listening>() + self.subscriptions.memory_bytes() + prefixes
    }
}
