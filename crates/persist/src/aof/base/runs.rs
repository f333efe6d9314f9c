//! Commands with as many elements as come.
//!
//! How many a command gets is known at its end, since what is large ends it early. So its first line is written last: two digits
//! are kept free for it, and moving what is behind them where it takes one or three costs less than counting before.

use super::encoder::CommandEncoder;

/// Elements of a command, as in Redis.
pub(super) const ELEMENTS_MAX: usize = 64;
/// What stands for the number of arguments until that is known.
const UNKNOWN: &[u8] = b"00";

/// Writes elements of a key with one command after the other.
pub(super) struct Runs<'e> {
    out: &'e mut CommandEncoder,
    key: &'e [u8],
    name: &'static str,
    /// Arguments of an element.
    width: usize,
    /// Where the number of arguments belongs.
    count_at: usize,
    elements: usize,
}

impl<'e> Runs<'e> {
    pub(super) fn new(
        out: &'e mut CommandEncoder,
        name: &'static str,
        key: &'e [u8],
        width: usize,
    ) -> Runs<'e> {
        Runs { out, key, name, width, count_at: 0, elements: 0 }
    }

    /// Where to write the arguments of the next element.
    pub(super) fn element(&mut self) -> &mut CommandEncoder {
        if self.elements == ELEMENTS_MAX {
            self.end();
        }
        if self.elements == 0 {
            self.out.open();
            self.out.push_raw(b"*");
            self.count_at = self.out.len();
            self.out.push_raw(UNKNOWN);
            self.out.push_raw(b"\r\n");
            self.out.push_word(self.name);
            self.out.push_text(self.key);
        }
        self.elements += 1;
        self.out
    }

    /// Ends the command, if there is one.
    pub(super) fn end(&mut self) {
        if self.elements > 0 {
            let count = 2 + self.elements * self.width;
            let place = self.count_at..self.count_at + UNKNOWN.len();
            self.out.replace(place, itoa::Buffer::new().format(count).as_bytes());
            self.elements = 0;
        }
    }
}
