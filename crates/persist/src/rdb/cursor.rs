//! Reading what values are made of from bytes that are all there: lengths, texts, numbers.
//!
//! ```text
//! 00LLLLLL                      a length of 6 bits
//! 01LLLLLL LLLLLLLL             14 bits, big-endian
//! 10000000 u32 / 10000001 u64   32 or 64 bits, big-endian
//! 11000000 i8 / 11000001 i16 / 11000010 i32      the text of an integer, little-endian
//! 11000011 length length bytes  a text that LZF made of the second length into the first
//! ```
//!
//! A text is a length and as many bytes, or one of the last four. What would need more bytes than there are is
//! [`RdbError::Truncated`], which a reader takes as a request for more; so nothing is ever allocated for a length alone.

use ochre_types::lzf;

use super::error::RdbError;
use super::module::part;
use super::text::Text;

const INT_8: u8 = 0xc0;
const INT_16: u8 = 0xc1;
const INT_32: u8 = 0xc2;
const LZF: u8 = 0xc3;

/// Bytes that are still to be read. A copy of it is a place to come back to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cursor<'a>(&'a [u8]);

/// What a length turned out to be.
enum Length {
    Plain(u64),
    /// The text that begins with this byte is no plain one.
    Encoded(u8),
}

impl<'a> Cursor<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Cursor<'a> {
        Cursor(bytes)
    }

    /// Bytes that are left.
    #[inline]
    pub(super) fn remaining(&self) -> usize {
        self.0.len()
    }

    #[inline]
    pub(super) fn byte(&mut self) -> Result<u8, RdbError> {
        let (first, rest) = self.0.split_first().ok_or(RdbError::Truncated)?;
        self.0 = rest;
        Ok(*first)
    }

    /// The next `len` bytes.
    #[inline]
    pub(super) fn take(&mut self, len: u64) -> Result<&'a [u8], RdbError> {
        let len = usize::try_from(len).map_err(|_| RdbError::Truncated)?;
        let (taken, rest) = self.0.split_at_checked(len).ok_or(RdbError::Truncated)?;
        self.0 = rest;
        Ok(taken)
    }

    #[inline]
    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], RdbError> {
        let (taken, rest) = self.0.split_first_chunk().ok_or(RdbError::Truncated)?;
        self.0 = rest;
        Ok(*taken)
    }

    /// A time in ms.
    pub(super) fn ms(&mut self) -> Result<i64, RdbError> {
        Ok(i64::from_le_bytes(self.array()?))
    }

    #[inline]
    fn length_or_encoding(&mut self) -> Result<Length, RdbError> {
        let first = self.byte()?;
        Ok(match first {
            0..0x40 => Length::Plain(u64::from(first)),
            0x40..0x80 => Length::Plain(u64::from(first & 0x3f) << 8 | u64::from(self.byte()?)),
            0x80 => Length::Plain(u64::from(u32::from_be_bytes(self.array()?))),
            0x81 => Length::Plain(u64::from_be_bytes(self.array()?)),
            INT_8..=LZF => Length::Encoded(first),
            _ => return Err(RdbError::Length(first)),
        })
    }

    /// A length, or whatever number is written as one.
    #[inline]
    pub(super) fn length(&mut self) -> Result<u64, RdbError> {
        match self.length_or_encoding()? {
            Length::Plain(length) => Ok(length),
            Length::Encoded(first) => Err(RdbError::Length(first)),
        }
    }

    /// A text.
    #[inline]
    pub(super) fn text(&mut self) -> Result<Text<'a>, RdbError> {
        match self.length_or_encoding()? {
            Length::Plain(len) => self.take(len).map(Text::Bytes),
            Length::Encoded(first) => self.encoded_text(first),
        }
    }

    fn encoded_text(&mut self, first: u8) -> Result<Text<'a>, RdbError> {
        Ok(Text::Int(match first {
            INT_8 => i64::from(i8::from_le_bytes(self.array()?)),
            INT_16 => i64::from(i16::from_le_bytes(self.array()?)),
            INT_32 => i64::from(i32::from_le_bytes(self.array()?)),
            _ => {
                let (compressed_len, len) = (self.length()?, self.length()?);
                let compressed = self.take(compressed_len)?;
                let text = usize::try_from(len).ok().and_then(|len| lzf::decompress(compressed, len).ok());
                return text.map(Text::Owned).ok_or(RdbError::Corrupt("Invalid LZF compressed string"));
            }
        }))
    }

    /// Passes a text without decompressing it.
    #[inline]
    pub(super) fn skip_text(&mut self) -> Result<(), RdbError> {
        let len = match self.length_or_encoding()? {
            Length::Plain(len) => len,
            Length::Encoded(INT_8) => 1,
            Length::Encoded(INT_16) => 2,
            Length::Encoded(INT_32) => 4,
            Length::Encoded(_) => {
                let compressed_len = self.length()?;
                self.length()?;
                compressed_len
            }
        };
        self.take(len).map(drop)
    }

    /// The length of a text that lies there as it is, if the next one does; the cursor is then before its bytes.
    pub(super) fn plain_text_len(&mut self) -> Result<Option<u64>, RdbError> {
        let before = *self;
        match self.length_or_encoding()? {
            Length::Plain(len) => Ok(Some(len)),
            Length::Encoded(_) => {
                *self = before;
                Ok(None)
            }
        }
    }

    /// Up to `len` bytes.
    pub(super) fn take_up_to(&mut self, len: u64) -> &'a [u8] {
        let len = usize::try_from(len).unwrap_or(usize::MAX).min(self.0.len());
        let (taken, rest) = self.0.split_at(len);
        self.0 = rest;
        taken
    }

    /// A score as the first sorted sets had it: a byte of length and digits, or one of three words.
    pub(super) fn score_text(&mut self) -> Result<f64, RdbError> {
        let len = match self.byte()? {
            255 => return Ok(f64::NEG_INFINITY),
            254 => return Ok(f64::INFINITY),
            253 => return Ok(f64::NAN),
            len => len,
        };
        let text = std::str::from_utf8(self.take(u64::from(len))?).ok();
        let score = text.and_then(|text| text.trim_start().parse().ok());
        score.ok_or(RdbError::Corrupt("Invalid score of a sorted set"))
    }

    /// Passes such a score.
    pub(super) fn skip_score_text(&mut self) -> Result<(), RdbError> {
        match self.byte()? {
            253..=255 => Ok(()),
            len => self.take(u64::from(len)).map(drop),
        }
    }

    /// Passes one value of a module; whether there was one.
    pub(super) fn skip_module_part(&mut self) -> Result<bool, RdbError> {
        match self.length()? {
            part::EOF => return Ok(false),
            part::SIGNED | part::UNSIGNED => self.length().map(drop)?,
            part::FLOAT => self.take(4).map(drop)?,
            part::DOUBLE => self.take(8).map(drop)?,
            part::STRING => self.skip_text()?,
            _ => return Err(RdbError::Corrupt("Unknown part of a module's value")),
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_all_widths() {
        let cases: [(&[u8], Result<u64, RdbError>); 10] = [
            (b"\x00", Ok(0)),
            (b"\x3f", Ok(63)),
            (b"\x40\x40", Ok(64)),
            (b"\x7f\xff", Ok(16383)),
            (b"\x80\x00\x00\x40\x00", Ok(16384)),
            (b"\x81\x00\x00\x00\x01\x00\x00\x00\x00", Ok(1 << 32)),
            (b"\x82\x00\x00\x00\x00", Err(RdbError::Length(0x82))),
            (b"\xc0\x01", Err(RdbError::Length(0xc0))),
            (b"\x80\x00\x00\x40", Err(RdbError::Truncated)),
            (b"", Err(RdbError::Truncated)),
        ];
        for (bytes, length) in cases {
            assert_eq!(Cursor::new(bytes).length(), length, "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn texts_of_all_kinds() {
        type Case = (&'static [u8], Result<&'static [u8], RdbError>);
        let cases: [Case; 9] = [
            (b"\x02ab", Ok(b"ab")),
            (b"\x00", Ok(b"")),
            (b"\xc0\x85", Ok(b"-123")),
            (b"\xc1\x00\x80", Ok(b"-32768")),
            (b"\xc2\xff\xff\xff\x7f", Ok(b"2147483647")),
            (b"\xc3\x04\x0a\x00a\xe0\x00\x00", Err(RdbError::Corrupt("Invalid LZF compressed string"))),
            (b"\xc3\x05\x0a\x00a\xe0\x00\x00", Ok(b"aaaaaaaaaa")),
            (b"\xc4", Err(RdbError::Length(0xc4))),
            (b"\x03ab", Err(RdbError::Truncated)),
        ];
        for (bytes, text) in cases {
            let mut cursor = Cursor::new(bytes);
            let read = cursor.text().map(Text::into_vec);
            assert_eq!(read.as_deref().map_err(|error| *error), text, "{}", bytes.escape_ascii());
            let mut skipping = Cursor::new(bytes);
            if read.is_ok() {
                assert_eq!((skipping.skip_text(), skipping.remaining()), (Ok(()), cursor.remaining()));
            }
        }
        // What was announced is not allocated, as so few bytes cannot give it.
        let bomb = b"\xc3\x05\x81\x7f\xff\xff\xff\xff\xff\xff\xff\x00a\xe0\x00\x00";
        assert!(Cursor::new(bomb).text().is_err());
    }

    #[test]
    fn scores_as_text() {
        let cases: [(&[u8], Option<f64>); 6] = [
            (b"\x033.5", Some(3.5)),
            (b"\xff", Some(f64::NEG_INFINITY)),
            (b"\xfe", Some(f64::INFINITY)),
            (b"\x1910.19999999999999928945726", Some(10.2)),
            (b"\x01x", None),
            (b"\x043.5", None),
        ];
        for (bytes, score) in cases {
            assert_eq!(Cursor::new(bytes).score_text().ok(), score, "{}", bytes.escape_ascii());
        }
        assert!(Cursor::new(b"\xfd").score_text().is_ok_and(f64::is_nan));
    }
}
