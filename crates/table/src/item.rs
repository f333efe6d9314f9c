//! What an owner promises about its items. Unsafe leaf module, for its trait alone.
#![allow(unsafe_code)]

use std::ptr::NonNull;

/// Something that owns one allocation and can be given away as its address.
///
/// A table keeps items as addresses, so looks at them are types of their own: `Ref` and `Mut`, which the owner makes
/// from the address. They are usually the address with a lifetime, or a plain `&T` and `&mut T`.
///
/// # Safety
///
/// - `into_raw` returns an address that is a multiple of 16 and below 2^48, and gives up ownership; `from_raw` takes
///   it back.
/// - As long as an item is not changed through its `Mut`, `key` returns the same bytes, and no `Mut` lets its user
///   change them. Nothing in an item changes otherwise: other threads may look at it (see [`Pin`](crate::Pin)).
pub unsafe trait Item: Sized + 'static {
    /// A shared look at an item.
    type Ref<'a>: Copy;
    /// An exclusive look at an item.
    type Mut<'a>;

    /// Lines of an item that are worth fetching ahead.
    const PREFETCH_LINES: usize = 1;

    /// Gives the item away as its address.
    fn into_raw(self) -> NonNull<u8>;

    /// Takes an item back.
    ///
    /// # Safety
    ///
    /// The address is from [`Item::into_raw`], and the item has not been taken back since.
    unsafe fn from_raw(raw: NonNull<u8>) -> Self;

    /// A shared look.
    ///
    /// # Safety
    ///
    /// The address is from [`Item::into_raw`], and for `'a` the item is not taken back nor looked at exclusively.
    unsafe fn shared<'a>(raw: NonNull<u8>) -> Self::Ref<'a>;

    /// An exclusive look.
    ///
    /// # Safety
    ///
    /// The address is from [`Item::into_raw`], and for `'a` the item is not taken back nor looked at in any other way.
    unsafe fn exclusive<'a>(raw: NonNull<u8>) -> Self::Mut<'a>;

    /// A shared look at an item that is in no table.
    fn look(&self) -> Self::Ref<'_>;

    /// The key.
    fn key<'a>(item: Self::Ref<'a>) -> &'a [u8];

    /// Whether this is the key.
    #[inline]
    fn has_key(item: Self::Ref<'_>, key: &[u8]) -> bool {
        same_bytes(Self::key(item), key)
    }
}

/// A source of random numbers.
pub trait Draw {
    /// A number in `0..bound`, every one equally likely; 0 for a bound of 0.
    fn below(&mut self, bound: u64) -> u64;
}

/// Equality without a call for the lengths that most keys have: two overlapping words cover 8 to 16 bytes, two halves of
/// them 4 to 8, two overlapping double words 16 to 32.
#[inline]
pub fn same_bytes(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    match a.len() {
        4..=7 => same_ends::<4, u32>(a, b, u32::from_ne_bytes),
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
    fn every_byte_counts() {
        for len in 0..40 {
            let a: Vec<u8> = (0..len).collect();
            assert!(same_bytes(&a, &a.clone()));
            assert!(!same_bytes(&a, &[&a[..], b"x"].concat()));
            for at in 0..a.len() {
                let mut b = a.clone();
                b[at] ^= 0x80;
                assert!(!same_bytes(&a, &b), "byte {at} of {len}");
            }
        }
    }
}
