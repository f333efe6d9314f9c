//! Numbers as C's `printf` and `strtod` have them, which JSON's are close to.

/// Appends a number as `%.*g` prints it.
pub(crate) fn push_general(out: &mut Vec<u8>, number: f64, precision: usize) {
    if number.is_nan() {
        out.extend_from_slice(if number.is_sign_negative() { b"-nan" } else { b"nan" });
        return;
    }
    if number.is_infinite() {
        out.extend_from_slice(if number < 0.0 { b"-inf" } else { b"inf" });
        return;
    }
    if number.abs() < 1e14
        && number.fract() == 0.0
        && precision == 14
        && (number != 0.0 || number.is_sign_positive())
    {
        out.extend_from_slice(itoa::Buffer::new().format(number as i64).as_bytes());
        return;
    }
    let precision = precision.max(1);
    let scientific = format!("{number:.*e}", precision - 1);
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if exponent < -4 || exponent >= precision as i32 {
        out.extend_from_slice(without_trailing_zeros(mantissa).as_bytes());
        let sign = if exponent < 0 { '-' } else { '+' };
        out.extend_from_slice(format!("e{sign}{:02}", exponent.unsigned_abs()).as_bytes());
    } else {
        let decimals = (precision as i32 - 1 - exponent).max(0) as usize;
        out.extend_from_slice(without_trailing_zeros(&format!("{number:.decimals$}")).as_bytes());
    }
}

fn without_trailing_zeros(text: &str) -> &str {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}

/// The number that a text begins with, as `strtod` reads it, and its length; `None` if it begins with none.
pub(crate) fn parse_prefix(text: &[u8]) -> Option<(f64, usize)> {
    let sign = usize::from(matches!(text.first(), Some(b'+' | b'-')));
    let is_negative = text.first() == Some(&b'-');
    let body = &text[sign..];
    let (value, len) = word(body).or_else(|| hexadecimal(body)).or_else(|| decimal(body))?;
    Some((if is_negative { -value } else { value }, sign + len))
}

fn starts_with(text: &[u8], word: &str) -> bool {
    text.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word.as_bytes()))
}

fn word(text: &[u8]) -> Option<(f64, usize)> {
    if starts_with(text, "infinity") {
        return Some((f64::INFINITY, 8));
    }
    if starts_with(text, "inf") {
        return Some((f64::INFINITY, 3));
    }
    if !starts_with(text, "nan") {
        return None;
    }
    // A payload in parentheses belongs to it.
    let inner = text.get(4..).unwrap_or_default();
    let payload = inner.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
    let is_closed = text.get(3) == Some(&b'(') && inner.get(payload) == Some(&b')');
    Some((f64::NAN, if is_closed { payload + 5 } else { 3 }))
}

fn digits(text: &[u8], is_digit: impl Fn(&u8) -> bool) -> usize {
    text.iter().take_while(|byte| is_digit(byte)).count()
}

/// The exponent behind a letter, and its length with the letter; none if no digits follow.
fn exponent(text: &[u8], letter: u8) -> (i32, usize) {
    if !text.first().is_some_and(|byte| byte.eq_ignore_ascii_case(&letter)) {
        return (0, 0);
    }
    let sign = usize::from(matches!(text.get(1), Some(b'+' | b'-')));
    let count = digits(&text[1 + sign..], u8::is_ascii_digit);
    if count == 0 {
        return (0, 0);
    }
    let value = text[1 + sign..1 + sign + count]
        .iter()
        .fold(0_i32, |value, digit| value.saturating_mul(10).saturating_add(i32::from(digit - b'0')));
    (if text[1] == b'-' { -value } else { value }, 1 + sign + count)
}

fn decimal(text: &[u8]) -> Option<(f64, usize)> {
    let whole = digits(text, u8::is_ascii_digit);
    let mut len = whole;
    if text.get(len) == Some(&b'.') {
        let fraction = digits(&text[len + 1..], u8::is_ascii_digit);
        if whole + fraction > 0 {
            len += 1 + fraction;
        }
    }
    if len == 0 {
        return None;
    }
    len += exponent(&text[len..], b'e').1;
    let value = str::from_utf8(&text[..len]).ok()?.parse().ok()?;
    Some((value, len))
}

fn hexadecimal(text: &[u8]) -> Option<(f64, usize)> {
    if !starts_with(text, "0x") {
        return None;
    }
    let mut len = 2 + digits(&text[2..], u8::is_ascii_hexdigit);
    let whole = &text[2..len];
    let mut fraction: &[u8] = b"";
    if text.get(len) == Some(&b'.') {
        let count = digits(&text[len + 1..], u8::is_ascii_hexdigit);
        if whole.len() + count > 0 {
            fraction = &text[len + 1..len + 1 + count];
            len += 1 + count;
        }
    }
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let digit = |byte: &u8| f64::from(char::from(*byte).to_digit(16).unwrap_or_default());
    let mut value = whole.iter().fold(0.0, |value, byte| value * 16.0 + digit(byte));
    let mut weight = 1.0;
    for byte in fraction {
        weight /= 16.0;
        value += digit(byte) * weight;
    }
    let (exponent, exponent_len) = exponent(&text[len..], b'p');
    Some((value * f64::from(exponent).exp2(), len + exponent_len))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_print_as_printf_prints_them() {
        for (number, precision, text) in [
            (0.1, 14, "0.1"),
            (1.0, 14, "1"),
            (-0.0, 14, "-0"),
            (1e14, 14, "1e+14"),
            (123456789012345.0, 14, "1.2345678901234e+14"),
            (1e-5, 14, "1e-05"),
            (0.0001, 14, "0.0001"),
            (1.0 / 3.0, 3, "0.333"),
            (1234.5, 2, "1.2e+03"),
            (1e300, 14, "1e+300"),
            (5e-324, 14, "4.9406564584125e-324"),
            (f64::INFINITY, 14, "inf"),
            (99.99, 3, "100"),
        ] {
            let mut out = Vec::new();
            push_general(&mut out, number, precision);
            assert_eq!(String::from_utf8_lossy(&out), text, "{number} {precision}");
        }
    }

    #[test]
    fn numbers_are_read_as_strtod_reads_them() {
        for (text, expected) in [
            ("12,", Some((12.0, 2))),
            ("-1.5e3]", Some((-1500.0, 6))),
            ("1e", Some((1.0, 1))),
            (".5", Some((0.5, 2))),
            ("5.", Some((5.0, 2))),
            (".", None),
            ("-", None),
            ("0x10", Some((16.0, 4))),
            ("0x.8p1", Some((1.0, 6))),
            ("0x", Some((0.0, 1))),
            ("Infinity", Some((f64::INFINITY, 8))),
            ("infix", Some((f64::INFINITY, 3))),
            ("1e999", Some((f64::INFINITY, 5))),
        ] {
            assert_eq!(parse_prefix(text.as_bytes()), expected, "{text}");
        }
        assert!(parse_prefix(b"nan(1)").is_some_and(|(value, len)| value.is_nan() && len == 6));
    }
}
