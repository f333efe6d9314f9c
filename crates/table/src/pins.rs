//! Pins: a map as it was at an instant, read on any thread without a lock while the map goes on. Unsafe leaf module.
//!
//! ```text
//! Map ── segments ── lines (own, or shared) ── items            what the map has now
//!  └── Pins ──> Generation <── Pin, Pin ...                     newest
//!                   │ frozen: the lines as they were
//!                   └ graveyard: items, lines, ... that left the map since
//!                       ^
//!               Generation <── Pin ...                          older; keeps the newer one's graveyard
//! ```
//!
//! A pin is made in a walk over the segments, 66 bytes for some 400 items: a map with the same lines, which are shared from then
//! on, so that it can be walked and asked like any other. A writer that gets to shared lines for the first time puts a copy in
//! their place. Items are not counted. They
//! belong to the map or to a *graveyard*, that of the newest generation at the time they left the map: whoever pinned the map
//! before keeps it, directly or through the generations between. What a graveyard has was in some pin, each item and line
//! once, so it is never more than the map was.
//!
//! - An item that came after the newest pin is *young* (a bit in its slot): changed in place and freed at once, as if
//!   there were no pins. Others are replaced and buried.
//! - Making a pin does not touch slots. Lines that are shared count as if no item in them were young, and the copy of them
//!   is made like that.
//! - A pin of a map that has not changed since the last one shares its generation.
//! - A generation ends with its last pin, on the pin's thread: there its graveyard is freed, outside of all locks. The map notices at
//!   its next change.
//!
//! What another thread reads is thus never written: the map (made before the pin is), shared lines, items that are not young.
//! The only words that both sides write are the number of a generation's readers and what its mutex holds.
#![allow(unsafe_code)]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::item::Item;
use crate::lines::{Lines, Memory};
use crate::map::{Map, Root};
use crate::sample::{Iter, WalkPosition};
use crate::slot::Slot;
use crate::table::Location;

const ITEMS_IN_PART: usize = 1024;

/// Items in parts, so that many are never moved at once.
struct Items<I>(Vec<Vec<I>>);

impl<I> Items<I> {
    fn len(&self) -> usize {
        self.0.iter().map(Vec::len).sum()
    }

    fn push(&mut self, item: I) {
        match self.0.last_mut() {
            Some(part) if part.len() < ITEMS_IN_PART => part.push(item),
            _ => self.0.push(vec![item]),
        }
    }
}

/// What left the map while it was pinned.
struct Graveyard<I: Item> {
    items: Items<I>,
    memory: Vec<Memory>,
    /// What maps were when they ended or were emptied.
    roots: Vec<Ended<I>>,
    /// What owners of maps add.
    others: Vec<Box<dyn Send>>,
    /// The generation after this one, of which this is a reader.
    next: Option<Arc<Generation<I>>>,
}

impl<I: Item> Graveyard<I> {
    const EMPTY: Graveyard<I> = Graveyard {
        items: Items(Vec::new()),
        memory: Vec::new(),
        roots: Vec::new(),
        others: Vec::new(),
        next: None,
    };

    fn is_untouched(&self) -> bool {
        self.memory.is_empty() && self.items.0.is_empty() && self.roots.is_empty() && self.others.is_empty()
    }
}

/// What a map was. When it is dropped no pin needs it any more.
struct Ended<I: Item>(Root<I>);

impl<I: Item> Drop for Ended<I> {
    fn drop(&mut self) {
        // SAFETY: it is dropped with the graveyard that keeps it for pins, or without having got there as there were none.
        self.0.lines_mut().for_each(|lines| unsafe { lines.reclaim() });
    }
}

/// A map as it was, and what left it since.
struct Generation<I: Item> {
    /// The map as it was, all of its lines shared: to be looked at by readers only.
    frozen: Map<I>,
    /// Pins, and the generation before if it has any. Never more again once it is zero.
    readers: AtomicUsize,
    /// Gone when there are no more readers.
    graveyard: Mutex<Option<Graveyard<I>>>,
}

impl<I: Item> Generation<I> {
    fn graveyard(&self) -> MutexGuard<'_, Option<Graveyard<I>>> {
        self.graveyard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether anybody may still read it. If not, then all that readers did has happened before.
    fn has_readers(&self) -> bool {
        self.readers.load(Ordering::Acquire) > 0
    }

    /// Becomes a reader of a generation that has some.
    fn join(&self) -> bool {
        let more = |readers: usize| (readers > 0).then(|| readers + 1);
        self.readers.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok()
    }

    /// Ends being a reader. The last one frees what was kept for them.
    fn leave(self: &Arc<Self>) {
        let mut generation = Arc::clone(self);
        while generation.readers.fetch_sub(1, Ordering::AcqRel) == 1 {
            let graveyard = generation.graveyard().take();
            let Some(next) = graveyard.and_then(|mut graveyard| graveyard.next.take()) else { return };
            generation = next;
        }
    }
}

impl<I: Item> Drop for Generation<I> {
    fn drop(&mut self) {
        // Not as the end of a map, which is the end of its lines: these are shared, and freed by others.
        drop(self.frozen.take_root());
    }
}

/// A map as it was when it was pinned. Dropping the last pin of a map frees what the map has let go of meanwhile, which takes as
/// long as freeing that always does ([`Pin::free_effort`]): better on a thread that has the time.
pub struct Pin<I: Item>(Arc<Generation<I>>);

impl<I: Item> Pin<I> {
    /// The number of items.
    pub fn len(&self) -> usize {
        self.0.frozen.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The map as it was, to be asked for its items.
    pub fn map(&self) -> &Map<I> {
        &self.0.frozen
    }

    /// How many allocations have been kept for this pin and others of its time alone, roughly.
    pub fn free_effort(&self) -> usize {
        let graveyard = self.0.graveyard();
        graveyard.as_ref().map_or(0, |graveyard| {
            let roots: usize = graveyard.roots.iter().map(|ended| ended.0.len()).sum();
            graveyard.items.len() + graveyard.memory.len() + roots
        })
    }

    /// The item at a place that [`Map::locate`](crate::Map::locate) returned when the map was what it is here.
    pub fn get(&self, location: Location) -> Option<I::Ref<'_>> {
        self.0.frozen.item(location)
    }

    /// The items from a position on (the default is the beginning), in the order of the lines.
    pub fn iter_from(&self, position: WalkPosition) -> Iter<'_, I> {
        self.0.frozen.iter_from(position)
    }
}

impl<I: Item> Drop for Pin<I> {
    fn drop(&mut self) {
        self.0.leave();
    }
}

impl<I: Item> std::fmt::Debug for Pin<I> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Pin").field("len", &self.len()).finish_non_exhaustive()
    }
}

/// An item that is to be changed.
pub enum Access<'a, I: Item> {
    /// Nobody else has it.
    Own(I::Mut<'a>),
    /// Pins have it: it can only be replaced.
    Pinned(I::Ref<'a>),
}

/// What a map knows of its pins: their newest generation.
pub struct Pins<I: Item>(Option<Arc<Generation<I>>>);

impl<I: Item> Pins<I> {
    pub(crate) const NONE: Pins<I> = Pins(None);

    /// Whether there may be pins.
    #[inline]
    pub(crate) fn may_exist(&self) -> bool {
        self.0.is_some()
    }

    /// The newest generation, forgotten if it has ended.
    fn newest(&mut self) -> Option<&Arc<Generation<I>>> {
        if self.0.as_ref().is_some_and(|generation| !generation.has_readers()) {
            self.0 = None;
        }
        self.0.as_ref()
    }

    /// Whether there are pins.
    pub(crate) fn exist(&mut self) -> bool {
        self.newest().is_some()
    }

    /// A pin of the newest generation, if the map is still what it was then.
    pub(crate) fn again(&mut self) -> Option<Pin<I>> {
        let generation = self.newest()?;
        let is_untouched = generation.graveyard().as_ref().is_some_and(Graveyard::is_untouched);
        (is_untouched && generation.join()).then(|| Pin(Arc::clone(generation)))
    }

    /// A pin of a new generation, with all that a map has.
    pub(crate) fn pin(&mut self, root: &mut Root<I>) -> Pin<I> {
        // SAFETY: only readers look at what is frozen, and it is taken apart without a look at any line. Until the last of them
        // has left, lines and items that leave the map are buried in this generation or a later one, which this one keeps.
        let frozen = Map::of(root.share(&mut |lines| unsafe { lines.freeze() }));
        let graveyard = Mutex::new(Some(Graveyard::EMPTY));
        let generation = Arc::new(Generation { frozen, readers: AtomicUsize::new(1), graveyard });
        if let Some(older) = self.0.replace(Arc::clone(&generation))
            && let Some(graveyard) = &mut *older.graveyard()
        {
            generation.join();
            graveyard.next = Some(Arc::clone(&generation));
        }
        Pin(generation)
    }

    /// Puts away what pins may still need; drops it if there are none.
    fn bury(&mut self, put: impl FnOnce(&mut Graveyard<I>)) {
        if let Some(generation) = self.newest()
            && let Some(graveyard) = &mut *generation.graveyard()
        {
            put(graveyard);
        }
    }

    /// Makes lines the segment's own.
    #[cold]
    #[inline(never)]
    pub(crate) fn part(&mut self, lines: &mut Lines<I>) {
        if self.exist() {
            let old = lines.part();
            self.bury(|graveyard| graveyard.memory.push(old));
        } else {
            // SAFETY: there are none; and new ones are made by whoever has the map exclusively.
            unsafe { lines.reclaim() };
        }
    }

    /// Lets an item go that was taken out of a slot.
    #[inline]
    pub(crate) fn let_go(&mut self, item: I, is_young: bool) {
        if self.may_exist() && !is_young {
            self.bury_item(item);
        }
    }

    #[cold]
    #[inline(never)]
    fn bury_item(&mut self, item: I) {
        self.bury(|graveyard| graveyard.items.push(item));
    }

    /// Lets all segments of a map go.
    pub(crate) fn let_go_of_all(&mut self, root: Root<I>) {
        let ended = Ended(root);
        self.bury(|graveyard| graveyard.roots.push(ended));
    }

    /// Prepares for the end of a map: what is left in `root` may be dropped after this.
    pub(crate) fn end(&mut self, root: &mut Root<I>) {
        if self.exist() {
            self.let_go_of_all(std::mem::replace(root, Root::empty()));
        } else {
            // SAFETY: there are none, and the map, which is dropped, makes no new ones.
            root.lines_mut().for_each(|lines| unsafe { lines.reclaim() });
        }
    }

    pub(crate) fn bury_memory(&mut self, memory: &mut Vec<Memory>) {
        self.bury(|graveyard| graveyard.memory.append(memory));
        memory.clear();
    }

    pub(crate) fn bury_other(&mut self, other: Box<dyn Send>) {
        self.bury(|graveyard| graveyard.others.push(other));
    }

    /// The item of a slot in a segment's own lines, to be changed.
    #[inline]
    pub(crate) fn access<'a>(&mut self, slot: &'a mut Slot<I>) -> Option<Access<'a, I>> {
        if self.may_exist() && !slot.is_young() && self.exist() {
            return slot.item().map(Access::Pinned);
        }
        // SAFETY: no pin has the item: it is young, or there are none.
        unsafe { slot.item_mut() }.map(Access::Own)
    }
}
