//! Places on the earth: positions as scores of a sorted set, distances, and which scores to look at for an area.
//!
//! A position becomes a 52-bit number whose bits alternate between longitude and latitude (a geohash), so that places
//! with the same upper bits lie in the same cell, and a cell is a range of numbers. A double holds such a number exactly:
//! it is a member's score. To search an area is to search the ranges of at most nine cells around it, and to look at
//! each position found there.
//!
//! - `position`: longitude and latitude, their limits, distances between them
//! - `unit`: metres, kilometres, miles and feet, and distances as text
//! - `cell`: geohashes: from positions, back to them, and their neighbours
//! - `shape`: circles, boxes and polygons: what lies inside
//! - `search`: the ranges of scores that cover a shape
//!
//! Every formula, constant and rounding is that of Redis, because clients see scores, distances and the order of what
//! was found. The trigonometric functions are those of the platform's C library, as Redis's are.

mod cell;
mod position;
mod search;
mod shape;
mod unit;

pub use cell::{GEOHASH_LEN, geohash_text, score_of};
pub use position::Position;
pub use search::score_ranges;
pub use shape::{Area, Shape};
pub use unit::{DistanceUnit, push_distance};
