//! The checksum of files and payloads: CRC-64 with the polynomial of Jones, reflected, from zero.
//!
//! Folding with carry-less multiplications (the crate `crc-fast`) sums up 3 GB/s where tables of 16 lookups do 0.5. Sums of
//! two parts can be combined, so a header may be chosen after what follows it was written.

use crc_fast::{CrcParams, Digest, checksum_combine_with_params, checksum_with_params};

const WIDTH: u8 = 64;
const POLYNOMIAL: u64 = 0xad93_d235_94c9_35a9;
/// The sum of "123456789".
const CHECK: u64 = 0xe9c6_d914_c4b8_d9ca;

fn params() -> CrcParams {
    static PARAMS: std::sync::OnceLock<CrcParams> = std::sync::OnceLock::new();
    *PARAMS.get_or_init(|| CrcParams::new("CRC-64/REDIS", WIDTH, POLYNOMIAL, 0, true, 0, CHECK))
}

/// The checksum of `bytes`.
pub fn crc64(bytes: &[u8]) -> u64 {
    checksum_with_params(params(), bytes)
}

/// The checksum of two parts, from their own and the length of the second.
pub(super) fn combine(first: u64, second: u64, second_len: u64) -> u64 {
    checksum_combine_with_params(params(), first, second, second_len)
}

/// The checksum of bytes that come in parts.
pub(super) struct Crc64(Digest);

impl Crc64 {
    pub(super) fn new() -> Crc64 {
        Crc64(Digest::new_with_params(params()))
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    pub(super) fn sum(&self) -> u64 {
        self.0.finalize()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_that_redis_computes() {
        assert_eq!(crc64(b"123456789"), CHECK);
        assert_eq!(crc64(b""), 0);
        // DUMP of "hello" by Redis 8.6, whose last eight bytes are the sum of the others.
        let dumped = b"\x00\x05hello\x0d\x00\xc1\xdb\x56\xc5\x62\x81\x57\xca";
        let (body, sum) = dumped.split_at(dumped.len() - 8);
        assert_eq!(crc64(body).to_le_bytes(), sum);
    }

    #[test]
    fn parts_give_the_sum_of_the_whole() {
        let bytes: Vec<u8> = (0..3000u32).map(|at| (at * 7 + at / 13) as u8).collect();
        for cut in [0, 1, 9, 127, 128, 129, 1000, 2999, 3000] {
            let (first, second) = bytes.split_at(cut);
            let mut parts = Crc64::new();
            parts.update(first);
            parts.update(second);
            assert_eq!(parts.sum(), crc64(&bytes));
            let combined = combine(crc64(first), crc64(second), second.len() as u64);
            assert_eq!(combined, crc64(&bytes), "{cut}");
        }
    }
}
