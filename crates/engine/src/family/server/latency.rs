//! LATENCY: spikes that the latency monitor has seen, and how long commands take.

use super::info::times;
use super::{BASE, graph, latency_doctor, reply_help};
use crate::call::Call;
use crate::command::{Arg, ArgKind, Command, CommandEntry, flags};
use crate::engine::{Engine, clock_ms};
use crate::error::Error;
use crate::histogram::Snapshot;

const ENTRY: Command = Command {
    since: "2.8.13",
    flags: flags::ADMIN | flags::NOSCRIPT | flags::LOADING | flags::STALE,
    tips: &["nondeterministic_output", "request_policy:all_nodes", "response_policy:special"],
    ..BASE
};

pub(super) const LATENCY: Command = Command {
    name: "latency",
    summary: "Holds the commands about latency.",
    since: "2.8.13",
    complexity: "That of the subcommand.",
    arity: -2,
    subcommands: &[GRAPH, LATEST, DOCTOR, HISTORY, RESET, HELP, HISTOGRAM],
    ..BASE
};

const EVENT: Arg = Arg::new("event", ArgKind::String);

const LATEST: Command = Command {
    name: "latest",
    summary: "Returns the latest spike of every event.",
    arity: 2,
    handler: latest,
    ..ENTRY
};

fn latest(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let events = call.engine.latency.all();
    call.reply.array(events.len());
    for (name, spikes) in events {
        let (time_s, latency_ms) = spikes.history.back().copied().unwrap_or_default();
        call.reply.array(4);
        call.reply.bulk(name.as_bytes());
        [time_s, latency_ms, spikes.max_ms].into_iter().for_each(|number| call.reply.integer(number));
    }
    Ok(())
}

const HISTORY: Command = Command {
    name: "history",
    summary: "Returns the spikes of an event.",
    arity: 3,
    args: &[EVENT],
    handler: history,
    ..ENTRY
};

fn history(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let spikes = call.engine.latency.event(&event_name(call)).unwrap_or_default();
    call.reply.array(spikes.history.len());
    for (time_s, latency_ms) in spikes.history {
        call.reply.array(2);
        call.reply.integer(time_s);
        call.reply.integer(latency_ms);
    }
    Ok(())
}

fn event_name(call: &Call<'_, '_>) -> String {
    String::from_utf8_lossy(call.args.at(2)).into_owned()
}

const GRAPH: Command = Command {
    name: "graph",
    summary: "Draws the spikes of an event.",
    arity: 3,
    args: &[EVENT],
    handler: draw,
    ..ENTRY
};

fn draw(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let name = event_name(call);
    let Some(spikes) = call.engine.latency.event(&name) else {
        return Err(Error::quoting("ERR No samples available for event '", call.args.at(2), "'"));
    };
    call.reply.verbatim("txt", graph::draw(&name, &spikes, clock_ms() / 1000).as_bytes());
    Ok(())
}

const RESET: Command = Command {
    name: "reset",
    summary: "Forgets the spikes of some or all events.",
    arity: -2,
    tips: &["request_policy:all_nodes", "response_policy:agg_sum"],
    args: &[EVENT.optional().multiple()],
    handler: reset,
    ..ENTRY
};

fn reset(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let (names, monitor) = (call.args.from(2), &call.engine.latency);
    let forgotten = match names.len() {
        0 => monitor.reset(None),
        _ => names.map(|name| monitor.reset(Some(&String::from_utf8_lossy(name)))).sum(),
    };
    call.reply.integer(forgotten as i64);
    Ok(())
}

const DOCTOR: Command = Command {
    name: "doctor",
    summary: "Explains the spikes and what can be done about them.",
    arity: 2,
    handler: doctor,
    ..ENTRY
};

fn doctor(call: &mut Call<'_, '_>) -> Result<(), Error> {
    call.reply.verbatim("txt", latency_doctor::report(call.engine).as_bytes());
    Ok(())
}

const HISTOGRAM: Command = Command {
    name: "histogram",
    summary: "Returns how the times of some or all commands are distributed.",
    since: "7.0.0",
    complexity: "O(N), N being the number of commands that are shown.",
    arity: -2,
    args: &[Arg::new("command", ArgKind::String).optional().multiple()],
    handler: histogram,
    ..ENTRY
};

fn histogram(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let engine = call.engine;
    let entries: Vec<&CommandEntry> = match call.args.len() {
        2 => engine.commands.all().iter().collect(),
        _ => call.args.from(2).flat_map(|name| named(engine, name)).collect(),
    };
    let rows: Vec<(&CommandEntry, Snapshot)> = entries
        .into_iter()
        .map(|entry| (entry, times(engine, entry)))
        .filter(|(_, times)| times.total() > 0)
        .collect();
    call.reply.map(rows.len());
    for (entry, times) in rows {
        call.reply.bulk(entry.full_name.as_bytes());
        distribution(call, &times);
    }
    Ok(())
}

/// The command of a name with its subcommands; none if there is no such command.
fn named<'e>(engine: &'e Engine, name: &[u8]) -> Vec<&'e CommandEntry> {
    let table = &engine.commands;
    let Some(entry) = table.find_full(name) else { return Vec::new() };
    std::iter::once(entry).chain(table.subcommands_of(entry)).collect()
}

/// Cumulative counts at limits that double, in us; limits within which nothing was added are left out.
fn distribution(call: &mut Call<'_, '_>, times: &Snapshot) {
    const FIRST_NS: u64 = 1024;
    let mut rows = times.doubling(FIRST_NS);
    rows.dedup_by_key(|row| row.1);
    call.reply.map(2);
    call.reply.bulk(b"calls");
    call.reply.integer(times.total() as i64);
    call.reply.bulk(b"histogram_usec");
    call.reply.map(rows.len());
    for (limit_ns, count) in rows {
        // The upper end of the step of a histogram of 128 steps per doubling, in which such limits are shown elsewhere.
        let shown_ns = limit_ns + limit_ns / 128 - 1;
        call.reply.integer((shown_ns / 1000) as i64);
        call.reply.integer(count as i64);
    }
}

const HELP: Command = Command {
    name: "help",
    summary: "Explains the subcommands.",
    since: "2.8.13",
    arity: 2,
    flags: flags::LOADING | flags::STALE,
    handler: help,
    ..BASE
};

fn help(call: &mut Call<'_, '_>) -> Result<(), Error> {
    const LINES: &[&str] = &[
        "DOCTOR",
        "    Explain the spikes and what can be done about them.",
        "GRAPH <event>",
        "    Draw the spikes of <event>.",
        "HISTORY <event>",
        "    Return time and latency of the spikes of <event>.",
        "LATEST",
        "    Return the latest spike of every event.",
        "RESET [<event> ...]",
        "    Forget the spikes of the named events (default: of all).",
        "HISTOGRAM [COMMAND ...]",
        "    Return how the times of the named commands are distributed (default: of all).",
    ];
    reply_help(call, "LATENCY", LINES)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::testing::Harness;

    #[test]
    fn spikes_are_shown_and_forgotten() {
        let mut client = Harness::new();
        let engine = Arc::clone(&client.executor.engine);
        for (time_s, latency_ms) in [(100, 7), (100, 30), (102, 20)] {
            engine.latency.add("command", time_s, latency_ms);
        }
        engine.latency.add("expire-cycle", 50, 9);
        let cases = [
            ("latency latest", "*2|*4|$7|command|:102|:20|:30|*4|$12|expire-cycle|:50|:9|:9|"),
            ("latency history command", "*2|*2|:100|:30|*2|:102|:20|"),
            ("latency history nosuch", "*0|"),
            ("latency graph nosuch", "-ERR No samples available for event 'nosuch'|"),
            ("latency reset nosuch command", ":1|"),
            ("latency reset", ":1|"),
            ("latency latest", "*0|"),
            ("latency help xxx", "-ERR wrong number of arguments for 'latency|help' command|"),
        ];
        for (request, reply) in cases {
            assert_eq!(client.run(request), reply, "{request}");
        }
    }

    #[test]
    fn histograms_are_cumulative() {
        let mut client = Harness::new();
        for request in ["set k v", "get k", "memory usage k", "memory help"] {
            client.run(request);
        }
        assert_eq!(client.run("latency histogram nosuch get|x"), "*0|");
        let reply = client.run("latency histogram nosuch set");
        assert!(reply.starts_with("*2|$3|set|*4|$5|calls|:1|$14|histogram_usec|*2|:"), "{reply}");
        assert!(reply.ends_with("|:1|"), "{reply}");
        let reply = client.run("latency histogram memory");
        assert!(reply.starts_with("*4|") && reply.contains("memory|usage") && reply.contains("memory|help"));
        assert!(client.run("latency histogram memory|usage").starts_with("*2|$12|memory|usage|"));
    }
}
