//! Looking for an element: the inner loop of small hashes, sets and sorted sets.
//!
//! Elements are canonical, so what is looked for is encoded once and compared as bytes, first by the first byte, which
//! tells kind and length. Passing an element is one look at a table.

use std::ops::ControlFlow;

use super::encoding::Encoded;
use super::form::{Form, entry_len};
use super::pack::{Pack, Pos};

/// An element that was looked for, and what was passed on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// Where it is.
    pub pos: Pos,
    /// How many others were compared before it.
    pub index: usize,
    /// The last one of them.
    pub before: Option<Pos>,
}

impl<F: Form> Pack<F> {
    /// The first element that is `value`, among the one at `from` and every (`skip` + 1)-th after it. O(n).
    #[inline]
    pub fn find(&self, from: Pos, value: &[u8], skip: usize) -> Option<Pos> {
        self.search(from, value, skip).ok().map(|found| found.pos)
    }

    /// Indexes of the elements that are `value` among the first `compared`, until `hit` breaks. O(n).
    pub fn find_all(
        &self,
        value: &[u8],
        compared: usize,
        hit: &mut impl FnMut(usize) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let (bytes, wanted) = (self.raw(), Encoded::of(value));
        let mut at = F::HEADER_LEN;
        for index in 0..compared {
            if wanted.is_at(bytes, at) {
                hit(index)?;
            }
            match entry_len::<F>(bytes, at) {
                0 => break,
                len => at += len,
            }
        }
        ControlFlow::Continue(())
    }

    /// The same, with what was passed on the way: it cannot be found by walking back in all forms.
    ///
    /// # Errors
    /// Where there is no such element: the last one that was compared.
    #[inline]
    pub fn find_noting(&self, from: Pos, value: &[u8], skip: usize) -> Result<Found, Option<Pos>> {
        self.search(from, value, skip)
    }

    /// Always inlined: who does not ask what was passed does not pay for it.
    #[inline(always)]
    fn search(&self, from: Pos, value: &[u8], skip: usize) -> Result<Found, Option<Pos>> {
        let (bytes, wanted) = (self.raw(), Encoded::of(value));
        let (mut at, mut index, mut before) = (from.at(), 0, None);
        loop {
            if wanted.is_at(bytes, at) {
                return Ok(Found { pos: Pos(at as u32), index, before });
            }
            let mut next = match entry_len::<F>(bytes, at) {
                0 => return Err(before),
                len => at + len,
            };
            before = Some(Pos(at as u32));
            for _ in 0..skip {
                match entry_len::<F>(bytes, next) {
                    0 => return Err(before),
                    len => next += len,
                }
            }
            index += 1;
            at = next;
        }
    }
}
