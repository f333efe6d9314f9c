//! Requests as bytes that are ready to send, and the places in them that change.
//!
//! A [`Template`] is one unit of work (a command, or a sequence of commands) in RESP. All placeholders
//! are twelve bytes and so are their replacements, so a replacement never moves anything: a [`Batch`]
//! holds a whole pipeline of units and overwrites twelve digits per placeholder, nothing else. One batch
//! per thread serves all of its connections and stays in the first-level cache; what the kernel does not
//! take at once is copied by the connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ochre_resp::encode_request;

use crate::random::Random;

/// Digits in a replacement, and bytes in a placeholder.
const DIGITS: usize = 12;
/// The first stands for a new number wherever it occurs; each other for one number per command.
const PLACEHOLDERS: [&[u8; DIGITS]; SLOTS] = [
    b"__rand_int__",
    b"__rand_1st__",
    b"__rand_2nd__",
    b"__rand_3rd__",
    b"__rand_4th__",
    b"__rand_5th__",
    b"__rand_6th__",
    b"__rand_7th__",
    b"__rand_8th__",
    b"__rand_9th__",
];
const SLOTS: usize = 10;
const EVERY_TIME: usize = 0;

/// One unit of work and where its placeholders are.
#[derive(Clone, Debug, Default)]
pub struct Template {
    bytes: Vec<u8>,
    fields: Vec<Field>,
    replies: usize,
}

#[derive(Clone, Copy, Debug)]
struct Field {
    offset: usize,
    slot: usize,
    /// Takes a new number: always for the first placeholder, else where its command first names it.
    draws: bool,
}

impl Template {
    /// Bytes that are sent as they are and answered by one reply.
    pub fn verbatim(bytes: &[u8]) -> Self {
        Self { bytes: bytes.to_vec(), fields: Vec::new(), replies: 1 }
    }

    /// Appends one command.
    pub fn push<A: AsRef<[u8]>>(&mut self, arguments: &[A]) {
        let start = self.bytes.len();
        encode_request(&mut self.bytes, arguments);
        self.find_fields(start);
        self.replies += 1;
    }

    fn find_fields(&mut self, start: usize) {
        let mut offset = start;
        let mut drawn = [false; SLOTS];
        while let Some(window) = self.bytes.get(offset..offset + DIGITS) {
            match PLACEHOLDERS.iter().position(|placeholder| window == *placeholder) {
                Some(slot) => {
                    let draws = slot == EVERY_TIME || !drawn[slot];
                    drawn[slot] = true;
                    self.fields.push(Field { offset, slot, draws });
                    offset += DIGITS;
                }
                None => offset += 1,
            }
        }
    }

    /// The bytes of the unit, placeholders in place.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// How many replies a unit is answered with: the number of its commands.
    pub fn replies(&self) -> usize {
        self.replies
    }
}

/// Where the numbers for the placeholders come from.
#[derive(Clone, Debug)]
pub enum Numbers {
    /// Placeholders stay as they are.
    None,
    /// Uniform over `0..keyspace`.
    Random(Random, u64),
    /// 0, 1, 2, ... modulo the keyspace, one counter per placeholder, shared by all threads.
    Sequential(Arc<[AtomicU64; SLOTS]>, u64),
}

impl Numbers {
    /// Counters for [`Numbers::Sequential`], all at zero.
    pub fn counters() -> Arc<[AtomicU64; SLOTS]> {
        Arc::default()
    }

    fn next(&mut self, slot: usize) -> u64 {
        match self {
            Numbers::None => 0,
            Numbers::Random(random, keyspace) => random.below(*keyspace),
            Numbers::Sequential(counters, keyspace) => {
                counters[slot].fetch_add(1, Ordering::Relaxed) % (*keyspace).max(1)
            }
        }
    }
}

/// A pipeline of units, patched in place before each send.
#[derive(Debug)]
pub struct Batch {
    bytes: Vec<u8>,
    unit_len: usize,
    fields: Vec<Field>,
    numbers: Numbers,
}

impl Batch {
    /// Room for `units_max` copies of `template`.
    pub fn new(template: &Template, units_max: usize, numbers: Numbers) -> Self {
        let fields = if matches!(numbers, Numbers::None) { Vec::new() } else { template.fields.clone() };
        Self { bytes: template.bytes.repeat(units_max), unit_len: template.bytes.len(), fields, numbers }
    }

    /// The next `units` units (at most the number given to [`Batch::new`]), with fresh numbers.
    pub fn fill(&mut self, units: usize) -> &[u8] {
        let bytes = &mut self.bytes[..units * self.unit_len];
        if !self.fields.is_empty() {
            let mut drawn = [0; SLOTS];
            for unit in bytes.chunks_exact_mut(self.unit_len) {
                for field in &self.fields {
                    if field.draws {
                        drawn[field.slot] = self.numbers.next(field.slot);
                    }
                    unit[field.offset..field.offset + DIGITS].copy_from_slice(&digits(drawn[field.slot]));
                }
            }
        }
        bytes
    }
}

/// The last twelve digits of `number`.
fn digits(number: u64) -> [u8; DIGITS] {
    const HALF: u64 = 100_000_000;
    let mut text = [b'0'; DIGITS];
    let mut low = number;
    if number >= HALF {
        low = number % HALF;
        text[..4].copy_from_slice(&eight_digits(number / HALF % 10_000)[4..]);
    }
    text[4..].copy_from_slice(&eight_digits(low));
    text
}

/// Eight digits of a number below 10^8. It is cut into two lanes of four digits, those into two of two, those into
/// single digits, all lanes of a word at once: a division by 100 or 10 is a multiplication by its inverse, which
/// has room in its lane because the numbers are small.
fn eight_digits(number: u64) -> [u8; 8] {
    let fours = number / 10_000 + ((number % 10_000) << 32);
    let hundreds = ((fours * 10_486) >> 20) & 0x0000_007f_0000_007f;
    let twos = hundreds + ((fours - hundreds * 100) << 16);
    let tens = ((twos * 103) >> 10) & 0x000f_000f_000f_000f;
    let ones = tens + ((twos - tens * 10) << 8);
    (ones + u64::from_le_bytes([b'0'; 8])).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(batch: &mut Batch, units: usize) -> String {
        String::from_utf8(batch.fill(units).to_vec()).unwrap()
    }

    fn template(commands: &[&[&str]]) -> Template {
        let mut template = Template::default();
        commands.iter().for_each(|command| template.push(command));
        template
    }

    #[test]
    fn without_a_keyspace_placeholders_stay() {
        let template = template(&[&["GET", "key:__rand_int__"]]);
        let mut batch = Batch::new(&template, 2, Numbers::None);
        assert_eq!(text(&mut batch, 1), "*2\r\n$3\r\nGET\r\n$16\r\nkey:__rand_int__\r\n");
        assert_eq!(batch.fill(2).len(), 2 * template.bytes().len());
    }

    #[test]
    fn sequential_numbers_are_distinct_until_the_keyspace_ends() {
        let template = template(&[&["MGET", "__rand_int__", "__rand_int__"]]);
        let mut batch = Batch::new(&template, 2, Numbers::Sequential(Numbers::counters(), 3));
        let sent = text(&mut batch, 2);
        let numbers: Vec<&str> = sent.lines().filter(|line| line.len() == 12).collect();
        assert_eq!(numbers, ["000000000000", "000000000001", "000000000002", "000000000000"]);
    }

    #[test]
    fn a_numbered_placeholder_is_one_number_per_command() {
        let template = template(&[&["A", "__rand_1st__", "__rand_1st__"], &["B", "x__rand_1st__"]]);
        assert_eq!(template.replies(), 2);
        let mut batch = Batch::new(&template, 1, Numbers::Random(Random::new(3), 1 << 39));
        let sent = text(&mut batch, 1);
        let lines: Vec<&str> = sent.lines().collect();
        assert_eq!(lines[4], lines[6]);
        assert_ne!(Some(lines[4]), lines[11].strip_prefix('x'));
    }

    #[test]
    fn digits_are_padded_and_cut_to_twelve() {
        for number in (0..20_000).chain((0..64).flat_map(|bits| [(1 << bits) - 1, 1 << bits])) {
            check(number);
        }
        // Every pair of digits in every lane, and what is around the ends of the lanes.
        for power in [1, 10_000, 100_000_000, 1_000_000_000_000] {
            (0..10_000).for_each(|four| check(four * power));
            (0..3).for_each(|below| check(power * 10_000 - 1 - below));
        }
        check(u64::MAX);
        fn check(number: u64) {
            let expected = format!("{:012}", number % 1_000_000_000_000);
            assert_eq!(std::str::from_utf8(&digits(number)).unwrap(), expected);
        }
    }
}
