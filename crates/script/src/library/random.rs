//! `math.random`: the generator of lrand48, so that a seed gives the numbers that it gives in Redis.

use super::args::to_i32;
use crate::lua::{Frame, Outcome, Raise, Returned};

const MULTIPLIER: u64 = 0x5_DEEC_E66D;
const INCREMENT: u64 = 0xB;
const MASK: u64 = (1 << 48) - 1;
/// The low bits of every seed.
const SEED_LOW: u64 = 0x330E;

/// 48 bits of state.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Random {
    state: u64,
}

impl Random {
    /// The state before any seed.
    pub(crate) fn new() -> Random {
        Random { state: 0x1234_ABCD_330E }
    }

    /// The state of a seed.
    fn seed(seed: i32) -> Random {
        Random { state: u64::from(seed as u32) << 16 | SEED_LOW }
    }

    /// The next 31 bits, as a part of the largest.
    fn next(&mut self) -> f64 {
        self.state = self.state.wrapping_mul(MULTIPLIER).wrapping_add(INCREMENT) & MASK;
        let max = i32::MAX as u64;
        ((self.state >> 17) % max) as f64 / max as f64
    }
}

/// `math.random`
pub(crate) fn random(frame: &mut Frame<'_>) -> Outcome {
    let part = frame.shared().random.borrow_mut().next();
    let number = match frame.args() {
        0 => part,
        1 => {
            let upper = frame.check_i32(1)?;
            if upper < 1 {
                return Err(frame.arg_error(1, "interval is empty"));
            }
            (part * f64::from(upper)).floor() + 1.0
        }
        2 => {
            let (lower, upper) = (frame.check_i32(1)?, frame.check_i32(2)?);
            if lower > upper {
                return Err(frame.arg_error(2, "interval is empty"));
            }
            let width = upper.wrapping_sub(lower).wrapping_add(1);
            (part * f64::from(width)).floor() + f64::from(lower)
        }
        _ => return Err(Raise::text("wrong number of arguments")),
    };
    frame.push_number(number)?;
    Ok(Returned::Values(1))
}

/// `math.randomseed`
pub(crate) fn randomseed(frame: &mut Frame<'_>) -> Outcome {
    let seed = frame.check_number(1).map(to_i32)?;
    *frame.shared().random.borrow_mut() = Random::seed(seed);
    Ok(Returned::Values(0))
}
