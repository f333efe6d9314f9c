//! Looking for an element: the inner loop of small hashes, sets and sorted sets.
//!
//! Elements are canonical, so what is looked for is encoded once and compared as bytes, first by the first byte, which
//! tells kind and length. Passing an element is one look at a table.

use std::ops::ControlFlow;

use super::buffer::HEADER_LEN;
use super::encoding::{Encoded, entry_len};
use super::pack::{Listpack, Pos};

impl Listpack {
    /// The first element that is `value`, among the one at `from` and every (`skip` + 1)-th after it. O(n).
    #[inline]
    pub fn find(&self, from: Pos, value: &[u8], skip: usize) -> Option<Pos> {
        self.find_encoded(from.at(), &Encoded::of(value), skip)
    }

    /// Indexes of the elements that are `value` among the first `compared`, until `hit` breaks. O(n).
    pub fn find_all(
        &self,
        value: &[u8],
        compared: usize,
        hit: &mut impl FnMut(usize) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let (bytes, wanted) = (self.as_bytes(), Encoded::of(value));
        let mut at = HEADER_LEN;
        for index in 0..compared {
            if wanted.is_at(bytes, at) {
                hit(index)?;
            }
            match entry_len(bytes, at) {
                0 => break,
                len => at += len,
            }
        }
        ControlFlow::Continue(())
    }

    #[inline]
    fn find_encoded(&self, from: usize, wanted: &Encoded<'_>, skip: usize) -> Option<Pos> {
        let bytes = self.as_bytes();
        let mut at = from;
        loop {
            if wanted.is_at(bytes, at) {
                return Some(Pos(at as u32));
            }
            for _ in 0..=skip {
                match entry_len(bytes, at) {
                    0 => return None,
                    len => at += len,
                }
            }
        }
    }
}
