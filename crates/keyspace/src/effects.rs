//! What a step did to the keyspace besides its reply: filled through the write door, read by the dispatcher.

use std::collections::VecDeque;

use crate::audience::Stale;
use crate::journal::Unit;

/// Something that happened to a key, for those who subscribed to keyspace events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The class bit (see [`event_class`]).
    pub class: u32,
    /// The name, as in the documentation of keyspace notifications.
    pub name: &'static str,
    /// The database.
    pub db: u32,
    /// The key.
    pub key: Vec<u8>,
    /// The fields of a hash that it is about, if somebody wants to know.
    pub subkeys: Vec<Vec<u8>>,
}

/// Class bits of keyspace events; the letters are those of `notify-keyspace-events`.
pub mod event_class {
    /// `K`: told by the key. Not a class: how events are told.
    pub const KEYSPACE: u32 = 1 << 0;
    /// `E`: told by the event.
    pub const KEYEVENT: u32 = 1 << 1;
    /// `g`: commands that are not specific to a type.
    pub const GENERIC: u32 = 1 << 2;
    /// `$`: strings.
    pub const STRING: u32 = 1 << 3;
    /// `l`: lists.
    pub const LIST: u32 = 1 << 4;
    /// `s`: sets.
    pub const SET: u32 = 1 << 5;
    /// `h`: hashes.
    pub const HASH: u32 = 1 << 6;
    /// `z`: sorted sets.
    pub const ZSET: u32 = 1 << 7;
    /// `x`: expired.
    pub const EXPIRED: u32 = 1 << 8;
    /// `e`: evicted.
    pub const EVICTED: u32 = 1 << 9;
    /// `t`: streams.
    pub const STREAM: u32 = 1 << 10;
    /// `m`: a read of a key that is not there.
    pub const KEY_MISS: u32 = 1 << 11;
    /// `n`: a key that was not there before.
    pub const NEW: u32 = 1 << 14;
    /// `o`: a key whose value was overwritten.
    pub const OVERWRITTEN: u32 = 1 << 15;
    /// `c`: a key whose type changed.
    pub const TYPE_CHANGED: u32 = 1 << 16;
    /// `S`: with its subkeys, told by the key. Not a class, as `K` and the next ones.
    pub const SUBKEYSPACE: u32 = 1 << 17;
    /// `T`: with its subkeys, told by the event.
    pub const SUBKEYEVENT: u32 = 1 << 18;
    /// `I`: told by the key and one subkey.
    pub const SUBKEYSPACEITEM: u32 = 1 << 19;
    /// `V`: with its subkeys, told by event and key.
    pub const SUBKEYSPACEEVENT: u32 = 1 << 20;
    /// All ways in which subkeys are told.
    pub const SUBKEYS: u32 = SUBKEYSPACE | SUBKEYEVENT | SUBKEYSPACEITEM | SUBKEYSPACEEVENT;
}

/// The effects of one step.
#[derive(Debug, Default)]
pub struct Effects {
    /// The number of changes, as `rdb_changes_since_last_save` counts them.
    pub dirty: u64,
    /// Commands for the journal that come before the step's own (removals of expired keys).
    pub unit: Unit,
    /// Keyspace events, in order.
    pub events: Vec<Event>,
    /// What is not any more as somebody has read it, in order.
    pub stale: Vec<Stale>,
    /// Keys, with their databases, that somebody waits for and that may have what is waited for, in the order in which that
    /// came about.
    pub ready: VecDeque<(u32, Box<[u8]>)>,
    /// Values too large to be freed here.
    pub garbage: Vec<crate::Garbage>,
    /// What the step's own thread is to free before it replies, but after its locks are released (DEL, FLUSHALL SYNC).
    pub freed_before_reply: Vec<crate::Garbage>,
}

impl Effects {
    /// Whether the step did nothing that anybody has to hear of.
    #[inline]
    pub fn is_clean(&self) -> bool {
        // In one comparison: this is asked after every command.
        self.dirty | self.left() as u64 == 0
    }

    /// The same, whether or not it changed something: nothing is left to be journalled, told, freed or served.
    #[inline]
    pub fn is_silent(&self) -> bool {
        self.left() | self.ready.len() == 0
    }

    /// 0 if nothing is left to be journalled, told or freed.
    #[inline]
    fn left(&self) -> usize {
        self.unit.len()
            | self.events.len()
            | self.stale.len()
            | self.garbage.len()
            | self.freed_before_reply.len()
    }

    /// Whether there is anything to tell the [`Audience`](crate::Audience).
    #[inline]
    pub(crate) fn has_news(&self) -> bool {
        self.events.len() | self.stale.len() != 0
    }

    /// Ready for the next step.
    pub fn clear(&mut self) {
        self.dirty = 0;
        self.unit.clear();
        self.events.clear();
        self.stale.clear();
    }
}
