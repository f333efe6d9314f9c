//! When the next requests are due: decided here, as a value; the worker only obeys.
//!
//! Closed loop: a connection may send as soon as its last batch is answered. All threads draw from one
//! budget, so that
//! `-n` is exact and a slow thread does not prolong the run.
//! Open loop (`--rate`): request number i is due at start + i/rate, whether or not the server has kept
//! up, and its latency counts from there. A generator that waits for a slow server and then measures only
//! what it sent leaves out exactly the requests that would have suffered ("coordinated omission"). The
//! threads take turns: thread t of T has requests t, t+T, t+2T, ...

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Units that a connection sends together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Turn {
    /// How many.
    pub units: usize,
    /// When the first of them was due; its latency counts from here.
    pub due: Instant,
    /// How much later each next one was due.
    pub interval: Duration,
}

/// What an idle connection shall do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Decision {
    /// Send this.
    Send(Turn),
    /// Nothing is due before that time.
    Wait(Instant),
    /// The run has no more requests.
    Done,
}

/// Units that no thread has taken yet.
#[derive(Debug)]
pub struct Budget {
    taken: AtomicU64,
    limit: u64,
}

impl Budget {
    /// A budget of `limit` units.
    pub fn new(limit: u64) -> Self {
        Self { taken: AtomicU64::new(0), limit }
    }

    fn take(&self, wanted: usize) -> usize {
        let before = self.taken.fetch_add(wanted as u64, Ordering::Relaxed);
        self.limit.saturating_sub(before).min(wanted as u64) as usize
    }
}

/// A thread's share of an open-loop schedule.
#[derive(Debug)]
pub struct Schedule {
    start: Instant,
    /// Seconds between two requests of the whole run.
    step_s: f64,
    /// Number of this thread's next request, and the distance to the one after it.
    next: u64,
    threads: u64,
    limit: u64,
}

impl Schedule {
    /// The share of thread `thread` of `threads` in `limit` requests, `rate` of them per second from
    /// `start` on.
    pub fn new(start: Instant, rate: f64, thread: usize, threads: usize, limit: u64) -> Self {
        Self { start, step_s: 1.0 / rate, next: thread as u64, threads: threads as u64, limit }
    }

    fn due(&self, number: u64) -> Instant {
        self.start + Duration::from_secs_f64((number as f64 * self.step_s).min(1e9))
    }

    fn interval(&self) -> Duration {
        Duration::from_secs_f64((self.threads as f64 * self.step_s).min(1e9))
    }

    fn take(&mut self, now: Instant, wanted: usize) -> Decision {
        if self.next >= self.limit {
            return Decision::Done;
        }
        let due = self.due(self.next);
        if due > now {
            return Decision::Wait(due);
        }
        let mut units = 0;
        while units < wanted && self.next < self.limit && self.due(self.next) <= now {
            units += 1;
            self.next += self.threads;
        }
        Decision::Send(Turn { units, due, interval: self.interval() })
    }
}

/// Hands out turns to the connections of one thread.
#[derive(Debug)]
pub struct Pacer<'run> {
    /// Where closed-loop turns come from.
    pub budget: &'run Budget,
    /// Where open-loop turns come from, if the run has a rate.
    pub schedule: Option<Schedule>,
    /// No turn begins after this.
    pub deadline: Option<Instant>,
    /// Units in a full batch.
    pub pipeline: usize,
}

impl Pacer<'_> {
    /// The turn of a connection that is idle at `now`.
    pub fn next(&mut self, now: Instant) -> Decision {
        let expired = |time: Instant| self.deadline.is_some_and(|deadline| time >= deadline);
        match &mut self.schedule {
            _ if expired(now) => Decision::Done,
            Some(schedule) => match schedule.take(now, self.pipeline) {
                Decision::Wait(until) if expired(until) => Decision::Done,
                decision => decision,
            },
            None => match self.budget.take(self.pipeline) {
                0 => Decision::Done,
                units => Decision::Send(Turn { units, due: now, interval: Duration::ZERO }),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_loop_hands_out_exactly_its_budget() {
        let budget = Budget::new(10);
        let now = Instant::now();
        let mut pacer = Pacer { budget: &budget, schedule: None, deadline: None, pipeline: 4 };
        let units: Vec<usize> = std::iter::from_fn(|| match pacer.next(now) {
            Decision::Send(turn) => Some(turn.units),
            _ => None,
        })
        .collect();
        assert_eq!(units, [4, 4, 2]);
        assert_eq!(pacer.next(now), Decision::Done);
    }

    #[test]
    fn an_open_loop_keeps_its_due_times_when_it_is_late() {
        let (start, budget) = (Instant::now(), Budget::new(0));
        let schedule = Some(Schedule::new(start, 1000.0, 1, 2, 9));
        let mut pacer = Pacer { budget: &budget, schedule, deadline: None, pipeline: 2 };
        let at = |ms| start + Duration::from_millis(ms);
        let turn =
            |units, ms| Decision::Send(Turn { units, due: at(ms), interval: Duration::from_millis(2) });
        assert_eq!(pacer.next(start), Decision::Wait(at(1)));
        assert_eq!(pacer.next(at(1)), turn(1, 1));
        assert_eq!(pacer.next(at(50)), turn(2, 3));
        assert_eq!(pacer.next(at(50)), turn(1, 7));
        assert_eq!(pacer.next(at(50)), Decision::Done);
    }

    #[test]
    fn nothing_begins_after_the_deadline() {
        let (start, budget) = (Instant::now(), Budget::new(u64::MAX));
        let deadline = Some(start + Duration::from_millis(5));
        let mut closed = Pacer { budget: &budget, schedule: None, deadline, pipeline: 1 };
        assert!(matches!(closed.next(start), Decision::Send(_)));
        assert_eq!(closed.next(start + Duration::from_millis(5)), Decision::Done);
        let schedule = Some(Schedule::new(start, 100.0, 0, 1, u64::MAX));
        let mut open = Pacer { budget: &budget, schedule, deadline, pipeline: 1 };
        assert!(matches!(open.next(start), Decision::Send(_)));
        assert_eq!(open.next(start), Decision::Done);
    }
}
