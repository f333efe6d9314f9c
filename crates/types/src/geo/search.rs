//! Which scores to look at for a shape.
//!
//! The steps of the grid are chosen so that the cell of the centre and its eight neighbours cover the shape; cells
//! that its bounds do not reach are left out. The order of the cells is part of what clients see: it is the order of
//! results that are not sorted.

use std::ops::Range;

use super::cell::{Cell, Edges, STEPS_MAX};
use super::position::Position;
use super::shape::{Bounds, Shape};

/// Half the length of the equator on the map, metres.
const MAP_MAX_M: f64 = 20_037_726.37;

/// The neighbours, by their distance to the east and the north, in the order in which they are searched.
const NEIGHBOURS: [(i64, i64); 8] = [(0, 1), (0, -1), (1, 0), (-1, 0), (1, 1), (-1, 1), (1, -1), (-1, -1)];

/// The ranges of scores that hold all places within a shape, in the order in which they are to be searched. They also
/// hold places outside of it, and a range may come twice if the shape covers half the earth.
pub fn score_ranges(shape: &Shape) -> impl ExactSizeIterator<Item = Range<u64>> + use<> {
    let bounds = shape.bounds();
    let centre = Position::clamped(shape.centre.longitude, shape.centre.latitude);
    let mut steps = steps_for(shape.radius_m(), shape.centre.latitude);
    if steps > 1 && !is_covered(Cell::of(centre, steps), bounds) {
        steps -= 1;
    }
    let middle = Cell::of(centre, steps);
    let mut cells = vec![middle];
    for (east, north) in NEIGHBOURS {
        let cell = middle.neighbour(east, north);
        let is_needed = steps < 2 || reaches(bounds, middle.edges(), east, north);
        // Only what was searched just before is recognised, and the middle is not.
        let is_repeated = cells.len() > 1 && cells.last() == Some(&cell);
        if is_needed && !is_repeated {
            cells.push(cell);
        }
    }
    cells.into_iter().map(Cell::scores)
}

/// How many steps make cells as wide as a radius, roughly, but not narrower; fewer near the poles, where the map is
/// stretched.
fn steps_for(radius_m: f64, latitude: f64) -> u32 {
    if radius_m == 0.0 {
        return STEPS_MAX;
    }
    let (mut steps, mut reach_m) = (1, radius_m);
    while reach_m < MAP_MAX_M && steps < 2 * STEPS_MAX {
        reach_m *= 2.0;
        steps += 1;
    }
    let stretched = i32::from(latitude.abs() > 66.0) + i32::from(latitude.abs() > 80.0);
    (steps as i32 - 2 - stretched).clamp(1, STEPS_MAX as i32) as u32
}

/// Whether the neighbours of a cell reach as far as the bounds.
fn is_covered(middle: Cell, bounds: Bounds) -> bool {
    middle.neighbour(0, 1).edges().north >= bounds.north
        && middle.neighbour(0, -1).edges().south <= bounds.south
        && middle.neighbour(1, 0).edges().east >= bounds.east
        && middle.neighbour(-1, 0).edges().west <= bounds.west
}

/// Whether the bounds reach beyond the middle cell on the sides that a neighbour lies on.
fn reaches(bounds: Bounds, middle: Edges, east: i64, north: i64) -> bool {
    let beyond = [
        (north == -1, middle.south < bounds.south),
        (north == 1, middle.north > bounds.north),
        (east == -1, middle.west < bounds.west),
        (east == 1, middle.east > bounds.east),
    ];
    !beyond.into_iter().any(|(is_there, is_useless)| is_there && is_useless)
}

#[cfg(test)]
mod tests {
    use super::super::{Area, DistanceUnit, score_of};
    use super::*;
    use crate::Rng;

    /// Places that lie in a shape but in none of its ranges.
    fn missed(shape: &Shape, rng: &mut Rng) -> usize {
        let ranges: Vec<_> = score_ranges(shape).collect();
        assert!((1..=9).contains(&ranges.len()));
        let Bounds { west, south, east, north } = shape.bounds();
        let mut between = |low: f64, high: f64| low + (high - low) * rng.next_f64();
        (0..200)
            .filter_map(|_| Position::new(between(west, east), between(south, north)))
            .filter(|place| shape.distance_within_m(*place).is_some())
            .filter(|place| !ranges.iter().any(|range| range.contains(&score_of(*place))))
            .count()
    }

    #[test]
    fn all_of_a_shape_is_covered() {
        let mut rng = Rng::new(59);
        for round in 0..3000 {
            let centre = Position::clamped(rng.next_f64() * 340.0 - 170.0, rng.next_f64() * 120.0 - 60.0);
            let size = 10f64.powf(rng.next_f64() * 6.0);
            let shape = match round % 3 {
                0 => Shape { area: Area::Radius(size), centre, unit: DistanceUnit::Metres },
                1 => {
                    let area = Area::Box { width: size, height: size * rng.next_f64() };
                    Shape { area, centre, unit: DistanceUnit::Feet }
                }
                _ => {
                    let mut corner = || {
                        let mut shifted = |degrees: f64| degrees + (rng.next_f64() - 0.5) * size / 200_000.0;
                        Position::clamped(shifted(centre.longitude), shifted(centre.latitude))
                    };
                    Shape::polygon((0..5).map(|_| corner()).collect())
                }
            };
            assert_eq!(missed(&shape, &mut rng), 0, "{shape:?}");
        }
    }

    #[test]
    fn steps_have_bounds() {
        for radius_m in [0.0, 1e-320, 1.0, 1e7, 1e300, f64::INFINITY, f64::NAN] {
            for latitude in [0.0, 70.0, -84.0, f64::NAN] {
                assert!((1..=STEPS_MAX).contains(&steps_for(radius_m, latitude)));
            }
        }
        assert_eq!((steps_for(1000.0, 0.0), steps_for(1000.0, 67.0), steps_for(1000.0, 81.0)), (14, 13, 12));
        let endless = Shape {
            area: Area::Box { width: f64::INFINITY, height: f64::INFINITY },
            centre: Position::default(),
            unit: DistanceUnit::Miles,
        };
        assert!(score_ranges(&endless).len() > 1);
    }
}
