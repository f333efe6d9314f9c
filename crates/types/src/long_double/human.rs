//! Writing: 17 digits after the point, correctly rounded, without trailing zeros, never an exponent.
//!
//! With a fraction the number is below 2^64, so that number times 10^17 fits 128 bits and one rounding shift gives the
//! digits. Without one it is an integer of up to 4,933 digits.

use super::LongDouble;
use super::natural::Natural;
use crate::number::shift_right_to_even;

const FRACTION_DIGITS: usize = 17;
const SCALE: u64 = 10u64.pow(FRACTION_DIGITS as u32);

impl LongDouble {
    /// The text stored by INCRBYFLOAT: at most 17 digits after the point, no trailing zeros, no exponent, no negative
    /// zero. At most 4,934 bytes.
    pub fn to_human_string(self) -> String {
        if self.is_nan() {
            return "nan".to_owned();
        }
        let mut text = String::new();
        if self.negative {
            text.push('-');
        }
        if self.is_infinite() {
            text.push_str("inf");
        } else if self.exponent() >= 0 {
            let mut integer = Natural::from(u128::from(self.significand));
            integer.shift_left(self.exponent().unsigned_abs());
            text.push_str(&integer.to_digits());
        } else {
            self.push_with_fraction(&mut text);
        }
        text
    }

    /// Writes the magnitude of a number that may have a fraction; takes the sign away if only zeros are left of it.
    fn push_with_fraction(self, text: &mut String) {
        let product = u128::from(self.significand) * u128::from(SCALE);
        let scaled = shift_right_to_even(product, -self.exponent(), false);
        if scaled == 0 {
            text.clear();
        }
        // The number is below 2^63 here.
        let whole = (scaled / u128::from(SCALE)) as u64;
        let fraction = (scaled % u128::from(SCALE)) as u64;
        text.push_str(itoa::Buffer::new().format(whole));
        if fraction != 0 {
            // A leading one keeps the zeros after the point.
            let mut buffer = itoa::Buffer::new();
            let digits = buffer.format(SCALE + fraction);
            text.push('.');
            text.push_str(digits[1..].trim_end_matches('0'));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts() {
        let cases: &[(&str, &str)] = &[
            ("0", "0"),
            ("-0", "0"),
            ("3.0", "3"),
            ("-3.50", "-3.5"),
            ("0.1", "0.1"),
            ("1e-17", "0.00000000000000001"),
            ("0.5e-17", "0"),
            ("0.6e-17", "0.00000000000000001"),
            ("-0.5e-17", "0"),
            ("1e-4940", "0"),
            ("0x1p-18", "0.00000381469726562"), // 0.000003814697265625, a tie
            ("18446744073709551615", "18446744073709551615"),
            ("36893488147419103232", "36893488147419103232"),
            ("1e30", "1000000000000000000024696061952"),
            ("inf", "inf"),
            ("-inf", "-inf"),
        ];
        for (text, expected) in cases {
            assert_eq!(LongDouble::parse(text.as_bytes()).unwrap().to_human_string(), *expected, "{text}");
        }
        assert_eq!(LongDouble::NAN.to_human_string(), "nan");
        let largest = LongDouble::parse(b"1.18973149535723176502e4932").unwrap().to_human_string();
        assert_eq!(largest.len(), 4933);
        assert!(largest.starts_with("118973149535723176502126385303"));
    }
}
