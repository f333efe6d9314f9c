//! Ziplists: what small lists, hashes and sorted sets were up to Redis 6.2.
//!
//! ```text
//! | bytes: u32 | offset of the last entry: u32 | number of entries: u16 | entries... | ff |     little-endian
//! entry: bytes of the entry before it (one byte below 254, else fe and a u32), then
//!   00LLLLLL / 01LLLLLL LLLLLLLL / 10...... u32 big-endian, text
//!   c0 i16, d0 i32, e0 i64, f0 i24, fe i8, f1..fd the integers 0 to 12
//! ```

use ochre_types::listpack::{Item, Listpack};

use super::super::cursor::Cursor;
use super::super::error::RdbError;

const HEADER_LEN: usize = 10;
const END: u8 = 0xff;
const LONG_PREVIOUS: u8 = 0xfe;
/// The number of entries where it does not fit.
const COUNT_UNKNOWN: u16 = u16::MAX;

/// Bytes that are no ziplist.
struct NotAZiplist;

impl From<RdbError> for NotAZiplist {
    fn from(_: RdbError) -> NotAZiplist {
        NotAZiplist
    }
}

/// What a ziplist holds, as a listpack; an error with this text if it is none, or too large for one.
pub(super) fn to_listpack(bytes: &[u8], error: &'static str) -> Result<Listpack, RdbError> {
    read(bytes).map_err(|NotAZiplist| RdbError::Corrupt(error))
}

fn read(bytes: &[u8]) -> Result<Listpack, NotAZiplist> {
    let mut cursor = Cursor::new(bytes);
    let total = u32::from_le_bytes(cursor.array()?) as usize;
    let tail = u32::from_le_bytes(cursor.array()?) as usize;
    let announced = u16::from_le_bytes(cursor.array()?);
    if total != bytes.len() || bytes.last() != Some(&END) || total <= HEADER_LEN {
        return Err(NotAZiplist);
    }
    let mut listpack = Listpack::with_capacity(bytes.len());
    let (mut count, mut previous_len, mut last) = (0usize, 0usize, HEADER_LEN);
    while cursor.remaining() > 1 {
        last = bytes.len() - cursor.remaining();
        read_entry(&mut cursor, previous_len, &mut listpack)?;
        previous_len = bytes.len() - cursor.remaining() - last;
        count += 1;
    }
    let is_whole = cursor.remaining() == 1 && tail == last;
    let is_counted = announced == COUNT_UNKNOWN || usize::from(announced) == count;
    if is_whole && is_counted { Ok(listpack) } else { Err(NotAZiplist) }
}

/// Reads an entry behind one of `previous_len` bytes.
fn read_entry(
    cursor: &mut Cursor<'_>,
    previous_len: usize,
    listpack: &mut Listpack,
) -> Result<(), NotAZiplist> {
    let announced = match cursor.byte()? {
        END => return Err(NotAZiplist),
        LONG_PREVIOUS => u32::from_le_bytes(cursor.array()?) as usize,
        short => usize::from(short),
    };
    let item = read_item(cursor)?;
    if announced != previous_len || !listpack.fits(item.len()) {
        return Err(NotAZiplist);
    }
    listpack.push_back_item(item);
    Ok(())
}

fn read_item<'a>(cursor: &mut Cursor<'a>) -> Result<Item<'a>, NotAZiplist> {
    let first = cursor.byte()?;
    let text_len = match first {
        0..0x40 => u64::from(first),
        0x40..0x80 => u64::from(first & 0x3f) << 8 | u64::from(cursor.byte()?),
        0x80 => u64::from(u32::from_be_bytes(cursor.array()?)),
        _ => return read_int(first, cursor).map(Item::Int),
    };
    Ok(Item::Bytes(cursor.take(text_len)?))
}

fn read_int(first: u8, cursor: &mut Cursor<'_>) -> Result<i64, NotAZiplist> {
    Ok(match first {
        0xc0 => i64::from(i16::from_le_bytes(cursor.array()?)),
        0xd0 => i64::from(i32::from_le_bytes(cursor.array()?)),
        0xe0 => i64::from_le_bytes(cursor.array()?),
        0xf0 => {
            let [a, b, c] = cursor.array()?;
            i64::from(i32::from_le_bytes([0, a, b, c]) >> 8)
        }
        0xfe => i64::from(i8::from_le_bytes(cursor.array()?)),
        0xf1..=0xfd => i64::from(first - 0xf1),
        _ => return Err(NotAZiplist),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A ziplist of these encoded elements.
    fn ziplist(elements: &[&[u8]]) -> Vec<u8> {
        let (mut entries, mut previous, mut tail) = (Vec::new(), 0usize, HEADER_LEN);
        for element in elements {
            tail = HEADER_LEN + entries.len();
            match u8::try_from(previous).ok().filter(|len| *len < LONG_PREVIOUS) {
                Some(len) => entries.push(len),
                None => {
                    entries.push(LONG_PREVIOUS);
                    entries.extend_from_slice(&(previous as u32).to_le_bytes());
                }
            }
            entries.extend_from_slice(element);
            previous = HEADER_LEN + entries.len() - tail;
        }
        let mut bytes = ((HEADER_LEN + entries.len() + 1) as u32).to_le_bytes().to_vec();
        bytes.extend_from_slice(&(tail as u32).to_le_bytes());
        bytes.extend_from_slice(&(elements.len() as u16).to_le_bytes());
        bytes.extend_from_slice(&entries);
        bytes.push(END);
        bytes
    }

    fn texts(bytes: &[u8]) -> Option<Vec<Vec<u8>>> {
        Some(to_listpack(bytes, "").ok()?.iter().map(|item| item.to_vec()).collect())
    }

    #[test]
    fn elements_of_all_kinds() {
        let long = [&[0x41, 0x2c][..], &[b'x'; 300]].concat();
        let longer = [&[0x80, 0, 0, 0x40, 0][..], &[b'y'; 16384]].concat();
        let cases: [(&[u8], &[u8]); 11] = [
            (b"\x01a", b"a"),
            (b"\x00", b""),
            (b"\xc0\x00\x80", b"-32768"),
            (b"\xd0\xff\xff\xff\x7f", b"2147483647"),
            (b"\xe0\x00\x00\x00\x00\x00\x00\x00\x80", b"-9223372036854775808"),
            (b"\xf0\xff\xff\xff", b"-1"),
            (b"\xfe\x80", b"-128"),
            (b"\xf1", b"0"),
            (b"\xfd", b"12"),
            (&long, &[b'x'; 300]),
            (&longer, &[b'y'; 16384]),
        ];
        let elements: Vec<&[u8]> = cases.iter().map(|(element, _)| *element).collect();
        let expected: Vec<Vec<u8>> = cases.iter().map(|(_, text)| text.to_vec()).collect();
        assert_eq!(texts(&ziplist(&elements)), Some(expected));
        assert_eq!(texts(&ziplist(&[])), Some(Vec::new()));
    }

    #[test]
    fn what_is_no_ziplist_is_refused() {
        // The example of Redis's own description.
        let good = b"\x0f\0\0\0\x0c\0\0\0\x02\0\0\xf3\x02\xf6\xff";
        assert_eq!(texts(good), Some(vec![b"2".to_vec(), b"5".to_vec()]));
        for (at, byte) in
            [(0, 14), (4, 10), (8, 1), (10, 1), (11, 0xff), (12, 3), (13, 0x3f), (14, 0), (12, 0xfe)]
        {
            let mut bad = good.to_vec();
            bad[at] = byte;
            assert_eq!(texts(&bad), None, "{at} {byte}");
        }
        (0..good.len()).for_each(|len| assert_eq!(texts(&good[..len]), None));
    }
}
