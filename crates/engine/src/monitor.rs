//! MONITOR: every command that has run, to whoever reads along.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use ochre_resp::append_quoted;

use crate::call::Args;
use crate::client::Client;
use crate::engine::{Engine, Message, clock_us};

/// Shows a command to all monitors.
#[cold]
pub fn feed(engine: &Engine, client: &Client, args: Args<'_>) {
    let line: Arc<[u8]> = line(client, args).into();
    for (worker, id) in engine.monitors.lock().iter() {
        engine.post(*worker, Message::Send { client: *id, bytes: Arc::clone(&line) });
    }
}

fn line(client: &Client, args: Args<'_>) -> Vec<u8> {
    let now_us = clock_us();
    let mut line = format!("+{}.{:06} [{} ", now_us / 1_000_000, now_us % 1_000_000, client.db).into_bytes();
    let source = if client.in_script { "lua" } else { &client.shared.address };
    line.extend_from_slice(source.as_bytes());
    line.push(b']');
    for (index, arg) in args.iter().enumerate() {
        line.push(b' ');
        append_quoted(&mut line, if client.redacted.contains(&index) { b"(redacted)" } else { arg });
    }
    line.extend_from_slice(b"\r\n");
    line
}

/// Adds a client to the monitors.
pub fn add(engine: &Engine, worker: usize, client: u64) {
    let mut monitors = engine.monitors.lock();
    monitors.push((worker, client));
    engine.monitor_count.store(monitors.len() as u32, Relaxed);
}

/// Removes a client from the monitors, if it is one.
pub fn remove(engine: &Engine, client: u64) {
    let mut monitors = engine.monitors.lock();
    monitors.retain(|(_, id)| *id != client);
    engine.monitor_count.store(monitors.len() as u32, Relaxed);
}
