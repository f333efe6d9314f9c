//! Where an argument lies.
//!
//! Nearly always in the bytes that were parsed. One that is so large that its bytes were received into memory of their own
//! is a *part*: its span counts down from the end of all positions, where no input reaches, and says which it is.

/// An argument of so many bytes may have memory of its own. What is shorter costs less to copy than to receive by itself.
pub const PART_BYTES_MIN: usize = 64 * 1024;
/// No request has more arguments with memory of their own.
pub const PARTS_MAX: usize = 4096;

// No range that begins where parts do lies within bytes whose positions have 32 bits.
const _: () = assert!(PARTS_MAX < PART_BYTES_MIN);

/// One argument: a range of the bytes that were parsed, or a part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// Position of the first byte, counted from the first byte of the parser's `input`.
    pub start: u32,
    /// Length in bytes.
    pub len: u32,
}

impl Span {
    /// The argument that is part number `index` of its request.
    pub fn part(index: usize, len: usize) -> Span {
        Span { start: u32::MAX - index as u32, len: len as u32 }
    }

    /// Which part it is, if it is one.
    pub fn part_index(self) -> Option<usize> {
        let index = (u32::MAX - self.start) as usize;
        (index < PARTS_MAX && self.is_large()).then_some(index)
    }

    /// Whether it is long enough to have memory of its own.
    #[inline]
    pub fn is_large(self) -> bool {
        self.len as usize >= PART_BYTES_MIN
    }

    /// The argument's bytes in `input`, if they are there.
    #[inline]
    pub fn within(self, input: &[u8]) -> Option<&[u8]> {
        let start = self.start as usize;
        input.get(start..start.saturating_add(self.len as usize))
    }

    /// The argument's bytes in `input`, empty if the span lies outside.
    #[inline]
    pub fn of(self, input: &[u8]) -> &[u8] {
        match self.within(input) {
            Some(bytes) => bytes,
            None => outside(),
        }
    }

    /// The same argument when `offset` bytes precede what was parsed.
    #[inline]
    #[must_use]
    pub fn shifted(self, offset: u32) -> Self {
        Self { start: self.start.saturating_add(offset), len: self.len }
    }
}

/// The bytes of a span that lies outside. Cold, so that whether it does is told by a branch that is never taken.
#[cold]
fn outside() -> &'static [u8] {
    &[]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_have_numbers_and_lie_in_no_input() {
        for index in [0, 1, PARTS_MAX - 1] {
            let span = Span::part(index, PART_BYTES_MIN);
            assert_eq!((span.part_index(), span.within(&[0; 100])), (Some(index), None));
        }
        assert_eq!(Span { start: 0, len: 1 << 20 }.part_index(), None);
        assert_eq!(Span { start: u32::MAX, len: 3 }.part_index(), None);
        assert_eq!(Span::part(PARTS_MAX, PART_BYTES_MIN).part_index(), None);
    }
}
