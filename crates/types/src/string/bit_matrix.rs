//! The dynamic programming matrix of a longest common subsequence, in bits.
//!
//! Let `L(i, j)` be the length for the first `i` bytes of `a` and the first `j` of `b`. Along a row it grows by
//! 0 or 1 per column, so a row is a string of bits, and 64 columns of the next row follow from a few word operations
//! (Hyyrö, "Bit-parallel LCS-length computation revisited", 2004): with `v` the complement of the growth bits and `m`
//! the columns whose byte equals the row's, `v' = (v + (v & m)) | (v & !m)`. The sum's carry goes to the next word.
//!
//! The matrix is walked in strips of 64 columns, top to bottom, with one bit of carry per row from strip to strip.
//! So the table of column masks is 2 KiB and stays in the nearest cache however long the strings are, at some
//! six operations for 64 cells. (One cell at a time, as the textbook has it, costs more than an operation a cell, and 4 bytes
//! of memory a cell instead of one bit.)

/// Columns of a strip.
pub(super) const STRIP_COLUMNS: usize = u64::BITS as usize;

/// Walks the matrix of `a` (rows) and `b` (columns) strip by strip; calls `on_row(strip, row, growth)` with the growth
/// bits of each row (bit `k`: `L` grows in column `strip * 64 + k`). Returns the length. `carries` must have one
/// entry per row, all `false`.
pub(super) fn walk(
    a: &[u8],
    b: &[u8],
    carries: &mut [bool],
    mut on_row: impl FnMut(usize, usize, u64),
) -> usize {
    let mut masks = [0u64; 256];
    let mut len = 0;
    for (strip, columns) in b.chunks(STRIP_COLUMNS).enumerate() {
        for (k, &byte) in columns.iter().enumerate() {
            masks[usize::from(byte)] |= 1 << k;
        }
        let used = u64::MAX >> (STRIP_COLUMNS - columns.len());
        let mut v = u64::MAX;
        for (row, (&byte, carry)) in a.iter().zip(carries.iter_mut()).enumerate() {
            let mask = masks[usize::from(byte)];
            let (sum, first) = v.overflowing_add(v & mask);
            let (sum, second) = sum.overflowing_add(u64::from(*carry));
            *carry = first | second;
            v = sum | (v & !mask);
            on_row(strip, row, !v & used);
        }
        len += (!v & used).count_ones() as usize;
        for &byte in columns {
            masks[usize::from(byte)] = 0;
        }
    }
    len
}
