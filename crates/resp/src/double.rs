//! Floating point numbers as text, digit for digit as Redis and Valkey write them.
//!
//! Both print whole numbers up to 2^62 as integers and everything else with Grisu2 (Florian
//! Loitsch, "Printing floating-point numbers quickly and accurately with integers", PLDI 2010).
//! Grisu2's text always reads back as the same number, but in a few cases of a thousand it is not
//! the shortest or not the nearest such text, which is why the standard library's formatting
//! cannot stand in for it: a score would then differ from what a peer replies, and from what is in
//! its files. The variant is theirs in everything that shows: cached powers every 8 decades, the choice among two
//! suitable powers, margins narrowed by one unit, and the layout of the result.

use std::ops::Range;

/// Fraction bits of an IEEE 754 double.
const FRACTION_BITS: u32 = 52;
const HIDDEN_BIT: u64 = 1 << FRACTION_BITS;
/// What to subtract from the stored exponent to get the power of two of the fraction's last bit.
const EXPONENT_BIAS: i32 = 1023 + 52;
/// Whole numbers of at most this magnitude are printed as integers.
const INTEGER_MAX: f64 = (1u64 << 62) as f64;
/// A power is chosen so that the scaled exponent lands here: the integral part then fits 32 bits.
const SCALED_EXPONENT: Range<i32> = -60..-31;
/// Decimal exponent of the first of [`POWERS`], and the step between them.
const POWERS_FIRST: i32 = -348;
const POWERS_STEP: i32 = 8;

/// Appends `value` as Redis prints a double: `inf`, `-inf`, `nan`, `-0`, `3`, `0.1`, `1e+21`.
///
/// ```
/// let mut out = Vec::new();
/// ochre_resp::append_double(&mut out, 1e-7);
/// assert_eq!(out, b"1e-7");
/// ```
pub fn append_double(out: &mut Vec<u8>, value: f64) {
    if value.is_nan() {
        return out.extend_from_slice(b"nan");
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
        let decimal = shortest(magnitude);
        decimal.append_to(out, value.is_sign_negative());
    }
}

/// `fraction * 2^exponent`.
#[derive(Clone, Copy)]
struct Scaled {
    fraction: u64,
    exponent: i32,
}

impl Scaled {
    fn of(magnitude: f64) -> Self {
        let bits = magnitude.to_bits();
        let fraction = bits & (HIDDEN_BIT - 1);
        match (bits >> FRACTION_BITS) as i32 & 0x7ff {
            0 => Self { fraction, exponent: 1 - EXPONENT_BIAS },
            stored => Self { fraction: fraction | HIDDEN_BIT, exponent: stored - EXPONENT_BIAS },
        }
    }

    /// The same number with the top bit of the fraction set; the fraction is not zero.
    fn normalized(self) -> Self {
        let shift = self.fraction.leading_zeros();
        Self { fraction: self.fraction << shift, exponent: self.exponent - shift as i32 }
    }

    /// Half way to the neighbouring doubles below and above, both with the exponent that makes the
    /// upper one normal. Below a power of two the neighbour is only half as far.
    fn boundaries(self) -> (Self, Self) {
        let upper = Self { fraction: (self.fraction << 1) + 1, exponent: self.exponent - 1 }.normalized();
        let shift = if self.fraction == HIDDEN_BIT { 2 } else { 1 };
        let lower = (self.fraction << shift) - 1;
        let lower =
            Self { fraction: lower << (self.exponent - shift - upper.exponent), exponent: upper.exponent };
        (lower, upper)
    }

    /// The product's upper 64 bits, rounded.
    fn times(self, other: Self) -> Self {
        let product = u128::from(self.fraction) * u128::from(other.fraction);
        Self { fraction: ((product + (1 << 63)) >> 64) as u64, exponent: self.exponent + other.exponent + 64 }
    }
}

/// The cached power of ten that brings `exponent` into [`SCALED_EXPONENT`], and its decimal
/// exponent. Where two would do, the search starts where peers start.
fn cached_power(exponent: i32) -> (Scaled, i32) {
    const LOG10_OF_2: f64 = 0.301_029_995_663_981_14;
    let approximate = (f64::from(-(exponent + POWERS.len() as i32)) * LOG10_OF_2) as i32;
    let mut index = (approximate - POWERS_FIRST) / POWERS_STEP;
    loop {
        let decimal = POWERS_FIRST + index * POWERS_STEP;
        // floor(decimal * log2(10)), exact over the range of the table.
        let binary = ((decimal * 217_706) >> 16) - 63;
        let scaled = exponent + binary + 64;
        if SCALED_EXPONENT.contains(&scaled) {
            return (Scaled { fraction: POWERS[index as usize], exponent: binary }, decimal);
        }
        index += if scaled < SCALED_EXPONENT.start { 1 } else { -1 };
    }
}

/// Decimal digits without sign.
struct Decimal {
    /// Significant digits, ASCII.
    digits: [u8; 20],
    len: usize,
    /// Power of ten of the last digit.
    exponent: i32,
}

/// A short decimal that reads back as `magnitude`, which is positive and finite.
fn shortest(magnitude: f64) -> Decimal {
    let exact = Scaled::of(magnitude);
    let (lower, upper) = exact.boundaries();
    let (power, decimal) = cached_power(upper.exponent);
    let exact = exact.normalized().times(power);
    let lower = lower.times(power).fraction + 1;
    let upper = Scaled { fraction: upper.times(power).fraction - 1, ..upper.times(power) };
    let mut result = Decimal { digits: [0; 20], len: 0, exponent: -decimal };
    result.generate(upper, upper.fraction - lower, upper.fraction - exact.fraction);
    result
}

impl Decimal {
    fn push(&mut self, digit: u64) {
        if digit == 0 && self.len == 0 {
            return;
        }
        if let Some(place) = self.digits.get_mut(self.len) {
            *place = b'0' + digit as u8;
            self.len += 1;
        }
    }

    /// Digits of `upper` until what is left is within `delta`, then towards the exact number,
    /// which lies `distance` below `upper`.
    fn generate(&mut self, upper: Scaled, delta: u64, distance: u64) {
        let shift = -upper.exponent;
        let mask = (1u64 << shift) - 1;
        let mut whole = upper.fraction >> shift;
        let mut part = upper.fraction & mask;
        let mut unit = 1_000_000_000u64;
        for place in (0..10).rev() {
            self.push(whole / unit);
            whole %= unit;
            let rest = (whole << shift) + part;
            if rest <= delta {
                self.exponent += place;
                return self.round(delta, rest, unit << shift, distance);
            }
            unit /= 10;
        }
        let (mut delta, mut distance) = (delta, distance);
        loop {
            part *= 10;
            delta *= 10;
            distance = distance.wrapping_mul(10);
            self.exponent -= 1;
            self.push(part >> shift);
            part &= mask;
            if part < delta {
                return self.round(delta, part, mask + 1, distance);
            }
        }
    }

    /// Lowers the last digit while that brings the decimal nearer to the exact number.
    fn round(&mut self, delta: u64, mut rest: u64, unit: u64, distance: u64) {
        let Some(last) = self.len.checked_sub(1).and_then(|index| self.digits.get_mut(index)) else {
            return;
        };
        while rest < distance
            && delta - rest >= unit
            && (rest + unit < distance || distance - rest > rest + unit - distance)
        {
            *last -= 1;
            rest += unit;
        }
    }

    /// Plain notation for short numbers, scientific for the rest.
    fn append_to(&self, out: &mut Vec<u8>, negative: bool) {
        let digits = self.digits.get(..self.len).unwrap_or_default();
        let scientific = self.exponent + self.len as i32 - 1;
        if self.exponent >= 0 && scientific < self.len as i32 + 7 {
            out.extend_from_slice(digits);
            append_zeros(out, self.exponent);
        } else if self.exponent < 0 && (self.exponent > -7 || scientific.abs() < 4) {
            append_fraction(out, digits, self.exponent);
        } else {
            let len = digits.len().min(18 - usize::from(negative));
            append_scientific(out, digits.get(..len).unwrap_or_default(), scientific);
        }
    }
}

fn append_zeros(out: &mut Vec<u8>, count: i32) {
    (0..count).for_each(|_| out.push(b'0'));
}

fn append_fraction(out: &mut Vec<u8>, digits: &[u8], exponent: i32) {
    let point = digits.len() as i32 + exponent;
    if point <= 0 {
        out.extend_from_slice(b"0.");
        append_zeros(out, -point);
        out.extend_from_slice(digits);
    } else if let Some((whole, fraction)) = digits.split_at_checked(point as usize) {
        out.extend_from_slice(whole);
        out.push(b'.');
        out.extend_from_slice(fraction);
    }
}

fn append_scientific(out: &mut Vec<u8>, digits: &[u8], exponent: i32) {
    if let [first, rest @ ..] = digits {
        out.push(*first);
        if !rest.is_empty() {
            out.push(b'.');
            out.extend_from_slice(rest);
        }
    }
    out.extend_from_slice(if exponent < 0 { b"e-" } else { b"e+" });
    out.extend_from_slice(itoa::Buffer::new().format(exponent.unsigned_abs()).as_bytes());
}

/// The upper 64 bits of 10^-348, 10^-340, ... 10^340, rounded to nearest.
static POWERS: [u64; 87] = [
    0xfa8f_d5a0_081c_0288,
    0xbaae_e17f_a23e_bf76,
    0x8b16_fb20_3055_ac76,
    0xcf42_894a_5dce_35ea,
    0x9a6b_b0aa_5565_3b2d,
    0xe61a_cf03_3d1a_45df,
    0xab70_fe17_c79a_c6ca,
    0xff77_b1fc_bebc_dc4f,
    0xbe56_91ef_416b_d60c,
    0x8dd0_1fad_907f_fc3c,
    0xd351_5c28_3155_9a83,
    0x9d71_ac8f_ada6_c9b5,
    0xea9c_2277_23ee_8bcb,
    0xaecc_4991_4078_536d,
    0x823c_1279_5db6_ce57,
    0xc210_9436_4dfb_5637,
    0x9096_ea6f_3848_984f,
    0xd774_85cb_2582_3ac7,
    0xa086_cfcd_97bf_97f4,
    0xef34_0a98_172a_ace5,
    0xb238_67fb_2a35_b28e,
    0x84c8_d4df_d2c6_3f3b,
    0xc5dd_4427_1ad3_cdba,
    0x936b_9fce_bb25_c996,
    0xdbac_6c24_7d62_a584,
    0xa3ab_6658_0d5f_daf6,
    0xf3e2_f893_dec3_f126,
    0xb5b5_ada8_aaff_80b8,
    0x8762_5f05_6c7c_4a8b,
    0xc9bc_ff60_34c1_3053,
    0x964e_858c_91ba_2655,
    0xdff9_7724_7029_7ebd,
    0xa6df_bd9f_b8e5_b88f,
    0xf8a9_5fcf_8874_7d94,
    0xb944_7093_8fa8_9bcf,
    0x8a08_f0f8_bf0f_156b,
    0xcdb0_2555_6531_31b6,
    0x993f_e2c6_d07b_7fac,
    0xe45c_10c4_2a2b_3b06,
    0xaa24_2499_6973_92d3,
    0xfd87_b5f2_8300_ca0e,
    0xbce5_0864_9211_1aeb,
    0x8cbc_cc09_6f50_88cc,
    0xd1b7_1758_e219_652c,
    0x9c40_0000_0000_0000,
    0xe8d4_a510_0000_0000,
    0xad78_ebc5_ac62_0000,
    0x813f_3978_f894_0984,
    0xc097_ce7b_c907_15b3,
    0x8f7e_32ce_7bea_5c70,
    0xd5d2_38a4_abe9_8068,
    0x9f4f_2726_179a_2245,
    0xed63_a231_d4c4_fb27,
    0xb0de_6538_8cc8_ada8,
    0x83c7_088e_1aab_65db,
    0xc45d_1df9_4271_1d9a,
    0x924d_692c_a61b_e758,
    0xda01_ee64_1a70_8dea,
    0xa26d_a399_9aef_774a,
    0xf209_787b_b47d_6b85,
    0xb454_e4a1_79dd_1877,
    0x865b_8692_5b9b_c5c2,
    0xc835_53c5_c896_5d3d,
    0x952a_b45c_fa97_a0b3,
    0xde46_9fbd_99a0_5fe3,
    0xa59b_c234_db39_8c25,
    0xf6c6_9a72_a398_9f5c,
    0xb7dc_bf53_54e9_bece,
    0x88fc_f317_f222_41e2,
    0xcc20_ce9b_d35c_78a5,
    0x9816_5af3_7b21_53df,
    0xe2a0_b5dc_971f_303a,
    0xa8d9_d153_5ce3_b396,
    0xfb9b_7cd9_a4a7_443c,
    0xbb76_4c4c_a7a4_4410,
    0x8bab_8eef_b640_9c1a,
    0xd01f_ef10_a657_842c,
    0x9b10_a4e5_e991_3129,
    0xe710_9bfb_a19c_0c9d,
    0xac28_20d9_623b_f429,
    0x8044_4b5e_7aa7_cf85,
    0xbf21_e440_03ac_dd2d,
    0x8e67_9c2f_5e44_ff8f,
    0xd433_179d_9c8c_b841,
    0x9e19_db92_b4e3_1ba9,
    0xeb96_bf6e_badf_77d9,
    0xaf87_023b_9bf0_ee6b,
];
