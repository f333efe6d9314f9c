//! Grisu2: the decimal digits of a double, with 64-bit arithmetic only.
//!
//! A power of ten from a table brings the number, and the two borders between which every decimal reads back as it, into
//! a range of binary exponents where the integer part fits 32 bits. The borders are moved inwards by one unit for
//! the errors of that multiplication. Digits of the upper border are then produced until the rest is smaller than the
//! interval, and the last one is lowered as long as that brings it closer to the number itself.

/// `significand * 2^exponent`.
#[derive(Clone, Copy)]
struct Wide {
    significand: u64,
    exponent: i32,
}

/// The decimal exponents of the table: from this one on, in these steps.
const POWERS_FIRST: i32 = -348;
const POWERS_STEP: i32 = 8;
/// The binary exponents a scaled number may have.
const SCALED_EXPONENT_MIN: i32 = -60;
const SCALED_EXPONENT_MAX: i32 = -32;

/// The digits of a finite, positive double and the power of ten they are to be multiplied with.
pub(super) fn digits(value: f64) -> (String, i32) {
    let exact = Wide::from_double(value);
    let (lower, upper) = borders(exact);
    let (power, decimal_exponent) = cached_power(upper.exponent);
    let scaled = exact.normalized().times(power);
    let mut lower = lower.times(power);
    let mut upper = upper.times(power);
    lower.significand += 1;
    upper.significand -= 1;
    let mut output = Digits { text: Vec::with_capacity(18), decimal_exponent };
    output.generate(scaled, upper, lower);
    let text = output.text.into_iter().map(|digit| char::from(b'0' + digit)).collect();
    (text, output.decimal_exponent)
}

impl Wide {
    fn from_double(value: f64) -> Wide {
        let bits = value.to_bits();
        let (biased, fraction) = ((bits >> 52) as i32 & 0x7ff, bits & ((1 << 52) - 1));
        let implicit = u64::from(biased != 0) << 52;
        Wide { significand: fraction | implicit, exponent: biased.max(1) - 1075 }
    }

    fn normalized(self) -> Wide {
        let shift = self.significand.leading_zeros();
        Wide { significand: self.significand << shift, exponent: self.exponent - shift as i32 }
    }

    /// The product's upper 64 bits, rounded.
    fn times(self, other: Wide) -> Wide {
        let product = u128::from(self.significand) * u128::from(other.significand) + (1 << 63);
        Wide { significand: (product >> 64) as u64, exponent: self.exponent + other.exponent + 64 }
    }
}

/// The middles between the number and its neighbours, with the same exponent, the upper one normalized.
fn borders(exact: Wide) -> (Wide, Wide) {
    let upper = Wide { significand: (exact.significand << 1) + 1, exponent: exact.exponent - 1 }.normalized();
    let closer_below = exact.significand == 1 << 52;
    let shift = if closer_below { 2 } else { 1 };
    let lower = Wide { significand: (exact.significand << shift) - 1, exponent: exact.exponent - shift };
    let aligned = lower.significand << (lower.exponent - upper.exponent);
    (Wide { significand: aligned, exponent: upper.exponent }, upper)
}

/// A power of ten that brings a number of this binary exponent into range, and the decimal exponent of its inverse.
fn cached_power(exponent: i32) -> (Wide, i32) {
    const LOG10_OF_2: f64 = std::f64::consts::LOG10_2;
    let approximate = (f64::from(-(exponent + 87)) * LOG10_OF_2) as i32;
    let mut index = ((approximate - POWERS_FIRST) / POWERS_STEP).clamp(0, POWERS.len() as i32 - 1) as usize;
    loop {
        let (significand, power_exponent) = POWERS[index];
        let scaled = exponent + power_exponent + 64;
        if scaled < SCALED_EXPONENT_MIN && index + 1 < POWERS.len() {
            index += 1;
        } else if scaled > SCALED_EXPONENT_MAX && index > 0 {
            index -= 1;
        } else {
            let decimal = POWERS_FIRST + index as i32 * POWERS_STEP;
            return (Wide { significand, exponent: power_exponent }, -decimal);
        }
    }
}

struct Digits {
    text: Vec<u8>,
    decimal_exponent: i32,
}

impl Digits {
    fn generate(&mut self, scaled: Wide, upper: Wide, lower: Wide) {
        let mut interval = upper.significand - lower.significand;
        let mut distance = upper.significand - scaled.significand;
        let shift = upper.exponent.unsigned_abs();
        let one = 1u64 << shift;
        let (mut whole, mut fraction) = (upper.significand >> shift, upper.significand & (one - 1));
        let mut unit = 1_000_000_000u64;
        for position in (0..10).rev() {
            let digit = whole / unit;
            self.push(digit);
            whole -= digit * unit;
            let rest = (whole << shift) + fraction;
            if rest <= interval {
                self.decimal_exponent += position;
                self.round(interval, rest, unit << shift, distance);
                return;
            }
            unit /= 10;
        }
        loop {
            fraction *= 10;
            interval *= 10;
            distance = distance.wrapping_mul(10);
            self.decimal_exponent -= 1;
            self.push(fraction >> shift);
            fraction &= one - 1;
            if fraction < interval {
                self.round(interval, fraction, one, distance);
                return;
            }
        }
    }

    /// Appends a digit, unless it is a leading zero.
    fn push(&mut self, digit: u64) {
        if digit != 0 || !self.text.is_empty() {
            self.text.push(digit as u8);
        }
    }

    /// Lowers the last digit while that stays within the interval and comes closer to the number.
    fn round(&mut self, interval: u64, mut rest: u64, unit: u64, distance: u64) {
        while rest < distance
            && interval - rest >= unit
            && (rest + unit < distance || distance - rest > rest + unit - distance)
        {
            if let Some(last) = self.text.last_mut() {
                *last -= 1;
            }
            rest += unit;
        }
    }
}

/// Powers of ten: significand (rounded to nearest) and binary exponent.
#[rustfmt::skip]
const POWERS: [(u64, i32); 87] = [
    (0xfa8fd5a0081c0288, -1220),
    (0xbaaee17fa23ebf76, -1193),
    (0x8b16fb203055ac76, -1166),
    (0xcf42894a5dce35ea, -1140),
    (0x9a6bb0aa55653b2d, -1113),
    (0xe61acf033d1a45df, -1087),
    (0xab70fe17c79ac6ca, -1060),
    (0xff77b1fcbebcdc4f, -1034),
    (0xbe5691ef416bd60c, -1007),
    (0x8dd01fad907ffc3c, -980),
    (0xd3515c2831559a83, -954),
    (0x9d71ac8fada6c9b5, -927),
    (0xea9c227723ee8bcb, -901),
    (0xaecc49914078536d, -874),
    (0x823c12795db6ce57, -847),
    (0xc21094364dfb5637, -821),
    (0x9096ea6f3848984f, -794),
    (0xd77485cb25823ac7, -768),
    (0xa086cfcd97bf97f4, -741),
    (0xef340a98172aace5, -715),
    (0xb23867fb2a35b28e, -688),
    (0x84c8d4dfd2c63f3b, -661),
    (0xc5dd44271ad3cdba, -635),
    (0x936b9fcebb25c996, -608),
    (0xdbac6c247d62a584, -582),
    (0xa3ab66580d5fdaf6, -555),
    (0xf3e2f893dec3f126, -529),
    (0xb5b5ada8aaff80b8, -502),
    (0x87625f056c7c4a8b, -475),
    (0xc9bcff6034c13053, -449),
    (0x964e858c91ba2655, -422),
    (0xdff9772470297ebd, -396),
    (0xa6dfbd9fb8e5b88f, -369),
    (0xf8a95fcf88747d94, -343),
    (0xb94470938fa89bcf, -316),
    (0x8a08f0f8bf0f156b, -289),
    (0xcdb02555653131b6, -263),
    (0x993fe2c6d07b7fac, -236),
    (0xe45c10c42a2b3b06, -210),
    (0xaa242499697392d3, -183),
    (0xfd87b5f28300ca0e, -157),
    (0xbce5086492111aeb, -130),
    (0x8cbccc096f5088cc, -103),
    (0xd1b71758e219652c, -77),
    (0x9c40000000000000, -50),
    (0xe8d4a51000000000, -24),
    (0xad78ebc5ac620000, 3),
    (0x813f3978f8940984, 30),
    (0xc097ce7bc90715b3, 56),
    (0x8f7e32ce7bea5c70, 83),
    (0xd5d238a4abe98068, 109),
    (0x9f4f2726179a2245, 136),
    (0xed63a231d4c4fb27, 162),
    (0xb0de65388cc8ada8, 189),
    (0x83c7088e1aab65db, 216),
    (0xc45d1df942711d9a, 242),
    (0x924d692ca61be758, 269),
    (0xda01ee641a708dea, 295),
    (0xa26da3999aef774a, 322),
    (0xf209787bb47d6b85, 348),
    (0xb454e4a179dd1877, 375),
    (0x865b86925b9bc5c2, 402),
    (0xc83553c5c8965d3d, 428),
    (0x952ab45cfa97a0b3, 455),
    (0xde469fbd99a05fe3, 481),
    (0xa59bc234db398c25, 508),
    (0xf6c69a72a3989f5c, 534),
    (0xb7dcbf5354e9bece, 561),
    (0x88fcf317f22241e2, 588),
    (0xcc20ce9bd35c78a5, 614),
    (0x98165af37b2153df, 641),
    (0xe2a0b5dc971f303a, 667),
    (0xa8d9d1535ce3b396, 694),
    (0xfb9b7cd9a4a7443c, 720),
    (0xbb764c4ca7a44410, 747),
    (0x8bab8eefb6409c1a, 774),
    (0xd01fef10a657842c, 800),
    (0x9b10a4e5e9913129, 827),
    (0xe7109bfba19c0c9d, 853),
    (0xac2820d9623bf429, 880),
    (0x80444b5e7aa7cf85, 907),
    (0xbf21e44003acdd2d, 933),
    (0x8e679c2f5e44ff8f, 960),
    (0xd433179d9c8cb841, 986),
    (0x9e19db92b4e31ba9, 1013),
    (0xeb96bf6ebadf77d9, 1039),
    (0xaf87023b9bf0ee6b, 1066),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Rng;

    #[test]
    fn digits_read_back_as_the_number() {
        let mut rng = Rng::new(9);
        for _ in 0..50_000 {
            let value = f64::from_bits(rng.next_u64() >> 1);
            if value.is_finite() && value != 0.0 {
                let (digits, exponent) = digits(value);
                assert_eq!(format!("{digits}e{exponent}").parse(), Ok(value));
                assert!(digits.len() <= 17 && !digits.starts_with('0'), "{digits}");
            }
        }
    }
}
