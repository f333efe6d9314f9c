//! The listpack: `length: u32, count: u16, elements..., 0xff`, little-endian.
//!
//! A position is the offset of an element's first byte. Changing the listpack moves what comes after, so positions
//! are good until the next change, except for those that a change returns. A stale one, or one of another listpack, reads
//! nonsense, but never outside; a change there damages the listpack, and may panic.
//!
//! The count is 65535 where it does not fit: then elements have to be counted one by one.

use super::buffer::{Buffer, HEADER_LEN, LEN_MAX};
use super::encoding::{self, END, Encoded, backlen_len, encoded_len, read_backlen, write_backlen};
use super::item::Item;
use super::iter::Iter;

const EMPTY: [u8; 7] = [7, 0, 0, 0, 0, 0, END];
const COUNT_UNKNOWN: u16 = u16::MAX;

/// Where an element begins.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Pos(pub(super) u32);

impl Pos {
    #[inline]
    pub(super) fn at(self) -> usize {
        self.0 as usize
    }
}

/// Elements in Redis's listpack format, in one allocation behind one word.
#[derive(Clone)]
#[repr(transparent)]
pub struct Listpack(Buffer);

impl Listpack {
    /// An empty one.
    pub fn new() -> Listpack {
        Listpack(Buffer::copy_of(&EMPTY, 0))
    }

    /// An empty one with room for a listpack of `bytes` in all (at most 1 GiB is reserved).
    pub fn with_capacity(bytes: usize) -> Listpack {
        Listpack(Buffer::copy_of(&EMPTY, bytes.min(LEN_MAX)))
    }

    /// What `bytes`, a well-formed listpack, hold.
    pub(super) fn copy_of(bytes: &[u8]) -> Listpack {
        Listpack(Buffer::copy_of(bytes, 0))
    }

    /// The listpack as files and DUMP have it.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.bytes()
    }

    /// Bytes of the listpack.
    #[inline]
    pub fn bytes(&self) -> usize {
        self.0.len()
    }

    /// Bytes allocated.
    #[inline]
    pub fn heap_bytes(&self) -> usize {
        self.0.capacity()
    }

    /// Whether it stays below 1 GiB, the most there may be, with `more_bytes` of text in a new element.
    pub fn fits(&self, more_bytes: usize) -> bool {
        more_bytes < LEN_MAX && self.bytes() + more_bytes + 10 <= LEN_MAX
    }

    /// Number of elements. O(1) below 65535, else every element is passed.
    #[inline]
    pub fn len(&self) -> usize {
        match self.count() {
            COUNT_UNKNOWN => self.iter().count(),
            count => usize::from(count),
        }
    }

    /// Whether there are no elements.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.bytes() == EMPTY.len()
    }

    #[inline]
    fn count(&self) -> u16 {
        match *self.as_bytes() {
            [_, _, _, _, low, high, ..] => u16::from_le_bytes([low, high]),
            _ => 0,
        }
    }

    #[inline]
    fn set_count(&mut self, count: u16) {
        self.0.after_len_mut()[..2].copy_from_slice(&count.to_le_bytes());
    }

    #[inline]
    fn count_added(&mut self) {
        // From 65534 on the count is not known, and stays so.
        let count = self.count();
        self.set_count(count.saturating_add(1));
    }

    fn count_removed(&mut self, removed: usize) {
        let count = self.count();
        if count != COUNT_UNKNOWN {
            self.set_count(count - removed.min(usize::from(count)) as u16);
        }
    }

    /// Offset of the end marker.
    #[inline]
    pub(super) fn end(&self) -> usize {
        self.bytes() - 1
    }

    #[inline]
    fn element(&self, at: usize) -> Option<Pos> {
        (at < self.end()).then_some(Pos(at as u32))
    }

    /// The first element.
    #[inline]
    pub fn first(&self) -> Option<Pos> {
        self.element(HEADER_LEN)
    }

    /// The last element.
    #[inline]
    pub fn last(&self) -> Option<Pos> {
        self.prev(Pos(self.end() as u32))
    }

    /// The element after the one at `pos`.
    #[inline]
    pub fn next(&self, pos: Pos) -> Option<Pos> {
        self.element(pos.at() + self.entry_len(pos.at())).filter(|next| *next > pos)
    }

    /// The element before the one at `pos`.
    #[inline]
    pub fn prev(&self, pos: Pos) -> Option<Pos> {
        if pos.at() <= HEADER_LEN {
            return None;
        }
        let len = read_backlen(self.as_bytes(), pos.at());
        pos.at().checked_sub(len + backlen_len(len)).map(|at| Pos(at as u32))
    }

    /// Bytes of the element at `at` with its backlen; 0 at the end.
    #[inline]
    fn entry_len(&self, at: usize) -> usize {
        encoding::entry_len(self.as_bytes(), at)
    }

    /// The element with this index, from the end if negative (-1 is the last). Walks from the closer end.
    pub fn seek(&self, index: isize) -> Option<Pos> {
        let from_end = index < 0;
        let steps = if from_end { index.unsigned_abs() - 1 } else { index.unsigned_abs() };
        let count = match self.count() {
            COUNT_UNKNOWN => return if from_end { self.back(steps) } else { self.forth(steps) },
            count => usize::from(count),
        };
        let forth = if from_end { count.checked_sub(steps + 1)? } else { steps };
        let back = count.checked_sub(forth + 1)?;
        if forth <= back { self.forth(forth) } else { self.back(back) }
    }

    fn forth(&self, steps: usize) -> Option<Pos> {
        (0..steps).try_fold(self.first()?, |pos, _| self.next(pos))
    }

    fn back(&self, steps: usize) -> Option<Pos> {
        (0..steps).try_fold(self.last()?, |pos, _| self.prev(pos))
    }

    /// The element at `pos`; the empty text if there is none.
    #[inline]
    pub fn get(&self, pos: Pos) -> Item<'_> {
        encoding::decode(self.as_bytes(), pos.at()).map_or(Item::Bytes(&[]), |(item, _)| item)
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
        let bytes = self.as_bytes();
        bytes.get(pos.at()..pos.at() + encoded_len(bytes, pos.at())).unwrap_or_default()
    }

    /// Adds an element as it is encoded without its backlen.
    pub(crate) fn push_back_encoded(&mut self, element: &[u8]) {
        let mut backlen = [0; 5];
        let backlen = &mut backlen[..backlen_len(element.len())];
        write_backlen(backlen, element.len());
        self.0.splice(self.end(), 0, [element, &[], backlen]);
        self.count_added();
    }

    /// Adds a text as the first element.
    #[inline]
    pub fn push_front(&mut self, value: &[u8]) {
        self.insert_at(HEADER_LEN, &Encoded::of(value));
    }

    /// Adds an integer as the first element.
    pub fn push_front_int(&mut self, int: i64) {
        self.insert_at(HEADER_LEN, &Encoded::int(int));
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
        let backlen = &mut backlen[..backlen_len(value.len())];
        write_backlen(backlen, value.len());
        self.0.splice(at, removed, [value.head(), value.body(), backlen]);
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
        *self = Listpack::new();
    }

    /// Gives back memory that is not needed now.
    pub fn shrink_to_fit(&mut self) {
        let fitting = Listpack::copy_of(self.as_bytes());
        if fitting.heap_bytes() < self.heap_bytes() {
            *self = fitting;
        }
    }

    /// All elements, first to last or the other way round.
    #[inline]
    pub fn iter(&self) -> Iter<'_> {
        Iter::new(self.as_bytes(), HEADER_LEN, self.end())
    }

    /// The elements from the one at `pos` on.
    #[inline]
    pub fn iter_from(&self, pos: Pos) -> Iter<'_> {
        Iter::new(self.as_bytes(), pos.at(), self.end())
    }
}

impl Default for Listpack {
    fn default() -> Listpack {
        Listpack::new()
    }
}

impl PartialEq for Listpack {
    fn eq(&self, other: &Listpack) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Listpack {}

impl std::fmt::Debug for Listpack {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_list().entries(self.iter()).finish()
    }
}

impl<'a> IntoIterator for &'a Listpack {
    type Item = Item<'a>;
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}
