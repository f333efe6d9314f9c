//! Members at random, each as likely as any other: looked at, or taken out.
//!
//! Several at a time from a flat encoding are chosen in one walk (selection sampling, Fan et al. 1962), from a table as
//! `ochre_table` does. Where nearly all are to be taken out, those that stay are chosen instead and become a new set,
//! which starts in a small encoding again, as Redis does it.

use ochre_table::hasher;

use super::value::{Set, SetLimits};
use super::word::{Repr, ReprMut, Word};
use crate::listpack::{ForwardPack, Item};
use crate::random::Rng;

/// With fewer than one of so many left, those that stay are chosen.
const REBUILD_FROM: usize = 5;

/// Chooses `wanted` of `left` that are asked for one after the other, every choice equally likely.
struct Selection {
    wanted: usize,
    left: usize,
}

impl Selection {
    fn next(&mut self, rng: &mut Rng) -> bool {
        let chosen = rng.below(self.left as u64) < self.wanted as u64;
        self.left -= 1;
        self.wanted -= usize::from(chosen);
        chosen
    }
}

impl Set {
    /// A member, each as likely as any other.
    pub fn random(&self, rng: &mut Rng) -> Option<Item<'_>> {
        match self.0.get() {
            Repr::Intset(intset) => intset.get(rng.below(intset.len() as u64) as usize).map(Item::Int),
            Repr::Pack(pack) => {
                let index = rng.below(pack.len() as u64);
                pack.seek(index as isize).map(|pos| pack.get(pos))
            }
            Repr::Table(map) => map.random(rng).map(|member| Item::Bytes(member.bytes())),
        }
    }

    /// Calls `visit` for `count` members, drawn one by one: a member may come several times.
    pub fn draw_many<'a>(&'a self, count: usize, rng: &mut Rng, visit: &mut dyn FnMut(Item<'a>)) {
        match self.0.get() {
            Repr::Table(map) => {
                map.draw_many(count, rng, &mut |member| visit(Item::Bytes(member.bytes())));
            }
            Repr::Pack(pack) if count > 1 => {
                let items: Vec<Item<'_>> = pack.iter().collect();
                let draw = |_| items.get(rng.below(items.len() as u64) as usize).copied();
                (0..count).map_while(draw).for_each(visit);
            }
            _ => (0..count).map_while(|_| self.random(rng)).for_each(visit),
        }
    }

    /// Calls `visit` for `count` different members (all, if there are not more), every choice equally likely. Their order
    /// is not random.
    pub fn sample<'a>(&'a self, count: usize, rng: &mut Rng, visit: &mut dyn FnMut(Item<'a>)) {
        if let Repr::Table(map) = self.0.get() {
            return map.sample(count, rng, &mut |member| visit(Item::Bytes(member.bytes())));
        }
        let mut selection = Selection { wanted: count.min(self.len()), left: self.len() };
        self.iter().filter(|_| selection.next(rng)).for_each(visit);
    }

    /// Takes out `count` members (all, if there are not more), every choice equally likely, and calls `visit` for each.
    pub fn pop(&mut self, count: usize, rng: &mut Rng, limits: &SetLimits, visit: &mut dyn FnMut(Item<'_>)) {
        let len = self.len();
        if count >= len {
            self.iter().for_each(&mut *visit);
            *self = Set::new();
        } else if count == 1 {
            self.pop_one(rng, visit);
        } else if len - count <= count / REBUILD_FROM && matches!(self.0.get(), Repr::Table(_)) {
            self.pop_nearly_all(len - count, rng, limits, visit);
        } else {
            self.pop_some(count, rng, visit);
        }
    }

    fn pop_one(&mut self, rng: &mut Rng, visit: &mut dyn FnMut(Item<'_>)) {
        match self.0.get_mut() {
            ReprMut::Table(map) => {
                map.take_random(rng, hasher(), |member| visit(Item::Bytes(member.bytes())));
            }
            ReprMut::Intset(intset) => {
                if let Some(int) = intset.get(rng.below(intset.len() as u64) as usize) {
                    visit(Item::Int(int));
                    intset.remove(int);
                }
            }
            ReprMut::Pack(pack) => {
                if let Some(pos) = pack.seek(rng.below(pack.len() as u64) as isize) {
                    visit(pack.get(pos));
                    pack.remove(pos);
                }
            }
        }
    }

    fn pop_some(&mut self, count: usize, rng: &mut Rng, visit: &mut dyn FnMut(Item<'_>)) {
        let mut selection = Selection { wanted: count, left: self.len() };
        match self.0.get_mut() {
            ReprMut::Table(map) => map.take_sample(count, rng, hasher(), &mut |member| {
                visit(Item::Bytes(member.bytes()));
            }),
            ReprMut::Intset(intset) => intset.retain(|int| {
                let chosen = selection.next(rng);
                if chosen {
                    visit(Item::Int(int));
                }
                !chosen
            }),
            ReprMut::Pack(pack) => {
                let mut kept = ForwardPack::new();
                for item in pack.iter() {
                    match selection.next(rng) {
                        true => visit(item),
                        false => kept.push_back_item(item),
                    }
                }
                self.0 = Word::pack(kept);
            }
        }
    }

    fn pop_nearly_all(
        &mut self,
        remaining: usize,
        rng: &mut Rng,
        limits: &SetLimits,
        visit: &mut dyn FnMut(Item<'_>),
    ) {
        let (mut kept, mut len) = (Set::new_pack(), 0);
        if let ReprMut::Table(map) = self.0.get_mut() {
            map.take_sample(remaining, rng, hasher(), &mut |member| {
                kept.push_to(len, Item::Bytes(member.bytes()), limits);
                len += 1;
            });
        }
        self.iter().for_each(visit);
        *self = kept;
    }
}
