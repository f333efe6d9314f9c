//! Units of distances, and how a distance is written.

/// A unit of distances.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum DistanceUnit {
    /// `m`
    #[default]
    Metres,
    /// `km`
    Kilometres,
    /// `ft`
    Feet,
    /// `mi`
    Miles,
}

impl DistanceUnit {
    /// The unit of a name, whatever its case.
    pub fn from_name(name: &[u8]) -> Option<DistanceUnit> {
        let units = [
            ("m", DistanceUnit::Metres),
            ("km", DistanceUnit::Kilometres),
            ("ft", DistanceUnit::Feet),
            ("mi", DistanceUnit::Miles),
        ];
        let found = units.into_iter().find(|(of, _)| name.eq_ignore_ascii_case(of.as_bytes()));
        found.map(|(_, unit)| unit)
    }

    /// One of it in metres.
    pub fn metres(self) -> f64 {
        match self {
            DistanceUnit::Metres => 1.0,
            DistanceUnit::Kilometres => 1000.0,
            DistanceUnit::Feet => 0.3048,
            DistanceUnit::Miles => 1609.34,
        }
    }
}

/// Appends a distance with four digits behind the point. What lies in the middle goes to the even digit, after the
/// product with 10,000 was rounded (so it is not quite what `{:.4}` writes).
pub fn push_distance(out: &mut Vec<u8>, distance: f64) {
    let scaled = (distance * 10_000.0).round_ties_even() as i64;
    let (whole, fraction) = (scaled.unsigned_abs() / 10_000, scaled.unsigned_abs() % 10_000);
    let sign = if scaled < 0 { "-" } else { "" };
    out.extend_from_slice(format!("{sign}{whole}.{fraction:04}").as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        assert_eq!(DistanceUnit::from_name(b"KM"), Some(DistanceUnit::Kilometres));
        assert_eq!(DistanceUnit::from_name(b"mi").map(DistanceUnit::metres), Some(1609.34));
        assert_eq!(DistanceUnit::from_name(b"yd"), None);
    }

    #[test]
    fn texts() {
        let cases = [
            (0.0, "0.0000"),
            (1.0, "1.0000"),
            (0.00005, "0.0000"),
            (0.03125, "0.0312"),
            (0.09375, "0.0938"),
            (166274.15156960033, "166274.1516"),
            (-1.25, "-1.2500"),
            (20015114.35213, "20015114.3521"),
            (1e300, "922337203685477.5807"),
        ];
        for (distance, expected) in cases {
            let mut text = Vec::new();
            push_distance(&mut text, distance);
            assert_eq!(String::from_utf8_lossy(&text), expected);
        }
    }
}
