//! The quick way over replies: most are short lines or bulks that lie whole in the buffer, and most are like the
//! one before.
//!
//! Eight bytes hold the first line of such a reply, so one word is all that is looked at. A reply that begins as
//! the last one did (`$64\r\n`, `+OK\r\n`) has its length, too: one comparison, and the processor, which predicts it,
//! is at the next reply before this one has been loaded. Any other is measured first ([`Alike::of`]). What does not
//! fit (arrays, errors, long lines, the last bytes of a buffer) or is wrong is left to the [`Skipper`], which alone
//! knows about state and complaints; both ways give the same result, only at another price (nanoseconds per
//! reply, 64-byte bulk 0.4 instead of 4.8).
//!
//! [`Skipper`]: crate::skipper::Skipper

/// What all replies with the same beginning have in common.
#[derive(Clone, Copy, Debug)]
pub struct Alike {
    /// Which bytes of the word count, and what they are; the first byte of the reply is the lowest of the word.
    mask: u64,
    head: u64,
    /// Bytes of the reply.
    length: usize,
}

impl Default for Alike {
    /// Like no reply.
    fn default() -> Self {
        Self { mask: 0, head: 1, length: 0 }
    }
}

impl Alike {
    /// Steps over replies at the front of `data`: how many, and how many bytes they take. `data` begins with a
    /// reply's first byte.
    pub fn skip(&mut self, data: &[u8]) -> (usize, usize) {
        let (mut rest, mut replies) = (data, 0);
        while let Some(first) = rest.first_chunk() {
            let word = u64::from_le_bytes(*first);
            if word & self.mask != self.head {
                let Some(alike) = Self::of(word) else { break };
                *self = alike;
            }
            let Some(beyond) = rest.get(self.length..) else { break };
            rest = beyond;
            replies += 1;
        }
        (replies, data.len() - rest.len())
    }

    /// The kind of status, number or bulk whose first line is well-formed and lies in `word`.
    fn of(word: u64) -> Option<Self> {
        let bytes = word.to_le_bytes();
        let feed = line_feed(word)?;
        let (line, ending) = bytes[..feed].split_last().map(|(ending, line)| (line, *ending))?;
        let (kind, text) = line.split_first()?;
        let body = match kind {
            b'+' | b':' => 0,
            b'$' if text == b"-1" => 0,
            b'$' => number(text)? + 2,
            _ => return None,
        };
        let mask = u64::MAX >> (56 - 8 * feed);
        (ending == b'\r').then_some(Self { mask, head: word & mask, length: feed + 1 + body })
    }
}

/// Where the first line feed in eight bytes is.
fn line_feed(word: u64) -> Option<usize> {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    let differences = word ^ u64::from_le_bytes([b'\n'; 8]);
    // The subtraction borrows first in the lowest byte that is zero; bytes above it may be wrong, and do not matter.
    let zeros = differences.wrapping_sub(ONES) & !differences & (ONES << 7);
    (zeros != 0).then_some(zeros.trailing_zeros() as usize / 8)
}

/// One to five digits as a number.
fn number(digits: &[u8]) -> Option<usize> {
    let value = digits
        .iter()
        .try_fold(0, |value, digit| digit.is_ascii_digit().then(|| value * 10 + usize::from(digit - b'0')));
    value.filter(|_| !digits.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn skip(data: &[u8]) -> (usize, usize) {
        Alike::default().skip(data)
    }

    #[test]
    fn whole_short_replies_are_stepped_over() {
        let padding = b"*1\r\n:1\r\n*1\r\n";
        for (reply, replies) in [
            (b"+OK\r\n".as_slice(), 1),
            (b"+\r\n:\r\n", 2),
            (b":-12\r\n:12345\r\n", 2),
            (b"$-1\r\n$0\r\n\r\n$3\r\na\n\r\r\n$3\r\nabc\r\n", 4),
            (b"+OK\r\n+OK\r\n:1\r\n+OK\r\n", 4),
        ] {
            let stream = [reply, padding].concat();
            assert_eq!(skip(&stream), (replies, reply.len()), "{}", reply.escape_ascii());
        }
    }

    #[test]
    fn the_longest_header_that_fits_is_five_digits() {
        let mut stream = b"$99999\r\n".to_vec();
        stream.resize(8 + 99_999 + 1, b'x');
        assert_eq!(skip(&stream), (0, 0));
        stream.push(b'x');
        assert_eq!(skip(&stream), (1, stream.len()));
    }

    #[test]
    fn what_is_not_whole_and_well_formed_is_left() {
        for stream in [
            b"+OK\r\n".as_slice(),
            b"-ERR no\r\n",
            b"*0\r\n:1\r\n:2\r\n",
            b"+OK\n:1\r\n:2\r\n",
            b"\r\n:1\r\n:2\r\n",
            b"$\r\n:1\r\n:2\r\n",
            b"$-2\r\n:1\r\n:2\r\n",
            b"$1x\r\n:1\r\n:2\r\n",
            b":123456\r\n:1\r\n",
            b"_\r\n_\r\n_\r\n",
        ] {
            assert_eq!(skip(stream), (0, 0), "{}", stream.escape_ascii());
        }
    }

    #[test]
    fn the_first_line_feed_is_found_among_all_bytes() {
        for at in 0..8 {
            for other in (0..=u8::MAX).filter(|&other| other != b'\n') {
                let mut bytes = [other; 8];
                assert_eq!(line_feed(u64::from_le_bytes(bytes)), None);
                bytes[at] = b'\n';
                assert_eq!(line_feed(u64::from_le_bytes(bytes)), Some(at));
                bytes[at..].fill(b'\n');
                assert_eq!(line_feed(u64::from_le_bytes(bytes)), Some(at));
            }
        }
    }
}
