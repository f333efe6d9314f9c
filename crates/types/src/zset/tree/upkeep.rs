//! What a tree keeps about its nodes: how many there are, and what of them only pins still read.

use ochre_table::Memory;

use super::inner::Child;

/// Nodes of a tree, counted as they come and go.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(super) struct Census {
    pub(super) leaves: usize,
    pub(super) inners: usize,
}

/// What every change of a tree has with it.
#[derive(Default, Debug)]
pub(super) struct Upkeep {
    pub(super) census: Census,
    /// As long as there may be pins: what they read and the tree has no more, until the tree's owner fetches it.
    limbo: Option<Box<Limbo>>,
}

/// One word for a tree without pins.
#[derive(Default, Debug)]
struct Limbo(Vec<Memory>);

impl Upkeep {
    /// That of a tree of so many nodes.
    pub(super) fn of(census: Census) -> Upkeep {
        Upkeep { census, limbo: None }
    }

    /// Takes note that a node goes.
    pub(super) fn forget<const LEAF: usize, const INNER: usize>(
        &mut self,
        child: Option<&Child<LEAF, INNER>>,
    ) {
        match child {
            Some(Child::Leaf(_)) => self.census.leaves -= 1,
            // An inner node whose last member goes has lost its children one by one.
            Some(Child::Inner(_)) => self.census.inners -= 1,
            None => {}
        }
    }

    /// Where to put what pins still read, if there may be pins.
    #[inline]
    pub(super) fn limbo(&mut self) -> Option<&mut Vec<Memory>> {
        self.limbo.as_mut().map(|limbo| &mut limbo.0)
    }

    #[inline]
    pub(super) fn may_be_pinned(&self) -> bool {
        self.limbo.is_some()
    }

    /// Says that there are pins from now on.
    pub(super) fn expect_pins(&mut self) {
        self.limbo.get_or_insert_default();
    }

    /// Says that there are none any more.
    pub(super) fn expect_no_pins(&mut self) {
        self.limbo = None;
    }
}
