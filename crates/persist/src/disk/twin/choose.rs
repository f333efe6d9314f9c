//! Who decides what survives: all possibilities one after the other, or some at random.

/// Decides between possibilities.
pub trait Choose {
    /// A number below `count`, which is not 0.
    fn pick(&mut self, count: usize) -> usize;
}

/// A sequence of decisions that looks random and is the same for the same seed.
#[derive(Clone, Debug)]
pub struct Seeded(u64);

impl Seeded {
    /// The sequence of a seed.
    pub fn new(seed: u64) -> Seeded {
        Seeded(seed)
    }

    /// The next 64 bits (SplitMix64).
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}

impl Choose for Seeded {
    fn pick(&mut self, count: usize) -> usize {
        (self.next_u64() % count.max(1) as u64) as usize
    }
}

/// All sequences of decisions: an odometer whose wheels are the decisions of the last run.
#[derive(Default, Debug)]
pub struct EveryChoice {
    /// What was decided, and between how many.
    wheels: Vec<(usize, usize)>,
    at: usize,
}

impl EveryChoice {
    /// Turns to the next sequence; false once all were there.
    pub fn advance(&mut self) -> bool {
        self.at = 0;
        while let Some((decided, count)) = self.wheels.pop() {
            if decided + 1 < count {
                self.wheels.push((decided + 1, count));
                return true;
            }
        }
        false
    }
}

impl Choose for EveryChoice {
    fn pick(&mut self, count: usize) -> usize {
        if self.at == self.wheels.len() {
            self.wheels.push((0, count));
        }
        let (decided, _) = self.wheels[self.at];
        self.at += 1;
        decided
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sequence_comes_once() {
        let (mut choices, mut seen) = (EveryChoice::default(), Vec::new());
        loop {
            let first = choices.pick(3);
            // How many decisions there are depends on those before.
            let second = if first == 1 { choices.pick(2) } else { 9 };
            seen.push((first, second));
            if !choices.advance() {
                break;
            }
        }
        assert_eq!(seen, [(0, 9), (1, 0), (1, 1), (2, 9)]);
    }
}
