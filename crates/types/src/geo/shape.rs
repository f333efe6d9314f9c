//! What is searched: a circle, a box or a polygon.

use super::position::{EARTH_RADIUS_M, Position, degrees, radians};
use super::unit::DistanceUnit;

/// A shape on the earth.
#[derive(Clone, PartialEq, Debug)]
pub enum Area {
    /// All that is not farther from the centre.
    Radius(f64),
    /// All that is not farther east or west than half the width, nor farther north or south than half the height.
    Box {
        /// From west to east, along the latitude of the place in question.
        width: f64,
        /// From south to north.
        height: f64,
    },
    /// All within these corners, on a map where longitudes and latitudes are straight lines.
    Polygon(Vec<Position>),
}

/// An area with its centre. Lengths are in the unit.
#[derive(Clone, PartialEq, Debug)]
pub struct Shape {
    /// What is searched.
    pub area: Area,
    /// Its centre, which distances are measured from.
    pub centre: Position,
    /// The unit of its lengths.
    pub unit: DistanceUnit,
}

/// West, south, east and north of all that a shape covers, degrees.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Bounds {
    pub(super) west: f64,
    pub(super) south: f64,
    pub(super) east: f64,
    pub(super) north: f64,
}

impl Shape {
    /// A polygon; its centre is the middle of its corners, on the globe rather than on a map.
    pub fn polygon(corners: Vec<Position>) -> Shape {
        let (mut x, mut y, mut z) = (0.0, 0.0, 0.0);
        for corner in &corners {
            let (longitude, latitude) = (radians(corner.longitude), radians(corner.latitude));
            x += latitude.cos() * longitude.cos();
            y += latitude.cos() * longitude.sin();
            z += latitude.sin();
        }
        let centre =
            Position { longitude: degrees(y.atan2(x)), latitude: degrees(z.atan2((x * x + y * y).sqrt())) };
        Shape { area: Area::Polygon(corners), centre, unit: DistanceUnit::Metres }
    }

    /// How far a place is from the centre, metres; `None` if it is outside.
    pub fn distance_within_m(&self, place: Position) -> Option<f64> {
        let distance_m = || self.centre.distance_m(place);
        let to_metres = self.unit.metres();
        match &self.area {
            Area::Radius(radius) => {
                let radius_m = radius * to_metres;
                // Cheap, and true of most of what lies in the cells; the margin is far above what rounding may do.
                let is_far = place.latitude_distance_m(self.centre) > radius_m * 1.000_001 + 0.001;
                if is_far { None } else { Some(distance_m()).filter(|distance_m| *distance_m <= radius_m) }
            }
            Area::Box { width, height } => {
                let beside = Position { longitude: self.centre.longitude, ..place };
                let within = place.latitude_distance_m(self.centre) <= height * to_metres / 2.0
                    && place.distance_m(beside) <= width * to_metres / 2.0;
                within.then(distance_m)
            }
            Area::Polygon(corners) => is_inside(corners, place).then(distance_m),
        }
    }

    /// What the shape covers.
    pub(super) fn bounds(&self) -> Bounds {
        let to_metres = self.unit.metres();
        match &self.area {
            Area::Radius(radius) => self.bounds_around(to_metres * radius, to_metres * radius),
            Area::Box { width, height } => {
                self.bounds_around(to_metres * width / 2.0, to_metres * height / 2.0)
            }
            Area::Polygon(corners) => bounds_of(corners),
        }
    }

    /// The bounds of what reaches so far from the centre, metres. The nearer a pole, the more degrees to the east and
    /// west that is.
    fn bounds_around(&self, width_m: f64, height_m: f64) -> Bounds {
        let Position { longitude, latitude } = self.centre;
        let north = degrees(height_m / EARTH_RADIUS_M);
        let towards_pole = if latitude < 0.0 { latitude - north } else { latitude + north };
        let east = degrees(width_m / EARTH_RADIUS_M / radians(towards_pole).cos());
        Bounds {
            west: longitude - east,
            south: latitude - north,
            east: longitude + east,
            north: latitude + north,
        }
    }

    /// A radius around the centre that the shape lies in, metres.
    pub(super) fn radius_m(&self) -> f64 {
        let to_metres = self.unit.metres();
        match &self.area {
            Area::Radius(radius) => radius * to_metres,
            Area::Box { width, height } => {
                ((width / 2.0) * (width / 2.0) + (height / 2.0) * (height / 2.0)).sqrt() * to_metres
            }
            Area::Polygon(corners) => {
                let Bounds { west, south, east, north } = bounds_of(corners);
                let farthest = [(west, north), (east, north), (west, south), (east, south)];
                let distance_m =
                    |(longitude, latitude)| self.centre.distance_m(Position { longitude, latitude });
                farthest.into_iter().map(distance_m).fold(0.0, f64::max)
            }
        }
    }
}

fn bounds_of(corners: &[Position]) -> Bounds {
    let longitudes = corners.iter().map(|corner| corner.longitude);
    let latitudes = corners.iter().map(|corner| corner.latitude);
    Bounds {
        west: longitudes.clone().fold(f64::INFINITY, f64::min),
        south: latitudes.clone().fold(f64::INFINITY, f64::min),
        east: longitudes.fold(f64::NEG_INFINITY, f64::max),
        north: latitudes.fold(f64::NEG_INFINITY, f64::max),
    }
}

/// Whether a line from a place to the west crosses the edges of a polygon an odd number of times.
fn is_inside(corners: &[Position], place: Position) -> bool {
    let Some(mut before) = corners.last() else { return false };
    let mut inside = false;
    for corner in corners {
        let spans = (corner.latitude > place.latitude) != (before.latitude > place.latitude);
        let crossing = || {
            (before.longitude - corner.longitude) * (place.latitude - corner.latitude)
                / (before.latitude - corner.latitude)
                + corner.longitude
        };
        inside ^= spans && place.longitude < crossing();
        before = corner;
    }
    inside
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(longitude: f64, latitude: f64) -> Position {
        Position { longitude, latitude }
    }

    #[test]
    fn what_is_inside() {
        let centre = at(10.0, 50.0);
        let unit = DistanceUnit::Kilometres;
        let circle = Shape { area: Area::Radius(100.0), centre, unit };
        let square = Shape { area: Area::Box { width: 200.0, height: 200.0 }, centre, unit };
        let corners = vec![at(9.0, 49.0), at(11.0, 49.0), at(11.0, 51.0), at(9.0, 51.0), at(10.0, 50.5)];
        let notched = Shape::polygon(corners);
        let cases = [
            (at(10.0, 50.0), [true, true, true]),
            (at(10.0, 50.85), [true, true, true]),
            (at(9.2, 50.2), [true, true, false]),
            (at(11.2, 50.7), [false, true, false]),
            (at(10.0, 50.95), [false, false, true]),
            (at(20.0, 50.0), [false, false, false]),
        ];
        for (place, inside) in cases {
            let found = [&circle, &square, &notched].map(|shape| shape.distance_within_m(place).is_some());
            assert_eq!(found, inside, "{place:?}");
        }
        assert_eq!(circle.distance_within_m(centre), Some(0.0));
    }

    #[test]
    fn nothing_is_inside_of_nothing() {
        assert_eq!(Shape::polygon(Vec::new()).distance_within_m(at(0.0, 0.0)), None);
        assert!(Shape::polygon(Vec::new()).radius_m() >= 0.0);
    }
}
