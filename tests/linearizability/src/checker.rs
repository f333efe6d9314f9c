//! Is there an order of the operations, compatible with their times, in which the sequential model gives these replies?
//!
//! The search of Wing and Gong ("Testing and Verifying Concurrent Objects", 1993) with the memory that Lowe added
//! ("Testing for linearizability", 2017): depth first over "which operation came next", where an operation may come
//! next when no other unplaced one had returned before it was invoked. A client is sequential, so a position is one
//! index per client; a position reached again with an equal state is not searched again. The search ends with the
//! first order found, or when no branch is left.

use std::collections::HashSet;

use crate::history::{Event, History};
use crate::model::State;

/// What a check found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Some order explains all replies.
    Linearizable,
    /// No order does.
    Violation,
    /// The search was given up after too many steps; choose smaller rounds.
    Unknown,
}

/// Steps of one search at most; rounds of sensible size need thousands.
const STEPS_MAX: usize = 5_000_000;

/// Checks a history from an empty keyspace. With `Violation` or `Unknown` comes the part that shows it.
pub fn check(history: &History) -> (Verdict, Option<History>) {
    for part in history.parts() {
        let verdict = check_part(&part);
        if verdict != Verdict::Linearizable {
            return (verdict, Some(part));
        }
    }
    (Verdict::Linearizable, None)
}

fn check_part(history: &History) -> Verdict {
    let start = Position {
        next: vec![0; history.clients.len()],
        state: State::new(history.keys, history.clients.len()),
    };
    let mut seen = HashSet::new();
    let mut open = vec![start];
    let mut steps = 0;
    while let Some(position) = open.pop() {
        if position.is_complete(history) {
            return Verdict::Linearizable;
        }
        steps += 1;
        if steps > STEPS_MAX {
            return Verdict::Unknown;
        }
        let followers = position.followers(history);
        open.extend(followers.into_iter().filter(|follower| seen.insert(follower.clone())));
    }
    Verdict::Violation
}

/// How far an order has come: the next event of each client, and the state that the events before led to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Position {
    next: Vec<usize>,
    state: State,
}

impl Position {
    fn is_complete(&self, history: &History) -> bool {
        self.state.is_at_rest()
            && self.next.iter().zip(&history.clients).all(|(next, events)| *next == events.len())
    }

    fn pending<'a>(&self, history: &'a History) -> impl Iterator<Item = &'a Event> {
        self.next
            .iter()
            .zip(&history.clients)
            .filter_map(|(next, events)| events.get(*next))
            .collect::<Vec<_>>()
            .into_iter()
    }

    /// The positions one event further whose reply the model confirms.
    fn followers(&self, history: &History) -> Vec<Self> {
        let horizon_ns = self.pending(history).map(|event| event.returned_ns).min().unwrap_or(u64::MAX);
        let mut candidates: Vec<&Event> =
            self.pending(history).filter(|event| event.invoked_ns <= horizon_ns).collect();
        // The last one is tried first: what returned first most likely happened first.
        candidates.sort_by_key(|event| std::cmp::Reverse(event.returned_ns));
        candidates.into_iter().filter_map(|event| self.after(event)).collect()
    }

    fn after(&self, event: &Event) -> Option<Self> {
        let mut state = self.state.clone();
        if !state.explains(event.client, &event.operation, &event.reply) {
            return None;
        }
        let mut next = self.next.clone();
        next[event.client] += 1;
        Some(Self { next, state })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::Operation::{self, *};
    use ochre_differential::Reply;

    /// (client, operation, reply, invoked, returned)
    type Row = (usize, Operation, Reply, u64, u64);

    fn verdict(rows: Vec<Row>) -> Verdict {
        let mut history = History { keys: 2, clients: vec![Vec::new(); 3] };
        for (client, operation, reply, invoked_ns, returned_ns) in rows {
            history.clients[client].push(Event { client, operation, reply, invoked_ns, returned_ns });
        }
        check(&history).0
    }

    fn bulk(text: &str) -> Reply {
        Reply::Bulk(text.into())
    }

    fn set(value: &str) -> Operation {
        Set(0, value.into())
    }

    const OK: fn() -> Reply = || Reply::Simple(b"OK".to_vec());

    #[test]
    fn accepts_what_some_order_explains() {
        // A read that overlaps a write may see it or not, whichever way others order them.
        for seen in [Reply::Null, bulk("a")] {
            assert_eq!(
                verdict(vec![(0, set("a"), OK(), 0, 10), (1, Get(0), seen, 5, 6)]),
                Verdict::Linearizable
            );
        }
        let rows = vec![(0, Incr(0), Reply::Integer(2), 0, 10), (1, Incr(0), Reply::Integer(1), 9, 12)];
        assert_eq!(verdict(rows), Verdict::Linearizable);
        assert_eq!(verdict(vec![]), Verdict::Linearizable);
    }

    fn push(key: usize, values: &[&str]) -> Operation {
        Push(key, values.iter().map(|value| value.as_bytes().to_vec()).collect())
    }

    fn taken(key: &str, value: &str) -> Reply {
        Reply::Array(vec![bulk(key), bulk(value)])
    }

    #[test]
    fn who_waits_is_served_at_once_and_in_order() {
        let pushed = |at| (2, push(0, &["a"]), Reply::Integer(1), at, at + 1);
        let take = |client, value: &str, from, to| (client, Take(vec![0]), taken("0", value), from, to);
        let range = |values: &[&str], at| {
            (2, Range(0), Reply::Array(values.iter().map(|value| bulk(value)).collect()), at, at + 1)
        };
        // Served by a push that came later; nobody else sees what was pushed.
        assert_eq!(verdict(vec![take(0, "a", 0, 20), pushed(10), range(&[], 12)]), Verdict::Linearizable);
        assert_eq!(verdict(vec![take(0, "a", 0, 20), pushed(10), range(&["a"], 12)]), Verdict::Linearizable);
        // Not where the one who waits must have come before the push.
        let rows = vec![
            (0, Take(vec![0, 1]), taken("0", "a"), 0, 20),
            (1, Take(vec![1]), Reply::Null, 0, 5),
            (0, Range(1), Reply::Array(vec![]), 21, 22),
            pushed(10),
        ];
        assert_eq!(verdict(rows), Verdict::Linearizable);
        // Two elements, two who wait: each gets one.
        let both = (2, push(0, &["a", "b"]), Reply::Integer(2), 10, 11);
        assert_eq!(
            verdict(vec![take(0, "a", 0, 20), take(1, "b", 0, 20), both.clone()]),
            Verdict::Linearizable
        );
        assert_eq!(verdict(vec![take(0, "a", 0, 20), take(1, "a", 0, 20), both.clone()]), Verdict::Violation);
        // Who gave up found nothing, so it did not come after the push.
        let late = (1, Take(vec![0]), Reply::Null, 12, 15);
        assert_eq!(verdict(vec![late.clone(), both.clone()]), Verdict::Violation);
        assert_eq!(verdict(vec![take(0, "c", 0, 20), both]), Verdict::Violation);
    }

    #[test]
    fn what_is_served_comes_before_the_next_operation() {
        // The transaction fills both lists; the move of the first element is served before whoever waits for the second list.
        let fill = Transaction(vec![push(0, &["a"]), push(1, &["b"])]);
        let filled = Reply::Array(vec![Reply::Integer(1), Reply::Integer(1)]);
        let rows = |seen: &str| {
            vec![
                (0, Move(0, 1), bulk("a"), 0, 20),
                (2, fill.clone(), filled.clone(), 10, 11),
                (1, Take(vec![1]), taken("1", seen), 12, 13),
                (2, Range(1), Reply::Array(vec![bulk("a")]), 14, 15),
            ]
        };
        assert_eq!(verdict(rows("b")), Verdict::Linearizable);
        assert_eq!(verdict(rows("a")), Verdict::Violation);
    }

    #[test]
    fn rejects_stale_reads() {
        let rows = vec![(0, set("a"), OK(), 0, 10), (1, Get(0), Reply::Null, 11, 12)];
        assert_eq!(verdict(rows), Verdict::Violation);
    }

    #[test]
    fn rejects_reads_that_go_back() {
        let rows = vec![
            (0, set("a"), OK(), 0, 100),
            (1, Get(0), bulk("a"), 10, 20),
            (2, Get(0), Reply::Null, 30, 40),
        ];
        assert_eq!(verdict(rows), Verdict::Violation);
    }

    #[test]
    fn rejects_lost_updates() {
        let rows = vec![(0, Incr(0), Reply::Integer(1), 0, 10), (1, Incr(0), Reply::Integer(1), 0, 10)];
        assert_eq!(verdict(rows), Verdict::Violation);
    }

    #[test]
    fn rejects_torn_reads() {
        let write = MSet(vec![(0, b"x".to_vec()), (1, b"x".to_vec())]);
        let rows = vec![
            (0, write, OK(), 0, 10),
            (1, MGet(vec![0, 1]), Reply::Array(vec![bulk("x"), Reply::Null]), 0, 10),
        ];
        assert_eq!(verdict(rows), Verdict::Violation);
    }

    #[test]
    fn rejects_a_program_order_that_was_swapped() {
        // Sent in one pipeline, so the times overlap; the client's own order still holds.
        let rows = vec![(0, set("a"), OK(), 0, 10), (0, Get(0), Reply::Null, 0, 10)];
        assert_eq!(verdict(rows), Verdict::Violation);
    }

    #[test]
    fn judges_watched_transactions() {
        let watched = |reply| {
            vec![
                (0, Watch(vec![0]), OK(), 0, 10),
                (1, set("b"), OK(), 20, 30),
                (0, Transaction(vec![set("a")]), reply, 40, 50),
            ]
        };
        assert_eq!(verdict(watched(Reply::Null)), Verdict::Linearizable);
        assert_eq!(verdict(watched(Reply::Array(vec![OK()]))), Verdict::Violation);
        let undisturbed =
            vec![(0, Watch(vec![0]), OK(), 0, 10), (0, Transaction(vec![set("a")]), Reply::Null, 40, 50)];
        assert_eq!(verdict(undisturbed), Verdict::Violation);
    }
}
