//! LZF, the compression of strings in RDB files and of the middle of long lists.
//!
//! ```text
//! 000LLLLL                      the next L + 1 bytes are literal
//! LLLooooo oooooooo             copy L + 2 bytes from o + 1 bytes back (L in 1..=6)
//! 111ooooo LLLLLLLL oooooooo    copy L + 9 bytes from o + 1 bytes back
//! ```
//!
//! The format is that of Marc Lehmann's liblzf: no header, no end mark, so whoever keeps compressed bytes keeps both
//! lengths. The compressor looks up where the next three bytes were last seen, in a table of 8192 places of 16 bits:
//! the window is shorter than what they can tell, and whatever is in the table is checked against the input, so
//! it never has to be exact. The table is small enough to be cleared for every call, and smaller for what is short: most strings are,
//! and clearing 16 KiB took a third of a snapshot's time for values of 100 bytes.
//!
//! Rejected: the `lzf` crate, whose compressor clears half a mebibyte of stack for every string.

/// Places of the table, for what is short and for the rest.
const PLACES_SHORT: usize = 1 << 9;
const PLACES: usize = 1 << 13;
/// What is short, bytes.
const SHORT_BYTES: usize = 512;
const OFFSET_MAX: usize = 1 << 13;
const COPY_MAX: usize = 264;
const LITERALS_MAX: usize = 32;
/// The most bytes that a byte of compressed input can stand for: three give 264.
const EXPANSION_MAX: usize = COPY_MAX / 3;

/// Compressed bytes that do not give what was announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LzfError;

impl std::fmt::Display for LzfError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("invalid LZF compressed bytes")
    }
}

impl std::error::Error for LzfError {}

/// Compresses `input`, if that takes at most `len_max` bytes. O(n).
pub fn compress(input: &[u8], len_max: usize) -> Option<Vec<u8>> {
    if input.len() <= SHORT_BYTES {
        compress_with::<PLACES_SHORT>(input, len_max)
    } else {
        compress_with::<PLACES>(input, len_max)
    }
}

fn compress_with<const PLACES: usize>(input: &[u8], len_max: usize) -> Option<Vec<u8>> {
    let mut table = [0u16; PLACES];
    let mut output = Output { bytes: Vec::with_capacity(len_max.min(input.len())), len_max };
    let (mut at, mut literals_from) = (0, 0);
    while let Some(key) = three_bytes(input, at) {
        let place = &mut table[hash::<PLACES>(key)];
        let back = usize::from((at as u16).wrapping_sub(*place));
        *place = at as u16;
        if back == 0 || back > OFFSET_MAX || back > at || three_bytes(input, at - back) != Some(key) {
            at += 1;
            continue;
        }
        let len = common_len(input, at - back, at);
        output.literals(&input[literals_from..at])?;
        output.copy(back, len)?;
        learn(input, at + 1..at + len, &mut table);
        at += len;
        literals_from = at;
    }
    output.literals(&input[literals_from..])?;
    Some(output.bytes)
}

/// The three bytes at `at`, if there are as many.
#[inline]
fn three_bytes(input: &[u8], at: usize) -> Option<u32> {
    let bytes = input.get(at..at + 3)?;
    Some(u32::from(bytes[0]) | u32::from(bytes[1]) << 8 | u32::from(bytes[2]) << 16)
}

#[inline]
fn hash<const PLACES: usize>(three_bytes: u32) -> usize {
    (three_bytes.wrapping_mul(0x9e37_79b1) >> (32 - PLACES.trailing_zeros())) as usize % PLACES
}

/// How many bytes from `at` on repeat those from `earlier` on, up to the most one copy can have.
#[inline]
fn common_len(input: &[u8], earlier: usize, at: usize) -> usize {
    let rest = &input[at..input.len().min(at + COPY_MAX)];
    rest.iter().zip(&input[earlier..]).take_while(|(one, other)| one == other).count()
}

/// Enters the places that a copy passed over: all of a short one, the last two of a long one.
fn learn<const PLACES: usize>(input: &[u8], passed: std::ops::Range<usize>, table: &mut [u16; PLACES]) {
    let from = if passed.len() > 16 { passed.end - 2 } else { passed.start };
    for at in from..passed.end {
        if let Some(key) = three_bytes(input, at) {
            table[hash::<PLACES>(key)] = at as u16;
        }
    }
}

/// Compressed bytes so far, and how many there may be.
struct Output {
    bytes: Vec<u8>,
    len_max: usize,
}

impl Output {
    fn literals(&mut self, literals: &[u8]) -> Option<()> {
        for run in literals.chunks(LITERALS_MAX) {
            self.room_for(1 + run.len())?;
            self.bytes.push((run.len() - 1) as u8);
            self.bytes.extend_from_slice(run);
        }
        Some(())
    }

    /// A copy of `len` bytes from `back` bytes ago.
    fn copy(&mut self, back: usize, len: usize) -> Option<()> {
        self.room_for(3)?;
        let (offset, len) = (back - 1, len - 2);
        let upper = (offset >> 8) as u8;
        if len < 7 {
            self.bytes.push((len as u8) << 5 | upper);
        } else {
            self.bytes.extend_from_slice(&[7 << 5 | upper, (len - 7) as u8]);
        }
        self.bytes.push(offset as u8);
        Some(())
    }

    fn room_for(&self, more: usize) -> Option<()> {
        (self.bytes.len() + more <= self.len_max).then_some(())
    }
}

/// Decompresses `input`, which gives exactly `len` bytes. O(len); allocates `len` bytes, and nothing where `input` is
/// too short to give that many.
///
/// # Errors
/// When `input` does not give `len` bytes, or copies from before the beginning.
pub fn decompress(input: &[u8], len: usize) -> Result<Vec<u8>, LzfError> {
    if len > input.len().saturating_mul(EXPANSION_MAX) {
        return Err(LzfError);
    }
    let mut output = vec![0; len];
    let (mut rest, mut at) = (input, 0);
    while let [control, after @ ..] = rest {
        (rest, at) = match control >> 5 {
            0 => literals(&mut output, at, usize::from(*control) + 1, after)?,
            len => copy(&mut output, at, (*control, usize::from(len)), after)?,
        };
    }
    if at == len { Ok(output) } else { Err(LzfError) }
}

/// What is left of the input, and where the output goes on.
type Progress<'a> = Result<(&'a [u8], usize), LzfError>;

#[inline]
fn literals<'a>(output: &mut [u8], at: usize, len: usize, input: &'a [u8]) -> Progress<'a> {
    let (run, rest) = input.split_at_checked(len).ok_or(LzfError)?;
    output.get_mut(at..at + len).ok_or(LzfError)?.copy_from_slice(run);
    Ok((rest, at + len))
}

#[inline]
fn copy<'a>(output: &mut [u8], at: usize, control: (u8, usize), input: &'a [u8]) -> Progress<'a> {
    let (upper, len) = (usize::from(control.0 & 0x1f) << 8, control.1 + 2);
    let (len, lower, rest) = match (control.1, input) {
        (7, [more, lower, rest @ ..]) => (len + usize::from(*more), lower, rest),
        (0..7, [lower, rest @ ..]) => (len, lower, rest),
        _ => return Err(LzfError),
    };
    let back = (upper | usize::from(*lower)) + 1;
    let from = at.checked_sub(back).ok_or(LzfError)?;
    let end = at + len;
    if end > output.len() {
        return Err(LzfError);
    }
    if back >= len {
        output.copy_within(from..from + len, at);
    } else {
        // What is copied repeats itself.
        (at..end).for_each(|to| output[to] = output[to - back]);
    }
    Ok((rest, end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Rng;

    fn there_and_back(input: &[u8]) -> usize {
        let compressed = compress(input, input.len() + input.len() / 32 + 1).expect("room for literals");
        assert_eq!(decompress(&compressed, input.len()).as_deref(), Ok(input));
        compressed.len()
    }

    #[test]
    fn comes_back_as_it_was() {
        let mut rng = Rng::new(3);
        for round in 0..400 {
            let len = rng.below(1 << (round % 18)) as usize;
            let letters = 1 + rng.below(255);
            let mut input: Vec<u8> = Vec::with_capacity(len);
            while input.len() < len {
                if rng.below(4) == 0 && !input.is_empty() {
                    let from = rng.below(input.len() as u64) as usize;
                    let end = (from + rng.below(600) as usize).min(input.len());
                    input.extend_from_within(from..end);
                } else {
                    input.push(rng.below(letters) as u8);
                }
            }
            there_and_back(&input);
        }
    }

    #[test]
    fn repetition_gets_short() {
        assert_eq!(there_and_back(b""), 0);
        assert!(there_and_back(&[7; 10_000]) < 130);
        let listed: Vec<u8> = (0..600).flat_map(|i| format!("element:{i:06}").into_bytes()).collect();
        assert!(there_and_back(&listed) < listed.len() / 2);
    }

    #[test]
    fn the_format_is_liblzfs() {
        assert_eq!(decompress(&[2, b'a', b'b', b'c', 0x20, 2], 6).as_deref(), Ok(b"abcabc".as_slice()));
        assert_eq!(decompress(&[0, b'x', 0xe0, 3, 0], 13).as_deref(), Ok([b'x'; 13].as_slice()));
        assert_eq!(compress(&[b'x'; 13], 5), Some(vec![0, b'x', 0xe0, 3, 0]));
    }

    #[test]
    fn does_not_exceed_the_room_it_is_given() {
        assert_eq!(compress(&[b'x'; 13], 4), None);
        let mut rng = Rng::new(9);
        let random: Vec<u8> = (0..1000).map(|_| rng.next_u64() as u8).collect();
        assert_eq!(compress(&random, 990), None);
    }

    #[test]
    fn what_is_malformed_is_refused() {
        let cases: &[(&[u8], usize)] = &[
            (&[], 1),
            (&[2, b'a'], 3),
            (&[0, b'a'], 2),
            (&[1, b'a', b'b'], 1),
            (&[0x20], 3),
            (&[0x20, 0], 3),
            (&[0, b'a', 0x20, 1], 4),
            (&[0, b'a', 0xe0, 3], 13),
            (&[0, b'a', 0x20, 0], 3),
            (&[0, b'a', 0x20, 0], usize::MAX),
            (&[0, b'a', 0x20, 0], 1 << 40),
        ];
        for (input, len) in cases {
            assert_eq!(decompress(input, *len), Err(LzfError), "{input:?}");
        }
        let mut rng = Rng::new(4);
        let mut given = 0;
        for _ in 0..200_000 {
            let input: Vec<u8> = (0..rng.below(8)).map(|_| rng.below(64) as u8).collect();
            let len = rng.below(20) as usize;
            if let Ok(output) = decompress(&input, len) {
                assert_eq!(output.len(), len);
                given += 1;
            }
        }
        assert!(given > 100, "{given}");
    }
}
