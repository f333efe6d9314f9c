//! A view of the keyspace for one step: the locked stripes, the frozen time, and the write door.
//!
//! A value can be changed only through the methods below, and each of them does all that a change entails: lazy
//! expiry, telling watchers, counting, the access clock, the effects that others want to hear of. A handler cannot
//! forget any of it, because it has no other way to a value.

use std::sync::atomic::Ordering::Relaxed;

use crate::access;
use crate::effects::{Effects, Event, event_class};
use crate::entry::{Entry, EntryRef};
use crate::hash::Key;
use crate::keyspace::Keyspace;
use crate::reclaim::{Garbage, LAZY_FREE_BYTES, LAZY_FREE_EFFORT, SAMPLES};
use crate::settings::Policy;
use crate::stripe::StripeData;
use crate::table::{Location, Table};
use crate::value::{NewValue, OwnedValue, ValueRef};

mod audience;
mod fields;
mod held;
mod integers;
mod objects;
mod parts;
mod strings;
mod transfer;
mod waiting;
mod walk;
mod watching;
mod whole;

pub(crate) use held::Held;
use held::{stripe_in, stripe_of};
pub use objects::{Edit, Edited, WrongType, object_of};
pub use parts::Sweep;
pub use transfer::Overwritten;

/// What a write does to a key's expiry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// Stays as it is.
    Keep,
    /// The key no longer expires.
    Clear,
    /// At this time, unix time in ms.
    At(i64),
}

/// The locked stripes of one step.
pub struct View<'k> {
    keyspace: &'k Keyspace,
    held: Held<'k>,
    now_ms: i64,
    /// The time that clients of this step are told, unix time in us; 0 if none has asked.
    told_us: i64,
    /// The access clock of this moment.
    clock: u32,
    effects: &'k mut Effects,
    no_touch: bool,
    is_import_source: bool,
    /// Whether what is read has been read by this step before, and counted.
    is_repeat: bool,
}

/// What a key is looked up for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Read,
    Write,
    Remove,
}

impl<'k> View<'k> {
    #[inline]
    pub(crate) fn new(
        keyspace: &'k Keyspace,
        held: Held<'k>,
        now_ms: i64,
        effects: &'k mut Effects,
    ) -> View<'k> {
        View {
            keyspace,
            held,
            now_ms,
            told_us: 0,
            clock: access::seconds_clock(now_ms),
            effects,
            no_touch: false,
            is_import_source: false,
            is_repeat: false,
        }
    }

    /// The keyspace this is a view of.
    pub fn keyspace(&self) -> &'k Keyspace {
        self.keyspace
    }

    /// The time of this step, unix time in ms.
    #[inline]
    pub fn now_ms(&self) -> i64 {
        self.now_ms
    }

    /// The time to tell clients of, unix time in us: what `clock_us` says when it is first asked for, and the same for the rest
    /// of the step.
    pub fn told_us(&mut self, clock_us: impl FnOnce() -> i64) -> i64 {
        if self.told_us == 0 {
            self.told_us = clock_us();
        }
        self.told_us
    }

    /// Has clients be told another time from here on. Nothing expires because of it.
    pub fn forget_told_time(&mut self) {
        self.told_us = 0;
    }

    /// A number that nobody can foresee, from the stripe of a key: a seed for what a command draws.
    pub fn seed(&mut self, key: Key<'_>) -> u64 {
        self.stripe(key).random.draw()
    }

    /// Goes on to a later time: what follows is a step of its own.
    pub fn set_now_ms(&mut self, now_ms: i64) {
        self.now_ms = now_ms;
        self.told_us = 0;
        self.clock = access::seconds_clock(now_ms);
    }

    /// What the step did so far.
    pub fn effects(&mut self) -> &mut Effects {
        self.effects
    }

    /// Whether reads leave access clocks alone (CLIENT NO-TOUCH).
    pub fn set_no_touch(&mut self, no_touch: bool) {
        self.no_touch = no_touch;
    }

    /// Says that the step was begun before, and that what it reads was counted, told and touched then.
    pub fn set_repeat(&mut self) {
        (self.is_repeat, self.no_touch) = (true, true);
    }

    /// Whether the step is one of a client that imports data (CLIENT IMPORT-SOURCE): in import mode it sees keys whose
    /// time has come as if it had not.
    pub fn set_import_source(&mut self, is_import_source: bool) {
        self.is_import_source = is_import_source;
    }

    /// Whether keys whose time has come are to this step as any other.
    pub fn sees_expired(&self) -> bool {
        self.is_import_source && self.keyspace.settings.import_mode.load(Relaxed)
    }

    /// Whether every stripe is locked.
    pub fn holds_all(&self) -> bool {
        matches!(self.held, Held::All(_))
    }

    /// Whether no stripe is locked.
    pub fn holds_nothing(&self) -> bool {
        matches!(self.held, Held::None)
    }

    /// A key with its hash.
    #[inline]
    pub fn key<'a>(&self, bytes: &'a [u8]) -> Key<'a> {
        self.keyspace.key(bytes)
    }

    #[inline]
    fn stripe(&mut self, key: Key<'_>) -> &mut StripeData {
        stripe_in(&mut self.held, self.keyspace.stripe_of(key.hash.position()))
    }

    #[inline]
    fn table(&mut self, db: u32, key: Key<'_>) -> &mut Table {
        &mut self.stripe(key).tables[db as usize]
    }

    /// Tells those who prefetch what a change of a table has moved.
    #[inline]
    fn follow(&mut self, db: u32, key: Key<'_>) {
        let (keyspace, index) = (self.keyspace, self.keyspace.stripe_of(key.hash.position()));
        keyspace.follow(index, db, self.table(db, key));
    }

    /// Where a key is, for a read; it is removed if its time has come.
    #[inline]
    fn locate(&mut self, db: u32, key: Key<'_>) -> Option<Location> {
        self.locate_for(db, key, Purpose::Read)
    }

    /// Where a key is, for a write; it is removed if its time has come.
    #[inline]
    fn locate_to_write(&mut self, db: u32, key: Key<'_>) -> Option<Location> {
        self.locate_for(db, key, Purpose::Write)
    }

    #[inline]
    fn locate_for(&mut self, db: u32, key: Key<'_>, purpose: Purpose) -> Option<Location> {
        let now_ms = self.now_ms;
        let table = &self.stripe(key).tables[db as usize];
        let location = table.find(key)?;
        match table.entry(location)?.expire_ms() {
            Some(expire_ms) if expire_ms <= now_ms => self.expire(db, key, location, purpose),
            _ => Some(location),
        }
    }

    #[cold]
    fn expire(&mut self, db: u32, key: Key<'_>, location: Location, purpose: Purpose) -> Option<Location> {
        let settings = &self.keyspace.settings;
        if settings.keeps_expired() || self.sees_expired() {
            return Some(location);
        }
        // Whoever the data are imported from, or ends the pause, says when a key is gone. Until then it is only hidden;
        // but what writes must not find its key's place taken.
        match purpose {
            Purpose::Read if settings.hides_expired(self.now_ms) => return None,
            Purpose::Remove if settings.import_mode.load(Relaxed) => return Some(location),
            _ => {}
        }
        let hasher = self.keyspace.hasher();
        let stripe = self.stripe(key);
        stripe.counters.expired += 1;
        let gone = stripe.tables[db as usize].remove(location, hasher);
        self.follow(db, key);
        self.discard(gone);
        self.note_expired(db, key);
        None
    }

    /// All that the removal of an expired key entails besides the removal.
    fn note_expired(&mut self, db: u32, key: Key<'_>) {
        let lazy = self.keyspace.settings.lazyfree_expire.load(Relaxed);
        self.journal_removal(db, key, lazy);
        self.gone(db, key, false);
        self.notify(event_class::EXPIRED, "expired", db, key.bytes);
    }

    fn journal_removal(&mut self, db: u32, key: Key<'_>, lazy: bool) {
        if self.keyspace.journal.is_active() {
            let name: &[u8] = if lazy { b"UNLINK" } else { b"DEL" };
            self.effects.unit.push(db, [name, key.bytes].into_iter());
        }
    }

    /// What a removal that is no change of its own entails: of keys whose time has come, or that were moved away, which
    /// alone is the step's own doing.
    fn gone(&mut self, db: u32, key: Key<'_>, is_own: bool) {
        if self.stripe(key).has_observers() {
            self.tell_observers(db, key, is_own);
        }
    }

    /// What every change of a key entails.
    #[inline]
    fn changed(&mut self, db: u32, key: Key<'_>) {
        self.effects.dirty += 1;
        let stripe = self.stripe(key);
        stripe.counters.changes += 1;
        if stripe.has_observers() {
            self.tell_observers(db, key, true);
        }
    }

    /// Adds an event, if anybody listens to its class.
    #[inline]
    pub fn notify(&mut self, class: u32, name: &'static str, db: u32, key: &[u8]) {
        if self.keyspace.settings.notify_classes.load(Relaxed) & class != 0 {
            self.push_event(class, name, (db, key), Vec::new());
        }
    }

    fn push_event(&mut self, class: u32, name: &'static str, (db, key): (u32, &[u8]), subkeys: Vec<Vec<u8>>) {
        self.effects.events.push(Event { class, name, db, key: key.to_vec(), subkeys });
    }

    /// The same for an event about some fields of a hash.
    fn notify_of_fields(&mut self, name: &'static str, db: u32, key: &[u8], fields: &[Vec<u8>]) {
        let wanted = self.keyspace.settings.notify_classes.load(Relaxed);
        if wanted & event_class::HASH != 0 {
            let subkeys = if wanted & event_class::SUBKEYS != 0 { fields.to_vec() } else { Vec::new() };
            self.push_event(event_class::HASH, name, (db, key), subkeys);
        }
    }

    #[inline]
    fn touch(&mut self, db: u32, key: Key<'_>, location: Location, policy: Policy) {
        let now_ms = self.now_ms;
        if policy.is_lfu() {
            let (lfu, random) = (self.keyspace.settings.lfu(), self.stripe(key).random.draw() as u32);
            if let Some(mut entry) = self.table(db, key).entry_in_place(location) {
                let access = access::count_use(entry.as_ref().access(), now_ms, lfu, random);
                entry.set_access(access);
            }
        } else if let Some(mut entry) = self.table(db, key).entry_in_place(location) {
            let clock = access::seconds_clock(now_ms);
            if entry.as_ref().access() != clock {
                entry.set_access(clock);
            }
        }
    }

    /// A key's entry for a command that reads it: counted as a hit or a miss, its access clock moved.
    #[inline]
    pub fn read(&mut self, db: u32, key: Key<'_>) -> Option<EntryRef<'_>> {
        match self.read_quickly(db, key) {
            Some(location) => self.table(db, key).entry(location),
            None => self.read_slowly(db, key),
        }
    }

    /// Does all that a read entails where that is little: the key is there, does not expire now, and its access clock
    /// is a clock. In one go, because this is the path of every GET.
    #[inline]
    fn read_quickly(&mut self, db: u32, key: Key<'_>) -> Option<Location> {
        if self.no_touch || self.keyspace.settings.reads_set_no_clock() {
            return None;
        }
        let (now_ms, clock) = (self.now_ms, self.clock);
        let StripeData { tables, counters, .. } = self.stripe(key);
        let table = tables.made_mut(db as usize)?;
        let location = table.find(key)?;
        if !table.use_entry(location, now_ms, clock) {
            return None;
        }
        counters.hits += 1;
        Some(location)
    }

    #[inline(never)]
    fn read_slowly(&mut self, db: u32, key: Key<'_>) -> Option<EntryRef<'_>> {
        let location = self.locate_heard(db, key)?;
        let policy = self.keyspace.settings.policy();
        if !self.no_touch && !policy.is_lrm() {
            self.touch(db, key, location, policy);
        }
        self.table(db, key).entry(location)
    }

    /// Counts a hit of a key that was found in another way.
    pub fn count_hit(&mut self, key: Key<'_>) {
        if !self.is_repeat {
            self.stripe(key).counters.hits += 1;
        }
    }

    /// Where a key is, counted as a hit or a miss.
    fn locate_counted(&mut self, db: u32, key: Key<'_>) -> Option<Location> {
        let location = self.locate(db, key);
        if self.is_repeat {
            return location;
        }
        let counters = &mut self.stripe(key).counters;
        match location {
            Some(_) => counters.hits += 1,
            None => counters.misses += 1,
        }
        location
    }

    /// The same, and listeners hear of a miss.
    fn locate_heard(&mut self, db: u32, key: Key<'_>) -> Option<Location> {
        let location = self.locate_counted(db, key);
        if location.is_none() && !self.is_repeat {
            self.notify(event_class::KEY_MISS, "keymiss", db, key.bytes);
        }
        location
    }

    /// A key's entry for a command that asks about the key rather than its value: counted, but its access clock is left
    /// alone.
    pub fn look(&mut self, db: u32, key: Key<'_>) -> Option<EntryRef<'_>> {
        let location = self.locate_heard(db, key)?;
        self.table(db, key).entry(location)
    }

    /// The same for a command about what the server keeps of the key: a miss is counted, but no listener hears of it.
    pub fn look_quietly(&mut self, db: u32, key: Key<'_>) -> Option<EntryRef<'_>> {
        let location = self.locate_counted(db, key)?;
        self.table(db, key).entry(location)
    }

    /// A key's entry without a trace: not counted, its access clock left alone.
    #[inline]
    pub fn peek(&mut self, db: u32, key: Key<'_>) -> Option<EntryRef<'_>> {
        let location = self.locate(db, key)?;
        self.table(db, key).entry(location)
    }

    /// A key's entry for a command that is about to change it: not counted, but its access clock moves.
    #[inline]
    pub fn read_to_write(&mut self, db: u32, key: Key<'_>) -> Option<EntryRef<'_>> {
        let location = self.locate_to_write(db, key)?;
        if !self.no_touch {
            self.touch(db, key, location, self.keyspace.settings.policy());
        }
        self.table(db, key).entry(location)
    }

    /// Moves a key's access clock as a read does; whether the key exists.
    pub fn touch_key(&mut self, db: u32, key: Key<'_>) -> bool {
        self.read(db, key).is_some()
    }

    /// Whether a key exists.
    #[inline]
    pub fn exists(&mut self, db: u32, key: Key<'_>) -> bool {
        self.locate(db, key).is_some()
    }

    /// Whether a key is there whose time has come; leaves it there.
    pub fn is_expired(&mut self, db: u32, key: Key<'_>) -> bool {
        let sees_expired = self.sees_expired() || self.keyspace.settings.loading.load(Relaxed);
        let now_ms = self.now_ms;
        let table = &self.stripe(key).tables[db as usize];
        let expire_ms = table.find(key).and_then(|location| table.entry(location)?.expire_ms());
        expire_ms.is_some_and(|expire_ms| expire_ms <= now_ms) && !sees_expired
    }

    /// Gives a key a value, whatever it held.
    #[inline]
    pub fn set(&mut self, db: u32, key: Key<'_>, value: NewValue<'_>, expiry: Expiry) {
        let Some(location) = self.locate_to_write(db, key) else {
            let expire_ms = if let Expiry::At(expire_ms) = expiry { Some(expire_ms) } else { None };
            self.create(db, key, value, expire_ms);
            return;
        };
        self.note_overwrite(db, key, location, &value);
        self.overwrite(db, key, location, value, expiry);
        self.changed(db, key);
    }

    /// Gives a key a value that follows from the one it has (a sum, say): as [`View::set`], but it is no overwriting
    /// that listeners hear of, and counts as a use.
    pub fn update(&mut self, db: u32, key: Key<'_>, value: NewValue<'_>, expiry: Expiry) {
        match self.locate_to_write(db, key) {
            Some(location) => self.update_at(db, key, location, value, expiry),
            None => {
                let expire_ms = if let Expiry::At(expire_ms) = expiry { Some(expire_ms) } else { None };
                self.create(db, key, value, expire_ms);
            }
        }
    }

    #[inline]
    fn update_at(&mut self, db: u32, key: Key<'_>, location: Location, value: NewValue<'_>, expiry: Expiry) {
        let policy = self.keyspace.settings.policy();
        // The other policies' clock is moved with the value.
        if policy.is_lfu() && !self.no_touch {
            self.touch(db, key, location, policy);
        }
        self.overwrite(db, key, location, value, expiry);
        self.changed(db, key);
    }

    fn create(&mut self, db: u32, key: Key<'_>, value: NewValue<'_>, expire_ms: Option<i64>) -> Location {
        let location = self.create_quietly(db, key, value, expire_ms);
        self.notify(event_class::NEW, "new", db, key.bytes);
        location
    }

    /// The same, and listeners to events do not hear of it.
    fn create_quietly(
        &mut self,
        db: u32,
        key: Key<'_>,
        value: NewValue<'_>,
        expire_ms: Option<i64>,
    ) -> Location {
        let hasher = self.keyspace.hasher();
        let access = access::initial(self.keyspace.settings.policy(), self.now_ms);
        let entry = Entry::new(key.bytes, value, expire_ms, access);
        let location = self.table(db, key).insert(key, entry, hasher);
        self.follow(db, key);
        self.changed(db, key);
        location
    }

    #[inline]
    fn note_overwrite(&mut self, db: u32, key: Key<'_>, location: Location, value: &NewValue<'_>) {
        let wanted = self.keyspace.settings.notify_classes.load(Relaxed);
        if wanted & (event_class::OVERWRITTEN | event_class::TYPE_CHANGED) == 0 {
            return;
        }
        let name_of_new = if let NewValue::Object(object) = value { object.type_name() } else { "string" };
        let name_of_old = self.table(db, key).entry(location).map_or("none", type_name);
        self.notify(event_class::OVERWRITTEN, "overwritten", db, key.bytes);
        if name_of_old != name_of_new {
            self.notify(event_class::TYPE_CHANGED, "type_changed", db, key.bytes);
        }
    }

    #[inline]
    fn overwrite(&mut self, db: u32, key: Key<'_>, location: Location, value: NewValue<'_>, expiry: Expiry) {
        let (policy, clock) = (self.keyspace.settings.policy(), self.clock);
        let table = self.table(db, key);
        let Some(mut entry) = table.entry_mut(location) else { return };
        let old_expire_ms = entry.as_ref().expire_ms();
        let expire_ms = match expiry {
            Expiry::Keep => old_expire_ms,
            Expiry::Clear => None,
            Expiry::At(expire_ms) => Some(expire_ms),
        };
        let access = match policy.is_lfu() {
            true => entry.as_ref().access(),
            false => clock,
        };
        if expire_ms.is_some() == old_expire_ms.is_some() && entry.overwrite(&value) {
            entry.set_access(access);
            if expire_ms != old_expire_ms {
                table.set_expire(location, key, expire_ms);
            }
            return;
        }
        let old = table.replace(location, key, Entry::new(key.bytes, value, expire_ms, access));
        self.discard(old);
    }

    /// Frees a value here if that is quick, elsewhere if not.
    #[inline]
    fn discard(&mut self, gone: Option<Entry>) {
        let Some(entry) = gone else { return };
        if let ValueRef::Object(object) = entry.as_ref().value()
            && (object.free_effort() > LAZY_FREE_EFFORT || object.heap_bytes() > LAZY_FREE_BYTES)
        {
            self.effects.garbage.push(Garbage::Entry(entry));
        }
    }

    /// Removes a key; whether it was there.
    pub fn remove(&mut self, db: u32, key: Key<'_>) -> bool {
        let gone = self.take_entry(db, key);
        let was_there = gone.is_some();
        self.discard(gone);
        was_there
    }

    fn take_entry(&mut self, db: u32, key: Key<'_>) -> Option<Entry> {
        let location = self.locate_for(db, key, Purpose::Remove)?;
        let hasher = self.keyspace.hasher();
        let gone = self.table(db, key).remove(location, hasher);
        self.follow(db, key);
        self.changed(db, key);
        gone
    }

    /// Removes a key to make room (eviction): counted and journalled as such. Bytes that come back, if it was there.
    pub fn evict(&mut self, db: u32, key: Key<'_>) -> Option<usize> {
        let lazy = self.keyspace.settings.lazyfree_eviction.load(Relaxed);
        let entry = self.take_entry(db, key)?;
        let bytes = entry.as_ref().memory_bytes_estimate(SAMPLES);
        self.discard(Some(entry));
        self.stripe(key).counters.evicted += 1;
        self.journal_removal(db, key, lazy);
        self.notify(event_class::EVICTED, "evicted", db, key.bytes);
        Some(bytes)
    }

    /// Removes a key and returns its value and expiry.
    pub fn take(&mut self, db: u32, key: Key<'_>) -> Option<(OwnedValue, Option<i64>)> {
        let entry = self.take_entry(db, key)?;
        let expire_ms = entry.as_ref().expire_ms();
        Some((entry.into_value(), expire_ms))
    }

    /// Changes when a key expires; whether the key is there. A time that has passed leaves it to the next look.
    pub fn set_expire(&mut self, db: u32, key: Key<'_>, expire_ms: Option<i64>) -> bool {
        let Some(location) = self.locate_to_write(db, key) else { return false };
        self.table(db, key).set_expire(location, key, expire_ms);
        self.changed(db, key);
        true
    }

    /// Sets the access clock of a key (RESTORE, DEBUG); whether the key is there.
    pub fn set_access(&mut self, db: u32, key: Key<'_>, access: u32) -> bool {
        let Some(location) = self.locate_to_write(db, key) else { return false };
        if let Some(mut entry) = self.table(db, key).entry_mut(location) {
            entry.set_access(access);
        }
        true
    }
}

/// The name that TYPE answers for an entry.
pub fn type_name(entry: EntryRef<'_>) -> &'static str {
    match entry.value() {
        ValueRef::Object(object) => object.type_name(),
        _ => "string",
    }
}
