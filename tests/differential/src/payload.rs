//! What RESTORE takes: payloads that are the same for every server, and damaged ones.
//!
//! What DUMP answers is each server's own, so these are made here: values as their plain texts, in a version that all
//! peers read. Damage stays where servers agree on what is damaged: small changes of lengths and texts, of the version and of
//! the checksum. How deeply compact encodings are examined is each server's own affair; they are left out,
//! and so are small hashes with a field twice, which Redis only finds if `sanitize-dump-payload` says so.

use crate::random::Random;

/// Versions that everybody reads.
const VERSIONS: &[u16] = &[6, 7, 9, 10, 11];
/// One that nobody reads.
const FUTURE: u16 = 222;
/// The type of a hash.
const HASH: u8 = 4;
/// CRC-64/Jones, reflected.
const POLYNOMIAL: u64 = 0x95ac_9329_ac4b_c9b5;

/// A payload, one in three of them damaged.
pub fn payload(random: &mut Random) -> Vec<u8> {
    let mut bytes = value(random);
    match random.below(12) {
        0 if bytes[0] != HASH => change(random, &mut bytes),
        1 => bytes.truncate(random.below(bytes.len())),
        _ => {}
    }
    let version = if random.one_in(12) { FUTURE } else { *random.pick(VERSIONS) };
    bytes.extend_from_slice(&version.to_le_bytes());
    let sum = checksum(&bytes);
    bytes.extend_from_slice(&sum.to_le_bytes());
    match random.below(24) {
        0 => change(random, &mut bytes),
        1 => bytes.truncate(random.below(bytes.len())),
        _ => {}
    }
    bytes
}

/// Changes one byte a little; the first, which is the type, stays.
fn change(random: &mut Random, bytes: &mut [u8]) {
    let at = 1 + random.below(bytes.len() - 1);
    bytes[at] ^= 1 + random.below(7) as u8;
}

/// A string, list, set, hash or sorted set of texts.
fn value(random: &mut Random) -> Vec<u8> {
    let count = random.below(6);
    let kind = *random.pick(&[0, 0, 1, 2, HASH, 5]);
    let mut bytes = vec![kind];
    if kind == 0 {
        text(random, &mut bytes);
        return bytes;
    }
    bytes.push(count as u8);
    for index in 0..count {
        match kind {
            HASH => field_name(index, &mut bytes),
            _ => text(random, &mut bytes),
        }
        match kind {
            HASH => text(random, &mut bytes),
            5 => bytes.extend_from_slice(&(random.below(7) as f64 * 0.5).to_le_bytes()),
            _ => {}
        }
    }
    bytes
}

/// The name of a field, no two of which are equal.
fn field_name(index: usize, bytes: &mut Vec<u8>) {
    bytes.push(index as u8 + 1);
    bytes.extend(std::iter::repeat_n(b'f', index + 1));
}

fn text(random: &mut Random, bytes: &mut Vec<u8>) {
    match random.below(3) {
        0 => bytes.extend_from_slice(&[0xc0, random.below(100) as u8]),
        _ => {
            let words: &[&[u8]] = &[b"a", b"b", b"c", b"12", b"-7", b"", b"x y", b"member"];
            let word = random.pick(words);
            bytes.push(word.len() as u8);
            bytes.extend_from_slice(word);
        }
    }
}

fn checksum(bytes: &[u8]) -> u64 {
    let shift = |sum: u64, _| if sum & 1 == 1 { sum >> 1 ^ POLYNOMIAL } else { sum >> 1 };
    bytes.iter().fold(0, |sum, byte| (0..8).fold(sum ^ u64::from(*byte), shift))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_the_peers() {
        assert_eq!(checksum(b"123456789"), 0xe9c6_d914_c4b8_d9ca);
    }
}
