//! Those who hear of changes while the stripes that changed are still locked: subscribers of keyspace events, and clients
//! that cache what they have read.
//!
//! Effects collect what there is to tell; the view tells it before it lets go of any stripe, at the latest when it is
//! dropped. So nobody who changes a key can forget it, and of one key everybody hears in the order of its changes,
//! whichever threads make them.

use smallvec::SmallVec;

use crate::effects::Event;

/// What a step has to tell.
#[derive(Debug)]
pub struct News<'e> {
    /// Keyspace events, in order.
    pub events: &'e [Event],
    /// What is not any more as it was read, in order.
    pub stale: &'e [Stale],
    /// The classes of events that somebody wants to hear of, and how.
    pub notify_classes: u32,
    /// The client whose step this is; 0 if it is nobody's.
    pub author: u64,
}

/// Something that is not any more as somebody may have read it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Stale {
    /// A key, in whatever database.
    Key {
        /// Its name.
        name: Box<[u8]>,
        /// Those who have read it.
        readers: Readership,
        /// Whether those are to be told, too, who hear of all keys with some prefix.
        is_public: bool,
        /// Whether the author of the step has done this, rather than the time, or the lack of memory.
        is_own: bool,
    },
    /// Every key.
    Everything,
}

/// Readers of one key, by number.
pub type Readership = SmallVec<[u64; 2]>;

/// Who is told.
pub trait Audience: Send + Sync {
    /// Hears of what a step did, whose stripes are locked: hand it over, do nothing slow.
    fn hear(&self, news: &News<'_>);
}
