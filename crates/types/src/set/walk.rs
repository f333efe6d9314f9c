//! Walking over the members: all of them, or some at a time with a cursor.
//!
//! An intset comes in ascending order, a pack in the order its members were added, a table in the order of nothing
//! that means anything; by cursor in the order of the hash, so that a cursor stays good when the table grows or shrinks.

use super::intset::Intset;
use super::member::Member;
use super::value::Set;
use super::word::Repr;
use crate::listpack::{self, Forward, Item};

/// The members of a set.
pub struct Iter<'a>(Members<'a>);

enum Members<'a> {
    Intset(&'a Intset, usize),
    Pack(listpack::Iter<'a, Forward>),
    Table(ochre_table::Iter<'a, Member>),
}

impl<'a> Iterator for Iter<'a> {
    type Item = Item<'a>;

    #[inline]
    fn next(&mut self) -> Option<Item<'a>> {
        match &mut self.0 {
            Members::Table(members) => members.next().map(|member| Item::Bytes(member.bytes())),
            Members::Pack(members) => members.next(),
            Members::Intset(intset, at) => {
                let int = intset.get(*at)?;
                *at += 1;
                Some(Item::Int(int))
            }
        }
    }
}

impl Set {
    /// All members.
    pub fn iter(&self) -> Iter<'_> {
        Iter(match self.0.get() {
            Repr::Intset(intset) => Members::Intset(intset, 0),
            Repr::Pack(pack) => Members::Pack(pack.iter()),
            Repr::Table(map) => Members::Table(map.iter()),
        })
    }

    /// Calls `visit` for about `count` members from a cursor on (0 at the beginning); the next cursor, 0 at the end. What
    /// is in the set from the first call to the last is visited. Flat encodings are visited as a whole.
    pub fn scan<'a>(&'a self, cursor: u64, count: usize, visit: &mut dyn FnMut(Item<'a>)) -> u64 {
        match self.0.get() {
            Repr::Table(map) => map.scan(cursor, count, &mut |member| visit(Item::Bytes(member.bytes()))),
            _ => {
                self.iter().for_each(visit);
                0
            }
        }
    }

    /// Calls `visit` for about `count` members from a position on (0 at the beginning); the next position, `None` at the
    /// end. Each member is visited once as long as the set is not changed: for replies that are written in parts.
    pub fn visit_part<'a>(
        &'a self,
        position: u64,
        count: usize,
        visit: &mut dyn FnMut(Item<'a>),
    ) -> Option<u64> {
        let next = match self.0.get() {
            Repr::Table(_) => self.scan(position, count, visit),
            Repr::Intset(intset) => {
                let end = intset.len().min((position as usize).saturating_add(count.max(1)));
                let ints = (position as usize..end).filter_map(|at| intset.get(at));
                ints.map(Item::Int).for_each(visit);
                if end < intset.len() { end as u64 } else { 0 }
            }
            Repr::Pack(pack) => {
                let mut at = isize::try_from(position).ok().and_then(|index| pack.seek(index));
                let mut visited = 0;
                while let Some(pos) = at.filter(|_| visited < count.max(1)) {
                    visit(pack.get(pos));
                    visited += 1;
                    at = pack.next(pos);
                }
                at.map_or(0, |_| position + visited as u64)
            }
        };
        (next != 0).then_some(next)
    }
}
