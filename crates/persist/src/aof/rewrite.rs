//! When the log is rewritten by itself. A decision and its memory; something else acts.

/// What decides: the directives and the sizes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Growth {
    /// `auto-aof-rewrite-percentage`; 0 for never.
    pub percentage: u32,
    /// `auto-aof-rewrite-min-size`, bytes.
    pub size_min: u64,
    /// Bytes of all live files.
    pub size: u64,
    /// Bytes of all live files after the last rewrite.
    pub base_size: u64,
}

impl Growth {
    /// By how many percent the log has grown.
    pub fn percent(&self) -> u64 {
        let base = u128::from(self.base_size.max(1));
        let percent = (u128::from(self.size) * 100 / base).saturating_sub(100);
        u64::try_from(percent).unwrap_or(u64::MAX)
    }

    fn is_enough(&self) -> bool {
        self.percentage > 0 && self.size > self.size_min && self.percent() >= u64::from(self.percentage)
    }
}

/// What to do about a log that may have grown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RewriteDecision {
    /// Nothing.
    Wait,
    /// Nothing for so many minutes from now on, since rewrites have failed again and again; to be logged once.
    Limited {
        /// How long.
        minutes: u64,
    },
    /// Rewrite it: it has grown by so many percent.
    Start {
        /// By how many.
        percent: u64,
    },
}

impl RewriteDecision {
    /// What Redis logs about it.
    pub fn log_line(self) -> Option<String> {
        match self {
            RewriteDecision::Wait => None,
            RewriteDecision::Limited { minutes } => Some(format!(
                "Background AOF rewrite has repeatedly failed and triggered the limit, will retry in {minutes} minutes"
            )),
            RewriteDecision::Start { percent } => {
                Some(format!("Starting automatic rewriting of AOF on {percent}% growth"))
            }
        }
    }
}

/// Failures in a row after which rewrites are limited.
const FAILURES_MAX: u32 = 3;
/// The longest pause between two attempts.
const PAUSE_MINUTES_MAX: u64 = 60;

/// How rewrites went, and until when none is to be tried.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct RewriteHistory {
    failures: u32,
    pause_minutes: u64,
    paused_until_s: Option<u64>,
}

impl RewriteHistory {
    /// Failures since the last success, or since somebody asked for a rewrite.
    pub fn consecutive_failures(&self) -> u32 {
        self.failures
    }

    /// A rewrite failed.
    pub fn failed(&mut self) {
        self.failures = self.failures.saturating_add(1);
    }

    /// A rewrite succeeded, or somebody asked for one: it need not wait.
    pub fn clear(&mut self) {
        *self = RewriteHistory::default();
    }

    /// What to do at this time, in seconds.
    pub fn decide(&mut self, growth: &Growth, now_s: u64) -> RewriteDecision {
        if !growth.is_enough() {
            return RewriteDecision::Wait;
        }
        match self.limit(now_s) {
            None => RewriteDecision::Start { percent: growth.percent() },
            Some(decision) => decision,
        }
    }

    /// A log that was switched on and has no base yet is to be rewritten whatever its size; only failures limit that.
    pub fn decide_first(&mut self, now_s: u64) -> RewriteDecision {
        self.limit(now_s).unwrap_or(RewriteDecision::Start { percent: 0 })
    }

    /// What stands against a rewrite. After each pause there is one attempt, and if it fails the next pause is twice as long.
    fn limit(&mut self, now_s: u64) -> Option<RewriteDecision> {
        if self.failures < FAILURES_MAX {
            (self.pause_minutes, self.paused_until_s) = (0, None);
            return None;
        }
        match self.paused_until_s {
            Some(until) if now_s < until => Some(RewriteDecision::Wait),
            Some(_) => {
                self.paused_until_s = None;
                None
            }
            None => {
                self.pause_minutes = (self.pause_minutes * 2).clamp(1, PAUSE_MINUTES_MAX);
                self.paused_until_s = Some(now_s + self.pause_minutes * 60);
                Some(RewriteDecision::Limited { minutes: self.pause_minutes })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GROWN: Growth = Growth { percentage: 100, size_min: 10, size: 200, base_size: 100 };

    #[test]
    fn grows_by_percent_above_a_size() {
        for (growth, percent, enough) in [
            (GROWN, 100, true),
            (Growth { size: 199, ..GROWN }, 99, false),
            (Growth { size: 50, ..GROWN }, 0, false),
            (Growth { size_min: 200, ..GROWN }, 100, false),
            (Growth { percentage: 0, ..GROWN }, 100, false),
            (Growth { base_size: 0, size: 11, ..GROWN }, 1000, true),
            (Growth { size: u64::MAX, base_size: 1, ..GROWN }, u64::MAX, true),
        ] {
            assert_eq!((growth.percent(), growth.is_enough()), (percent, enough), "{growth:?}");
        }
    }

    #[test]
    fn failures_make_pauses_that_double() {
        let mut history = RewriteHistory::default();
        let mut now_s = 0;
        for _ in 0..3 {
            assert_eq!(history.decide(&GROWN, now_s), RewriteDecision::Start { percent: 100 });
            history.failed();
        }
        for minutes in [1, 2, 4, 8, 16, 32, 60, 60] {
            assert_eq!(history.decide(&GROWN, now_s), RewriteDecision::Limited { minutes });
            assert_eq!(history.decide(&GROWN, now_s + minutes * 60 - 1), RewriteDecision::Wait);
            now_s += minutes * 60;
            assert_eq!(history.decide(&GROWN, now_s), RewriteDecision::Start { percent: 100 });
            history.failed();
        }
        history.clear();
        assert_eq!(history.decide_first(now_s), RewriteDecision::Start { percent: 0 });
    }
}
