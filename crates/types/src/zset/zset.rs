//! The sorted set: members with scores, in the order of their scores and then of their bytes.
//!
//! It is eight bytes: either a pack (`flat`) or a box of table and tree (`sorted`). It becomes big when it would have
//! more members, or a longer one, than the limits it is given, and never small again by itself: only results of commands
//! that store whole sorted sets are made as small as they can be.

use std::ops::Range;

use ochre_table::hasher;

use super::flat;
use super::iter::ZSetIter;
use super::limits::{AddRule, Added, Direction, Existence, NotANumber, ZSetLimits};
use super::ranges::{LexRange, ScoreRange};
use super::sorted::Sorted;
use crate::listpack::{Compact, CompactMut, CompactRef, Corrupt, Forward, ForwardPack, Item, Listpack, Pos};

/// Bytes around a member in a pack, with its score, at most.
const PAIR_BYTES_MAX: usize = 48;
/// Room is made ahead for this many members at most.
const EXPECTED_MAX: usize = 1 << 16;
/// Keys that are looked for at a time.
const BATCH: usize = 16;

/// A sorted set.
#[derive(Clone)]
pub struct ZSet(pub(super) Compact<Sorted, Forward>);

impl Default for ZSet {
    fn default() -> ZSet {
        ZSet::new()
    }
}

impl ZSet {
    /// An empty sorted set, small.
    pub fn new() -> ZSet {
        ZSet(Compact::pack(ForwardPack::new()))
    }

    /// An empty sorted set for about `len` members, none longer than `member_len_max`: a big one from the start, if it would
    /// become one.
    pub fn with_hints(len: usize, member_len_max: usize, limits: &ZSetLimits) -> ZSet {
        if len <= limits.listpack_entries_max && member_len_max <= limits.listpack_value_bytes_max {
            return ZSet::new();
        }
        ZSet::from_sorted(Sorted::with_capacity(len.min(EXPECTED_MAX)))
    }

    pub(super) fn from_sorted(sorted: Sorted) -> ZSet {
        ZSet(Compact::boxed(Box::new(sorted)))
    }

    /// The sorted set that a listpack from outside has: pairs of member and score, in order. It is a big one if they are too
    /// long for one run of bytes here; limits are not looked at.
    ///
    /// # Errors
    /// When scores are no numbers, pairs are not in order or a member comes twice.
    pub fn from_listpack(listpack: &Listpack) -> Result<ZSet, Corrupt> {
        flat::validate(listpack)?;
        Ok(match ForwardPack::from_listpack(listpack) {
            Some(list) => ZSet(Compact::pack(list)),
            None => {
                ZSet::from_sorted(Sorted::from_ordered(listpack.len().div_ceil(2), flat::pairs(listpack)))
            }
        })
    }

    /// The pack of a small sorted set: pairs of member and score, in order.
    pub fn as_pack(&self) -> Option<&ForwardPack> {
        match self.0.get() {
            CompactRef::Pack(list) => Some(list),
            CompactRef::Boxed(_) => None,
        }
    }

    /// The number of members.
    pub fn len(&self) -> usize {
        match self.0.get() {
            CompactRef::Pack(list) => flat::len(list),
            CompactRef::Boxed(sorted) => sorted.len(),
        }
    }

    /// Whether there is no member: such a sorted set is to be removed.
    pub fn is_empty(&self) -> bool {
        match self.0.get() {
            CompactRef::Pack(list) => list.is_empty(),
            CompactRef::Boxed(sorted) => sorted.len() == 0,
        }
    }

    /// The name that OBJECT ENCODING answers.
    pub fn encoding_name(&self) -> &'static str {
        match self.0.get() {
            CompactRef::Pack(_) => "listpack",
            CompactRef::Boxed(_) => "skiplist",
        }
    }

    /// How many allocations freeing it takes, roughly.
    pub fn free_effort(&self) -> usize {
        match self.0.get() {
            CompactRef::Pack(_) => 1,
            CompactRef::Boxed(sorted) => sorted.len().max(1),
        }
    }

    /// Bytes allocated. O(1), but for the table's segments (one in 400 members).
    pub fn heap_bytes(&self) -> usize {
        match self.0.get() {
            CompactRef::Pack(list) => list.heap_bytes(),
            CompactRef::Boxed(sorted) => size_of::<Sorted>() + sorted.heap_bytes(),
        }
    }

    /// The slots of its hash table of members, if it has one.
    pub fn table_slots(&self) -> Option<usize> {
        if let CompactRef::Boxed(sorted) = self.0.get() { Some(sorted.table_slots()) } else { None }
    }

    /// Becomes big at once if `len` members are about to be added, and those are too many for a small one.
    pub fn expect(&mut self, len: usize, limits: &ZSetLimits) {
        if len > limits.listpack_entries_max {
            self.grow_up();
        }
    }

    fn grow_up(&mut self) {
        if let CompactRef::Pack(list) = self.0.get() {
            *self = ZSet::from_sorted(Sorted::from_ordered(flat::len(list) + 1, flat::pairs(list)));
        }
    }

    /// Becomes small if the limits allow that: for results that are stored. O(n) within the limits, else O(1).
    pub fn make_small(&mut self, limits: &ZSetLimits) {
        let CompactRef::Boxed(sorted) = self.0.get() else { return };
        let len = sorted.len();
        if len > limits.listpack_entries_max {
            return;
        }
        let pairs = || ZSetIter::sorted(sorted.tree(), 0..len, Direction::Ascending);
        if pairs().any(|(member, _)| member.len() > limits.listpack_value_bytes_max) {
            return;
        }
        let bytes: usize = pairs().map(|(member, _)| member.len().saturating_add(PAIR_BYTES_MAX)).sum();
        let mut list = ForwardPack::new();
        if list.fits(bytes) {
            pairs()
                .for_each(|(member, score)| member.with_bytes(|member| flat::push(&mut list, member, score)));
            *self = ZSet(Compact::pack(list));
        }
    }

    /// Gives a member a score, as far as the rule allows: ZADD. O(log n).
    ///
    /// # Errors
    /// When the score is NaN.
    pub fn add(
        &mut self,
        member: &[u8],
        score: f64,
        rule: AddRule,
        limits: &ZSetLimits,
    ) -> Result<Added, NotANumber> {
        self.put(member, rule, limits, score, |_| score)
    }

    /// Adds to the score of a member (0 if it is new), as far as the rule allows: ZINCRBY, ZADD INCR. O(log n).
    ///
    /// # Errors
    /// When `delta` or the sum is NaN; nothing is changed.
    pub fn increment(
        &mut self,
        member: &[u8],
        delta: f64,
        rule: AddRule,
        limits: &ZSetLimits,
    ) -> Result<Added, NotANumber> {
        self.put(member, rule, limits, delta, |old| old + delta)
    }

    /// `if_new` is the score of a new member, `change` makes that of an existing one.
    fn put(
        &mut self,
        member: &[u8],
        rule: AddRule,
        limits: &ZSetLimits,
        if_new: f64,
        change: impl FnOnce(f64) -> f64,
    ) -> Result<Added, NotANumber> {
        let if_new = number(if_new)?;
        self.keep_room();
        let last = match self.0.get_mut() {
            CompactMut::Pack(list) => match flat::find(list, member) {
                Ok(found) => {
                    let old = flat::score_at(list, found.pos).unwrap_or(0.0);
                    let added = decide(rule, old, change)?;
                    if let Added::Updated(score) = added {
                        flat::rescore(list, found, member, score);
                    }
                    return Ok(added);
                }
                Err(last) => last,
            },
            CompactMut::Boxed(sorted) => {
                if let Some(found) = sorted.get(member) {
                    let added = decide(rule, found.score(), change)?;
                    if let Added::Updated(score) = added {
                        sorted.rescore(found, score);
                    }
                    return Ok(added);
                }
                None
            }
        };
        if rule.existence == Existence::OnlyExisting {
            return Ok(Added::Refused);
        }
        self.insert(member, if_new, last, limits);
        Ok(Added::New(if_new))
    }

    /// Becomes big if no other score would fit: one that takes the place of a shorter one is written without asking.
    #[inline]
    fn keep_room(&mut self) {
        if let CompactRef::Pack(list) = self.0.get()
            && !list.fits(PAIR_BYTES_MAX)
        {
            self.grow_up();
        }
    }

    /// Puts in a new member; of a small one the last may be known.
    fn insert(&mut self, member: &[u8], score: f64, last: Option<Pos>, limits: &ZSetLimits) {
        if let CompactRef::Pack(list) = self.0.get()
            && (flat::len(list) >= limits.listpack_entries_max
                || member.len() > limits.listpack_value_bytes_max
                || !list.fits(member.len().saturating_add(PAIR_BYTES_MAX)))
        {
            self.grow_up();
        }
        match self.0.get_mut() {
            CompactMut::Pack(list) => flat::insert(list, last, member, score),
            CompactMut::Boxed(sorted) => sorted.insert(member, score),
        }
    }

    /// Takes a member out; whether it was there. O(log n).
    pub fn remove(&mut self, member: &[u8]) -> bool {
        match self.0.get_mut() {
            CompactMut::Pack(list) => flat::remove(list, member),
            CompactMut::Boxed(sorted) => sorted.remove(member),
        }
    }

    /// Takes out the members of a range of ranks and shows them, in the direction's order, just before. What lies outside the
    /// sorted set is ignored. O(log n + removed); a big range can be taken in parts.
    pub fn remove_ranks(
        &mut self,
        ranks: Range<usize>,
        direction: Direction,
        visit: &mut dyn FnMut(Item<'_>, f64),
    ) {
        let ranks = clamp(ranks, self.len());
        match self.0.get_mut() {
            CompactMut::Pack(list) => {
                let Some(first) = flat::seek(list, ranks.start).filter(|_| !ranks.is_empty()) else { return };
                ZSetIter::flat_from(list, Some(first), ranks.len(), direction)
                    .for_each(|(member, score)| visit(member, score));
                list.remove_range(first, 2 * ranks.len());
            }
            CompactMut::Boxed(sorted) => sorted.remove_ranks(ranks, direction, &mut |member| {
                visit(Item::Bytes(member.bytes()), member.score());
            }),
        }
    }

    /// Takes out up to `count` members from the end where the direction begins, and shows them in its order: ZPOPMIN
    /// (ascending), ZPOPMAX (descending). O(log n + removed).
    pub fn pop(&mut self, direction: Direction, count: usize, visit: &mut dyn FnMut(Item<'_>, f64)) {
        let len = self.len();
        let count = count.min(len);
        let ranks = match direction {
            Direction::Ascending => 0..count,
            Direction::Descending => len - count..len,
        };
        self.remove_ranks(ranks, direction, visit);
    }

    /// The score of a member. O(1) in a big sorted set.
    pub fn score(&self, member: &[u8]) -> Option<f64> {
        match self.0.get() {
            CompactRef::Pack(list) => flat::score(list, member),
            CompactRef::Boxed(sorted) => sorted.get(member).map(|found| found.score()),
        }
    }

    /// The scores of several members, in their order: looked for together, so that memory is waited for once.
    pub fn scores(&self, members: &[&[u8]], visit: &mut dyn FnMut(Option<f64>)) {
        let CompactRef::Boxed(sorted) = self.0.get() else {
            return members.iter().for_each(|member| visit(self.score(member)));
        };
        for batch in members.chunks(BATCH) {
            let mut keys: Vec<_> = batch.iter().map(|member| hasher().key(member)).collect();
            sorted.prefetch(&mut keys);
            keys.iter().for_each(|key| visit(sorted.get_hashed(*key).map(|found| found.score())));
        }
    }

    /// The rank of a member counted in a direction (0 is the first), and its score. O(log n).
    pub fn rank(&self, member: &[u8], direction: Direction) -> Option<(usize, f64)> {
        let (rank, score) = match self.0.get() {
            CompactRef::Pack(list) => flat::rank(list, member)?,
            CompactRef::Boxed(sorted) => {
                let found = sorted.get(member)?;
                (sorted.rank(found), found.score())
            }
        };
        match direction {
            Direction::Ascending => Some((rank, score)),
            Direction::Descending => Some((self.len() - 1 - rank, score)),
        }
    }

    /// The member of a rank, and its score. O(log n).
    pub fn at(&self, rank: usize) -> Option<(Item<'_>, f64)> {
        match self.0.get() {
            CompactRef::Pack(list) => flat::at(list, rank),
            CompactRef::Boxed(sorted) => {
                sorted.tree().at(rank).map(|member| (Item::Bytes(member.bytes()), member.score()))
            }
        }
    }

    /// The ranks of a range of scores; their number is what ZCOUNT answers. O(log n).
    pub fn ranks_of_scores(&self, range: &ScoreRange) -> Range<usize> {
        match self.0.get() {
            CompactRef::Pack(list) => flat::ranks_of_scores(list, range),
            CompactRef::Boxed(sorted) => sorted.ranks_of_scores(range),
        }
    }

    /// The ranks of a range of members, if all have the same score; their number is what ZLEXCOUNT answers. O(log n). If
    /// scores differ the answer means nothing, as in Redis; a small sorted set answers what Redis does, which depends on the
    /// direction.
    pub fn ranks_of_members(&self, range: &LexRange<'_>, direction: Direction) -> Range<usize> {
        match self.0.get() {
            CompactRef::Pack(list) => flat::ranks_of_members(list, range, direction),
            CompactRef::Boxed(sorted) => sorted.ranks_of_members(range),
        }
    }

    /// Members of a range of ranks with their scores; in descending order the highest rank comes first. What lies outside
    /// the sorted set is ignored. O(log n) to begin and for every fifty members, so a walk may be cut into parts.
    pub fn range(&self, ranks: Range<usize>, direction: Direction) -> ZSetIter<'_> {
        let ranks = clamp(ranks, self.len());
        match self.0.get() {
            CompactRef::Pack(list) => ZSetIter::flat(list, ranks, direction),
            CompactRef::Boxed(sorted) => ZSetIter::sorted(sorted.tree(), ranks, direction),
        }
    }

    /// All members in order.
    pub fn iter(&self) -> ZSetIter<'_> {
        self.range(0..usize::MAX, Direction::Ascending)
    }

    /// Panics if an invariant does not hold.
    #[cfg(any(test, fuzzing))]
    pub fn validate(&self) {
        match self.0.get() {
            CompactRef::Pack(list) => assert_eq!(flat::validate(list), Ok(())),
            CompactRef::Boxed(sorted) => sorted.validate(),
        }
    }
}

pub(super) fn clamp(ranks: Range<usize>, len: usize) -> Range<usize> {
    let end = ranks.end.min(len);
    ranks.start.min(end)..end
}

fn number(score: f64) -> Result<f64, NotANumber> {
    if score.is_nan() { Err(NotANumber) } else { Ok(score) }
}

/// What happens to a member that has the score `old`.
fn decide(rule: AddRule, old: f64, change: impl FnOnce(f64) -> f64) -> Result<Added, NotANumber> {
    if rule.existence == Existence::OnlyNew {
        return Ok(Added::Refused);
    }
    let new = number(change(old))?;
    Ok(match new {
        _ if !rule.comparison.allows(old, new) => Added::Refused,
        _ if new == old => Added::Same(new),
        _ => Added::Updated(new),
    })
}

impl std::fmt::Debug for ZSet {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = |item: Item<'_>| item.with_bytes(|bytes| bytes.escape_ascii().to_string());
        formatter.debug_map().entries(self.iter().map(|(member, score)| (text(member), score))).finish()
    }
}

/// The same members with the same scores, whatever the encodings.
impl PartialEq for ZSet {
    fn eq(&self, other: &ZSet) -> bool {
        let same = |((a, a_score), (b, b_score)): ((Item<'_>, f64), (Item<'_>, f64))| {
            a_score == b_score && a.with_bytes(|a| b.eq_bytes(a))
        };
        self.len() == other.len() && self.iter().zip(other.iter()).all(same)
    }
}

impl Eq for ZSet {}
