//! Looking for an element: the inner loop of small hashes, sets and sorted sets.
//!
//! Elements are canonical, so what is looked for is encoded once and compared as bytes, first by the first byte, which
//! tells kind and length. Passing an element is one look at a table.

use super::encoding::{Encoded, backlen_len, encoded_len};
use super::pack::{Listpack, Pos};

impl Listpack {
    /// The first element that is `value`, among the one at `from` and every (`skip` + 1)-th after it. O(n).
    #[inline]
    pub fn find(&self, from: Pos, value: &[u8], skip: usize) -> Option<Pos> {
        self.find_encoded(from.at(), &Encoded::of(value), skip)
    }

    #[inline]
    fn find_encoded(&self, from: usize, wanted: &Encoded<'_>, skip: usize) -> Option<Pos> {
        let bytes = self.as_bytes();
        let mut at = from;
        loop {
            if bytes.get(at) == Some(&wanted.lead()) && wanted.is_at(&bytes[at..]) {
                return Some(Pos(at as u32));
            }
            for _ in 0..=skip {
                match encoded_len(bytes, at) {
                    0 => return None,
                    len => at += len + backlen_len(len),
                }
            }
        }
    }
}
