//! What a worker does between rounds: timers, expired keys, memory.

use std::sync::atomic::Ordering::Relaxed;

use ochre_engine::{PauseMode, clock_ms, tick};

use super::{TICK_MS, Worker};
use crate::group::RECEIVE_BYTES;

/// Background work between two rounds, ns.
const SLICE_NS: u64 = 200_000;

impl Worker {
    /// What is done between rounds: timers, expired keys, limits.
    pub(super) fn background(&mut self) {
        let now_ms = clock_ms();
        while let Some((at, token)) = self.deadlines.first().copied()
            && at <= now_ms
        {
            self.time_out(at, token);
        }
        if self.executor.next_alarm_ms() <= now_ms {
            self.executor.ring_alarms(now_ms);
        }
        if self.pause_ends_ms() <= now_ms {
            self.pause_seen_ms = now_ms;
            self.resume();
        }
        if self.sweeping {
            self.sweep(now_ms, SLICE_NS);
        }
        if now_ms >= self.next_tick_ms {
            self.next_tick_ms = now_ms + TICK_MS;
            self.tick(now_ms);
        }
    }

    fn tick(&mut self, now_ms: i64) {
        if self.engine.pause.mode(now_ms) == PauseMode::None {
            self.resume();
        }
        if !self.sweeping {
            self.sweep(now_ms, SLICE_NS);
        }
        self.executor.relieve(now_ms);
        self.executor.relieve_tracking();
        self.check_clients(now_ms);
        self.trim_buffers();
    }

    /// Removes expired keys for a limited time. Goes on between rounds for as long as many of the keys looked at have
    /// expired.
    fn sweep(&mut self, now_ms: i64, budget_ns: u64) {
        let settings = &self.engine.keyspace.settings;
        let is_off = !settings.active_expire.load(Relaxed) || settings.loading.load(Relaxed);
        if is_off || settings.import_mode.load(Relaxed) {
            self.sweeping = false;
            return;
        }
        let start_ns = tick::now_ns();
        let (mut looked_at, mut expired) = (0, 0);
        loop {
            let step = self.executor.sweep(now_ms);
            looked_at += step.looked_at;
            expired += step.expired + step.fields;
            if step.round_ended {
                self.sweeping = false;
                break;
            }
            if tick::now_ns().saturating_sub(start_ns) > budget_ns {
                // More than a tenth has expired: there is more to be had.
                self.sweeping = expired * 10 > looked_at;
                self.executor.context.stats.expire_time_cap_reached.add(1);
                break;
            }
        }
        self.executor.context.stats.expire_ns.add(tick::now_ns().saturating_sub(start_ns));
    }

    /// Gives up what the worker's own buffers have grown by, lest a burst of large replies keeps memory for ever.
    fn trim_buffers(&mut self) {
        self.batch.trim();
        if let Some(desk) = &mut self.desk {
            desk.trim();
        }
        for seat in &mut self.seats {
            for buffer in [&mut seat.input, &mut seat.out] {
                buffer.clear();
                buffer.shrink_to(RECEIVE_BYTES);
            }
        }
    }
}
