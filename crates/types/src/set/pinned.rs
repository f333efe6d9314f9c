//! A set as it was at an instant, read in parts on any thread while the set goes on.

use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ops::Deref;

use ochre_table::{Pin, WalkPosition};

use super::member::Member;
use super::value::Set;
use super::word::{ReprMut, Word};
use crate::listpack::Item;
use crate::portion::Portion;

/// A set as it was when it was pinned, and how far it has been read. A table is shared with the set ([`Pin`]), a flat encoding
/// copied.
///
/// Dropping the last pin of a set frees what the set has let go of meanwhile; [`PinnedSet::free_effort`] says how much that is.
#[derive(Debug)]
pub struct PinnedSet(Source);

#[derive(Debug)]
enum Source {
    /// With the position of the next part, `None` at the end.
    Flat(Set, Option<u64>),
    Table(Pin<Member>, WalkPosition),
}

const _: () = {
    const fn check<T: Send + Sync + 'static>() {}
    check::<PinnedSet>();
};

impl Set {
    /// The set as it is now. Some 50 us for a million members; O(bytes) for a flat encoding.
    pub fn pin(&mut self) -> PinnedSet {
        PinnedSet(match self.0.get_mut() {
            ReprMut::Table(map) => Source::Table(map.pin(), WalkPosition::default()),
            _ => Source::Flat(self.clone(), (!self.is_empty()).then_some(0)),
        })
    }
}

impl PinnedSet {
    /// Number of members.
    pub fn len(&self) -> usize {
        match &self.0 {
            Source::Flat(set, _) => set.len(),
            Source::Table(pin, _) => pin.len(),
        }
    }

    /// Whether there is no member.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The set as it was, to be looked at like any other: what combines sets takes it.
    pub fn as_set(&self) -> PinnedLook<'_> {
        match &self.0 {
            Source::Flat(set, _) => PinnedLook::Flat(set),
            Source::Table(pin, _) => PinnedLook::Table(LentSet::of(pin)),
        }
    }

    /// The set itself, if it was small and so is a copy.
    pub fn as_flat(&self) -> Option<&Set> {
        match &self.0 {
            Source::Flat(set, _) => Some(set),
            Source::Table(..) => None,
        }
    }

    /// Calls `visit` for the next members, in the order of [`Set::iter`]; whether there are more.
    pub fn read(&mut self, mut portion: Portion, visit: &mut dyn FnMut(Item<'_>)) -> bool {
        match &mut self.0 {
            Source::Flat(set, position) => {
                *position = position.and_then(|at| set.visit_part(at, portion.elements, visit));
                position.is_some()
            }
            Source::Table(pin, position) => {
                let mut walk = pin.iter_from(*position);
                while !portion.is_used_up()
                    && let Some(member) = walk.next()
                {
                    portion.use_for(member.bytes().len());
                    visit(Item::Bytes(member.bytes()));
                }
                *position = walk.position();
                walk.len() > 0
            }
        }
    }

    /// How many allocations dropping this may free.
    pub fn free_effort(&self) -> usize {
        match &self.0 {
            Source::Flat(..) => 1,
            Source::Table(pin, _) => 1 + pin.free_effort(),
        }
    }
}

/// A look at a set as it was when it was pinned.
pub enum PinnedLook<'a> {
    /// A small one, copied.
    Flat(&'a Set),
    /// A table, shared.
    Table(LentSet<'a>),
}

impl Deref for PinnedLook<'_> {
    type Target = Set;

    fn deref(&self) -> &Set {
        match self {
            PinnedLook::Flat(set) => set,
            PinnedLook::Table(lent) => &lent.0,
        }
    }
}

/// A set around a table that a pin has. It is never dropped, and nobody has it but behind a shared reference.
pub struct LentSet<'a>(ManuallyDrop<Set>, PhantomData<&'a Pin<Member>>);

impl<'a> LentSet<'a> {
    fn of(pin: &'a Pin<Member>) -> LentSet<'a> {
        LentSet(ManuallyDrop::new(Set(ManuallyDrop::into_inner(Word::lent(pin.map())))), PhantomData)
    }
}
