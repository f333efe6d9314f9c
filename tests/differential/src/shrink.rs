//! From thousands of steps to the few that matter.
//!
//! Delta debugging: parts of the list are left out as long as the same kind of difference remains, then arguments, then
//! bytes. Every trial is a run on clean servers, so the result is a reproducer by construction.

use std::io;
use std::time::{Duration, Instant};

use crate::exceptions::Exceptions;
use crate::pair::{Difference, Pair};
use crate::report::signature;
use crate::step::Step;

/// Trials at most; a run on clean servers takes milliseconds.
const TRIALS_MAX: usize = 3000;
/// A trial in which a server does not answer takes much longer.
const TIME_MAX: Duration = Duration::from_secs(60);

/// What is left after shrinking.
#[derive(Clone, Debug)]
pub struct Reproducer {
    /// The steps, the last of which shows the difference.
    pub steps: Vec<Step>,
    /// The difference they show.
    pub difference: Difference,
}

/// Shrinks `steps`, which showed `difference`. `None` when doing them again does not show it again.
pub fn shrink(
    pair: &mut Pair,
    steps: &[Step],
    difference: &Difference,
    exceptions: &Exceptions,
) -> io::Result<Option<Reproducer>> {
    let mut shrinker = Shrinker {
        pair,
        exceptions,
        wanted: signature(difference),
        trials: 0,
        began: Instant::now(),
        best: None,
    };
    let upto = &steps[..=difference.step.min(steps.len() - 1)];
    if !shrinker.fails(upto)? {
        return Ok(None);
    }
    shrinker.drop_steps()?;
    shrinker.drop_arguments()?;
    shrinker.shorten_arguments()?;
    shrinker.drop_steps()?;
    Ok(shrinker.best)
}

struct Shrinker<'a> {
    pair: &'a mut Pair,
    exceptions: &'a Exceptions,
    wanted: String,
    trials: usize,
    began: Instant,
    best: Option<Reproducer>,
}

impl Shrinker<'_> {
    /// Whether `steps` still show the difference; if so they become the best, cut after the step that shows it.
    fn fails(&mut self, steps: &[Step]) -> io::Result<bool> {
        if self.trials == TRIALS_MAX || self.began.elapsed() > TIME_MAX {
            return Ok(false);
        }
        self.trials += 1;
        let found =
            self.pair.run(steps, self.exceptions)?.filter(|difference| signature(difference) == self.wanted);
        let Some(difference) = found else { return Ok(false) };
        self.best = Some(Reproducer { steps: steps[..=difference.step].to_vec(), difference });
        Ok(true)
    }

    fn steps(&self) -> Vec<Step> {
        self.best.as_ref().map(|best| best.steps.clone()).unwrap_or_default()
    }

    /// Leaves out runs of steps: halves first, single steps last.
    fn drop_steps(&mut self) -> io::Result<()> {
        let mut size = self.steps().len().div_ceil(2);
        while size > 0 {
            let mut at = 0;
            while at < self.steps().len() {
                let mut fewer = self.steps();
                fewer.drain(at..(at + size).min(fewer.len()));
                if fewer.is_empty() || !self.fails(&fewer)? {
                    at += size;
                }
            }
            size /= 2;
        }
        Ok(())
    }

    /// Leaves out single arguments.
    fn drop_arguments(&mut self) -> io::Result<()> {
        for index in 0..self.steps().len() {
            let mut argument = 1;
            while argument < arguments(&self.steps(), index) {
                let mut fewer = self.steps();
                if let Some(Step::Command { arguments, .. }) = fewer.get_mut(index) {
                    arguments.remove(argument);
                }
                if !self.fails(&fewer)? {
                    argument += 1;
                }
            }
        }
        Ok(())
    }

    /// Halves long arguments and session bytes from their end.
    fn shorten_arguments(&mut self) -> io::Result<()> {
        for index in 0..self.steps().len() {
            for argument in 0..arguments(&self.steps(), index).max(1) {
                self.shorten(index, argument)?;
            }
        }
        Ok(())
    }

    fn shorten(&mut self, index: usize, argument: usize) -> io::Result<()> {
        let mut cut = usize::MAX;
        while cut > 0 {
            let mut shorter = self.steps();
            let bytes = match shorter.get_mut(index) {
                Some(Step::Command { arguments, .. }) if argument > 0 => arguments.get_mut(argument),
                Some(Step::Session(bytes)) if argument == 0 => Some(bytes),
                _ => None,
            };
            let Some(bytes) = bytes.filter(|bytes| bytes.len() > 1) else { return Ok(()) };
            cut = cut.min(bytes.len().div_ceil(2));
            bytes.truncate(bytes.len() - cut);
            if !self.fails(&shorter)? {
                cut /= 2;
            }
        }
        Ok(())
    }
}

fn arguments(steps: &[Step], index: usize) -> usize {
    match steps.get(index) {
        Some(Step::Command { arguments, .. }) => arguments.len(),
        _ => 0,
    }
}
