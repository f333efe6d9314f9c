//! SORT of very many elements, done in parts once its locks are released: gathered from a value that is pinned, sorted a
//! thousand at a time, merged, replied. Where the order is kept, what is asked for is gathered and replied.
//!
//! That is for what is replied and needs no other keys. What is stored has to be there before anybody else looks, and keys
//! that patterns lead to have to be read at one instant.

use std::cmp::Ordering;
use std::ops::Range;

use ochre_resp::ReplyWriter;
use ochre_types::listpack::Item;
use ochre_types::{Pinned, Portion};

use super::gradual::GradualSort;
use super::kept::Kept;
use super::options::Options;
use super::order::{NO_NUMBER, before_nul, common_len, number, weight_of_number, weight_of_text};
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

/// What elements are compared by.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    Number,
    Text,
    /// They come in the order they have.
    Nothing,
}

/// A SORT that is on its way.
pub(super) struct Sorting {
    by: By,
    descending: bool,
    window: Range<usize>,
    /// What is replied for each element: itself, or nothing.
    shown: Vec<bool>,
    arena: Arena,
    /// What all texts begin with: so many bytes of one of them.
    common: Option<(Place, usize)>,
    state: State,
    error: Option<Error>,
}

enum State {
    Gathering(Pinned, Vec<Weighted>),
    /// Texts are given weights of what they do not have in common; how many have them.
    Weighing(Vec<Weighted>, usize),
    Sorting(GradualSort<Weighted>),
    /// What is to be replied, and how much of it has been.
    Replying(Vec<Weighted>, usize),
    Over,
}

impl Sorting {
    /// Sorts a value of `len` elements. `options` store nothing and lead to no other keys.
    pub(super) fn new(pinned: Pinned, len: usize, options: &Options<'_>) -> Sorting {
        let by = if options.alpha { By::Text } else { By::Number };
        let window = options.window(len);
        let kept = if window.end < FEW { 2 * FEW } else { len };
        Sorting::gathering(pinned, by, window, kept, options)
    }

    /// Replies what is to be kept in order of a value.
    pub(super) fn keeping_order(pinned: Pinned, kept: Kept, options: &Options<'_>) -> Sorting {
        let len = kept.window.end;
        let sorting = Sorting::gathering(pinned, By::Nothing, kept.window, len, options);
        Sorting { descending: kept.is_reversed, ..sorting }
    }

    /// Begins with elements of which so many will be there together.
    fn gathering(pinned: Pinned, by: By, window: Range<usize>, len: usize, options: &Options<'_>) -> Sorting {
        Sorting {
            by,
            descending: options.descending,
            window,
            shown: options.shown(),
            arena: Arena::default(),
            common: None,
            state: State::Gathering(pinned, Vec::with_capacity(len)),
            error: None,
        }
    }

    fn step(&mut self, reply: &mut ReplyWriter<'_>, bytes: usize) {
        self.state = match std::mem::replace(&mut self.state, State::Over) {
            State::Gathering(pinned, gathered) => self.gather(pinned, gathered, reply),
            State::Weighing(gathered, at) => self.weigh(gathered, at),
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
        let (by, arena, common, mut failed) = (self.by, &mut self.arena, &mut self.common, false);
        let more = read(&mut pinned, &mut |item| {
            let text = arena.add(item);
            let weight = weight(arena.get(text), by);
            if by == By::Text {
                *common = Some(in_common(arena, *common, text));
            }
            failed |= weight.is_none();
            gathered.push(Weighted { weight: weight.unwrap_or(0), text, number: gathered.len() as u32 });
        });
        if failed {
            reply.error_bytes(NO_NUMBER.bytes());
            self.error = Some(NO_NUMBER);
            return State::Over;
        }
        if self.by == By::Nothing {
            let is_enough = !more || gathered.len() >= self.window.end;
            return if is_enough {
                self.begin_reply(gathered, reply)
            } else {
                State::Gathering(pinned, gathered)
            };
        }
        if self.window.end < FEW && gathered.len() >= 2 * FEW {
            gathered.select_nth_unstable_by(self.window.end, |a, b| self.order(a, b));
            gathered.truncate(self.window.end);
        }
        if more { State::Gathering(pinned, gathered) } else { self.weigh(gathered, 0) }
    }

    /// Goes on giving texts their weights from number `at` on, if they have anything in common.
    fn weigh(&self, mut gathered: Vec<Weighted>, at: usize) -> State {
        let skipped = self.common.map_or(0, |(_, len)| len);
        let end = if skipped == 0 { gathered.len() } else { gathered.len().min(at + STEPS) };
        if skipped > 0 {
            for element in &mut gathered[at..end] {
                element.weight = weight_of_text(&before_nul(self.arena.get(element.text))[skipped..]);
            }
        }
        if end < gathered.len() {
            State::Weighing(gathered, end)
        } else {
            State::Sorting(GradualSort::new(gathered))
        }
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
        let is_reversed = self.by == By::Nothing && self.descending;
        let at_turn = |turn: usize| match is_reversed {
            false => sorted.get(turn),
            true => sorted.len().checked_sub(turn + 1).and_then(|at| sorted.get(at)),
        };
        while reply.len() < end
            && let Some(element) = at_turn(at)
        {
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
            if self.by == By::Text { before_nul(a).cmp(before_nul(b)) } else { a.cmp(b) }
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

/// What a further text has in common with those before it.
fn in_common(arena: &Arena, common: Option<(Place, usize)>, text: Place) -> (Place, usize) {
    let further = before_nul(arena.get(text));
    match common {
        None => (text, further.len()),
        Some((one, len)) => (one, common_len(&arena.get(one)[..len], further)),
    }
}

/// Shows some further elements of what can be sorted; whether there are more.
pub(super) fn read(pinned: &mut Pinned, visit: &mut dyn FnMut(Item<'_>)) -> bool {
    let portion = Portion { elements: STEPS, bytes: 16 * STEPS };
    match pinned {
        Pinned::List(list) => list.read(portion, visit),
        Pinned::Set(set) => set.read(portion, visit),
        Pinned::ZSet(zset) => zset.read(portion, &mut |item, _| visit(item)),
        Pinned::String(_) | Pinned::Hash(_) | Pinned::Stream(_) => false,
    }
}

/// What an element is compared by first, as an integer of the same order; `None` if it is no number.
fn weight(text: &[u8], by: By) -> Option<u64> {
    match by {
        By::Number => number(text).map(weight_of_number),
        By::Text => Some(weight_of_text(before_nul(text))),
        By::Nothing => Some(0),
    }
}
