//! A place in the order of a sorted set: what a search looks for.

use std::cmp::Ordering;

use super::super::member::MemberRef;
use super::super::score::order_key;

/// A place among the members, which are ordered by score and then by bytes.
#[derive(Clone, Copy, Debug)]
pub(in crate::zset) struct Probe<'a> {
    /// The score, as [`order_key`] has it; without one only the bytes count (all scores are expected to be the same).
    pub(super) key: Option<u64>,
    member: Option<&'a [u8]>,
    /// How a member compares with the place if nothing above decides.
    equal: Ordering,
}

impl<'a> Probe<'a> {
    /// The place of one member.
    #[inline]
    pub(in crate::zset) fn exact(score: f64, member: &'a [u8]) -> Self {
        Probe { key: Some(order_key(score)), member: Some(member), equal: Ordering::Equal }
    }

    /// The place before the first member with a score, or after the last one.
    #[inline]
    pub(in crate::zset) fn score(score: f64, after: bool) -> Self {
        Probe { key: Some(order_key(score)), member: None, equal: side(after) }
    }

    /// The place before a member or after it, when all have the same score.
    pub(in crate::zset) fn lex(member: &'a [u8], after: bool) -> Self {
        Probe { key: None, member: Some(member), equal: side(after) }
    }

    /// How a member compares with this place.
    #[inline]
    pub(super) fn order(&self, member: MemberRef) -> Ordering {
        let by_key = self.key.map_or(Ordering::Equal, |key| member.key().cmp(&key));
        by_key.then_with(|| self.order_of_bytes(member))
    }

    /// The same for a member that is known to have the place's score.
    #[inline]
    pub(super) fn order_of_bytes(&self, member: MemberRef) -> Ordering {
        let by_bytes = self.member.map_or(Ordering::Equal, |bytes| member.bytes().cmp(bytes));
        by_bytes.then(self.equal)
    }
}

/// A member at the place is before it when the place is after the member.
fn side(after: bool) -> Ordering {
    if after { Ordering::Less } else { Ordering::Greater }
}
