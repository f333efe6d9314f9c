//! Geohashes: the cells of a grid that is refined in steps, each of which halves both sides.
//!
//! ```text
//! +-------+-------+
//! |  01   |  11   |      a step: the upper bit says east, the lower one north;
//! +-------+-------+      the next step's two bits follow behind
//! |  00   |  10   |
//! +-------+-------+
//! ```
//!
//! After 26 steps a cell is about half a metre wide and has 52 bits: the score of all that lies in it.

use std::ops::Range;

use super::position::{LATITUDE_MAX, LONGITUDE_MAX, Position};

/// Steps of a score.
pub(super) const STEPS_MAX: u32 = 26;

const LONGITUDE_BITS: u64 = 0xaaaa_aaaa_aaaa_aaaa;
const LATITUDE_BITS: u64 = 0x5555_5555_5555_5555;

/// Characters of a geohash as text.
pub const GEOHASH_LEN: usize = 11;

/// The letters of five bits each.
const ALPHABET: &[u8; 32] = b"0123456789bcdefghjkmnpqrstuvwxyz";

/// A cell.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Cell {
    bits: u64,
    steps: u32,
}

/// The edges of a cell, degrees.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Edges {
    pub(super) west: f64,
    pub(super) east: f64,
    pub(super) south: f64,
    pub(super) north: f64,
}

impl Cell {
    /// The cell that a place lies in after some steps, 1 to [`STEPS_MAX`].
    pub(super) fn of(position: Position, steps: u32) -> Cell {
        Cell { bits: interleaved(position, LONGITUDE_MAX, LATITUDE_MAX, steps), steps }
    }

    /// The smallest cell that a score stands for.
    pub(super) fn of_score(score: f64) -> Cell {
        Cell { bits: bits_of_score(score), steps: STEPS_MAX }
    }

    /// Its edges.
    pub(super) fn edges(self) -> Edges {
        let side = (1u64 << self.steps) as f64;
        let edge = |index: u32, max: f64| -max + f64::from(index) / side * (max - -max);
        let (east, north) = (gather(self.bits >> 1), gather(self.bits));
        Edges {
            west: edge(east, LONGITUDE_MAX),
            east: edge(east.wrapping_add(1), LONGITUDE_MAX),
            south: edge(north, LATITUDE_MAX),
            north: edge(north.wrapping_add(1), LATITUDE_MAX),
        }
    }

    /// The place in its middle.
    pub(super) fn centre(self) -> Position {
        let Edges { west, east, south, north } = self.edges();
        Position::clamped((west + east) / 2.0, (south + north) / 2.0)
    }

    /// The cell so many cells to the east and to the north, -1, 0 or 1 each; behind the edge of the map the other edge
    /// follows.
    pub(super) fn neighbour(self, east: i64, north: i64) -> Cell {
        let used = u64::MAX >> (u64::BITS - 2 * self.steps);
        let longitude = step(self.bits & LONGITUDE_BITS, east, LONGITUDE_BITS & used, LATITUDE_BITS & used);
        let latitude = step(self.bits & LATITUDE_BITS, north, LATITUDE_BITS & used, LONGITUDE_BITS & used);
        Cell { bits: longitude | latitude, ..self }
    }

    /// The scores of all places in it.
    pub(super) fn scores(self) -> Range<u64> {
        let shift = 2 * (STEPS_MAX - self.steps);
        self.bits << shift..self.bits.wrapping_add(1) << shift
    }
}

/// Counts up or down in every other bit: the `others`, all set, hand a carry on, all clear a borrow.
fn step(bits: u64, by: i64, mask: u64, others: u64) -> u64 {
    match by {
        0 => bits,
        1.. => bits.wrapping_add(others.wrapping_add(1)) & mask,
        _ => (bits | others).wrapping_sub(others.wrapping_add(1)) & mask,
    }
}

/// The score of a place.
pub fn score_of(position: Position) -> u64 {
    Cell::of(position, STEPS_MAX).bits
}

/// The geohash of the place that a score stands for, as others write it. These use a map up to the poles; the last
/// character would need three bits more than there are, and is always `0`.
pub fn geohash_text(score: f64) -> [u8; GEOHASH_LEN] {
    let bits = interleaved(Position::of_score(score), 180.0, 90.0, STEPS_MAX);
    let mut text = [ALPHABET[0]; GEOHASH_LEN];
    for (index, letter) in text.iter_mut().take(GEOHASH_LEN - 1).enumerate() {
        *letter = ALPHABET[(bits >> (47 - 5 * index) & 31) as usize];
    }
    text
}

/// The bits of a place on a map with these greatest longitudes and latitudes.
fn interleaved(position: Position, longitude_max: f64, latitude_max: f64, steps: u32) -> u64 {
    let side = (1u64 << steps) as f64;
    let index = |degrees: f64, max: f64| ((degrees - -max) / (max - -max) * side) as u32;
    let (east, north) = (index(position.longitude, longitude_max), index(position.latitude, latitude_max));
    scatter(east) << 1 | scatter(north)
}

/// A score as bits: as C converts a double, so that a negative one wraps around.
fn bits_of_score(score: f64) -> u64 {
    const HALF: f64 = 9_223_372_036_854_775_808.0;
    let truncated = |value: f64| if (-HALF..HALF).contains(&value) { value as i64 } else { i64::MIN };
    if score < HALF { truncated(score) as u64 } else { truncated(score - HALF) as u64 ^ 1 << 63 }
}

/// Moves every bit to twice its place.
fn scatter(number: u32) -> u64 {
    let mut bits = u64::from(number);
    for (shift, mask) in [
        (16, 0x0000_ffff_0000_ffff),
        (8, 0x00ff_00ff_00ff_00ff),
        (4, 0x0f0f_0f0f_0f0f_0f0f),
        (2, 0x3333_3333_3333_3333),
        (1, LATITUDE_BITS),
    ] {
        bits = (bits | bits << shift) & mask;
    }
    bits
}

/// Moves every other bit to half its place, the lowest first; those in between are lost.
fn gather(bits: u64) -> u32 {
    let mut number = bits & LATITUDE_BITS;
    for (shift, mask) in [
        (1, 0x3333_3333_3333_3333),
        (2, 0x0f0f_0f0f_0f0f_0f0f),
        (4, 0x00ff_00ff_00ff_00ff),
        (8, 0x0000_ffff_0000_ffff),
        (16, 0x0000_0000_ffff_ffff),
    ] {
        number = (number | number >> shift) & mask;
    }
    number as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Rng;

    #[test]
    fn bits_alternate() {
        let mut rng = Rng::new(47);
        for _ in 0..1000 {
            let number = rng.next_u64() as u32;
            let scattered = scatter(number);
            assert!((0..32).all(|bit| scattered >> (2 * bit) & 3 == u64::from(number >> bit & 1)));
            assert_eq!(gather(scattered | scattered << 1), number);
        }
    }

    #[test]
    fn a_place_lies_in_its_cells_and_beside_their_neighbours() {
        let mut rng = Rng::new(53);
        for _ in 0..2000 {
            let position = Position::clamped(
                rng.next_f64() * 360.0 - 180.0,
                (rng.next_f64() * 2.0 - 1.0) * LATITUDE_MAX,
            );
            let cell = Cell::of(position, 1 + rng.below(26) as u32);
            let edges = cell.edges();
            assert!((edges.west..=edges.east).contains(&position.longitude), "{position:?} {edges:?}");
            assert!((edges.south..=edges.north).contains(&position.latitude), "{position:?} {edges:?}");
            assert!(cell.scores().contains(&score_of(position)));
            for (east, north) in [(1, 0), (0, 1), (1, -1), (-1, -1)] {
                let neighbour = cell.neighbour(east, north);
                assert_eq!(neighbour.neighbour(-east, -north), cell);
                let longitude = if east == 1 { neighbour.edges().west } else { neighbour.edges().east };
                let meets = longitude == if east == 1 { edges.east } else { edges.west };
                assert!(east == 0 || meets || longitude.abs() == LONGITUDE_MAX);
            }
        }
    }

    #[test]
    fn every_score_stands_for_a_place() {
        for score in [0.0, -1.0, 0.5, 1e15, 1e19, 1e300, -1e300, f64::INFINITY, f64::NEG_INFINITY, f64::NAN] {
            let Position { longitude, latitude } = Position::of_score(score);
            assert!(Position::new(longitude, latitude).is_some(), "{score}");
            assert!(geohash_text(score).iter().all(|letter| ALPHABET.contains(letter)));
        }
        assert_eq!(bits_of_score(-1.0), u64::MAX);
        assert_eq!(bits_of_score(9.3e18), 9_300_000_000_000_000_000);
        assert_eq!(bits_of_score(4503599627370495.0), (1 << 52) - 1);
    }
}
