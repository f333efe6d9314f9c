//! Doubles in replies and in stored texts, as Redis writes them.
//!
//! Integers of moderate size are written as integers. Everything else gets the digits of Grisu2 (Loitsch, "Printing
//! floating-point numbers quickly and accurately with integers", 2010). These always read back as the same double and
//! are nearly always the fewest that do, but not quite always: with 64 bits the algorithm has to stay inside a
//! slightly narrowed interval. Because clients see the difference, a formatter with always the fewest digits would not
//! do here.

use super::grisu;

/// Up to this magnitude, integers are written as such.
const INTEGER_MAX: f64 = (1u64 << 62) as f64;

/// The text of a double: `3`, `0.1`, `1e+20`, `-inf`, `nan`, `-0`. At most 26 bytes.
///
/// (A zero score in a small sorted set loses its sign in Redis: it is stored there as an integer. That is for the
/// sorted set to do.)
pub fn format_f64(value: f64) -> String {
    let mut text = Vec::with_capacity(26);
    push_f64(&mut text, value);
    text.into_iter().map(char::from).collect()
}

/// Appends the text of a double, as [`format_f64`] has it.
pub fn push_f64(out: &mut Vec<u8>, value: f64) {
    if value.is_nan() {
        out.extend_from_slice(b"nan");
        return;
    }
    if value.is_sign_negative() {
        out.push(b'-');
    }
    let magnitude = value.abs();
    if magnitude.is_infinite() {
        out.extend_from_slice(b"inf");
    } else if magnitude <= INTEGER_MAX && magnitude.trunc() == magnitude {
        out.extend_from_slice(itoa::Buffer::new().format(magnitude as u64).as_bytes());
    } else {
        push_digits(out, magnitude);
    }
}

/// Appends the digits of a finite number above 0, with a point or an exponent.
fn push_digits(out: &mut Vec<u8>, magnitude: f64) {
    let digits = grisu::Digits::of(magnitude);
    place_digits(out, digits.as_bytes(), digits.exponent());
}

/// Appends the digits of Grisu2 for whole numbers, too: `1e+15`. So DEBUG DIGEST has scores.
pub fn push_f64_digits(out: &mut Vec<u8>, value: f64) {
    if !value.is_finite() || value == 0.0 {
        return push_f64(out, value);
    }
    if value.is_sign_negative() {
        out.push(b'-');
    }
    push_digits(out, value.abs());
}

/// Exponents from which on, and up to which, C's `%.17g` writes one.
const EXPONENTS_17: std::ops::Range<i32> = -4..17;

/// Appends the text of a double with up to 17 significant digits, as C's `%.17g` does: more than are needed to tell it from
/// others, but the digits that it really has.
pub fn push_f64_17(out: &mut Vec<u8>, value: f64) {
    if !value.is_finite() || value == 0.0 {
        return push_f64(out, value);
    }
    let text = format!("{:.16e}", value.abs());
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let leading: i32 = exponent.parse().unwrap_or(0);
    let mut digits: Vec<u8> = mantissa.bytes().filter(u8::is_ascii_digit).collect();
    while digits.len() > 1 && digits.last() == Some(&b'0') {
        digits.pop();
    }
    if value.is_sign_negative() {
        out.push(b'-');
    }
    let count = digits.len() as i32;
    if !EXPONENTS_17.contains(&leading) {
        place_exponent(out, &digits, leading);
        // At least two digits there.
        if leading.abs() < 10 {
            out.insert(out.len() - 1, b'0');
        }
    } else if leading >= count - 1 {
        out.extend_from_slice(&digits);
        push_zeros(out, leading.abs_diff(count - 1));
    } else {
        place_point(out, &digits, leading + 1);
    }
}

/// Writes `digits * 10^exponent`, with an exponent only where many zeros would be needed otherwise.
fn place_digits(out: &mut Vec<u8>, digits: &[u8], exponent: i32) {
    let count = digits.len() as i32;
    let leading = exponent + count - 1;
    if exponent >= 0 && leading < count + 7 {
        out.extend_from_slice(digits);
        push_zeros(out, exponent.unsigned_abs());
    } else if exponent < 0 && (exponent > -7 || leading.abs() < 4) {
        place_point(out, digits, count + exponent);
    } else {
        place_exponent(out, digits, leading);
    }
}

/// Writes digits with the point after `whole` of them; with zeros in front where that is not positive.
fn place_point(out: &mut Vec<u8>, digits: &[u8], whole: i32) {
    if whole <= 0 {
        out.extend_from_slice(b"0.");
        push_zeros(out, whole.unsigned_abs());
        out.extend_from_slice(digits);
        return;
    }
    let (whole, fraction) = digits.split_at(whole.unsigned_abs() as usize);
    out.extend_from_slice(whole);
    out.push(b'.');
    out.extend_from_slice(fraction);
}

fn place_exponent(out: &mut Vec<u8>, digits: &[u8], leading: i32) {
    let (first, rest) = digits.split_at(1);
    out.extend_from_slice(first);
    if !rest.is_empty() {
        out.push(b'.');
        out.extend_from_slice(rest);
    }
    out.extend_from_slice(if leading < 0 { b"e-" } else { b"e+" });
    out.extend_from_slice(itoa::Buffer::new().format(leading.unsigned_abs()).as_bytes());
}

fn push_zeros(out: &mut Vec<u8>, count: u32) {
    out.extend(std::iter::repeat_n(b'0', count as usize));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts() {
        let cases: &[(f64, &str)] = &[
            (0.0, "0"),
            (-0.0, "-0"),
            (1.0, "1"),
            (-17.0, "-17"),
            (f64::NAN, "nan"),
            (-f64::NAN, "nan"),
            (f64::INFINITY, "inf"),
            (f64::NEG_INFINITY, "-inf"),
            (0.1, "0.1"),
            (-0.001, "-0.001"),
            (1.5e-7, "1.5e-7"),
            (0.00001, "0.00001"),
            (123456.789, "123456.789"),
            (1e17, "100000000000000000"),
            (1e20, "1e+20"),
            (9223372036854775808.0, "9223372036854776000"),
            (5e-324, "5e-324"),
            (f64::MAX, "1.7976931348623157e+308"),
        ];
        for (value, expected) in cases {
            assert_eq!(format_f64(*value), *expected);
        }
    }

    #[test]
    fn texts_of_17_digits() {
        let cases: &[(f64, &str)] = &[
            (-0.0, "-0"),
            (3.0, "3"),
            (f64::NEG_INFINITY, "-inf"),
            (0.1, "0.10000000000000001"),
            (-0.5, "-0.5"),
            (12345.678, "12345.678"),
            (0.0001, "0.0001"),
            (0.001, "0.001"),
            (100.0, "100"),
            (120.0, "120"),
            (1e-7, "9.9999999999999995e-08"),
            (1e16, "10000000000000000"),
            (1e17, "1e+17"),
            (1e21, "1e+21"),
            (1e300, "1.0000000000000001e+300"),
            (5e-324, "4.9406564584124654e-324"),
        ];
        for (value, expected) in cases {
            let mut text = Vec::new();
            push_f64_17(&mut text, *value);
            assert_eq!(text.escape_ascii().to_string(), *expected);
        }
    }

    #[test]
    fn digits_alone_have_an_exponent_sooner() {
        let text = |value| {
            let mut out = Vec::new();
            push_f64_digits(&mut out, value);
            String::from_utf8(out).unwrap()
        };
        let shown =
            [1e15, 999_999_999_999_999.0, -4_611_686_018_427_387_904.0, 12.0, 0.1, -0.0, f64::NEG_INFINITY]
                .map(text);
        assert_eq!(shown, ["1e+15", "999999999999999", "-4611686018427388000", "12", "0.1", "-0", "-inf"]);
    }
}
