//! What is counted and logged of a command that has run.

use std::sync::atomic::Ordering::Relaxed;

use ochre_resp::ReplyWriter;

use crate::call::Args;
use crate::client::Client;
use crate::command::{CommandEntry, flags};
use crate::engine::clock_ms;
use crate::error::Error;
use crate::log::{LogEntry, LogKind, shorten};
use crate::monitor;
use crate::sequel::Bill;
use crate::tick;

use super::run::{Performed, Runner};

/// Calls that are accounted for together at most. Reading the clock and counting of each is a tenth of what a short one costs.
const TOGETHER_MAX: u64 = 8;
/// Where the logs are to show shorter commands than this, each is timed by itself, ns.
const TOGETHER_NS: u64 = 1_000_000;
/// A request or a reply from this size on is accounted for by itself, bytes.
pub(super) const SMALL_BYTES: usize = 4096;

impl Runner<'_> {
    /// Statistics and logs of a command that has run, or of several calls of one, whose time is then told apart no
    /// further. `args` are those of the last.
    #[inline]
    pub(super) fn account(
        self,
        client: &mut Client,
        entry: &CommandEntry,
        args: Args<'_>,
        done: Performed,
        start_ns: &mut u64,
    ) {
        let took_ns = tick::lap(start_ns);
        let settings = &self.engine.settings;
        self.count(entry, done, took_ns);
        client.shared.commands.store(client.shared.commands.load(Relaxed) + done.count, Relaxed);
        if took_ns >= settings.remark_time_ns.load(Relaxed)
            || done.reply_bytes as u64 >= settings.remark_reply_bytes.load(Relaxed)
            || args.bytes_max() as u64 >= settings.remark_request_bytes.load(Relaxed)
        {
            let entry_for = |value| log_entry(client, args, value);
            self.note_remarkable(entry, entry_for, took_ns, args.bytes(), done.reply_bytes);
        }
        if !client.redacted.is_empty() {
            client.redacted.clear();
        }
    }

    #[inline]
    fn count(self, entry: &CommandEntry, done: Performed, took_ns: u64) {
        let command = self.context.stats.command(entry.id);
        command.calls.add(done.count);
        command.time_ns.add(took_ns);
        if done.failed {
            command.failed.add(1);
        }
        if self.engine.settings.latency_tracking.load(Relaxed) {
            let histogram = command.histogram.get_or_init(Default::default);
            histogram.record(if done.count == 1 { took_ns } else { took_ns / done.count }, done.count);
        }
    }

    /// Puts off what there is to account for of a command until its reply is complete.
    pub(super) fn put_off(
        self,
        client: &mut Client,
        entry: &CommandEntry,
        args: Args<'_>,
        done: Performed,
        start_ns: &mut u64,
    ) {
        let took_ns = tick::lap(start_ns);
        client.shared.commands.store(client.shared.commands.load(Relaxed) + done.count, Relaxed);
        let bill = Bill {
            command: entry.id,
            count: done.count,
            request_bytes: args.bytes(),
            reply_bytes: done.reply_bytes,
            took_ns,
            entry: log_entry(client, args, 0),
            error: None,
        };
        client.redacted.clear();
        if let Some(promise) = client.promises.last_mut() {
            promise.bill = Some(bill);
        }
    }

    /// Accounts for a command whose reply is complete, or wanted no more.
    pub(super) fn settle_bill(self, bill: Bill) {
        let Some(entry) = self.engine.commands.get(bill.command) else { return };
        if let Some(error) = &bill.error {
            self.count_error(error);
        }
        let done =
            Performed { count: bill.count, failed: bill.error.is_some(), reply_bytes: bill.reply_bytes };
        self.count(entry, done, bill.took_ns);
        let entry_for = |value| LogEntry { time_s: clock_ms() / 1000, value, ..bill.entry.clone() };
        self.note_remarkable(entry, entry_for, bill.took_ns, bill.request_bytes, bill.reply_bytes);
    }

    /// How many calls of one command of a sequence may be accounted for together: as many as cannot hide what the logs are
    /// to show of one of them.
    pub(super) fn account_together(self) -> u64 {
        let settings = &self.engine.settings;
        let is_coarse = settings.remark_time_ns.load(Relaxed) >= TOGETHER_NS
            && settings.remark_reply_bytes.load(Relaxed) >= SMALL_BYTES as u64
            && settings.remark_request_bytes.load(Relaxed) >= SMALL_BYTES as u64;
        if is_coarse { TOGETHER_MAX } else { 1 }
    }

    #[cold]
    fn note_remarkable(
        self,
        entry: &CommandEntry,
        entry_for: impl Fn(i64) -> LogEntry,
        took_ns: u64,
        request_bytes: usize,
        reply_bytes: usize,
    ) {
        let took_us = (took_ns / 1000) as i64;
        let settings = &self.engine.settings;
        let spike_ms = settings.latency_threshold_ms.load(Relaxed);
        if spike_ms > 0 && took_us / 1000 >= spike_ms && !entry.command.is(flags::RUNS_QUEUE) {
            let event = if entry.command.is(flags::FAST) { "fast-command" } else { "command" };
            self.engine.latency.add(event, clock_ms() / 1000, took_us / 1000);
        }
        if entry.command.is(flags::SKIP_SLOWLOG) {
            return;
        }
        let limits = [
            (LogKind::Slow, took_us, &settings.slower_than_us, &settings.slow_max_len),
            (
                LogKind::LargeRequest,
                request_bytes as i64,
                &settings.request_larger_than,
                &settings.large_request_max_len,
            ),
            (
                LogKind::LargeReply,
                reply_bytes as i64,
                &settings.reply_larger_than,
                &settings.large_reply_max_len,
            ),
        ];
        for (kind, value, threshold, max_len) in limits {
            let threshold = threshold.load(Relaxed);
            if threshold >= 0 && value >= threshold {
                self.engine.logs.add(kind, entry_for(value), max_len.load(Relaxed));
            }
        }
    }

    pub(super) fn show_to_monitors(self, client: &Client, args: Args<'_>) {
        if self.engine.monitor_count.load(Relaxed) != 0 {
            monitor::feed(self.engine, client, args);
        }
    }

    pub(super) fn write_error(self, error: &Error, client: &Client, out: &mut Vec<u8>) {
        self.count_error(error);
        ReplyWriter::new(out, client.protocol).error_bytes(error.bytes());
    }

    pub(super) fn count_error(self, error: &Error) {
        self.engine.errors.count(error.code());
        self.engine.stats.error_replies.fetch_add(1, Relaxed);
    }
}

fn log_entry(client: &Client, args: Args<'_>, value: i64) -> LogEntry {
    let mut shortened = shorten(args.iter());
    for index in &client.redacted {
        if let Some(arg) = shortened.get_mut(*index) {
            *arg = b"(redacted)".to_vec();
        }
    }
    LogEntry {
        id: 0,
        time_s: clock_ms() / 1000,
        value,
        args: shortened,
        address: client.shared.address.clone(),
        name: client.shared.names.lock().name.clone().unwrap_or_default(),
    }
}
