//! SORT that sorts nothing (BY nosort) of very many elements: which part of the value is pinned, and what of it is shown.

use std::ops::Range;

use ochre_types::list::List;
use ochre_types::set::Set;
use ochre_types::zset::{Direction, ZSet};
use ochre_types::{ObjectRef, Pinned};

use super::options::Options;
use crate::call::Call;

/// What is to be shown of a value in the order that it has.
pub(super) struct Kept {
    source: Source,
    /// Which of the elements that are pinned.
    pub window: Range<usize>,
    /// Whether the last of them comes first.
    pub is_reversed: bool,
}

enum Source {
    /// The elements with these numbers.
    List(Range<usize>),
    /// The members of these ranks.
    ZSet(Range<usize>, Direction),
    /// Members are in no order that could be entered elsewhere than at its beginning.
    Set,
}

impl Kept {
    /// What `options` ask for; `None` if values of this type cannot be sorted.
    pub(super) fn of(object: ObjectRef<'_>, options: &Options<'_>) -> Option<Kept> {
        let whole = |source, len: usize| Some(Kept { source, window: 0..len, is_reversed: false });
        match object {
            ObjectRef::Set(set) => {
                let window = options.window(set.len());
                Some(Kept { source: Source::Set, window, is_reversed: false })
            }
            ObjectRef::ZSet(zset) => {
                let window = options.window(zset.len());
                let len = window.len();
                let (ranks, direction) = match options.descending {
                    false => (window, Direction::Ascending),
                    true => (zset.len() - window.end..zset.len() - window.start, Direction::Descending),
                };
                whole(Source::ZSet(ranks, direction), len)
            }
            ObjectRef::List(list) => {
                let window = options.window(list.len());
                let len = window.len();
                let numbers = match options.descending {
                    false => window,
                    true => list.len() - window.end..list.len() - window.start,
                };
                let kept = whole(Source::List(numbers), len);
                kept.map(|kept| Kept { is_reversed: options.descending, ..kept })
            }
            _ => None,
        }
    }

    /// Pins that part of the value, which the first key of `call` has.
    pub(super) fn pin(&self, call: &mut Call<'_, '_>) -> Option<Pinned> {
        let (db, key) = (call.client.db, call.keys[0]);
        match &self.source {
            Source::List(numbers) => call
                .view
                .pin(db, key, |list: &mut List| Pinned::List(list.pin_range(numbers.start, numbers.len()))),
            Source::ZSet(ranks, direction) => call
                .view
                .pin(db, key, |zset: &mut ZSet| Pinned::ZSet(zset.pin_range(ranks.clone(), *direction))),
            Source::Set => call.view.pin(db, key, |set: &mut Set| Pinned::Set(set.pin())),
        }
    }
}
