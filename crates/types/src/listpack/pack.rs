//! A pack: header, elements, and in a listpack an end marker (`form` has the layouts).
//!
//! A position is the offset of an element's first byte. Changing the pack moves what comes after, so positions
//! are good until the next change, except for those that a change returns. A stale one, or one of another pack, reads
//! nonsense, but never outside; a change there damages the pack, and may panic.
//!
//! Where the header's count is not known, elements have to be counted one by one.

use super::buffer::{Buffer, count_unknown};
use super::encoding::{Encoded, backlen_len, decode, encoded_len, read_backlen, write_backlen};
use super::form::{Bidirectional, Form, Forward, entry_len};
use super::item::Item;
use super::iter::Iter;

/// Where an element begins.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Pos(pub(super) u32);

impl Pos {
    #[inline]
    pub(super) fn at(self) -> usize {
        self.0 as usize
    }
}

/// Elements in one allocation behind one word.
#[repr(transparent)]
pub struct Pack<F>(Buffer<F>);

/// A pack in Redis's listpack format, as files and DUMP have it.
pub type Listpack = Pack<Bidirectional>;

/// A pack without what walking backwards takes.
pub type ForwardPack = Pack<Forward>;

impl<F: Form> Pack<F> {
    /// The longest there may be, in bytes.
    pub const BYTES_MAX: usize = F::LEN_MAX;
    /// What one without elements has, in bytes.
    pub const EMPTY_BYTES: usize = F::EMPTY.len();

    /// An empty one.
    pub fn new() -> Pack<F> {
        Pack(Buffer::copy_of(F::EMPTY, 0))
    }

    /// An empty one with room for a pack of `bytes` in all (at most [`Pack::BYTES_MAX`] are reserved).
    pub fn with_capacity(bytes: usize) -> Pack<F> {
        Pack(Buffer::copy_of(F::EMPTY, bytes.min(F::LEN_MAX)))
    }

    /// What `bytes`, a well-formed pack but for its length, hold.
    pub(super) fn copy_of(bytes: &[u8]) -> Pack<F> {
        Pack(Buffer::copy_of(bytes, 0))
    }

    /// What the elements in `bytes` hold, of which there are `count`. The header before them only has to be there.
    pub(super) fn with_count(bytes: &[u8], count: usize) -> Pack<F> {
        let mut buffer = Buffer::copy_of(bytes, 0);
        buffer.set_count(count);
        Pack(buffer)
    }

    /// Header, elements and whatever follows them.
    #[inline]
    pub(super) fn raw(&self) -> &[u8] {
        self.0.bytes()
    }

    /// Bytes of the pack.
    #[inline]
    pub fn bytes(&self) -> usize {
        self.0.len()
    }

    /// Bytes allocated.
    #[inline]
    pub fn heap_bytes(&self) -> usize {
        self.0.capacity()
    }

    /// Whether it stays within [`Pack::BYTES_MAX`] with `more_bytes` of text in a new element.
    #[inline]
    pub fn fits(&self, more_bytes: usize) -> bool {
        more_bytes < F::LEN_MAX && self.bytes() + more_bytes + 10 <= F::LEN_MAX
    }

    /// Number of elements. O(1) below 65535 (a listpack) or 2047, else every element is passed.
    #[inline]
    pub fn len(&self) -> usize {
        self.known_count().unwrap_or_else(|| self.iter().count())
    }

    /// Whether there are no elements.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.bytes() == Self::EMPTY_BYTES
    }

    #[inline]
    fn known_count(&self) -> Option<usize> {
        Some(self.0.count()).filter(|count| *count != count_unknown::<F>())
    }

    #[inline]
    fn count_added(&mut self) {
        // Once the count is not known it stays so: the header holds no more than that.
        self.0.set_count(self.0.count() + 1);
    }

    fn count_removed(&mut self, removed: usize) {
        if let Some(count) = self.known_count() {
            self.0.set_count(count.saturating_sub(removed));
        }
    }

    /// Where the last element ends.
    #[inline]
    pub(super) fn end(&self) -> usize {
        self.bytes() - (F::EMPTY.len() - F::HEADER_LEN)
    }

    #[inline]
    fn element(&self, at: usize) -> Option<Pos> {
        (at < self.end()).then_some(Pos(at as u32))
    }

    /// The first element.
    #[inline]
    pub fn first(&self) -> Option<Pos> {
        self.element(F::HEADER_LEN)
    }

    /// The element after the one at `pos`.
    #[inline]
    pub fn next(&self, pos: Pos) -> Option<Pos> {
        self.element(pos.at() + self.entry_len(pos.at())).filter(|next| *next > pos)
    }

    /// Bytes from the element at `at` to the next one; 0 at the end.
    #[inline]
    fn entry_len(&self, at: usize) -> usize {
        entry_len::<F>(self.raw(), at)
    }

    /// The element with this index, from the end if negative (-1 is the last). With backlens the walk begins at the closer end,
    /// else at the front.
    pub fn seek(&self, index: isize) -> Option<Pos> {
        let from_end = index < 0;
        let steps = if from_end { index.unsigned_abs() - 1 } else { index.unsigned_abs() };
        let count = match self.known_count() {
            Some(count) => count,
            None if !from_end => return self.forth(steps),
            None if F::HAS_BACKLENS => return self.back(steps),
            None => self.iter().count(),
        };
        let forth = if from_end { count.checked_sub(steps + 1)? } else { steps };
        let back = count.checked_sub(forth + 1)?;
        if F::HAS_BACKLENS && back < forth { self.back(back) } else { self.forth(forth) }
    }

    fn forth(&self, steps: usize) -> Option<Pos> {
        let (bytes, mut at) = (self.raw(), F::HEADER_LEN);
        for _ in 0..steps {
            match entry_len::<F>(bytes, at) {
                0 => return None,
                len => at += len,
            }
        }
        self.element(at)
    }

    fn back(&self, steps: usize) -> Option<Pos> {
        let last = self.element_ending_at(self.end())?;
        (0..steps).try_fold(last, |pos, _| self.element_ending_at(pos.at()))
    }

    /// The element before `end`, as its backlen says; `None` where there is none.
    #[inline]
    fn element_ending_at(&self, end: usize) -> Option<Pos> {
        if !F::HAS_BACKLENS || end <= F::HEADER_LEN {
            return None;
        }
        let len = read_backlen(self.raw(), end);
        end.checked_sub(len + backlen_len(len)).map(|at| Pos(at as u32))
    }

    /// The element at `pos`; the empty text if there is none.
    #[inline]
    pub fn get(&self, pos: Pos) -> Item<'_> {
        decode(self.raw(), pos.at()).map_or(Item::Bytes(&[]), |(item, _)| item)
    }

    /// Adds a text as the last element.
    #[inline]
    pub fn push_back(&mut self, value: &[u8]) {
        self.insert_at(self.end(), &Encoded::of(value));
    }

    /// Adds an integer as the last element.
    pub fn push_back_int(&mut self, int: i64) {
        self.insert_at(self.end(), &Encoded::int(int));
    }

    /// Adds an element of whatever kind as the last one.
    #[inline]
    pub fn push_back_item(&mut self, item: Item<'_>) {
        match item {
            Item::Int(int) => self.push_back_int(int),
            Item::Bytes(text) => self.push_back(text),
        }
    }

    /// The element at `pos` as it is encoded, without its backlen; nothing if there is none.
    pub(crate) fn encoded(&self, pos: Pos) -> &[u8] {
        let bytes = self.raw();
        bytes.get(pos.at()..pos.at() + encoded_len(bytes, pos.at())).unwrap_or_default()
    }

    /// Adds an element as it is encoded without its backlen.
    pub(crate) fn push_back_encoded(&mut self, element: &[u8]) {
        let mut backlen = [0; 5];
        self.0.splice(self.end(), 0, [element, &[], behind::<F>(element.len(), &mut backlen)]);
        self.count_added();
    }

    /// Adds a text as the first element.
    #[inline]
    pub fn push_front(&mut self, value: &[u8]) {
        self.insert_at(F::HEADER_LEN, &Encoded::of(value));
    }

    /// Adds an integer as the first element.
    pub fn push_front_int(&mut self, int: i64) {
        self.insert_at(F::HEADER_LEN, &Encoded::int(int));
    }

    /// Adds a text before the element at `pos`; gives where it is.
    pub fn insert_before(&mut self, pos: Pos, value: &[u8]) -> Pos {
        self.insert_at(pos.at(), &Encoded::of(value))
    }

    /// Adds a text after the element at `pos`; gives where it is.
    pub fn insert_after(&mut self, pos: Pos, value: &[u8]) -> Pos {
        self.insert_at(pos.at() + self.entry_len(pos.at()), &Encoded::of(value))
    }

    #[inline]
    fn insert_at(&mut self, at: usize, value: &Encoded<'_>) -> Pos {
        self.splice(at, 0, value);
        self.count_added();
        Pos(at as u32)
    }

    /// Puts `value` where the `removed` bytes at `at` are.
    #[inline]
    fn splice(&mut self, at: usize, removed: usize, value: &Encoded<'_>) {
        let mut backlen = [0; 5];
        self.0.splice(at, removed, [value.head(), value.body(), behind::<F>(value.len(), &mut backlen)]);
    }

    /// Puts a text in the place of the element at `pos`; gives where it is.
    #[inline]
    pub fn replace(&mut self, pos: Pos, value: &[u8]) -> Pos {
        self.splice(pos.at(), self.entry_len(pos.at()), &Encoded::of(value));
        pos
    }

    /// Puts an integer in the place of the element at `pos`; gives where it is.
    pub fn replace_int(&mut self, pos: Pos, int: i64) -> Pos {
        self.splice(pos.at(), self.entry_len(pos.at()), &Encoded::int(int));
        pos
    }

    /// Removes the element at `pos`; gives the next one.
    #[inline]
    pub fn remove(&mut self, pos: Pos) -> Option<Pos> {
        self.remove_range(pos, 1);
        self.element(pos.at())
    }

    /// Removes up to `count` elements from the one at `pos` on.
    pub fn remove_range(&mut self, pos: Pos, count: usize) {
        let (mut at, mut removed) = (pos.at(), 0);
        while removed < count && at < self.end() {
            match self.entry_len(at) {
                0 => break,
                len => at += len,
            }
            removed += 1;
        }
        if removed > 0 {
            self.0.splice(pos.at(), at - pos.at(), [&[]; 3]);
            self.count_removed(removed);
        }
    }

    /// Removes all elements.
    pub fn clear(&mut self) {
        *self = Pack::new();
    }

    /// Gives back memory that is not needed now.
    pub fn shrink_to_fit(&mut self) {
        let fitting = Pack::copy_of(self.raw());
        if fitting.heap_bytes() < self.heap_bytes() {
            *self = fitting;
        }
    }

    /// All elements, first to last, in a listpack also the other way round.
    #[inline]
    pub fn iter(&self) -> Iter<'_, F> {
        Iter::new(self.raw(), F::HEADER_LEN, self.end())
    }

    /// The elements from the one at `pos` on.
    #[inline]
    pub fn iter_from(&self, pos: Pos) -> Iter<'_, F> {
        Iter::new(self.raw(), pos.at(), self.end())
    }
}

impl Listpack {
    /// The listpack as files and DUMP have it.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        self.raw()
    }

    /// The last element.
    #[inline]
    pub fn last(&self) -> Option<Pos> {
        self.element_ending_at(self.end())
    }

    /// The element before the one at `pos`.
    #[inline]
    pub fn prev(&self, pos: Pos) -> Option<Pos> {
        self.element_ending_at(pos.at())
    }
}

impl ForwardPack {
    /// Where the element at `from` and every `step`-th after it begin, up to `count` of them: to walk back over them.
    pub fn positions(&self, from: Pos, step: usize, count: usize) -> Vec<Pos> {
        let mut positions = Vec::with_capacity(count.min(self.bytes()));
        let (bytes, mut at) = (self.raw(), from.at());
        while positions.len() < count && at < bytes.len() {
            positions.push(Pos(at as u32));
            at = (0..step.max(1)).fold(at, |at, _| at + entry_len::<Forward>(bytes, at));
        }
        positions
    }
}

/// What stands behind an element of `len` bytes: its backlen, where there are such.
#[inline]
fn behind<F: Form>(len: usize, backlen: &mut [u8; 5]) -> &[u8] {
    if !F::HAS_BACKLENS {
        return &[];
    }
    let backlen = &mut backlen[..backlen_len(len)];
    write_backlen(backlen, len);
    backlen
}

impl<F: Form> Clone for Pack<F> {
    fn clone(&self) -> Pack<F> {
        Pack(self.0.clone())
    }
}

impl<F: Form> Default for Pack<F> {
    fn default() -> Pack<F> {
        Pack::new()
    }
}

impl<F: Form> PartialEq for Pack<F> {
    fn eq(&self, other: &Pack<F>) -> bool {
        self.iter().eq(other.iter())
    }
}

impl<F: Form> Eq for Pack<F> {}

impl<F: Form> std::fmt::Debug for Pack<F> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_list().entries(self.iter()).finish()
    }
}

impl<'a, F: Form> IntoIterator for &'a Pack<F> {
    type Item = Item<'a>;
    type IntoIter = Iter<'a, F>;

    fn into_iter(self) -> Iter<'a, F> {
        self.iter()
    }
}
