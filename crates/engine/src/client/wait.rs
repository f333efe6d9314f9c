//! Who ends the wait of a blocked client.
//!
//! Three may want to: the worker that has what the client waits for, the clock, and CLIENT UNBLOCK on another worker, which
//! has to answer at once whether it was it. So the end is claimed in one atomic step, and only who got it acts.

use crate::sync::atomic::{
    AtomicU8,
    Ordering::{AcqRel, Acquire, Release},
};

/// It does not wait, or in a way that CLIENT UNBLOCK may not end.
const NONE: u8 = 0;
/// It waits.
const OPEN: u8 = 1;
/// CLIENT UNBLOCK has ended the wait; its message is on the way.
const CLAIMED: u8 = 2;

/// The state of a client's wait.
#[derive(Debug, Default)]
pub struct Wait(AtomicU8);

impl Wait {
    /// Begins or forgets a wait; `can_be_ended`: CLIENT UNBLOCK may end it. For the client's own worker.
    pub fn set(&self, can_be_ended: bool) {
        self.0.store(if can_be_ended { OPEN } else { NONE }, Release);
    }

    /// Ends the wait from elsewhere. Who gets `true` (only one does) must post
    /// [`Message::Unblock`](crate::Message::Unblock); nobody else will serve the client meanwhile.
    pub fn claim(&self) -> bool {
        self.0.compare_exchange(OPEN, CLAIMED, AcqRel, Acquire).is_ok()
    }

    /// Whether CLIENT UNBLOCK has ended the wait. To be asked when its message arrives.
    pub fn is_claimed(&self) -> bool {
        self.0.load(Acquire) == CLAIMED
    }

    /// Ends the wait from the client's own worker, because time is up or because what it waited for is there. `false`:
    /// CLIENT UNBLOCK was first, so the client is to be left to the message that is on its way.
    pub fn end(&self) -> bool {
        self.0.load(Acquire) == NONE || self.0.compare_exchange(OPEN, NONE, AcqRel, Acquire).is_ok()
    }
}
