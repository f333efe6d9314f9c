//! What the two forms of a pack differ in.
//!
//! ```text
//! Bidirectional, Redis's listpack              Forward
//! +----------+------------+                    +-----------------------+
//! | len: u32 | count: u16 |                    | len: 21 | count: 11   |     a u32, the length in its lower bits
//! +----------+------------+                    +-----------------------+
//! | element  | backlen    |                    | element               |     once for each element
//! +----------+------------+                    +-----------------------+
//! | 0xff     |
//! +----------+
//! ```
//!
//! All numbers are little-endian, and elements are encoded alike. So either header is one number, with the length in its lower
//! bits and the count in those above, and either count is within the last four bytes of it. A count of all ones means that it
//! is not known.
//!
//! Lists pop and walk at both ends, for which each element has to say behind itself how long it is. Hashes, sets and sorted
//! sets begin at the front whatever they look for: without backlens, end marker and a third of the header they take a
//! byte less for every element, and three more, which is a tenth where elements have nine bytes. What else needs to go
//! backwards there notes where elements begin on its way forwards ([`ForwardPack::positions`](super::ForwardPack::positions)).
//!
//! Rejected: a count without limit (a bigger header for the few that have more than a thousand fields), and an end marker (the
//! length says it).

use super::encoding::{self, END};
use super::item::Item;

mod sealed {
    pub trait Sealed {}
}

/// How a pack lays out its elements.
pub trait Form: sealed::Sealed + Copy + std::fmt::Debug + 'static {
    /// A pack without elements: header, and what follows the last element.
    const EMPTY: &'static [u8];
    /// Bytes of the header.
    const HEADER_LEN: usize;
    /// Bits of the header that the length takes; the count has all others.
    const LEN_BITS: u32;
    /// The longest pack, in bytes.
    const LEN_MAX: usize;
    /// Whether elements say behind themselves how long they are.
    const HAS_BACKLENS: bool;
}

/// Redis's listpack, which can be walked in both directions.
#[derive(Clone, Copy, Debug)]
pub struct Bidirectional;

/// What can be walked from the first element on only.
#[derive(Clone, Copy, Debug)]
pub struct Forward;

impl sealed::Sealed for Bidirectional {}

impl Form for Bidirectional {
    const EMPTY: &'static [u8] = &[7, 0, 0, 0, 0, 0, END];
    const HEADER_LEN: usize = 6;
    const LEN_BITS: u32 = 32;
    // Redis refuses to read more.
    const LEN_MAX: usize = 1 << 30;
    const HAS_BACKLENS: bool = true;
}

impl sealed::Sealed for Forward {}

impl Form for Forward {
    const EMPTY: &'static [u8] = &[4, 0, 0, 0];
    const HEADER_LEN: usize = 4;
    const LEN_BITS: u32 = 21;
    const LEN_MAX: usize = (1 << 21) - 1;
    const HAS_BACKLENS: bool = false;
}

/// Bytes from the element at `pos` to the next one; 0 at the end and where no element can begin.
#[inline]
pub(super) fn entry_len<F: Form>(bytes: &[u8], pos: usize) -> usize {
    if F::HAS_BACKLENS { encoding::entry_len(bytes, pos) } else { encoding::encoded_len(bytes, pos) }
}

/// The element at `pos` and the bytes to the next one; `None` at the end and where no element can begin.
#[inline]
pub(super) fn decode_entry<F: Form>(bytes: &[u8], pos: usize) -> Option<(Item<'_>, usize)> {
    if F::HAS_BACKLENS { encoding::decode_entry(bytes, pos) } else { encoding::decode(bytes, pos) }
}
