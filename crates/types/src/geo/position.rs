//! Longitude and latitude, and the way between two places.

use super::cell;

/// The greatest latitude, north and south: that of the square map that cells are cut from (EPSG:3857).
pub(super) const LATITUDE_MAX: f64 = 85.051_128_78;
/// The greatest longitude, east and west.
pub(super) const LONGITUDE_MAX: f64 = 180.0;

/// The radius of the earth as Redis has it, metres.
pub(super) const EARTH_RADIUS_M: f64 = 6_372_797.560856;

/// Longitudes whose difference is less are the same.
const SINE_MIN: f64 = 1e-15;

/// A place, in degrees.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Position {
    /// East is positive.
    pub longitude: f64,
    /// North is positive.
    pub latitude: f64,
}

impl Position {
    /// A place; `None` if it is beyond the limits, +-180 and +-85.05112878 degrees.
    pub fn new(longitude: f64, latitude: f64) -> Option<Position> {
        let fits = (-LONGITUDE_MAX..=LONGITUDE_MAX).contains(&longitude)
            && (-LATITUDE_MAX..=LATITUDE_MAX).contains(&latitude);
        fits.then_some(Position { longitude, latitude })
    }

    /// The nearest place within the limits.
    pub(super) fn clamped(longitude: f64, latitude: f64) -> Position {
        Position {
            longitude: longitude.clamp(-LONGITUDE_MAX, LONGITUDE_MAX),
            latitude: latitude.clamp(-LATITUDE_MAX, LATITUDE_MAX),
        }
    }

    /// The place that a score stands for: the middle of its cell. Every score does, even if no place has it.
    pub fn of_score(score: f64) -> Position {
        cell::Cell::of_score(score).centre()
    }

    /// The length of the great circle to another place (the haversine formula), metres.
    pub fn distance_m(self, other: Position) -> f64 {
        let v = ((radians(other.longitude) - radians(self.longitude)) / 2.0).sin();
        if v.abs() <= SINE_MIN {
            return self.latitude_distance_m(other);
        }
        let (from, to) = (radians(self.latitude), radians(other.latitude));
        let u = ((to - from) / 2.0).sin();
        let a = u * u + from.cos() * to.cos() * v * v;
        2.0 * EARTH_RADIUS_M * a.sqrt().asin()
    }

    /// How much farther north or south another place is, metres.
    pub(super) fn latitude_distance_m(self, other: Position) -> f64 {
        EARTH_RADIUS_M * (radians(other.latitude) - radians(self.latitude)).abs()
    }
}

/// Degrees in radians. (`f64::to_radians` may round differently.)
pub(super) fn radians(degrees: f64) -> f64 {
    degrees * (std::f64::consts::PI / 180.0)
}

/// Radians in degrees.
pub(super) fn degrees(radians: f64) -> f64 {
    radians / (std::f64::consts::PI / 180.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits() {
        assert!(Position::new(180.0, 85.05112878).is_some());
        assert!(Position::new(-180.0, -85.05112878).is_some());
        for (longitude, latitude) in
            [(180.1, 0.0), (-180.1, 0.0), (0.0, 85.06), (0.0, -85.06), (f64::NAN, 0.0)]
        {
            assert_eq!(Position::new(longitude, latitude), None);
        }
    }

    #[test]
    fn distances_are_the_same_both_ways() {
        let (palermo, catania) =
            (Position::clamped(13.361389, 38.115556), Position::clamped(15.087269, 37.502669));
        assert_eq!(palermo.distance_m(catania), catania.distance_m(palermo));
        assert_eq!(palermo.distance_m(palermo), 0.0);
        let north = Position { latitude: 39.115556, ..palermo };
        assert!((palermo.distance_m(north) - 111_226.3).abs() < 0.1);
        let around = Position::clamped(-180.0, 0.0).distance_m(Position::clamped(180.0, 0.0));
        assert!(around < 1e-6, "{around}");
    }
}
