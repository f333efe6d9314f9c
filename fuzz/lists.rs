//! A list agrees with a deque of texts after any operations, whatever the limits; pins show it as it was.

use std::collections::VecDeque;

use ochre_types::Portion;
use ochre_types::list::{End, List, ListLimits, PinnedList};

type Model = VecDeque<Vec<u8>>;

/// The first byte is about limits; each operation takes four.
pub fn list(input: &[u8]) {
    let mut pair = ListPair::new(input.first().copied().unwrap_or(0));
    for operation in input.get(1..).unwrap_or(&[]).chunks_exact(4) {
        pair.apply(operation[0], operation[1], operation[2], operation[3]);
    }
    pair.check();
    drop(pair.list);
    pair.pins.iter_mut().for_each(|(pinned, expected)| read(pinned, expected, usize::MAX));
}

struct ListPair {
    list: List,
    model: Model,
    limits: ListLimits,
    pins: Vec<(PinnedList, Model)>,
}

/// A text of the kind that `kind` says: an integer, a short text, one of some length, one too large for a node.
fn text(kind: u8, seed: u8) -> Vec<u8> {
    match kind % 8 {
        0 => seed.to_string().into_bytes(),
        1 => (i64::from(seed) << (seed % 56)).to_string().into_bytes(),
        2 => vec![seed; usize::from(seed)],
        3 if seed.is_multiple_of(16) => vec![seed; 4096 + usize::from(seed) * 64],
        _ => format!("text{}", seed % 8).into_bytes(),
    }
}

fn end(byte: u8) -> End {
    if byte.is_multiple_of(2) { End::Head } else { End::Tail }
}

fn read(pinned: &mut PinnedList, expected: &mut Model, most: usize) {
    let mut shown = Vec::new();
    let more = pinned.read(Portion::of_elements(most), &mut |item| shown.push(item.to_vec()));
    assert!(shown.iter().eq(expected.iter().take(most)));
    expected.drain(..shown.len());
    assert_eq!((more, pinned.len()), (!expected.is_empty(), expected.len()));
}

impl ListPair {
    fn new(limits: u8) -> ListPair {
        let max_listpack_size = [-1, -2, 1, 2, 3, 8, 30, 128][usize::from(limits % 8)];
        let compress_depth = u32::from(limits / 8 % 4);
        let plain_from_bytes = [0, 0, 1, 20][usize::from(limits / 32 % 4)];
        let limits = ListLimits { max_listpack_size, compress_depth, plain_from_bytes };
        ListPair { list: List::new(), model: Model::new(), limits, pins: Vec::new() }
    }

    fn apply(&mut self, operation: u8, place: u8, kind: u8, seed: u8) {
        let (value, index) = (text(kind, seed), usize::from(place) * (self.model.len() + 1) / 256);
        match operation % 16 {
            0 | 1 => {
                (0..kind / 4).for_each(|by| self.push(end(operation), text(kind, seed.wrapping_add(by))))
            }
            2 => self.push(end(place), value),
            3 | 4 => self.pop(end(operation), usize::from(seed % 64)),
            5 | 6 => {
                assert_eq!(self.list.set(index, &value, &self.limits), index < self.model.len());
                if let Some(old) = self.model.get_mut(index) {
                    *old = value;
                }
            }
            7 => {
                self.list.insert(index, &value, &self.limits);
                self.model.insert(index, value);
            }
            8 => self.insert_beside(&text(kind, place), place.is_multiple_of(2), value),
            9 => self.remove(&value, 1 + usize::from(place % 4), end(place / 4)),
            10 => self.trim(usize::from(place), usize::from(seed) * 2),
            11 => self.pins.push((self.list.pin(), self.model.clone())),
            12 => {
                let count = usize::from(seed) * 2;
                let expected = self.model.iter().skip(index).take(count).cloned().collect();
                self.pins.push((self.list.pin_range(index, count), expected));
            }
            13 if !self.pins.is_empty() => drop(self.pins.swap_remove(usize::from(place) % self.pins.len())),
            14 if !self.pins.is_empty() => {
                let at = usize::from(place) % self.pins.len();
                let (pinned, expected) = &mut self.pins[at];
                read(pinned, expected, usize::from(seed));
            }
            _ => self.check(),
        }
        self.pins.truncate(8);
    }

    fn push(&mut self, end: End, value: Vec<u8>) {
        self.list.push(end, [value.as_slice()], &self.limits);
        match end {
            End::Head => self.model.push_front(value),
            End::Tail => self.model.push_back(value),
        }
    }

    fn pop(&mut self, end: End, count: usize) {
        let model = &mut self.model;
        self.list.pop(end, count, &self.limits, |item| {
            let expected = if end == End::Head { model.pop_front() } else { model.pop_back() };
            assert_eq!(Some(item.to_vec()), expected);
        });
        assert_eq!(self.list.len(), self.model.len());
    }

    fn insert_beside(&mut self, pivot: &[u8], after: bool, value: Vec<u8>) {
        let at = self.model.iter().position(|text| text == pivot);
        assert_eq!(self.list.insert_beside(pivot, after, &value, &self.limits), at.is_some());
        if let Some(at) = at {
            self.model.insert(at + usize::from(after), value);
        }
    }

    fn remove(&mut self, value: &[u8], most: usize, from: End) {
        let mut places: Vec<usize> = (0..self.model.len()).filter(|at| self.model[*at] == value).collect();
        if from == End::Tail {
            places.reverse();
        }
        places.truncate(most);
        places.sort_unstable();
        places.iter().rev().for_each(|at| _ = self.model.remove(*at));
        assert_eq!(self.list.remove(value, most, from, &self.limits), places.len());
    }

    fn trim(&mut self, from: usize, count: usize) {
        drop(self.list.trim(from, count, &self.limits));
        self.model.drain(..from.min(self.model.len()));
        self.model.truncate(count);
    }

    fn check(&self) {
        assert_eq!(self.list.len(), self.model.len());
        let mut expected = self.model.iter();
        self.list.range(0, usize::MAX, |item| assert_eq!(Some(&item.to_vec()), expected.next()));
        assert_eq!(expected.next(), None);
    }
}
