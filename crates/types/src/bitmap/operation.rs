//! Operations over whole bitmaps.
//!
//! Inputs of different lengths are as long as the longest, with zeros behind them. The result is made block by block:
//! a block of it stays in the nearest cache while the same block of every input passes by, so that memory is read once
//! and written once however many inputs there are.

use crate::wide::{Work, widely};

/// Bytes of a block. Two of them and the block of an input fit the nearest cache of any processor.
const BLOCK: usize = 8 * 1024;

/// An operation over bitmaps. `first` below is the first input, `others` the rest.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BitOperation {
    /// The bits that all inputs have.
    And,
    /// The bits that any input has.
    Or,
    /// The bits that an odd number of inputs has.
    Xor,
    /// The bits that the one input has not.
    Not,
    /// The bits that `first` has and none of the `others`.
    Diff,
    /// The bits that any of the `others` has and `first` has not.
    Diff1,
    /// The bits that `first` and any of the `others` have.
    AndOr,
    /// The bits that exactly one input has.
    One,
}

impl BitOperation {
    /// The operation of a name, whatever its case.
    pub fn from_name(name: &[u8]) -> Option<BitOperation> {
        use BitOperation::*;
        let operations = [And, Or, Xor, Not, Diff, Diff1, AndOr, One];
        operations.into_iter().find(|operation| name.eq_ignore_ascii_case(operation.name().as_bytes()))
    }

    /// Its name, in capitals.
    pub fn name(self) -> &'static str {
        match self {
            BitOperation::And => "AND",
            BitOperation::Or => "OR",
            BitOperation::Xor => "XOR",
            BitOperation::Not => "NOT",
            BitOperation::Diff => "DIFF",
            BitOperation::Diff1 => "DIFF1",
            BitOperation::AndOr => "ANDOR",
            BitOperation::One => "ONE",
        }
    }

    /// Whether it sets the first input apart from the others, so that it needs two at least.
    pub fn needs_two(self) -> bool {
        matches!(self, BitOperation::Diff | BitOperation::Diff1 | BitOperation::AndOr)
    }
}

/// The bitmap that an operation makes of others: as long as the longest of them. O(their lengths).
pub fn combine(operation: BitOperation, inputs: &[&[u8]]) -> Vec<u8> {
    let len = inputs.iter().map(|input| input.len()).max().unwrap_or(0);
    let mut result = Vec::with_capacity(len);
    widely(Combine { operation, inputs, len, result: &mut result });
    result
}

struct Combine<'a> {
    operation: BitOperation,
    inputs: &'a [&'a [u8]],
    len: usize,
    result: &'a mut Vec<u8>,
}

impl Work for Combine<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Some((first, others)) = self.inputs.split_first() else { return };
        for start in (0..self.len).step_by(BLOCK) {
            let end = self.len.min(start + BLOCK);
            let part = |input: &'_ [u8]| (input.len().min(start), input.len().min(end));
            let (from, to) = part(first);
            self.result.extend_from_slice(&first[from..to]);
            self.result.resize(end, 0);
            let block = &mut self.result[start..];
            let others = others.iter().map(|other| {
                let (from, to) = part(other);
                &other[from..to]
            });
            combine_block(self.operation, block, others);
        }
    }
}

/// Combines a block: it holds the first input's bytes, padded, and gets the result.
#[inline(always)]
fn combine_block<'a>(operation: BitOperation, block: &mut [u8], others: impl Iterator<Item = &'a [u8]>) {
    match operation {
        BitOperation::And => others.for_each(|other| {
            let (common, rest) = block.split_at_mut(other.len());
            merge(common, other, |byte, other| byte & other);
            rest.fill(0);
        }),
        BitOperation::Or => others.for_each(|other| merge(block, other, |byte, other| byte | other)),
        BitOperation::Xor => others.for_each(|other| merge(block, other, |byte, other| byte ^ other)),
        BitOperation::Not => block.iter_mut().for_each(|byte| *byte = !*byte),
        BitOperation::Diff => merge(block, &any_of(others)[..], |byte, any| byte & !any),
        BitOperation::Diff1 => merge(block, &any_of(others)[..], |byte, any| !byte & any),
        BitOperation::AndOr => merge(block, &any_of(others)[..], |byte, any| byte & any),
        BitOperation::One => {
            let mut twice = [0; BLOCK];
            for other in others {
                let bytes = block.iter_mut().zip(&mut twice).zip(other);
                bytes.for_each(|((byte, twice), other)| {
                    *twice |= *byte & other;
                    *byte |= other;
                });
            }
            merge(block, &twice, |byte, twice| byte & !twice);
        }
    }
}

/// The bits that any input has, padded to a whole block.
#[inline(always)]
fn any_of<'a>(inputs: impl Iterator<Item = &'a [u8]>) -> [u8; BLOCK] {
    let mut any = [0; BLOCK];
    inputs.for_each(|input| merge(&mut any, input, |any, byte| any | byte));
    any
}

#[inline(always)]
fn merge(block: &mut [u8], other: &[u8], of: impl Fn(u8, u8) -> u8) {
    block.iter_mut().zip(other).for_each(|(byte, other)| *byte = of(*byte, *other));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Rng;
    use crate::wide::in_every_way;

    const ALL: [&str; 8] = ["and", "or", "Xor", "NOT", "diff", "diff1", "andor", "one"];

    /// One bit of a result, from the bits of the inputs.
    fn model(operation: BitOperation, bits: &[bool]) -> bool {
        let (first, count) = (bits[0], bits.iter().filter(|bit| **bit).count());
        let others = bits[1..].iter().any(|bit| *bit);
        match operation {
            BitOperation::And => count == bits.len(),
            BitOperation::Or => count > 0,
            BitOperation::Xor => count % 2 == 1,
            BitOperation::Not => !first,
            BitOperation::Diff => first && !others,
            BitOperation::Diff1 => !first && others,
            BitOperation::AndOr => first && others,
            BitOperation::One => count == 1,
        }
    }

    #[test]
    fn agrees_with_every_bit_alone() {
        let mut rng = Rng::new(3);
        for round in 0..300 {
            let operation = BitOperation::from_name(ALL[rng.below(8) as usize].as_bytes()).expect("a name");
            let longest = if round % 20 == 0 { 2 * BLOCK as u64 + 100 } else { 50 };
            let count = if operation == BitOperation::Not { 1 } else { 1 + rng.below(5) };
            let inputs: Vec<Vec<u8>> =
                (0..count).map(|_| (0..rng.below(longest)).map(|_| rng.next_u64() as u8).collect()).collect();
            let slices: Vec<&[u8]> = inputs.iter().map(Vec::as_slice).collect();
            let result = in_every_way(|| combine(operation, &slices));
            assert_eq!(result.len(), inputs.iter().map(Vec::len).max().unwrap_or(0));
            for (at, byte) in result.iter().enumerate() {
                for bit in 0..8 {
                    let of = |input: &Vec<u8>| input.get(at).is_some_and(|byte| byte >> bit & 1 == 1);
                    let bits: Vec<bool> = inputs.iter().map(of).collect();
                    assert_eq!(byte >> bit & 1 == 1, model(operation, &bits), "{operation:?} {at}");
                }
            }
        }
        assert!(combine(BitOperation::Or, &[]).is_empty());
        assert_eq!(BitOperation::from_name(b"nor"), None);
    }
}
