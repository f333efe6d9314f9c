//! How many bytes an element takes in a listpack.
//!
//! Nodes are not kept as listpacks, but where one ends and the next begins can be seen (approximate trimming removes
//! whole nodes, XINFO counts them), so a node knows how large it would be in Redis.

/// Header and end mark of a listpack.
pub(super) const LISTPACK_FRAME: usize = 7;

/// Bytes of the element that holds an integer.
#[inline]
pub(super) fn int_element(int: i64) -> usize {
    let encoded = match int {
        0..=127 => 1,
        -4096..=4095 => 2,
        _ if i16::try_from(int).is_ok() => 3,
        -8_388_608..=8_388_607 => 4,
        _ if i32::try_from(int).is_ok() => 5,
        _ => 9,
    };
    encoded + 1
}

/// Bytes of the element that holds a text of `len` bytes that is no integer.
#[inline]
pub(super) fn text_element(len: usize) -> usize {
    let encoded = len
        + match len {
            0..=63 => 1,
            64..=4095 => 2,
            _ => 5,
        };
    encoded
        + match encoded {
            0..=127 => 1,
            128..=16_382 => 2,
            16_383..=2_097_150 => 3,
            2_097_151..=268_435_454 => 4,
            _ => 5,
        }
}
