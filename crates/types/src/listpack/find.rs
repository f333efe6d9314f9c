//! Looking for an element: the inner loop of small hashes, sets and sorted sets.
//!
//! Elements are canonical, so what is looked for is encoded once and compared as bytes, first by the first byte, which
//! tells kind and length. Passing an element is one look at a table.

use std::ops::ControlFlow;

use super::encoding::Encoded;
use super::form::{Form, entry_len};
use super::pack::{Pack, Pos};

/// An element that was looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// Where it is.
    pub pos: Pos,
    /// The one that was compared before it.
    pub before: Option<Pos>,
}

impl<F: Form> Pack<F> {
    /// The first element that is `value`, among the one at `from` and every (`skip` + 1)-th after it. O(n).
    #[inline]
    pub fn find(&self, from: Pos, value: &[u8], skip: usize) -> Option<Pos> {
        self.find_noting(from, value, skip).map(|found| found.pos)
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

    /// The same, with the element that was compared before it: what cannot be found by walking back in all forms.
    #[inline]
    pub fn find_noting(&self, from: Pos, value: &[u8], skip: usize) -> Option<Found> {
        let (bytes, wanted) = (self.raw(), Encoded::of(value));
        let (mut at, mut before) = (from.at(), None);
        loop {
            if wanted.is_at(bytes, at) {
                return Some(Found { pos: Pos(at as u32), before });
            }
            before = Some(Pos(at as u32));
            for _ in 0..=skip {
                match entry_len::<F>(bytes, at) {
                    0 => return None,
                    len => at += len,
                }
            }
        }
    }
}
