//! The small encoding: a pack of member, score, member, score, in order, as Redis has it but for the backlens.
//!
//! ```text
//! | member | score | member | score | ...      by score, then by the bytes of the member
//! ```
//!
//! A score is the integer it spells or its shortest text; both have one form only, so the same sorted set is the same bytes
//! in files and in Redis. Everything walks from the front: a hundred elements of a few bytes are a few cache lines. What goes
//! down in ranks has first gone up to where it ends (`iter`).

use std::cmp::Ordering;
use std::ops::Range;

use super::limits::Direction;
use super::ranges::{LexRange, ScoreRange};
use super::score::{read_score, with_score_text};
use crate::listpack::{Corrupt, Form, ForwardPack, Found, Item, Pack, Pos, are_distinct};

/// Members and scores, first to last.
pub(super) fn pairs<F: Form>(list: &Pack<F>) -> impl Iterator<Item = (Item<'_>, f64)> {
    let mut items = list.iter();
    std::iter::from_fn(move || {
        let member = items.next()?;
        Some((member, read_score(items.next()?)?))
    })
}

/// Number of members.
pub(super) fn len(list: &ForwardPack) -> usize {
    list.len() / 2
}

/// Where a member is, and its neighbour below; the last member if there is no such one.
#[inline]
pub(super) fn find(list: &ForwardPack, member: &[u8]) -> Result<Found, Option<Pos>> {
    list.first().map_or(Err(None), |first| list.find_noting(first, member, 1))
}

/// The score of the member at a position.
pub(super) fn score_at(list: &ForwardPack, pos: Pos) -> Option<f64> {
    read_score(list.get(list.next(pos)?))
}

/// The score of a member.
pub(super) fn score(list: &ForwardPack, member: &[u8]) -> Option<f64> {
    score_at(list, find(list, member).ok()?.pos)
}

fn compare(item: Item<'_>, score: f64, member: &[u8], member_score: f64) -> Ordering {
    // No score is NaN.
    let by_score = score.partial_cmp(&member_score).unwrap_or(Ordering::Equal);
    by_score.then_with(|| item.with_bytes(|bytes| bytes.cmp(member)))
}

/// Puts a new member in at its place, behind the last one, if that is known, without looking for it.
pub(super) fn insert(list: &mut ForwardPack, last: Option<Pos>, member: &[u8], score: f64) {
    if last.is_some_and(|last| order(list, last, member, score) == Ordering::Less) {
        return push(list, member, score);
    }
    match place(list, member, score) {
        Some(pos) => {
            let pos = list.insert_before(pos, member);
            with_score_text(score, |text| list.insert_after(pos, text));
        }
        None => push(list, member, score),
    }
}

/// Puts in a member that comes after all others.
pub(super) fn push(list: &mut ForwardPack, member: &[u8], score: f64) {
    list.push_back(member);
    with_score_text(score, |text| list.push_back(text));
}

/// The first member that comes after one with this score.
fn place(list: &ForwardPack, member: &[u8], score: f64) -> Option<Pos> {
    let mut items = list.iter();
    loop {
        let pos = items.pos()?;
        let (other, other_score) = (items.next()?, items.next()?);
        let other_score = read_score(other_score).unwrap_or(f64::INFINITY);
        if compare(other, other_score, member, score) == Ordering::Greater {
            return Some(pos);
        }
    }
}

/// How the member at a position compares with one with this score.
fn order(list: &ForwardPack, pos: Pos, member: &[u8], score: f64) -> Ordering {
    compare(list.get(pos), score_at(list, pos).unwrap_or(f64::INFINITY), member, score)
}

/// Gives a member that was found another score.
pub(super) fn rescore(list: &mut ForwardPack, found: Found, member: &[u8], score: f64) {
    if stays(list, found, member, score)
        && let Some(score_pos) = list.next(found.pos)
    {
        with_score_text(score, |text| list.replace(score_pos, text));
    } else {
        list.remove_range(found.pos, 2);
        insert(list, None, member, score);
    }
}

/// Whether a member keeps its place between its neighbours with this score.
fn stays(list: &ForwardPack, found: Found, member: &[u8], score: f64) -> bool {
    let order = |pos: Pos| order(list, pos, member, score);
    let after = list.next(found.pos).and_then(|score_pos| list.next(score_pos));
    found.before.is_none_or(|pos| order(pos) == Ordering::Less)
        && after.is_none_or(|pos| order(pos) == Ordering::Greater)
}

/// Takes a member out; whether it was there.
pub(super) fn remove(list: &mut ForwardPack, member: &[u8]) -> bool {
    let found = find(list, member);
    if let Ok(found) = found {
        list.remove_range(found.pos, 2);
    }
    found.is_ok()
}

/// Where the member of a rank is.
pub(super) fn seek(list: &ForwardPack, rank: usize) -> Option<Pos> {
    list.seek(isize::try_from(rank).ok()?.checked_mul(2)?)
}

/// The rank of a member, and its score.
pub(super) fn rank(list: &ForwardPack, member: &[u8]) -> Option<(usize, f64)> {
    let found = find(list, member).ok()?;
    Some((found.index, score_at(list, found.pos)?))
}

/// The member of a rank, and its score.
pub(super) fn at(list: &ForwardPack, rank: usize) -> Option<(Item<'_>, f64)> {
    let pos = seek(list, rank)?;
    Some((list.get(pos), score_at(list, pos)?))
}

/// The ranks of a range of scores.
pub(super) fn ranks_of_scores(list: &ForwardPack, range: &ScoreRange) -> Range<usize> {
    let start = pairs(list).take_while(|(_, score)| !range.reaches_min(*score)).count();
    let end = pairs(list).take_while(|(_, score)| range.keeps_max(*score)).count();
    start..end.max(start)
}

/// The ranks of a range of members. When scores differ the order of bytes means nothing, and what Redis answers
/// depends on the direction it walks in: it begins at the first member that one bound lets in and ends at the first one that
/// the other bound does not.
pub(super) fn ranks_of_members(
    list: &ForwardPack,
    range: &LexRange<'_>,
    direction: Direction,
) -> Range<usize> {
    let reaches_min = |item: &Item<'_>| item.with_bytes(|member| range.reaches_min(member));
    let keeps_max = |item: &Item<'_>| item.with_bytes(|member| range.keeps_max(member));
    let members = || pairs(list).map(|(member, _)| member);
    let possible = members().next().is_some_and(|first| keeps_max(&first))
        && members().last().is_some_and(|last| reaches_min(&last));
    if !possible {
        return 0..0;
    }
    match direction {
        Direction::Ascending => {
            let start = members().take_while(|member| !reaches_min(member)).count();
            start..start + members().skip(start).take_while(keeps_max).count()
        }
        Direction::Descending => {
            let end = members()
                .enumerate()
                .filter(|(_, member)| keeps_max(member))
                .last()
                .map_or(0, |(at, _)| at + 1);
            let below = members().take(end).enumerate().filter(|(_, member)| !reaches_min(member)).last();
            below.map_or(0, |(at, _)| at + 1)..end
        }
    }
}

/// Checks a pack from outside: pairs in order, scores that are numbers, no member twice.
pub(super) fn validate<F: Form>(list: &Pack<F>) -> Result<(), Corrupt> {
    let pairs: Vec<(Item<'_>, f64)> = pairs(list).collect();
    if list.len() != 2 * pairs.len() {
        return Err(Corrupt);
    }
    let in_order = pairs.is_sorted_by(|(member, score), (next, next_score)| {
        next.with_bytes(|next| compare(*member, *score, next, *next_score)) == Ordering::Less
    });
    let members = pairs.iter().map(|(member, _)| *member);
    if in_order && are_distinct(members) { Ok(()) } else { Err(Corrupt) }
}
