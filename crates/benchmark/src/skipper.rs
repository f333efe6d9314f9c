//! Steps over replies without decoding them, across any split of the stream.
//!
//! A reply is at most "a line" or "a line and so many bytes" or "a line and so many further values", so
//! two numbers are the whole state: values still owed and body bytes still to come. Nothing is ever kept
//! except the piece of a line that a read cut off. That is why the generator has its own skipper beside
//! the protocol crate's `skip_reply`: that one wants the whole reply in one buffer and scans from the
//! start after each read, a 600-element LRANGE many times over. Errors are noticed at the outermost level
//! and inside arrays (a transaction's), the first text is kept. Push messages and attributes of RESP3 are
//! stepped over and do not count as replies.
//!
//! Between two messages [`Alike`] has the first try, which is quick for the replies that are frequent.

use crate::alike::Alike;
use crate::failure::Failure;

/// Longest line (status, error, number) that a server may send.
const LINE_MAX: usize = 64 * 1024;

/// Where in the stream of replies a connection is.
#[derive(Debug, Default)]
pub struct Skipper {
    /// Values still owed before the present message is complete; 0 between messages.
    owed_values: u64,
    /// Bytes of a bulk's body, its CRLF included, still to come.
    owed_bytes: u64,
    /// The present message answers no request.
    uncounted: bool,
    /// The start of a line whose end has not arrived.
    partial: Vec<u8>,
    /// The first error that was seen.
    error: Option<String>,
    alike: Alike,
}

impl Skipper {
    /// Takes the next bytes of the stream; says how many replies they complete.
    ///
    /// # Errors
    /// [`Failure::Protocol`] when the bytes are not RESP; the connection is then of no further use.
    pub fn feed(&mut self, mut data: &[u8]) -> Result<usize, Failure> {
        let mut replies = 0;
        loop {
            if self.is_between_messages() {
                let (short, step) = self.alike.skip(data);
                replies += short;
                data = &data[step..];
            }
            if data.is_empty() {
                break;
            }
            if self.owed_bytes > 0 {
                let step = self.owed_bytes.min(data.len() as u64);
                self.owed_bytes -= step;
                data = &data[step as usize..];
                if self.owed_bytes > 0 {
                    break;
                }
            } else {
                let Some(end) = data.iter().position(|&byte| byte == b'\n') else {
                    self.keep(data)?;
                    break;
                };
                let (line, rest) = data.split_at(end + 1);
                self.whole_line(line)?;
                data = rest;
            }
            if self.owed_values == 0 && self.owed_bytes == 0 {
                replies += usize::from(!self.uncounted);
                self.uncounted = false;
            }
        }
        Ok(replies)
    }

    fn is_between_messages(&self) -> bool {
        self.owed_values == 0 && self.owed_bytes == 0 && self.partial.is_empty()
    }

    /// The first error reply since the last call.
    pub fn take_error(&mut self) -> Option<String> {
        self.error.take()
    }

    fn keep(&mut self, piece: &[u8]) -> Result<(), Failure> {
        if self.partial.len() + piece.len() > LINE_MAX {
            return Err(Failure::Protocol("a line without end"));
        }
        self.partial.extend_from_slice(piece);
        Ok(())
    }

    fn whole_line(&mut self, line: &[u8]) -> Result<(), Failure> {
        if self.partial.is_empty() {
            return self.line(line);
        }
        self.keep(line)?;
        let whole = std::mem::take(&mut self.partial);
        self.line(&whole)
    }

    /// One value's first line, with its CRLF.
    fn line(&mut self, line: &[u8]) -> Result<(), Failure> {
        let Some(line) = line.strip_suffix(b"\r\n").filter(|line| !line.is_empty()) else {
            return Err(Failure::Protocol("a line that ends without CRLF"));
        };
        let outermost = self.owed_values == 0;
        let owed = self.owed_values.saturating_sub(1);
        let further = match line[0] {
            b'+' | b':' | b'_' | b',' | b'#' | b'(' => 0,
            b'-' => self.note_error(&line[1..]),
            b'$' | b'=' | b'!' => self.start_body(&line[1..])?,
            b'*' | b'~' => length(&line[1..])?,
            b'%' => length(&line[1..])?.saturating_mul(2),
            b'>' => {
                self.uncounted |= outermost;
                length(&line[1..])?
            }
            // An attribute is followed by the value that it describes: one more.
            b'|' => length(&line[1..])?.saturating_mul(2).saturating_add(1),
            _ => return Err(Failure::Protocol("an unknown type of reply")),
        };
        self.owed_values = owed.saturating_add(further);
        Ok(())
    }

    fn note_error(&mut self, text: &[u8]) -> u64 {
        if self.error.is_none() {
            self.error = Some(String::from_utf8_lossy(text).into_owned());
        }
        0
    }

    /// A bulk, verbatim text or bulk error: no further values, but a body unless it is the null of RESP2.
    fn start_body(&mut self, digits: &[u8]) -> Result<u64, Failure> {
        if digits != b"-1" {
            self.owed_bytes = length(digits)?.saturating_add(2);
        }
        Ok(0)
    }
}

/// A length as the protocol writes it; the null array's -1 holds no values.
fn length(digits: &[u8]) -> Result<u64, Failure> {
    if digits == b"-1" {
        return Ok(0);
    }
    let mut value = 0_u64;
    for &digit in digits {
        if !digit.is_ascii_digit() || value > u64::MAX / 100 {
            return Err(Failure::Protocol("a length that is no number"));
        }
        value = value * 10 + u64::from(digit - b'0');
    }
    if digits.is_empty() { Err(Failure::Protocol("a length that is no number")) } else { Ok(value) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAMS: &[(&[u8], usize)] = &[
        (b"+OK\r\n", 1),
        (b":1\r\n:2\r\n$3\r\nab\n\r\n", 3),
        (b"$-1\r\n*-1\r\n_\r\n", 3),
        (b"*0\r\n$0\r\n\r\n", 2),
        (b"*3\r\n:1\r\n*2\r\n$1\r\na\r\n+x\r\n%1\r\n+k\r\n~1\r\n,1.5\r\n", 1),
        (b">2\r\n+invalidate\r\n*1\r\n$1\r\nk\r\n+OK\r\n", 1),
        (b"|1\r\n+ttl\r\n:3\r\n$2\r\nhi\r\n#t\r\n", 2),
        (b"=7\r\ntxt:abc\r\n(123456789012345678901234567890\r\n", 2),
    ];

    #[test]
    fn counts_replies_in_one_piece_and_in_any_two() {
        for (stream, expected) in STREAMS {
            for cut in 0..=stream.len() {
                let mut skipper = Skipper::default();
                let first = skipper.feed(&stream[..cut]).unwrap();
                let second = skipper.feed(&stream[cut..]).unwrap();
                assert_eq!(first + second, *expected, "{:?} cut at {cut}", stream.escape_ascii().to_string());
                assert!(
                    skipper.take_error().is_none() && skipper.owed_values == 0 && skipper.owed_bytes == 0
                );
            }
        }
    }

    #[test]
    fn keeps_the_first_error_and_still_counts() {
        let mut skipper = Skipper::default();
        assert_eq!(skipper.feed(b"*2\r\n-ERR one\r\n-ERR two\r\n+OK\r\n").unwrap(), 2);
        assert_eq!(skipper.take_error().as_deref(), Some("ERR one"));
        assert_eq!(skipper.take_error(), None);
    }

    /// Bytes that look like the protocol's, in any order: the outcome is free, but it is one.
    #[test]
    fn survives_any_bytes() {
        const ALPHABET: &[u8] = b"+-:$*%~>|_=!,#(0123456789\r\n\n\rab";
        let mut random = crate::random::Random::new(42);
        for _ in 0..20_000 {
            let length = random.below(40) as usize;
            let bytes: Vec<u8> =
                (0..length).map(|_| ALPHABET[random.below(ALPHABET.len() as u64) as usize]).collect();
            let (whole, cut) =
                (Skipper::default().feed(&bytes).ok(), random.below(length as u64 + 1) as usize);
            let mut skipper = Skipper::default();
            let first = skipper.feed(&bytes[..cut]).ok();
            let both = first.and_then(|first| Some(first + skipper.feed(&bytes[cut..]).ok()?));
            assert_eq!(both, whole, "{:?} cut at {cut}", bytes.escape_ascii().to_string());
        }
    }

    /// Many replies in one buffer are what [`Alike`] is for; byte by byte it never has a chance.
    #[test]
    fn many_replies_at_once_are_the_same_as_byte_by_byte() {
        const REPLIES: &[&[u8]] = &[
            b"+OK\r\n",
            b"+QUEUED\r\n",
            b":7\r\n",
            b":-123456789\r\n",
            b"$3\r\nabc\r\n",
            b"$12\r\n$3\r\n+OK\r\n:1\r\n",
            b"$-1\r\n",
            b"*2\r\n$1\r\na\r\n:1\r\n",
            b">1\r\n+x\r\n",
            b"-ERR\r\n",
        ];
        let mut random = crate::random::Random::new(7);
        for round in 0..3_000 {
            let mut stream = Vec::new();
            while random.below(30) > 0 {
                let reply = REPLIES[random.below(REPLIES.len() as u64) as usize];
                stream.extend(reply.repeat(1 + random.below(3) as usize));
            }
            if round % 3 == 0 && !stream.is_empty() {
                let at = random.below(stream.len() as u64) as usize;
                stream[at] = random.next() as u8;
            }
            let mut whole = Skipper::default();
            let at_once = whole.feed(&stream);
            let mut slow = Skipper::default();
            let by_bytes: Result<usize, Failure> = stream.chunks(1).map(|byte| slow.feed(byte)).sum();
            let text = stream.escape_ascii().to_string();
            assert_eq!(at_once.is_ok(), by_bytes.is_ok(), "{text}");
            if let (Ok(at_once), Ok(by_bytes)) = (at_once, by_bytes) {
                assert_eq!(at_once, by_bytes, "{text}");
                assert_eq!(whole.take_error(), slow.take_error(), "{text}");
                let left = |skipper: &Skipper| {
                    (skipper.owed_values, skipper.owed_bytes, skipper.uncounted, skipper.partial.clone())
                };
                assert_eq!(left(&whole), left(&slow), "{text}");
            }
        }
    }

    #[test]
    fn refuses_what_is_no_reply() {
        let endless = vec![b'+'; LINE_MAX + 1];
        for stream in [
            b"hello\r\n".as_slice(),
            b"*x\r\n",
            b"$\r\n",
            b"+OK\n",
            b"\r\n",
            b"$99999999999999999999\r\n",
            &endless,
        ] {
            assert!(Skipper::default().feed(stream).is_err(), "{:?}", stream.escape_ascii().to_string());
        }
    }
}
