//! The elements of a value that can be sorted, copied into one run of bytes.

use std::ops::{ControlFlow, Range};

use ochre_types::ObjectRef;
use ochre_types::list::List;
use ochre_types::listpack::Item;
use ochre_types::set::Set;
use ochre_types::zset::{Direction, ZSet};

use super::options::Options;

/// Texts one after the other.
#[derive(Default)]
pub(super) struct Texts {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Texts {
    /// Their number.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// The one at an index.
    #[inline]
    pub fn get(&self, index: usize) -> &[u8] {
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        &self.bytes[start..self.ends[index]]
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.len()).map(|index| self.get(index))
    }

    /// Adds one.
    pub fn push(&mut self, text: &[u8]) {
        self.bytes.extend_from_slice(text);
        self.ends.push(self.bytes.len());
    }

    /// Adds the text of an element.
    pub fn push_item(&mut self, item: Item<'_>) {
        item.write_to(&mut self.bytes);
        self.ends.push(self.bytes.len());
    }
}

/// The elements of a value, and which of them are asked for once they are sorted. Where they are not sorted, only those
/// that are asked for come, in their order, and no such range. `None` if values of this type cannot be sorted.
///
/// A type that has an order (a list, a sorted set) can be left in it or turned around without sorting.
pub(super) fn collect(object: ObjectRef<'_>, options: &Options<'_>) -> Option<(Texts, Option<Range<usize>>)> {
    let mut texts = Texts::default();
    let window = match object {
        ObjectRef::List(list) => collect_list(list, options, &mut texts),
        ObjectRef::Set(set) => collect_set(set, options, &mut texts),
        ObjectRef::ZSet(zset) => collect_sorted_set(zset, options, &mut texts),
        _ => return None,
    };
    Some((texts, window))
}

fn collect_list(list: &List, options: &Options<'_>, texts: &mut Texts) -> Option<Range<usize>> {
    let (len, window) = (list.len(), options.window(list.len()));
    if !options.unsorted {
        list.range(0, len, |item| texts.push_item(item));
        return Some(window);
    }
    if !options.descending {
        list.range(window.start, window.len(), |item| texts.push_item(item));
    } else if !window.is_empty() {
        list.walk_back(len - window.start, |item| {
            texts.push_item(item);
            if texts.len() < window.len() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
    }
    None
}

/// The order that is left is that of the scores.
fn collect_sorted_set(zset: &ZSet, options: &Options<'_>, texts: &mut Texts) -> Option<Range<usize>> {
    let window = options.window(zset.len());
    if !options.unsorted {
        zset.iter().for_each(|(item, _)| texts.push_item(item));
        return Some(window);
    }
    let (ranks, direction) = match options.descending {
        false => (window, Direction::Ascending),
        true => (zset.len() - window.end..zset.len() - window.start, Direction::Descending),
    };
    zset.range(ranks, direction).for_each(|(item, _)| texts.push_item(item));
    None
}

/// Members are in no order. What is stored, or goes to a script, must not depend on chance: it is sorted by text if by nothing
/// else.
fn collect_set(set: &Set, options: &Options<'_>, texts: &mut Texts) -> Option<Range<usize>> {
    let window = options.window(set.len());
    if options.unsorted && !options.orders_sets {
        set.iter().skip(window.start).take(window.len()).for_each(|item| texts.push_item(item));
        return None;
    }
    set.iter().for_each(|item| texts.push_item(item));
    Some(window)
}
