//! Intersections, unions and differences of several sets, member by member: nothing is collected where it need not be.
//!
//! - *Intersection*: the members of the smallest set that are in all others, asked from the next larger on.
//! - *Union*: the members of each set that are in none before it; or, where that would take longer, of a set in which all
//!   are put. Integers only come in ascending order.
//! - *Difference*: the members of the first set that are in none of the others (largest first), as long as that takes no
//!   longer than looking at all members of all sets; else those of the others that are in the first are noted.
//!
//! Members are asked for sixteen at a time, so that the memory of sixteen answers is fetched at once: two large sets are
//! intersected as fast as that memory comes.
//!
//! The same set may be given several times. Results that are stored have the encodings that Redis's way leads to.

use super::batch::{Batch, bits};
use super::value::{Set, SetLimits};
use super::word::Repr;
use crate::listpack::Item;
use crate::parse_i64;

/// What putting a member into a new set costs, compared with asking for one.
const ADD_COST: usize = 5;
/// Members of a pack that are passed in the time of asking a table.
const PACK_SPEED: usize = 8;

/// Calls `visit` for the members that all `sets` have, until it was called `limit` times (0 for no limit). Returns how
/// often it was. O(n * m) for n members of the smallest of m sets.
pub fn intersection<'a>(sets: &[&'a Set], limit: usize, visit: &mut dyn FnMut(Item<'a>)) -> usize {
    let mut sets = sets.to_vec();
    sets.sort_by_key(|set| set.len());
    let Some((smallest, others)) = sets.split_first() else { return 0 };
    let (mut batch, mut members, mut found) = (Batch::new(), smallest.iter(), Found::new(limit, visit));
    while !found.is_full() && batch.fill(&mut members) {
        let mut wanted = batch.all();
        for other in others.iter().filter(|other| !std::ptr::eq(**other, *smallest)) {
            wanted &= batch.contained(other, wanted);
        }
        bits(wanted).for_each(|index| found.add(batch.item(index)));
    }
    found.count
}

/// Calls `visit` for every member of `sets`, once, until it was called `limit` times (0 for no limit). Returns how often it
/// was. O(n) for n members of all sets.
pub fn union<'a>(sets: &[&'a Set], limit: usize, visit: &mut dyn FnMut(Item<'a>)) -> usize {
    let mut found = Found::new(limit, visit);
    if sets.iter().all(|set| matches!(set.0.get(), Repr::Intset(_))) {
        union_of_integers(sets, &mut found);
    } else if asking_is_cheaper(sets) {
        union_asking(sets, &mut found);
    } else {
        union_building(sets, &mut found);
    }
    found.count
}

/// Members that are shown as they are found, up to a number of them.
struct Found<'v, 'a> {
    count: usize,
    limit: usize,
    visit: &'v mut dyn FnMut(Item<'a>),
}

impl<'v, 'a> Found<'v, 'a> {
    fn new(limit: usize, visit: &'v mut dyn FnMut(Item<'a>)) -> Found<'v, 'a> {
        Found { count: 0, limit: if limit == 0 { usize::MAX } else { limit }, visit }
    }

    #[inline]
    fn add(&mut self, item: Item<'a>) {
        if !self.is_full() {
            (self.visit)(item);
            self.count += 1;
        }
    }

    #[inline]
    fn is_full(&self) -> bool {
        self.count >= self.limit
    }
}

fn union_of_integers(sets: &[&Set], found: &mut Found<'_, '_>) {
    let mut ints: Vec<i64> =
        sets.iter().flat_map(|set| set.iter()).filter_map(|item| item.as_int()).collect();
    ints.sort_unstable();
    ints.dedup();
    ints.into_iter().map(Item::Int).for_each(|item| found.add(item));
}

/// Whether asking the sets before it for each member is cheaper than a set of all of them.
fn asking_is_cheaper(sets: &[&Set]) -> bool {
    let (mut asking, mut building, mut cost_before) = (0usize, 0usize, 0usize);
    for set in sets {
        asking = asking.saturating_add(set.len().saturating_mul(cost_before));
        building = building.saturating_add(set.len().saturating_mul(ADD_COST));
        let passed = if let Repr::Pack(_) = set.0.get() { set.len() / PACK_SPEED } else { 0 };
        cost_before = cost_before.saturating_add(1 + passed);
    }
    asking <= building
}

fn union_asking<'a>(sets: &[&'a Set], found: &mut Found<'_, 'a>) {
    for (index, set) in sets.iter().enumerate() {
        add_those_in_none(set, &sets[..index], found);
    }
}

fn union_building<'a>(sets: &[&'a Set], found: &mut Found<'_, 'a>) {
    let mut all = Set::new_table(0);
    for item in sets.iter().flat_map(|set| set.iter()) {
        if found.is_full() {
            break;
        }
        if all.push_to_table(item) {
            found.add(item);
        }
    }
}

/// Finds the members of a set that none of the others have.
fn add_those_in_none<'a>(set: &'a Set, others: &[&Set], found: &mut Found<'_, 'a>) {
    let (mut batch, mut members) = (Batch::new(), set.iter());
    while !found.is_full() && batch.fill(&mut members) {
        let mut wanted = batch.all();
        for other in others {
            wanted &= !batch.contained(other, wanted);
        }
        bits(wanted).for_each(|index| found.add(batch.item(index)));
    }
}

/// How a difference is found.
#[derive(PartialEq, Eq)]
enum Difference {
    /// It is empty: a set less itself.
    Nothing,
    /// By asking the others for the members of the first.
    Asking,
    /// By looking at all members of the others.
    Removing,
}

fn difference_of(first: &Set, others: &[&Set]) -> Difference {
    if others.iter().any(|other| std::ptr::eq(*other, first)) {
        return Difference::Nothing;
    }
    let asking = first.len().saturating_mul(others.len() + 1) / 2;
    let removing = others.iter().fold(first.len(), |sum, other| sum.saturating_add(other.len()));
    if asking <= removing { Difference::Asking } else { Difference::Removing }
}

/// Calls `visit` for the members of the first set that none of the others have, until it was called `limit` times (0 for no
/// limit). Returns how often it was. O(n) for n members of all sets.
pub fn difference<'a>(sets: &[&'a Set], limit: usize, visit: &mut dyn FnMut(Item<'a>)) -> usize {
    let Some((first, others)) = sets.split_first() else { return 0 };
    let mut found = Found::new(limit, visit);
    match difference_of(first, others) {
        Difference::Nothing => {}
        Difference::Asking => add_those_in_none(first, &largest_first(others), &mut found),
        Difference::Removing => add_those_in_none(first, &[&common_members(first, others)], &mut found),
    }
    found.count
}

fn largest_first<'a>(sets: &[&'a Set]) -> Vec<&'a Set> {
    let mut sets = sets.to_vec();
    sets.sort_by_key(|set| std::cmp::Reverse(set.len()));
    sets
}

/// The members of the first set that are in any of the others.
fn common_members(first: &Set, others: &[&Set]) -> Set {
    let (mut common, mut batch) = (Set::new_table(0), Batch::new());
    for other in others {
        let mut members = other.iter();
        while common.len() < first.len() && batch.fill(&mut members) {
            let found = batch.contained(first, batch.all());
            for index in bits(found) {
                common.push_to_table(batch.item(index));
            }
        }
    }
    common
}

/// The intersection as a set of its own.
pub fn store_intersection(sets: &[&Set], limits: &SetLimits) -> Set {
    let smallest = sets.iter().min_by_key(|set| set.len());
    let (mut stored, from_table) = match smallest.map(|set| set.0.get()) {
        None | Some(Repr::Intset(_)) => (Set::new(), false),
        Some(Repr::Pack(_)) => (Set::new_pack(), false),
        Some(Repr::Table(_)) => (Set::new_pack(), true),
    };
    let (mut only_integers, mut len) = (true, 0);
    intersection(sets, 0, &mut |item| {
        let int = item.as_int().or_else(|| if from_table { item.with_bytes(parse_i64) } else { None });
        only_integers &= int.is_some();
        stored.push_to(len, int.map_or(item, Item::Int), limits);
        len += 1;
    });
    if only_integers {
        stored.become_intset(limits);
    }
    stored
}

/// The union as a set of its own.
pub fn store_union(sets: &[&Set], limits: &SetLimits) -> Set {
    let largest = sets.iter().map(|set| set.len()).max().unwrap_or(0);
    // It will be a table in any case.
    let is_large = largest > limits.intset_entries().max(limits.listpack_entries);
    let mut stored = if is_large { Set::new_table(largest) } else { Set::new() };
    for item in sets.iter().flat_map(|set| set.iter()) {
        stored.add_item(item, limits);
    }
    stored
}

/// The difference as a set of its own.
pub fn store_difference(sets: &[&Set], limits: &SetLimits) -> Set {
    let mut stored = Set::new();
    let Some((first, others)) = sets.split_first() else { return stored };
    if difference_of(first, others) != Difference::Removing {
        difference(sets, 0, &mut |item| {
            stored.add_item(item, limits);
        });
        return stored;
    }
    // What is removed again leaves its trace: the encoding is that of the whole first set.
    first.iter().for_each(|item| {
        stored.add_item(item, limits);
    });
    for item in others.iter().flat_map(|other| other.iter()) {
        if stored.is_empty() {
            break;
        }
        item.with_bytes(|member| stored.remove(member));
    }
    stored
}
