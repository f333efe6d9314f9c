//! A whole run: epoch after epoch, every new class of difference shrunk and reported.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::Instant;

use crate::generate::{self, Plan};
use crate::pair::Pair;
use crate::report::{describe, signature};
use crate::shrink::shrink;
use crate::step::Step;

/// How long and from where.
#[derive(Clone, Copy, Debug)]
pub struct Length {
    /// The seed of the run.
    pub seed: u64,
    /// The first epoch, for repeating one that showed a difference.
    pub first_epoch: u64,
    /// Commands in all.
    pub commands: u64,
    /// Stop after this many classes of differences.
    pub classes_max: usize,
}

/// What a run found: classes of differences with how often each was met.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    /// Commands that were compared.
    pub commands: u64,
    /// Epochs that ended with a difference, by class.
    pub classes: BTreeMap<String, u64>,
}

/// Runs `plan` on `pair` and writes what it finds to `out`.
pub fn run(pair: &mut Pair, plan: Plan<'_>, length: Length, out: &mut dyn Write) -> io::Result<Findings> {
    let began = Instant::now();
    let mut findings = Findings::default();
    let mut epoch = length.first_epoch;
    while findings.commands < length.commands && findings.classes.len() < length.classes_max {
        let steps = generate::epoch(plan, length.seed, epoch);
        let found = pair.run(&steps, plan.exceptions)?;
        findings.commands +=
            found.as_ref().map_or(plan.epoch_commands, |difference| difference.step + 1) as u64;
        if let Some(difference) = found {
            let class = signature(&difference);
            let count = findings.classes.entry(class.clone()).or_default();
            *count += 1;
            if *count == 1 {
                writeln!(
                    out,
                    "DIFFERENCE {class}\n  seed {}, epoch {epoch}, step {}",
                    length.seed, difference.step
                )?;
                write!(out, "{}", describe(&difference))?;
                report_shrunk(pair, plan, &steps, &difference, out)?;
            }
        }
        epoch += 1;
        if (epoch - length.first_epoch).is_multiple_of(50) {
            let seconds = began.elapsed().as_secs_f64();
            writeln!(
                out,
                "{} commands in {seconds:.0} s, {} classes of differences",
                findings.commands,
                findings.classes.len()
            )?;
        }
    }
    Ok(findings)
}

fn report_shrunk(
    pair: &mut Pair,
    plan: Plan<'_>,
    steps: &[Step],
    difference: &crate::pair::Difference,
    out: &mut dyn Write,
) -> io::Result<()> {
    match shrink(pair, steps, difference, plan.exceptions)? {
        None => {
            writeln!(out, "  (not seen again when repeated)\n")?;
            for side in pair.sides() {
                write!(out, "{}", side.log_tail())?;
            }
        }
        Some(reproducer) => {
            writeln!(out, "  reproducer, {} steps:", reproducer.steps.len())?;
            for step in &reproducer.steps {
                writeln!(out, "    {}", step.show())?;
            }
            writeln!(out, "{}", describe(&reproducer.difference))?;
        }
    }
    Ok(())
}
