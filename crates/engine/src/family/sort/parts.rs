//! SORT of very many elements, done in parts once its locks are released: gathered from a value that is pinned, sorted a
//! thousand at a time, merged, replied.
//!
//! That is for what is replied and needs no other keys. What is stored has to be there before anybody else looks, and keys
//! that patterns lead to have to be read at one instant.

use std::cmp::Ordering;
use std::ops::Range;

use ochre_resp::ReplyWriter;
use ochre_types::listpack::Item;
use ochre_types::{Pinned, Portion};

use super::gradual::GradualSort;
use super::options::Options;
use super::order::{NO_NUMBER, before_nul, number};
use crate::error::Error;
use crate::sequel::Sequel;

/// Elements that are gathered, or merged, at a time: up to 100 us.
const STEPS: usize = 1024;
/// Where fewer than this are asked for, no more than twice as many are ever kept.
const FEW: usize = 16 * 1024;

/// Texts in pieces of memory of which none is ever moved: growing must take no time.
#[derive(Default)]
struct Arena {
    pieces: Vec<Vec<u8>>,
}

/// Where a text is: in which piece, from where, how long.
#[derive(Clone, Copy)]
struct Place {
    piece: u32,
    start: u32,
    len: u32,
}

impl Arena {
    const PIECE_BYTES: usize = 64 * 1024;

    fn add(&mut self, item: Item<'_>) -> Place {
        let has_room = |piece: &Vec<u8>| piece.capacity() - piece.len() >= item.len();
        if !self.pieces.last().is_some_and(has_room) {
            self.pieces.push(Vec::with_capacity(Arena::PIECE_BYTES.max(item.len())));
        }
        let index = self.pieces.len() - 1;
        let piece = &mut self.pieces[index];
        let start = piece.len();
        item.write_to(piece);
        Place { piece: index as u32, start: start as u32, len: (piece.len() - start) as u32 }
    }

    fn get(&self, at: Place) -> &[u8] {
        let start = at.start as usize;
        &self.pieces[at.piece as usize][start..start + at.len as usize]
    }
}

/// An element with what it is compared by.
#[derive(Clone, Copy)]
struct Weighted {
    /// The number, or the beginning of the text, as an integer of the same order.
    weight: u64,
    text: Place,
    /// Its number, among those gathered.
    number: u32,
}

/// A SORT that is on its way.
pub(super) struct Sorting {
    alpha: bool,
    descending: bool,
    window: Range<usize>,
    /// What is replied for each element: itself, or nothing.
    shown: Vec<bool>,
    arena: Arena,
    state: State,
    error: Option<Error>,
}

enum State {
    Gathering(Pinned, Vec<Weighted>),
    Sorting(GradualSort<Weighted>),
    /// What is to be replied, and how much of it has been.
    Replying(Vec<Weighted>, usize),
    Over,
}

impl Sorting {
    /// Sorts a value of `len` elements. `options` store nothing and lead to no other keys.
    pub(super) fn new(pinned: Pinned, len: usize, options: &Options<'_>) -> Sorting {
        let window = options.window(len);
        let kept = if window.end < FEW { 2 * FEW } else { len };
        Sorting {
            alpha: options.alpha,
            descending: options.descending,
            window,
            shown: options.shown(),
            arena: Arena::default(),
            state: State::Gathering(pinned, Vec::with_capacity(kept)),
            error: None,
        }
    }

    fn step(&mut self, reply: &mut ReplyWriter<'_>, bytes: usize) {
        self.state = match std::mem::replace(&mut self.state, State::Over) {
            State::Gathering(pinned, gathered) => self.gather(pinned, gathered, reply),
            State::Sorting(mut sort) => match sort.go_on(STEPS, |a, b| self.order(a, b)) {
                true => self.begin_reply(sort.into_items(), reply),
                false => State::Sorting(sort),
            },
            State::Replying(sorted, at) => self.reply(sorted, at, reply, bytes),
            State::Over => State::Over,
        };
    }

    fn gather(
        &mut self,
        mut pinned: Pinned,
        mut gathered: Vec<Weighted>,
        reply: &mut ReplyWriter<'_>,
    ) -> State {
        let (alpha, arena, mut failed) = (self.alpha, &mut self.arena, false);
        let more = read(&mut pinned, &mut |item| {
            let text = arena.add(item);
            let weight = weight(arena.get(text), alpha);
            failed |= weight.is_none();
            gathered.push(Weighted { weight: weight.unwrap_or(0), text, number: gathered.len() as u32 });
        });
        if failed {
            reply.error_bytes(NO_NUMBER.bytes());
            self.error = Some(NO_NUMBER);
            return State::Over;
        }
        if self.window.end < FEW && gathered.len() >= 2 * FEW {
            gathered.select_nth_unstable_by(self.window.end, |a, b| self.order(a, b));
            gathered.truncate(self.window.end);
        }
        if more { State::Gathering(pinned, gathered) } else { State::Sorting(GradualSort::new(gathered)) }
    }

    fn begin_reply(&self, mut sorted: Vec<Weighted>, reply: &mut ReplyWriter<'_>) -> State {
        sorted.truncate(self.window.end);
        reply.array(sorted.len().saturating_sub(self.window.start) * self.shown.len());
        State::Replying(sorted, self.window.start)
    }

    fn reply(
        &self,
        sorted: Vec<Weighted>,
        mut at: usize,
        reply: &mut ReplyWriter<'_>,
        bytes: usize,
    ) -> State {
        let end = reply.len().saturating_add(bytes);
        while let Some(element) = sorted.get(at).filter(|_| reply.len() < end) {
            for is_element in &self.shown {
                match is_element {
                    true => reply.bulk(self.arena.get(element.text)),
                    false => reply.null(),
                }
            }
            at += 1;
        }
        if at < sorted.len() { State::Replying(sorted, at) } else { State::Over }
    }

    fn order(&self, a: &Weighted, b: &Weighted) -> Ordering {
        let by_text = || {
            let (a, b) = (self.arena.get(a.text), self.arena.get(b.text));
            if self.alpha { before_nul(a).cmp(before_nul(b)) } else { a.cmp(b) }
        };
        let order = a.weight.cmp(&b.weight).then_with(by_text);
        if self.descending { order.reverse() } else { order }.then(a.number.cmp(&b.number))
    }
}

impl Sequel for Sorting {
    fn write(&mut self, reply: &mut ReplyWriter<'_>, bytes: usize) -> bool {
        self.step(reply, bytes);
        !matches!(self.state, State::Over)
    }

    fn error(&self) -> Option<&Error> {
        self.error.as_ref()
    }
}

/// Shows some further elements of what can be sorted; whether there are more.
fn read(pinned: &mut Pinned, visit: &mut dyn FnMut(Item<'_>)) -> bool {
    let portion = Portion { elements: STEPS, bytes: 16 * STEPS };
    match pinned {
        Pinned::List(list) => list.read(portion, visit),
        Pinned::Set(set) => set.read(portion, visit),
        Pinned::ZSet(zset) => zset.read(portion, &mut |item, _| visit(item)),
        Pinned::String(_) | Pinned::Hash(_) | Pinned::Stream(_) => false,
    }
}

/// What an element is compared by first, as an integer of the same order; `None` if it is no number.
fn weight(text: &[u8], alpha: bool) -> Option<u64> {
    if !alpha {
        return number(text).map(ordered);
    }
    let mut beginning = [0; 8];
    let text = before_nul(text);
    let len = text.len().min(8);
    beginning[..len].copy_from_slice(&text[..len]);
    Some(u64::from_be_bytes(beginning))
}

/// An integer of the same order. Zeros are equal.
fn ordered(number: f64) -> u64 {
    let bits = (number + 0.0).to_bits();
    if bits >> 63 == 0 { bits | 1 << 63 } else { !bits }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_have_the_order_of_numbers() {
        let numbers = [f64::NEG_INFINITY, -1e300, -2.5, -1e-300, 0.0, 1e-300, 1.0, 2.0, 1e300, f64::INFINITY];
        assert!(numbers.map(ordered).is_sorted());
        assert_eq!(ordered(0.0), ordered(-0.0));
    }

    #[test]
    fn weights_have_the_order_of_texts() {
        let texts: [&[u8]; 6] = [b"", b"a", b"a\0z", b"ab", b"abcdefgh", b"b"];
        assert!(texts.map(|text| weight(text, true)).is_sorted());
    }
}
