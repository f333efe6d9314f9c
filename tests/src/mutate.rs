//! Wrong inputs made out of right ones: the poor relation of a coverage-guided fuzzer, for every run of the tests.

use ochre_types::Rng;

/// Longest input it makes, in bytes.
const LEN_MAX: usize = 4096;
/// Bytes that parsers treat in a special way, more often than others.
const SPECIAL: &[u8] = b"\r\n\0 \"'\\*$+-:_#%~>|=,(!?[]{}^0123456789x\xff\x80";
/// Numbers at the edges of what fits.
const NUMBERS: &[&str] = &[
    "0",
    "-1",
    "1",
    "-0",
    "00",
    "+1",
    "2147483647",
    "2147483648",
    "4294967296",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "18446744073709551616",
    "1e400",
    "nan",
    "inf",
    "0x10",
    "1.5",
    "536870912",
    "536870913",
    "1073741824",
];

/// Takes seeds and changes them at random, the same way for the same number.
#[derive(Debug)]
pub struct Mutator {
    rng: Rng,
    seeds: Vec<Vec<u8>>,
}

impl Mutator {
    /// A mutator of these seeds, at least one.
    pub fn new(seed: u64, seeds: &[&[u8]]) -> Mutator {
        assert!(!seeds.is_empty(), "there is something to change");
        Mutator { rng: Rng::new(seed), seeds: seeds.iter().map(|seed| seed.to_vec()).collect() }
    }

    /// A number below `bound`, which is above 0.
    pub fn below(&mut self, bound: usize) -> usize {
        self.rng.below(bound as u64) as usize
    }

    /// The next input.
    pub fn next_input(&mut self) -> Vec<u8> {
        let mut input = self.seed();
        for _ in 0..=self.below(6) {
            self.change(&mut input);
        }
        input.truncate(LEN_MAX);
        input
    }

    fn seed(&mut self) -> Vec<u8> {
        let chosen = self.below(self.seeds.len());
        self.seeds[chosen].clone()
    }

    fn change(&mut self, input: &mut Vec<u8>) {
        let at = self.below(input.len() + 1);
        match self.below(8) {
            0 => input.truncate(at),
            1 => {
                let byte = self.byte();
                input.insert(at, byte);
            }
            2 if at < input.len() => input[at] = self.byte(),
            3 if at < input.len() => input[at] ^= 1 << self.below(8),
            4 => self.remove(input, at),
            5 => self.repeat(input, at),
            6 => {
                let number = NUMBERS[self.below(NUMBERS.len())];
                input.splice(at..at, number.bytes());
            }
            _ => {
                let other = self.seed();
                input.splice(at..at, other);
            }
        }
    }

    fn byte(&mut self) -> u8 {
        if self.below(2) == 0 { SPECIAL[self.below(SPECIAL.len())] } else { self.below(256) as u8 }
    }

    fn remove(&mut self, input: &mut Vec<u8>, at: usize) {
        let len = self.below(16).min(input.len() - at);
        input.drain(at..at + len);
    }

    fn repeat(&mut self, input: &mut Vec<u8>, at: usize) {
        let len = (1 + self.below(16)).min(input.len() - at);
        let part = input[at..at + len].repeat(1 + self.below(4));
        input.splice(at..at, part);
    }
}
