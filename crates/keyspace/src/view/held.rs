//! The stripes that a view has locked, and finding one among them.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use crate::stripe::{AllStripes, StripeData, StripeGuard};
use crate::waiters::Waiters;

/// The stripes that a view has locked.
pub(crate) enum Held<'k> {
    None,
    One(usize, StripeGuard<'k>),
    /// Small on purpose, hence no room for guards in here: it is moved about for every command.
    Some(Vec<(usize, StripeGuard<'k>)>),
    All(AllStripes<'k>),
}

impl Held<'_> {
    /// Whether a stripe is locked.
    pub(super) fn holds(&self, index: usize) -> bool {
        match self {
            Held::None => false,
            Held::One(of, _) => *of == index,
            Held::Some(guards) => guards.binary_search_by_key(&index, |(of, _)| *of).is_ok(),
            Held::All(_) => true,
        }
    }

    /// Whether anybody waits in a stripe that is locked; `awaited_names` are those of all stripes.
    #[inline]
    pub(crate) fn has_waiters(&self, awaited_names: &AtomicUsize) -> bool {
        match self {
            Held::None => false,
            Held::One(_, guard) => !guard.waiters.is_empty(),
            Held::Some(guards) => guards.iter().any(|(_, guard)| !guard.waiters.is_empty()),
            // Changed with a stripe locked, so it stands still.
            Held::All(_) => awaited_names.load(Relaxed) != 0,
        }
    }

    /// The waiters of a stripe, if it is locked.
    pub(crate) fn waiters(&self, index: usize) -> Option<&Waiters> {
        self.holds(index).then(|| &stripe_of(self, index).waiters)
    }
}

#[inline]
pub(super) fn stripe_in<'a>(held: &'a mut Held<'_>, index: usize) -> &'a mut StripeData {
    // Told apart first, because nearly all steps are of this kind.
    if matches!(held, Held::One(of, _) if *of == index)
        && let Held::One(_, guard) = held
    {
        return guard;
    }
    one_of(held, index)
}

#[inline(never)]
fn one_of<'a>(held: &'a mut Held<'_>, index: usize) -> &'a mut StripeData {
    match held {
        Held::Some(guards) => match guards.binary_search_by_key(&index, |(of, _)| *of) {
            Ok(at) => &mut guards[at].1,
            Err(_) => not_locked(),
        },
        Held::All(stripes) => stripes.get_mut(index),
        Held::None | Held::One(..) => not_locked(),
    }
}

/// The same, to be looked at only.
pub(super) fn stripe_of<'a>(held: &'a Held<'_>, index: usize) -> &'a StripeData {
    match held {
        Held::One(of, guard) if *of == index => guard,
        Held::Some(guards) => match guards.binary_search_by_key(&index, |(of, _)| *of) {
            Ok(at) => &guards[at].1,
            Err(_) => not_locked(),
        },
        Held::All(stripes) => stripes.get(index),
        Held::None | Held::One(..) => not_locked(),
    }
}

#[cold]
fn not_locked() -> ! {
    // A command's key specification does not name a key that its handler uses: a defect, never an input.
    panic!("a step reached for a key whose stripe it has not locked");
}
