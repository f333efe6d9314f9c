//! Comparing keys.

/// Equality without a call for the lengths that most keys have: two overlapping words cover 8 to 16 bytes, two overlapping
/// double words 16 to 32.
#[inline]
pub(crate) fn same_bytes(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    match a.len() {
        8..=16 => same_ends::<8, u64>(a, b, u64::from_ne_bytes),
        17..=32 => same_ends::<16, u128>(a, b, u128::from_ne_bytes),
        _ => a == b,
    }
}

/// Whether the first and the last N bytes of two slices that have as many are equal.
#[inline]
fn same_ends<const N: usize, W>(a: &[u8], b: &[u8], word: fn([u8; N]) -> W) -> bool
where
    W: std::ops::BitXor<Output = W> + std::ops::BitOr<Output = W> + Default + PartialEq,
{
    match (a.first_chunk(), a.last_chunk(), b.first_chunk(), b.last_chunk()) {
        (Some(a_first), Some(a_last), Some(b_first), Some(b_last)) => {
            (word(*a_first) ^ word(*b_first)) | (word(*a_last) ^ word(*b_last)) == W::default()
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::same_bytes;

    #[test]
    fn every_byte_counts_at_every_length() {
        for len in 0..=40 {
            let bytes: Vec<u8> = (0..len).collect();
            assert!(same_bytes(&bytes, &bytes.clone()));
            assert!(!same_bytes(&bytes, &bytes.repeat(2)) || len == 0);
            for at in 0..bytes.len() {
                let mut other = bytes.clone();
                other[at] ^= 0x80;
                assert!(!same_bytes(&bytes, &other), "{len} {at}");
            }
        }
    }
}
