//! The longest common subsequence of two strings: its length, its bytes and the ranges in which the strings match.
//!
//! Which of several longest subsequences is found, and how it falls into ranges, is visible to clients. It follows
//! from the walk back from the last cell of the matrix `L` (see `bit_matrix.rs`): equal bytes are always taken;
//! otherwise, one byte of `a` is left out if that keeps the length and leaving out one of `b` would not, else one byte
//! of `b`. With `L(i, j)` known to be the larger of its two neighbours, that is the growth bit of the cell alone,
//! so one bit per cell is all that is stored.
//!
//! Redis refuses inputs for which its own matrix of 4-byte cells would exceed the largest allowed string. The
//! same inputs are refused here, although the memory needed is a 32nd of that, and for the length alone only one byte
//! per byte of the shorter string.

use super::bit_matrix::{STRIP_COLUMNS, walk};

/// Strings of this length and more are refused.
const STRING_LEN_LIMIT: usize = u32::MAX as usize - 1;
/// Bytes of a cell in the matrix that the limit is counted in.
const COUNTED_CELL_BYTES: u128 = 4;

/// Why a common subsequence is not computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LcsError {
    /// A string has 4 GiB or more.
    StringTooLong,
    /// The matrix, as Redis lays it out, would be larger than the limit.
    ExceedsLimit,
    /// The memory cannot be had.
    OutOfMemory,
}

/// A run of bytes that both strings have in common. The positions are those of its first byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MatchRange {
    /// Where it begins in the first string.
    pub a_start: usize,
    /// Where it begins in the second string.
    pub b_start: usize,
    /// Its length in bytes, at least one.
    pub len: usize,
}

/// A longest common subsequence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommonSubsequence {
    /// Its length in bytes.
    pub len: usize,
    /// The ranges it consists of, from the last to the first, as LCS IDX lists them.
    pub matches: Vec<MatchRange>,
}

impl CommonSubsequence {
    /// Its bytes, out of the first of the two strings that it was computed from.
    pub fn bytes(&self, a: &[u8]) -> Vec<u8> {
        let runs = self.matches.iter().rev();
        runs.flat_map(|run| a.get(run.a_start..run.a_start + run.len).unwrap_or_default()).copied().collect()
    }
}

/// The length of a longest common subsequence. `limit_bytes` is the largest allowed string.
/// O(|a| |b| / 64) time, O(min(|a|, |b|)) memory.
pub fn lcs_len(a: &[u8], b: &[u8], limit_bytes: u64) -> Result<usize, LcsError> {
    check_sizes(a.len(), b.len(), limit_bytes)?;
    let (rows, columns) = if a.len() < b.len() { (a, b) } else { (b, a) };
    let mut carries = try_vec(rows.len(), false)?;
    Ok(walk(rows, columns, &mut carries, |_, _, _| {}))
}

/// The longest common subsequence that Redis finds. `limit_bytes` is the largest allowed string.
/// O(|a| |b| / 64) time, |a| |b| / 8 bytes of memory.
pub fn lcs(a: &[u8], b: &[u8], limit_bytes: u64) -> Result<CommonSubsequence, LcsError> {
    check_sizes(a.len(), b.len(), limit_bytes)?;
    let strips = b.len().div_ceil(STRIP_COLUMNS);
    let mut growth = try_vec(strips.checked_mul(a.len()).ok_or(LcsError::OutOfMemory)?, 0u64)?;
    let mut carries = try_vec(a.len(), false)?;
    let len = walk(a, b, &mut carries, |strip, row, bits| growth[strip * a.len() + row] = bits);
    Ok(CommonSubsequence { len, matches: walk_back(a, b, &growth) })
}

fn walk_back(a: &[u8], b: &[u8], growth: &[u64]) -> Vec<MatchRange> {
    let mut matches: Vec<MatchRange> = Vec::new();
    let mut open = false;
    let (mut i, mut j) = (a.len(), b.len());
    while i > 0 && j > 0 {
        if a[i - 1] != b[j - 1] {
            open = false;
            let column = j - 1;
            let bits = growth[column / STRIP_COLUMNS * a.len() + i - 1];
            if bits >> (column % STRIP_COLUMNS) & 1 == 1 {
                i -= 1;
            } else {
                j -= 1;
            }
            continue;
        }
        i -= 1;
        j -= 1;
        match matches.last_mut() {
            Some(run) if open => *run = MatchRange { a_start: i, b_start: j, len: run.len + 1 },
            _ => matches.push(MatchRange { a_start: i, b_start: j, len: 1 }),
        }
        open = true;
    }
    matches
}

fn check_sizes(a_len: usize, b_len: usize, limit_bytes: u64) -> Result<(), LcsError> {
    if a_len >= STRING_LEN_LIMIT || b_len >= STRING_LEN_LIMIT {
        return Err(LcsError::StringTooLong);
    }
    let counted_bytes = (a_len as u128 + 1) * (b_len as u128 + 1) * COUNTED_CELL_BYTES;
    if counted_bytes > u128::from(limit_bytes) { Err(LcsError::ExceedsLimit) } else { Ok(()) }
}

fn try_vec<T: Clone>(len: usize, value: T) -> Result<Vec<T>, LcsError> {
    let mut vec = Vec::new();
    vec.try_reserve_exact(len).map_err(|_| LcsError::OutOfMemory)?;
    vec.resize(len, value);
    Ok(vec)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Rng;

    const LIMIT: u64 = 512 << 20;

    fn ranges(a: &str, b: &str) -> Vec<(usize, usize, usize)> {
        let found = lcs(a.as_bytes(), b.as_bytes(), LIMIT).unwrap();
        found.matches.iter().map(|run| (run.a_start, run.b_start, run.len)).collect()
    }

    #[test]
    fn known_answers() {
        let (a, b) = (b"ohmytext", b"mynewtext");
        let found = lcs(a, b, LIMIT).unwrap();
        assert_eq!((found.len, found.bytes(a)), (6, b"mytext".to_vec()));
        assert_eq!(ranges("ohmytext", "mynewtext"), [(4, 5, 4), (2, 0, 2)]);
        for (a, b) in [("", ""), ("", "a"), ("a", ""), ("ab", "cd")] {
            let found = lcs(a.as_bytes(), b.as_bytes(), LIMIT).unwrap();
            assert_eq!(found, CommonSubsequence { len: 0, matches: vec![] });
            assert_eq!(lcs_len(a.as_bytes(), b.as_bytes(), LIMIT), Ok(0));
        }
    }

    /// The textbook matrix and the walk back through it, one decision after the other.
    fn model(a: &[u8], b: &[u8]) -> CommonSubsequence {
        let mut l = vec![vec![0usize; b.len() + 1]; a.len() + 1];
        for (i, x) in a.iter().enumerate() {
            for (j, y) in b.iter().enumerate() {
                l[i + 1][j + 1] = if x == y { l[i][j] + 1 } else { l[i][j + 1].max(l[i + 1][j]) };
            }
        }
        let mut cells: Vec<(usize, usize)> = Vec::new();
        let (mut i, mut j) = (a.len(), b.len());
        while i > 0 && j > 0 {
            if a[i - 1] == b[j - 1] {
                (i, j) = (i - 1, j - 1);
                cells.push((i, j));
            } else if l[i - 1][j] > l[i][j - 1] {
                i -= 1;
            } else {
                j -= 1;
            }
        }
        let mut matches: Vec<MatchRange> = Vec::new();
        for (a_start, b_start) in cells {
            match matches.last_mut() {
                Some(run) if (run.a_start, run.b_start) == (a_start + 1, b_start + 1) => {
                    *run = MatchRange { a_start, b_start, len: run.len + 1 };
                }
                _ => matches.push(MatchRange { a_start, b_start, len: 1 }),
            }
        }
        CommonSubsequence { len: l[a.len()][b.len()], matches }
    }

    #[test]
    fn agrees_with_the_textbook() {
        let mut rng = Rng::new(5);
        for round in 0..400 {
            let letters = 1 + rng.below(5);
            let longest = if round % 4 == 0 { 260 } else { 12 };
            let mut string = || {
                let len = rng.below(longest);
                (0..len).map(|_| b'a' + rng.below(letters) as u8).collect::<Vec<u8>>()
            };
            let (a, b) = (string(), string());
            let found = lcs(&a, &b, LIMIT).unwrap();
            assert_eq!(found, model(&a, &b), "{a:?} {b:?}");
            assert_eq!(lcs_len(&a, &b, LIMIT), Ok(found.len));
            assert_eq!(found.bytes(&a).len(), found.len);
        }
    }

    #[test]
    fn limits() {
        let a = [b'x'; 511];
        assert_eq!(lcs_len(&a, &[b'x'; 511], 1 << 20), Ok(511));
        assert_eq!(lcs_len(&a, &[b'x'; 512], 1 << 20), Err(LcsError::ExceedsLimit));
        assert_eq!(lcs(&a, &[b'x'; 512], 1 << 20), Err(LcsError::ExceedsLimit));
        assert_eq!(check_sizes(STRING_LEN_LIMIT, 0, u64::MAX), Err(LcsError::StringTooLong));
        assert_eq!(
            check_sizes(STRING_LEN_LIMIT - 1, STRING_LEN_LIMIT - 1, u64::MAX),
            Err(LcsError::ExceedsLimit)
        );
    }
}
