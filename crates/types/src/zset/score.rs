//! Scores: their order as an integer, and how a small sorted set writes them.
//!
//! Doubles that are no NaN are in the same order as their bits, read as integers with the sign turned around. So a tree
//! compares scores as `u64` and can cut them to prefixes. The two zeros are one score, as they compare equal; which of
//! them was stored stays visible only in a big sorted set, because a small one stores a zero as the integer 0.

use crate::listpack::Item;
use crate::{parse_f64, push_f64};

const SIGN: u64 = 1 << 63;

/// The place of a score in the order of all scores. Not for NaN.
#[inline]
pub(super) fn order_key(score: f64) -> u64 {
    let bits = if score == 0.0 { 0 } else { score.to_bits() };
    if bits & SIGN == 0 { bits | SIGN } else { !bits }
}

/// Integers up to this magnitude are doubles without a gap.
const INTEGER_MAX: f64 = (1u64 << 53) as f64;

/// Calls `take` with the text of a score as a small sorted set stores it.
#[inline]
pub(super) fn with_score_text<R>(score: f64, take: impl FnOnce(&[u8]) -> R) -> R {
    if score.abs() <= INTEGER_MAX && score.trunc() == score {
        return take(itoa::Buffer::new().format(score as i64).as_bytes());
    }
    let mut text = Vec::with_capacity(32);
    push_f64(&mut text, score);
    take(&text)
}

/// Reads a score that a small sorted set stores; `None` for what is none.
#[inline]
pub(super) fn read_score(item: Item<'_>) -> Option<f64> {
    match item {
        Item::Int(value) => Some(value as f64),
        Item::Bytes(text) => parse_f64(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_in_the_order_of_scores() {
        let ascending = [
            f64::NEG_INFINITY,
            f64::MIN,
            -1.5,
            -1.0,
            -5e-324,
            0.0,
            5e-324,
            1.0,
            2.0,
            f64::MAX,
            f64::INFINITY,
        ];
        assert!(ascending.is_sorted_by(|a, b| order_key(*a) < order_key(*b)));
        assert_eq!(order_key(-0.0), order_key(0.0));
    }

    #[test]
    fn stored_texts_read_back() {
        for (score, stored) in
            [(-0.0, "0"), (3.0, "3"), (0.1, "0.1"), (1e17, "100000000000000000"), (-1e300, "-1e+300")]
        {
            with_score_text(score, |text| {
                assert_eq!(text, stored.as_bytes());
                assert_eq!(read_score(Item::Bytes(text)), Some(score));
            });
        }
        assert_eq!(read_score(Item::Int(-7)), Some(-7.0));
        assert_eq!(read_score(Item::Bytes(b"nan")), None);
        assert_eq!(read_score(Item::Bytes(b"inf")), Some(f64::INFINITY));
    }
}
