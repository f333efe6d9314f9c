//! Integers of any width at any bit of a bitmap, most significant bit first.
//!
//! A field touches nine bytes at most; they are read into and written from one wide integer, never bit by bit.

/// The type of a field: `i1` to `i64`, `u1` to `u63`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FieldKind {
    signed: bool,
    bits: u32,
}

/// What happens to a value that its field cannot hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Overflow {
    /// Its lower bits are kept.
    #[default]
    Wrap,
    /// The nearest value that the field can hold is kept.
    Saturate,
    /// The field stays as it is.
    Fail,
}

/// What a change of a field did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FieldChange {
    /// What the field held.
    pub old: i64,
    /// What it holds now.
    pub new: i64,
}

impl FieldKind {
    /// Reads `u8`, `i16`, ...; `None` for what is no such type.
    pub fn parse(text: &[u8]) -> Option<FieldKind> {
        let (signed, digits) = match text {
            [b'i', digits @ ..] => (true, digits),
            [b'u', digits @ ..] => (false, digits),
            _ => return None,
        };
        let bits = u32::try_from(crate::parse_i64(digits)?).ok()?;
        let widest = if signed { 64 } else { 63 };
        (1..=widest).contains(&bits).then_some(FieldKind { signed, bits })
    }

    /// Its width.
    pub fn bits(self) -> u32 {
        self.bits
    }

    fn max(self) -> i128 {
        (1 << (self.bits - u32::from(self.signed))) - 1
    }

    fn min(self) -> i128 {
        if self.signed { -self.max() - 1 } else { 0 }
    }

    /// The value that a field with these bits has. It fits because no unsigned field has 64 bits.
    fn value(self, bits: u64) -> i64 {
        let shift = 64 - self.bits;
        if self.signed { ((bits << shift) as i64) >> shift } else { (bits << shift >> shift) as i64 }
    }

    /// What the field holds after `value` was to be written; `None` if that fails.
    fn fit(self, value: i128, overflow: Overflow) -> Option<i64> {
        if (self.min()..=self.max()).contains(&value) {
            return Some(value as i64);
        }
        match overflow {
            Overflow::Wrap => Some(self.value(value as u64)),
            Overflow::Saturate => Some(if value > self.max() { self.max() } else { self.min() } as i64),
            Overflow::Fail => None,
        }
    }

    /// The number that a value to be set counts as. An unsigned field takes it for an unsigned one. And where it is so
    /// far below a signed field that their distance has no 64-bit form, Redis takes it for one that lies above.
    fn number(self, value: i64) -> i128 {
        let number = i128::from(value);
        match self.signed {
            false => i128::from(value as u64),
            true if self.bits < 64 && self.max() - number > i128::from(i64::MAX) => number + (1 << 64),
            true => number,
        }
    }
}

const FIELD_BYTES: usize = size_of::<u128>();

/// The bytes from that of a bit on, as the upper bits of one integer, zeros behind the end.
fn load(bytes: &[u8], offset: u64) -> u128 {
    let from = usize::try_from(offset / 8).unwrap_or(usize::MAX);
    let tail = bytes.get(from..).unwrap_or_default();
    let mut word = [0; FIELD_BYTES];
    let len = tail.len().min(FIELD_BYTES);
    word[..len].copy_from_slice(&tail[..len]);
    u128::from_be_bytes(word)
}

/// The value of a field.
pub fn get_field(bytes: &[u8], kind: FieldKind, offset: u64) -> i64 {
    let bits = load(bytes, offset) << (offset % 8) >> (u128::BITS - kind.bits);
    kind.value(bits as u64)
}

/// Writes a field that lies within the string; what lies behind its end is lost.
fn put(bytes: &mut [u8], kind: FieldKind, offset: u64, value: i64) {
    let shift = u128::BITS - kind.bits - (offset % 8) as u32;
    let mask = (u128::MAX >> (u128::BITS - kind.bits)) << shift;
    let word = load(bytes, offset) & !mask | (value as u128) << shift & mask;
    let from = usize::try_from(offset / 8).unwrap_or(usize::MAX);
    let tail = bytes.get_mut(from..).unwrap_or_default();
    let len = tail.len().min(FIELD_BYTES);
    tail[..len].copy_from_slice(&word.to_be_bytes()[..len]);
}

/// Sets a field, which has to lie within the string, to a value, or if `add` is set, to its own and that. `None`, and
/// nothing written, if the field cannot hold that and `overflow` says so.
pub fn set_field(
    bytes: &mut [u8],
    kind: FieldKind,
    offset: u64,
    value: i64,
    add: bool,
    overflow: Overflow,
) -> Option<FieldChange> {
    let old = get_field(bytes, kind, offset);
    let wanted = if add { i128::from(old) + i128::from(value) } else { kind.number(value) };
    let new = kind.fit(wanted, overflow)?;
    put(bytes, kind, offset, new);
    Some(FieldChange { old, new })
}

/// The bit at an offset; behind the end of the string there are zeros.
pub fn get_bit(bytes: &[u8], offset: u64) -> bool {
    let byte = usize::try_from(offset / 8).ok().and_then(|index| bytes.get(index));
    byte.is_some_and(|byte| byte & (0x80 >> (offset % 8)) != 0)
}

/// Sets the bit at an offset, which has to lie within the string; the bit that was there.
pub fn set_bit(bytes: &mut [u8], offset: u64, bit: bool) -> bool {
    let mask = 0x80 >> (offset % 8);
    let Some(byte) = usize::try_from(offset / 8).ok().and_then(|index| bytes.get_mut(index)) else {
        return false;
    };
    let old = *byte & mask != 0;
    *byte = if bit { *byte | mask } else { *byte & !mask };
    old
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Rng;

    fn kind(text: &str) -> FieldKind {
        FieldKind::parse(text.as_bytes()).expect("a type")
    }

    #[test]
    fn types() {
        for good in ["i1", "i64", "u1", "u63"] {
            assert!(FieldKind::parse(good.as_bytes()).is_some(), "{good}");
        }
        for bad in ["", "i", "u", "i0", "u0", "i65", "u64", "x8", "i08", "i-1", "8", "I8", "i4294967297"] {
            assert!(FieldKind::parse(bad.as_bytes()).is_none(), "{bad}");
        }
    }

    #[test]
    fn fields_are_their_bits() {
        let mut rng = Rng::new(17);
        for _ in 0..3000 {
            let len = 1 + rng.below(20);
            let mut bytes: Vec<u8> = (0..len).map(|_| rng.next_u64() as u8).collect();
            let before = bytes.clone();
            let kind = kind(&match rng.below(2) {
                0 => format!("i{}", 1 + rng.below(64)),
                _ => format!("u{}", 1 + rng.below(63)),
            });
            let bits = u64::from(kind.bits());
            let offset = rng.below(len * 8);
            let mut expected =
                (0..bits).fold(0u64, |value, bit| value << 1 | u64::from(get_bit(&bytes, offset + bit)));
            if kind.signed && bits < 64 && expected >> (bits - 1) == 1 {
                expected |= u64::MAX << bits;
            }
            assert_eq!(get_field(&bytes, kind, offset), expected as i64);
            if offset + bits <= len * 8 {
                let value = rng.next_u64() as i64 >> rng.below(64);
                let change =
                    set_field(&mut bytes, kind, offset, value, false, Overflow::Wrap).expect("wraps");
                assert_eq!((change.old, change.new), (expected as i64, get_field(&bytes, kind, offset)));
                for at in 0..len * 8 {
                    let within = (offset..offset + bits).contains(&at);
                    let wanted = match within {
                        true => value as u64 >> (offset + bits - 1 - at) & 1 == 1,
                        false => get_bit(&before, at),
                    };
                    assert_eq!(get_bit(&bytes, at), wanted, "{kind:?} {offset} {at}");
                }
            }
        }
    }

    #[test]
    fn overflows() {
        use Overflow::{Fail, Saturate, Wrap};
        // Type, old value, value, whether it is added; wrapped, saturated, failed.
        type Case = (&'static str, i64, i64, bool, i64, i64, Option<i64>);
        let cases: [Case; 14] = [
            ("u8", 250, 10, true, 4, 255, None),
            ("u8", 5, -10, true, 251, 0, None),
            ("u8", 5, i64::MIN, true, 5, 0, None),
            ("u8", 5, -200, false, 56, 255, None),
            ("u63", i64::MAX, 1, true, 0, i64::MAX, None),
            ("u63", i64::MAX, i64::MAX, true, i64::MAX - 1, i64::MAX, None),
            ("i8", 120, 10, true, -126, 127, None),
            ("i8", -120, -10, true, 126, -128, None),
            ("i8", 0, -200, false, 56, -128, None),
            ("i8", 0, i64::MIN, false, 0, 127, None),
            ("i8", 0, -9223372036854775000, false, 40, -128, None),
            ("i64", i64::MAX, 1, true, i64::MIN, i64::MAX, None),
            ("i64", 0, i64::MIN, false, i64::MIN, i64::MIN, Some(i64::MIN)),
            ("i1", 0, -1, false, -1, -1, Some(-1)),
        ];
        for (text, old, value, add, wrapped, saturated, failed) in cases {
            for (overflow, expected) in [(Wrap, Some(wrapped)), (Saturate, Some(saturated)), (Fail, failed)] {
                let mut bytes = [0xa5; 10];
                set_field(&mut bytes, kind(text), 3, old, false, Wrap).expect("wraps");
                let change = set_field(&mut bytes, kind(text), 3, value, add, overflow);
                assert_eq!(change, expected.map(|new| FieldChange { old, new }), "{text} {old} {value}");
                assert_eq!(get_field(&bytes, kind(text), 3), expected.unwrap_or(old));
            }
        }
    }

    #[test]
    fn nothing_beyond_the_end() {
        let mut bytes = [255; 2];
        assert_eq!(get_field(&bytes, kind("u16"), 8), 0xff00);
        assert_eq!(get_field(&bytes, kind("i64"), u64::MAX), 0);
        assert!(!get_bit(&bytes, u64::MAX) && !set_bit(&mut bytes, 16, true));
        assert!(set_bit(&mut bytes, 15, false) && !get_bit(&bytes, 15));
        assert_eq!(bytes, [255, 254]);
        set_field(&mut bytes, kind("u16"), 8, 0, false, Overflow::Wrap).expect("wraps");
        assert_eq!(bytes, [255, 0]);
    }
}
