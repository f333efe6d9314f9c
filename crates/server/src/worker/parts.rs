//! Replies that are made in parts, between everything else (see [`ochre_engine::Sequel`]).
//!
//! A client that reads slowly gets its parts as it takes them, so that a reply of a gigabyte needs no gigabyte. But a promise
//! holds on to the value as it was, what is changed meanwhile is kept for it, and the client's further requests wait. So
//! for a client that takes nothing, or takes too long in all, the rest is written at once, and the limits of its
//! output buffer apply, as in Redis. One that has stalled is not waited for again until it reads.

use ochre_engine::{Close, Promise, clock_ms, tick};

use super::Worker;
use crate::connection::{Connection, State};
use crate::rest::Rest;

/// Bytes of a part.
const PART_BYTES: usize = 64 * 1024;
/// Bytes of a part of a reply that is made in one go.
const LARGE_PART_BYTES: usize = 1024 * 1024;
/// No more is made ahead of what the client takes, bytes.
const AHEAD_BYTES_MAX: usize = 1024 * 1024;
/// For so long while it takes nothing, ms.
const PATIENCE_MS: i64 = 300;
/// And for so long in all, ms.
const AGE_MAX_MS: i64 = 5_000;
/// Parts are made for so long between two rounds, ns.
const SLICE_NS: u64 = 300_000;

/// Whether another part of a connection's reply is to be made now.
fn is_due(connection: &Connection, now_ms: i64) -> bool {
    let has_stalled = || connection.stalled_since_ms.is_some_and(|since_ms| now_ms - since_ms >= PATIENCE_MS);
    connection.rest.as_ref().is_some_and(|rest| {
        connection.unsent_bytes() < AHEAD_BYTES_MAX || has_stalled() || rest.age_ms(now_ms) >= AGE_MAX_MS
    })
}

/// Where a connection stands once its reply is complete.
fn state_behind(connection: &Connection) -> State {
    match connection.client.close {
        Close::AfterReply => State::Draining,
        Close::No => State::Open,
    }
}

impl Worker {
    /// Notes that a reply, the beginning of which is in `out`, is to be made in parts from there on.
    pub(super) fn promise(&mut self, token: usize, out: &mut Vec<u8>) {
        let Some(connection) = self.connections.get_mut(token) else { return };
        let promises = connection.client.take_promises();
        let rest = Rest::take(out, promises, clock_ms());
        if self.output_limits.is_hard(connection) {
            // What may wait to be sent is bounded: whether this is too much is to be seen at once, as in Redis.
            return self.make_all_allowed(token, rest, out);
        }
        connection.state = State::Waiting;
        connection.rest = Some(Box::new(rest));
        self.promised.push_back(token);
    }

    /// Makes the rest of a reply in one go, unless that is more than its client may have, which is closed then.
    fn make_all_allowed(&mut self, token: usize, mut rest: Rest, out: &mut Vec<u8>) {
        loop {
            let part = rest.write(out, LARGE_PART_BYTES);
            if let Some(promise) = part.fulfilled {
                self.executor.settle(promise);
            }
            if part.is_last {
                break;
            }
            let connection = self.connections.get(token);
            if connection.is_none_or(|connection| self.output_limits.would_exceed(connection, out.len())) {
                rest.into_promises().for_each(|promise| self.executor.settle(promise));
                out.clear();
                return self.close_for_output(token);
            }
        }
        if let Some(connection) = self.connections.get_mut(token) {
            connection.state = state_behind(connection);
        }
    }

    /// Whether there is a part to be made at once.
    pub(super) fn has_parts_to_make(&self) -> bool {
        let mut connections = self.promised.iter().filter_map(|token| self.connections.get(*token));
        // Without asking for the time: these times are not told to the millisecond.
        connections.any(|connection| is_due(connection, self.now_ms))
    }

    /// Makes parts for all who wait for some, in turn, for a limited time.
    pub(super) fn make_parts(&mut self) {
        if self.promised.is_empty() {
            return;
        }
        let (now_ms, start_ns) = (clock_ms(), tick::now_ns());
        self.now_ms = self.now_ms.max(now_ms);
        for _ in 0..self.promised.len() {
            let Some(token) = self.promised.pop_front() else { return };
            if self.make_part(token, now_ms) {
                self.promised.push_back(token);
            }
            if tick::now_ns().saturating_sub(start_ns) > SLICE_NS {
                return;
            }
        }
    }

    /// Makes a part for a connection, if it is due; whether more is to come.
    fn make_part(&mut self, token: usize, now_ms: i64) -> bool {
        let Some(connection) = self.connections.get_mut(token) else { return false };
        if connection.unsent_bytes() < AHEAD_BYTES_MAX {
            connection.stalled_since_ms = None;
        } else {
            connection.stalled_since_ms.get_or_insert(now_ms);
        }
        let is_due = is_due(connection, now_ms);
        let Some(rest) = connection.rest.as_mut().filter(|_| is_due) else { return true };
        let mut out = Vec::with_capacity(PART_BYTES + PART_BYTES / 8);
        let part = rest.write(&mut out, PART_BYTES);
        if let Some(promise) = part.fulfilled {
            self.executor.settle(promise);
        }
        if part.is_last {
            connection.rest = None;
            connection.state = state_behind(connection);
        }
        self.send(token, &mut out);
        if part.is_last {
            self.requeue(token);
        }
        !part.is_last && self.connections.contains(token)
    }

    /// Gives up what was promised to a connection.
    pub(super) fn forget_parts(&mut self, token: usize, connection: &mut Connection) {
        if let Some(rest) = connection.rest.take() {
            self.promised.retain(|other| *other != token);
            let promises: Vec<Promise> = rest.into_promises().collect();
            promises.into_iter().for_each(|promise| self.executor.settle(promise));
        }
    }
}
