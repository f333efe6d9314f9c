//! The digest of a value that DIGEST answers and that IFDEQ and IFDNE compare with: XXH3, 64 bits, seed 0, as 16
//! hexadecimal digits, most significant first.
//!
//! A digest in an argument is only measured, not read: 16 bytes that are not hexadecimal are a digest no value
//! has. Letters compare without regard to case. (Redis looks the key up first: for a missing key or one of another
//! type it does not even measure.)

use xxhash_rust::xxh3::xxh3_64;

/// Bytes of a digest's text.
pub const DIGEST_LEN: usize = 16;

/// The text of a digest, in lower case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digest([u8; DIGEST_LEN]);

/// An argument is not [`DIGEST_LEN`] bytes long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DigestLengthError;

impl Digest {
    /// The digest of a value.
    pub fn of(value: &[u8]) -> Digest {
        let hash = xxh3_64(value);
        let mut text = [0; DIGEST_LEN];
        for (i, digit) in text.iter_mut().enumerate() {
            let nibble = (hash >> (60 - 4 * i)) & 15;
            *digit = b"0123456789abcdef"[nibble as usize];
        }
        Digest(text)
    }

    /// Takes a digest from an argument, whatever its bytes are; only its length can be wrong.
    pub fn parse(argument: &[u8]) -> Result<Digest, DigestLengthError> {
        let mut text: [u8; DIGEST_LEN] = argument.try_into().map_err(|_| DigestLengthError)?;
        text.make_ascii_lowercase();
        Ok(Digest(text))
    }

    /// Its text: 16 hexadecimal digits in lower case (or whatever an argument had in their place).
    pub fn as_bytes(&self) -> &[u8; DIGEST_LEN] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_of_values() {
        // Answers of Redis 8.6; the lengths are on both sides of the limits where XXH3 changes its method.
        let cases: &[(&[u8], &[u8; 16])] = &[
            (b"Hello world", b"b6acb9d84a38ff74"),
            (b"", b"2d06800538d394c2"),
            (b"\0", b"c44bdff4074eecdb"),
            (b"a", b"e6c632b61e964e1f"),
            (b"5", b"dedb980100c87e72"),
            (b"7", b"06eed105b82285fa"),
            (b"-17", b"8a57f108a9cc9aed"),
            (&[b'x'; 17], b"89975e6b7d2f5a11"),
            (&[b'x'; 128], b"4ca37e83f6cddd17"),
            (&[b'x'; 129], b"e4f9742108fe27dc"),
            (&[b'x'; 240], b"3e16ca8a0c6ccb68"),
            (&[b'x'; 241], b"14da9e5c301a6a1d"),
            (&[b'x'; 1000], b"c0a4877b962cba82"),
        ];
        for (value, expected) in cases {
            assert_eq!(Digest::of(value).as_bytes(), *expected, "{} bytes", value.len());
        }
    }

    #[test]
    fn digests_in_arguments() {
        let of_hello = Digest::of(b"Hello world");
        assert_eq!(Digest::parse(b"b6acb9d84a38ff74"), Ok(of_hello));
        assert_eq!(Digest::parse(b"B6ACB9d84A38FF74"), Ok(of_hello));
        for other in [b"zzacb9d84a38ff74", b" 6acb9d84a38ff74", b"gggggggggggggggg", b"+6acb9d84a38ff74"] {
            assert!(Digest::parse(other).is_ok_and(|digest| digest != of_hello));
        }
        for wrong in ["", "b6acb9d84a38ff7", "b6acb9d84a38ff740", "0xb6acb9d84a38ff74"] {
            assert_eq!(Digest::parse(wrong.as_bytes()), Err(DigestLengthError), "{wrong}");
        }
    }
}
