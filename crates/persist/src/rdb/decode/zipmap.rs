//! Zipmaps: what small hashes were up to Redis 2.4.
//!
//! ```text
//! | number of pairs, 254 where it does not fit | length name length free value (free unused bytes) | ... | ff |
//! length: a byte up to 253, else fe and a u32, little-endian
//! ```

use super::super::cursor::Cursor;
use super::super::error::RdbError;

const END: u8 = 0xff;
const LONG: u8 = 0xfe;
/// The number of pairs where it is not known.
const COUNT_UNKNOWN: u8 = 0xfe;

/// Shows the names and values of a zipmap.
pub(super) fn read(bytes: &[u8], mut visit: impl FnMut(&[u8], &[u8])) -> Result<(), RdbError> {
    walk(bytes, &mut visit).map_err(|_| RdbError::Corrupt("Zipmap integrity check failed."))
}

fn walk(bytes: &[u8], visit: &mut dyn FnMut(&[u8], &[u8])) -> Result<(), RdbError> {
    let mut cursor = Cursor::new(bytes);
    let announced = cursor.byte()?;
    let mut count = 0u64;
    while let Some(len) = length(&mut cursor)? {
        let name = cursor.take(len)?;
        let len = length(&mut cursor)?.ok_or(RdbError::Truncated)?;
        let free = cursor.byte()?;
        let value = cursor.take(len)?;
        cursor.take(u64::from(free))?;
        visit(name, value);
        count += 1;
    }
    let is_counted = announced >= COUNT_UNKNOWN || u64::from(announced) == count;
    if cursor.remaining() == 0 && is_counted { Ok(()) } else { Err(RdbError::Truncated) }
}

/// A length; `None` at the end. A short one must be written short: the peers take no other, and nobody ever wrote one.
fn length(cursor: &mut Cursor<'_>) -> Result<Option<u64>, RdbError> {
    Ok(match cursor.byte()? {
        END => None,
        LONG => {
            let len = u64::from(u32::from_le_bytes(cursor.array()?));
            Some(Some(len).filter(|len| *len >= u64::from(LONG)).ok_or(RdbError::Truncated)?)
        }
        short => Some(u64::from(short)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    type Pair = (Vec<u8>, Vec<u8>);

    fn pairs(bytes: &[u8]) -> Result<Vec<Pair>, RdbError> {
        let mut pairs = Vec::new();
        read(bytes, |name, value| pairs.push((name.to_vec(), value.to_vec())))?;
        Ok(pairs)
    }

    #[test]
    fn pairs_with_and_without_free_bytes() {
        let long = [&b"\xfe\x01a\xfe\x2c\x01\0\0\x02"[..], &[b'x'; 300], b"..\xff"].concat();
        assert_eq!(pairs(&long), Ok(vec![(b"a".to_vec(), vec![b'x'; 300])]));
        let two = b"\x02\x03foo\x03\x00bar\x05hello\x05\x00world\xff";
        let expected = vec![(b"foo".to_vec(), b"bar".to_vec()), (b"hello".to_vec(), b"world".to_vec())];
        assert_eq!(pairs(two), Ok(expected));
        for len in 0..two.len() {
            assert!(pairs(&two[..len]).is_err(), "{len}");
        }
        for overlong in [&b"\x01\xfe\x01\0\0\0a\x01\0b\xff"[..], b"\x01\x01a\xfe\xfd\0\0\0\0b\xff"] {
            assert!(pairs(overlong).is_err());
        }
        for (at, byte) in [(0, 3), (1, 4), (5, 0xff), (6, 200)] {
            let mut bad = two.to_vec();
            bad[at] = byte;
            assert!(pairs(&bad).is_err(), "{at} {byte}");
        }
    }
}
