//! Writing: 17 digits after the point, correctly rounded, without trailing zeros, never an exponent.
//!
//! With a fraction the number is below 2^64, so that number times 10^17 fits 128 bits and one rounding shift gives the
//! digits. Without one it is an integer of up to 4,933 digits.

use super::LongDouble;
use super::natural::Natural;
use crate::number::shift_right_to_even;

const FRACTION_DIGITS: usize = 17;
const SCALE: u128 = 10u128.pow(FRACTION_DIGITS as u32);

impl LongDouble {
    /// The text stored by INCRBYFLOAT: at most 17 digits after the point, no trailing zeros, no exponent, no negative
    /// zero. At most 4,952 bytes.
    pub fn to_human_string(self) -> String {
        if self.is_nan() {
            return "nan".to_owned();
        }
        let magnitude = if self.is_infinite() { "inf".to_owned() } else { self.magnitude_to_string() };
        let sign = if self.negative && magnitude != "0" { "-" } else { "" };
        sign.to_owned() + &magnitude
    }

    fn magnitude_to_string(self) -> String {
        if self.exponent() >= 0 {
            let mut integer = Natural::from(u128::from(self.significand));
            integer.shift_left(self.exponent().unsigned_abs());
            return integer.to_digits();
        }
        let scaled = shift_right_to_even(u128::from(self.significand) * SCALE, -self.exponent(), false);
        let (whole, fraction) = (scaled / SCALE, scaled % SCALE);
        if fraction == 0 {
            return whole.to_string();
        }
        let text = format!("{whole}.{fraction:0width$}", width = FRACTION_DIGITS);
        text.trim_end_matches('0').to_owned()
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
