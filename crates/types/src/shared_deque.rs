//! A deque of a few dozen items that can be read elsewhere as it is now, while it goes on changing here.
//!
//! ```text
//!   alone     own:     [ item, item, item, .. ]
//!   pinned    shared:  ----------------------------->  [ item, item, item, .. ]  <---- a pin
//!   changed   own:     [ (0), (1), item, (3), item ]       ^     ^           ^
//!                         '----|----------'----------------'-----'-----------'
//! ```
//!
//! Lists and streams keep their nodes, and streams what is pending, in directories of such deques. A pin takes the
//! directory: what is in a deque moves, as it is, into an allocation that both sides refer to. Whoever changes it then
//! gets a deque of its own whose slots refer to the items there, and only the item that is changed is copied. So nothing
//! is counted, and nothing is larger, as long as there was no pin: a slot is as large as its item, and whether it is its
//! own is a branch on what has to be loaded anyway. A pin costs an allocation for each deque, the first change to a
//! deque one for its slots, the first change to an item a copy of that.
//!
//! A slot refers to items, never to slots that refer further. When the pins are gone, a shared deque becomes its only
//! owner's again with the next change; one that was changed meanwhile takes its items back with the next change to one of
//! them that is not at an end. Items that have been replaced stay until then: no more bytes than the deque had when it was pinned.
//!
//! Rejected: items with a counter each (`Arc`). A pin of a million large elements would have to count every one of them,
//! which is a miss of the cache each, and elements pushed and popped would pay for the counter's allocation.

use std::collections::{BTreeSet, VecDeque};
use std::ops::Deref;
use std::sync::Arc;

/// A deque whose items can be shared.
#[derive(Clone)]
pub(crate) struct SharedDeque<T>(Repr<T>);

#[derive(Clone)]
enum Repr<T> {
    Own(VecDeque<Slot<T>>),
    Shared(Arc<VecDeque<Slot<T>>>),
}

/// A place for an item, which may be in a shared deque.
#[derive(Clone)]
pub(crate) struct Slot<T>(Place<T>);

#[derive(Clone)]
enum Place<T> {
    Own(T),
    Shared(Elsewhere<T>),
}

/// An item of a shared deque, which is that deque's own.
struct Elsewhere<T> {
    deque: Arc<VecDeque<Slot<T>>>,
    index: u32,
}

impl<T> Clone for Elsewhere<T> {
    fn clone(&self) -> Elsewhere<T> {
        Elsewhere { deque: Arc::clone(&self.deque), index: self.index }
    }
}

impl<T> Elsewhere<T> {
    #[cold]
    #[inline(never)]
    fn get(&self) -> &T {
        match &self.deque[self.index as usize].0 {
            Place::Own(item) => item,
            Place::Shared(further) => further.get(),
        }
    }
}

impl<T> Slot<T> {
    #[inline]
    pub(crate) fn new(item: T) -> Slot<T> {
        Slot(Place::Own(item))
    }

    #[inline]
    fn is_own(&self) -> bool {
        matches!(self.0, Place::Own(_))
    }

    #[inline]
    fn own_mut(&mut self) -> Option<&mut T> {
        match &mut self.0 {
            Place::Own(item) => Some(item),
            Place::Shared(_) => None,
        }
    }

    /// Slots of a new deque that refer to the items of a shared one.
    fn refer_to(deque: &Arc<VecDeque<Slot<T>>>) -> VecDeque<Slot<T>> {
        let refer = |(index, slot): (usize, &Slot<T>)| match &slot.0 {
            Place::Own(_) => Elsewhere { deque: Arc::clone(deque), index: index as u32 },
            Place::Shared(further) => further.clone(),
        };
        deque.iter().enumerate().map(refer).map(|it| Slot(Place::Shared(it))).collect()
    }
}

impl<T> From<T> for Slot<T> {
    fn from(item: T) -> Slot<T> {
        Slot::new(item)
    }
}

impl<T: Clone> Slot<T> {
    /// The item: a copy of it, if it is shared.
    pub(crate) fn into_item(self) -> T {
        match self.0 {
            Place::Own(item) => item,
            Place::Shared(elsewhere) => elsewhere.get().clone(),
        }
    }
}

impl<T: Clone> Slot<T> {
    /// The item, to be changed: a copy of it, if it is shared.
    #[inline]
    fn make_mut(&mut self) -> &mut T {
        match self.0 {
            Place::Own(ref mut item) => item,
            Place::Shared(_) => self.copied(),
        }
    }

    #[cold]
    #[inline(never)]
    fn copied(&mut self) -> &mut T {
        self.0 = Place::Own(T::clone(self));
        match &mut self.0 {
            Place::Own(item) => item,
            Place::Shared(_) => unreachable!("it has just been made its own"),
        }
    }
}

impl<T> Deref for Slot<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        match &self.0 {
            Place::Own(item) => item,
            Place::Shared(elsewhere) => elsewhere.get(),
        }
    }
}

impl<T> Default for SharedDeque<T> {
    fn default() -> SharedDeque<T> {
        SharedDeque(Repr::Own(VecDeque::new()))
    }
}

impl<T> SharedDeque<T> {
    #[inline]
    fn slots(&self) -> &VecDeque<Slot<T>> {
        match &self.0 {
            Repr::Own(slots) => slots,
            Repr::Shared(slots) => slots,
        }
    }

    /// The slots, to be changed: if they are shared, others that refer to the same items.
    #[inline]
    fn own(&mut self) -> &mut VecDeque<Slot<T>> {
        match self.0 {
            Repr::Own(ref mut slots) => slots,
            Repr::Shared(_) => self.unshared(),
        }
    }

    #[cold]
    #[inline(never)]
    fn unshared(&mut self) -> &mut VecDeque<Slot<T>> {
        let own = match std::mem::replace(&mut self.0, Repr::Own(VecDeque::new())) {
            Repr::Own(slots) => slots,
            Repr::Shared(shared) => Arc::try_unwrap(shared).unwrap_or_else(|shared| Slot::refer_to(&shared)),
        };
        self.0 = Repr::Own(own);
        match &mut self.0 {
            Repr::Own(slots) => slots,
            Repr::Shared(_) => unreachable!("they have just been made its own"),
        }
    }

    /// The deque as it is now, for somebody else: neither side sees what the other one changes. Cheap, whatever the
    /// items are.
    pub(crate) fn share(&mut self) -> SharedDeque<T> {
        let shared = match std::mem::replace(&mut self.0, Repr::Own(VecDeque::new())) {
            Repr::Own(slots) => Arc::new(slots),
            Repr::Shared(shared) => shared,
        };
        self.0 = Repr::Shared(Arc::clone(&shared));
        SharedDeque(Repr::Shared(shared))
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.slots().len()
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many slots there is room for.
    pub(crate) fn capacity(&self) -> usize {
        self.slots().capacity()
    }

    #[inline]
    pub(crate) fn get(&self, index: usize) -> Option<&T> {
        self.slots().get(index).map(Slot::deref)
    }

    #[inline]
    pub(crate) fn first(&self) -> Option<&T> {
        self.slots().front().map(Slot::deref)
    }

    #[inline]
    pub(crate) fn last(&self) -> Option<&T> {
        self.slots().back().map(Slot::deref)
    }

    /// The items from number `from` on.
    #[inline]
    pub(crate) fn iter_from(&self, from: usize) -> Items<'_, T> {
        let slots = self.slots();
        Items(slots.range(from.min(slots.len())..))
    }

    /// The items before number `end`.
    #[inline]
    pub(crate) fn iter_to(&self, end: usize) -> Items<'_, T> {
        let slots = self.slots();
        Items(slots.range(..end.min(slots.len())))
    }

    #[inline]
    pub(crate) fn iter(&self) -> Items<'_, T> {
        Items(self.slots().iter())
    }

    /// How many items at the front `is_low` holds for, if it holds for none behind one for which it does not.
    #[inline]
    pub(crate) fn partition_point(&self, mut is_low: impl FnMut(&T) -> bool) -> usize {
        self.slots().partition_point(|slot| is_low(slot))
    }

    #[inline]
    pub(crate) fn push_back(&mut self, slot: Slot<T>) {
        self.own().push_back(slot);
    }

    pub(crate) fn insert(&mut self, index: usize, slot: Slot<T>) {
        self.own().insert(index, slot);
    }

    pub(crate) fn remove(&mut self, index: usize) -> Option<Slot<T>> {
        self.own().remove(index)
    }

    /// Puts a slot in the place of number `index`; gives that.
    pub(crate) fn replace(&mut self, index: usize, slot: Slot<T>) -> Option<Slot<T>> {
        self.own().get_mut(index).map(|old| std::mem::replace(old, slot))
    }

    /// Room for one item, to begin with.
    pub(crate) fn reserve_one(&mut self) {
        self.own().reserve_exact(1);
    }

    /// Takes out what is at `index` and behind.
    pub(crate) fn split_off(&mut self, index: usize) -> SharedDeque<T> {
        SharedDeque(Repr::Own(self.own().split_off(index)))
    }

    /// Adds what is in another deque.
    pub(crate) fn append(&mut self, mut next: SharedDeque<T>) {
        self.own().append(next.own());
    }

    /// Gives back memory that is not needed for `len` slots.
    pub(crate) fn shrink_to(&mut self, len: usize) {
        self.own().shrink_to(len);
    }
}

impl<T: Clone> SharedDeque<T> {
    /// The item with this number, to be changed. If it is shared, it is copied first.
    #[inline]
    pub(crate) fn get_mut(&mut self, index: usize) -> Option<&mut T> {
        if !matches!(&self.0, Repr::Own(slots) if slots.get(index).is_some_and(Slot::is_own)) {
            return self.make_own(index);
        }
        self.own().get_mut(index).map(Slot::make_mut)
    }

    /// The first item, likewise.
    #[inline]
    pub(crate) fn first_mut(&mut self) -> Option<&mut T> {
        self.own().front_mut().map(Slot::make_mut)
    }

    /// The first item, to be changed, if it is not shared.
    #[inline]
    pub(crate) fn own_first_mut(&mut self) -> Option<&mut T> {
        match &mut self.0 {
            Repr::Own(slots) => slots.front_mut()?.own_mut(),
            Repr::Shared(_) => None,
        }
    }

    /// The last one, if it is not shared.
    #[inline]
    pub(crate) fn own_last_mut(&mut self) -> Option<&mut T> {
        match &mut self.0 {
            Repr::Own(slots) => slots.back_mut()?.own_mut(),
            Repr::Shared(_) => None,
        }
    }

    /// The last item, likewise.
    #[inline]
    pub(crate) fn last_mut(&mut self) -> Option<&mut T> {
        self.own().back_mut().map(Slot::make_mut)
    }

    #[cold]
    #[inline(never)]
    fn make_own(&mut self, index: usize) -> Option<&mut T> {
        let slots = self.own();
        take_back(slots, index);
        slots.get_mut(index).map(Slot::make_mut)
    }
}

/// Takes the items back that are in the same shared deque as the one that slot number `index` refers to, if nobody
/// refers to that but slots of these.
fn take_back<T>(slots: &mut VecDeque<Slot<T>>, index: usize) {
    let Some(Slot(Place::Shared(one))) = slots.get(index) else { return };
    let shared = Arc::clone(&one.deque);
    let refers = |slot: &Slot<T>| match &slot.0 {
        Place::Shared(it) => Arc::ptr_eq(&it.deque, &shared).then_some(it.index),
        Place::Own(_) => None,
    };
    let references: Vec<(usize, u32)> =
        slots.iter().enumerate().filter_map(|(at, slot)| Some((at, refers(slot)?))).collect();
    let distinct: BTreeSet<u32> = references.iter().map(|(_, from)| *from).collect();
    if Arc::strong_count(&shared) != references.len() + 1 || distinct.len() < references.len() {
        return;
    }
    // As nobody else can count up, this is all there are, and they are all here.
    let mut kept: Vec<Option<Slot<T>>> = slots.drain(..).map(Some).collect();
    references.iter().for_each(|(at, _)| kept[*at] = None);
    let items = Arc::try_unwrap(shared).unwrap_or_else(|shared| Slot::refer_to(&shared));
    let mut items: Vec<Option<Slot<T>>> = items.into_iter().map(Some).collect();
    references.iter().for_each(|(at, from)| kept[*at] = items[*from as usize].take());
    slots.extend(kept.into_iter().flatten());
}

/// The items of a deque.
pub(crate) struct Items<'a, T>(std::collections::vec_deque::Iter<'a, Slot<T>>);

impl<'a, T> Iterator for Items<'a, T> {
    type Item = &'a T;

    #[inline]
    fn next(&mut self) -> Option<&'a T> {
        self.0.next().map(Slot::deref)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl<T> DoubleEndedIterator for Items<'_, T> {
    #[inline]
    fn next_back(&mut self) -> Option<Self::Item> {
        self.0.next_back().map(Slot::deref)
    }
}

impl<T> Default for Items<'_, T> {
    fn default() -> Self {
        Items(Default::default())
    }
}

impl<T: std::fmt::Debug> std::fmt::Debug for SharedDeque<T> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_list().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Rng;

    /// An item that tells how many there are.
    #[derive(Debug)]
    struct Counted(Arc<()>, u64);

    impl Clone for Counted {
        fn clone(&self) -> Counted {
            Counted(Arc::clone(&self.0), self.1)
        }
    }

    fn deque(counter: &Arc<()>, len: u64) -> SharedDeque<Counted> {
        let mut deque = SharedDeque::default();
        (0..len).for_each(|number| deque.push_back(Counted(Arc::clone(counter), number).into()));
        deque
    }

    fn numbers(deque: &SharedDeque<Counted>) -> Vec<u64> {
        deque.iter().map(|it| it.1).collect()
    }

    #[test]
    fn slots_are_no_larger_than_items() {
        assert_eq!(size_of::<Slot<Vec<u8>>>(), size_of::<Vec<u8>>());
        assert_eq!(size_of::<SharedDeque<u64>>(), size_of::<VecDeque<u64>>());
    }

    #[test]
    fn what_is_pinned_is_copied_one_by_one_and_only_once() {
        let counter = Arc::new(());
        let mut live = deque(&counter, 10);
        let pin = live.share();
        let items = || Arc::strong_count(&counter) - 1;
        assert_eq!(items(), 10);
        for _ in 0..2 {
            live.get_mut(3).unwrap().1 = 33;
        }
        assert_eq!(items(), 11);
        drop(live.remove(4));
        assert_eq!((items(), live.len(), pin.len()), (11, 9, 10));
        assert_eq!(numbers(&pin), (0..10).collect::<Vec<_>>());
        assert_eq!(numbers(&live), [0, 1, 2, 33, 5, 6, 7, 8, 9]);
    }

    #[test]
    fn without_a_pin_a_change_takes_the_items_back_and_drops_the_others() {
        let counter = Arc::new(());
        let items = || Arc::strong_count(&counter) - 1;
        let mut live = deque(&counter, 10);
        drop(live.share());
        live.get_mut(0).unwrap().1 = 7;
        assert_eq!(items(), 10);
        let pin = live.share();
        live.get_mut(3).unwrap().1 = 33;
        live.get_mut(4).unwrap().1 = 44;
        drop(live.remove(0));
        assert_eq!(items(), 12);
        drop(pin);
        live.get_mut(1).unwrap();
        live.get_mut(8).unwrap().1 = 99;
        assert_eq!((items(), numbers(&live)), (9, vec![1, 2, 33, 44, 5, 6, 7, 8, 99]));
    }

    #[test]
    fn items_of_two_pins_and_of_halves_find_back() {
        let counter = Arc::new(());
        let items = || Arc::strong_count(&counter) - 1;
        let mut live = deque(&counter, 8);
        let first = live.share();
        live.get_mut(1).unwrap().1 = 11;
        let second = live.share();
        live.get_mut(2).unwrap().1 = 22;
        let mut upper = live.split_off(4);
        drop((first, second));
        upper.get_mut(0).unwrap().1 = 44;
        live.append(upper);
        live.get_mut(0).unwrap().1 = 100;
        assert_eq!(numbers(&live), [100, 11, 22, 3, 44, 5, 6, 7]);
        (0..8).for_each(|at| _ = live.get_mut(at));
        assert_eq!((items(), numbers(&live)), (8, vec![100, 11, 22, 3, 44, 5, 6, 7]));
    }

    #[test]
    fn like_deques_whoever_shares_with_whom() {
        for seed in 0..200 {
            let (mut rng, counter) = (Rng::new(seed), Arc::new(()));
            let mut all = vec![(deque(&counter, 20), (0..20).collect::<Vec<u64>>())];
            for step in 0..300 {
                let (chunks, which) = (all.len(), rng.below(all.len() as u64) as usize);
                let (deque, model) = &mut all[which];
                let at = rng.below(model.len() as u64 + 1) as usize;
                match rng.below(10) {
                    0 | 1 => {
                        deque.insert(at, Counted(Arc::clone(&counter), step).into());
                        model.insert(at, step);
                    }
                    2 | 3 => assert_eq!(
                        deque.remove(at).map(|it| it.1),
                        (at < model.len()).then(|| model.remove(at))
                    ),
                    4 => {
                        let (upper, other) = (deque.split_off(at), model.split_off(at));
                        all.push((upper, other));
                    }
                    5 => {
                        let (shared, other) = (deque.share(), model.clone());
                        all.push((shared, other));
                    }
                    6 if chunks > 1 => {
                        let (next, other) = all.swap_remove(which);
                        if rng.below(2) == 0 {
                            let (deque, model) = &mut all[0];
                            deque.append(next);
                            model.extend(other);
                        }
                    }
                    _ if at < model.len() => {
                        deque.get_mut(at).unwrap().1 = step;
                        model[at] = step;
                    }
                    _ => {}
                }
                assert!(all.iter().all(|(deque, model)| numbers(deque) == *model));
            }
            drop(all);
            assert_eq!(Arc::strong_count(&counter), 1);
        }
    }
}
