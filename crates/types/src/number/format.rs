//! Doubles in replies and in stored texts, as Redis writes them.
//!
//! Integers of moderate size are written as integers. Everything else gets the digits of Grisu2 (Loitsch, "Printing
//! floating-point numbers quickly and accurately with integers", 2010). These always read back as the same double and
//! are nearly always the fewest that do, but not quite always: with 64 bits the algorithm has to stay inside a
//! slightly narrowed interval. Because clients see the difference, a formatter with always the fewest digits would not
//! do here.

mod grisu;

use std::fmt::Write;

/// Up to this magnitude, integers are written as such.
const INTEGER_MAX: f64 = (1u64 << 62) as f64;

/// The text of a double: `3`, `0.1`, `1e+20`, `-inf`, `nan`, `-0`.
pub fn format_f64(value: f64) -> String {
    if value.is_nan() {
        return "nan".to_owned();
    }
    let sign = if value.is_sign_negative() { "-" } else { "" };
    if value.is_infinite() {
        return format!("{sign}inf");
    }
    let magnitude = value.abs();
    if magnitude <= INTEGER_MAX && magnitude.trunc() == magnitude {
        return format!("{sign}{}", magnitude as u64);
    }
    let (digits, exponent) = grisu::digits(magnitude);
    let mut text = sign.to_owned();
    place_digits(&mut text, &digits, exponent);
    text
}

/// Writes `digits * 10^exponent`, with an exponent only where many zeros would be needed otherwise.
fn place_digits(text: &mut String, digits: &str, exponent: i32) {
    let count = digits.len() as i32;
    let leading = exponent + count - 1;
    if exponent >= 0 && leading < count + 7 {
        text.push_str(digits);
        text.extend(std::iter::repeat_n('0', exponent.unsigned_abs() as usize));
    } else if exponent < 0 && (exponent > -7 || leading.abs() < 4) {
        place_point(text, digits, count + exponent);
    } else {
        place_exponent(text, digits, leading);
    }
}

/// Writes digits with the point after `whole` of them; with zeros in front where that is not positive.
fn place_point(text: &mut String, digits: &str, whole: i32) {
    if let Ok(whole) = usize::try_from(whole)
        && whole > 0
    {
        let (whole, fraction) = digits.split_at(whole);
        text.extend([whole, ".", fraction]);
    } else {
        text.push_str("0.");
        text.extend(std::iter::repeat_n('0', whole.unsigned_abs() as usize));
        text.push_str(digits);
    }
}

fn place_exponent(text: &mut String, digits: &str, leading: i32) {
    let (first, rest) = digits.split_at(1);
    text.push_str(first);
    if !rest.is_empty() {
        text.extend([".", rest]);
    }
    // Writing to a string cannot fail.
    let _ = write!(text, "e{leading:+}");
}
