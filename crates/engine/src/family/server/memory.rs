//! MEMORY: what the data and the server take.

use super::facts::{ClientFigures, Excess, MemoryFigures};
use super::{BASE, memory_doctor, reply_help};
use crate::call::Call;
use crate::command::{Arg, ArgKind, Command, KeySpec, flags, key_flags};
use crate::error::{Error, SYNTAX};
use crate::family::reply_map::ReplyMap;

const ENTRY: Command = Command { since: "4.0.0", arity: 2, ..BASE };
const REPORT_TIPS: &[&str] =
    &["nondeterministic_output", "request_policy:all_shards", "response_policy:special"];

pub(super) const MEMORY: Command = Command {
    name: "memory",
    summary: "Holds the commands about memory.",
    complexity: "That of the subcommand.",
    arity: -2,
    subcommands: &[STATS, MALLOC_STATS, DOCTOR, USAGE, PURGE, HELP],
    ..ENTRY
};

const USAGE: Command = Command {
    name: "usage",
    summary: "Estimates the memory that a key and its value take.",
    complexity: "O(N), N being the number of samples.",
    arity: -3,
    flags: flags::READONLY,
    keys: &[KeySpec::at(2, key_flags::RO)],
    args: &[Arg::key("key", 0), Arg::new("count", ArgKind::Integer).token("SAMPLES").optional()],
    handler: usage,
    ..ENTRY
};

/// So many elements are looked at at least: it takes no time that anybody would notice.
const SAMPLES: usize = 1024;

fn usage(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let mut cursor = call.args.cursor(3);
    let mut samples = SAMPLES;
    while !cursor.is_at_end() {
        if !cursor.eat_with_value("SAMPLES") {
            return Err(SYNTAX);
        }
        samples = match usize::try_from(cursor.next_i64()?) {
            Ok(0) => usize::MAX,
            Ok(samples) => samples.max(SAMPLES),
            Err(_) => return Err(SYNTAX),
        };
    }
    let (db, key) = (call.db(), call.key());
    match call.view.peek(db, key) {
        Some(entry) => call.reply.integer(entry.memory_bytes_estimate(samples) as i64),
        None => call.reply.null(),
    }
    Ok(())
}

const STATS: Command = Command {
    name: "stats",
    summary: "Tells what memory is used for.",
    flags: flags::WALKS_KEYSPACE,
    tips: REPORT_TIPS,
    handler: stats,
    ..ENTRY
};

fn stats(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let (clients, databases) = (ClientFigures::collect(call.engine), call.view.figures().databases);
    let memory = MemoryFigures::collect(call.engine, ochre_memory::used_bytes(), &databases, &clients);
    let mut map = ReplyMap::begin(&mut call.reply);
    map.integer("peak.allocated", memory.peak as i64);
    map.integer("total.allocated", memory.used as i64);
    map.integer("startup.allocated", memory.startup as i64);
    map.integer("replication.backlog", 0);
    map.integer("replica.fullsync.buffer", 0);
    map.integer("clients.slaves", clients.replica_bytes as i64);
    map.integer("clients.normal", clients.normal_bytes as i64);
    map.integer("cluster.links", 0);
    let log = call.engine.aof.status();
    map.integer("aof.buffer", log.map_or(0, |log| (log.buffered_bytes + log.unsynced_bytes) as i64));
    let programs = call.engine.scripting.figures();
    map.integer("lua.caches", programs.script_bytes as i64);
    map.integer("functions.caches", programs.function_bytes as i64);
    map.integer("script.VMs", call.engine.interpreter_bytes() as i64);
    for (db, size) in databases.iter().enumerate().filter(|(_, size)| size.table_bytes > 0) {
        // Expiry is part of an entry: there is no second table.
        let mut tables = ReplyMap::begin(map.field(&format!("db.{db}")));
        tables.integer("overhead.hashtable.main", size.table_bytes as i64);
        tables.integer("overhead.hashtable.expires", 0);
        tables.end();
    }
    map.integer("overhead.db.hashtable.lut", memory.slots as i64);
    map.integer("overhead.db.hashtable.rehashing", 0);
    map.integer("overhead.total", memory.overhead as i64);
    map.integer("db.dict.rehashing.count", 0);
    shares(&mut map, &memory);
    map.end();
    Ok(())
}

fn shares(map: &mut ReplyMap<'_, '_>, memory: &MemoryFigures) {
    let since_start = memory.used.saturating_sub(memory.startup);
    map.integer("keys.count", memory.keys as i64);
    map.integer("keys.bytes-per-key", since_start.checked_div(memory.keys as u64).unwrap_or(0) as i64);
    map.integer("dataset.bytes", memory.dataset() as i64);
    map.field("dataset.percentage").double(memory.dataset_percent());
    map.field("peak.percentage").double(memory.peak_percent());
    map.integer("allocator.allocated", memory.allocator.allocated as i64);
    map.integer("allocator.active", memory.allocator.active as i64);
    map.integer("allocator.resident", memory.allocator.resident as i64);
    map.integer("allocator.muzzy", 0);
    let mut excess = |ratio: &str, bytes: &str, excess: Excess| {
        map.field(ratio).double(excess.ratio);
        map.integer(bytes, excess.bytes);
    };
    let inner = memory.allocator_fragmentation();
    excess("allocator-fragmentation.ratio", "allocator-fragmentation.bytes", inner);
    excess("allocator-rss.ratio", "allocator-rss.bytes", memory.allocator_resident());
    excess("rss-overhead.ratio", "rss-overhead.bytes", memory.resident_overhead());
    excess("fragmentation", "fragmentation.bytes", memory.fragmentation());
}

const MALLOC_STATS: Command = Command {
    name: "malloc-stats",
    summary: "Returns the allocator's own statistics.",
    complexity: "Grows with the memory that is allocated",
    tips: REPORT_TIPS,
    handler: malloc_stats,
    ..ENTRY
};

fn malloc_stats(call: &mut Call<'_, '_>) -> Result<(), Error> {
    call.reply.verbatim("txt", ochre_memory::statistics_text().as_bytes());
    Ok(())
}

const DOCTOR: Command = Command {
    name: "doctor",
    summary: "Looks for problems with memory.",
    flags: flags::WALKS_KEYSPACE,
    tips: REPORT_TIPS,
    handler: doctor,
    ..ENTRY
};

fn doctor(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let (clients, databases) = (ClientFigures::collect(call.engine), call.view.figures().databases);
    let memory = MemoryFigures::collect(call.engine, ochre_memory::used_bytes(), &databases, &clients);
    call.reply.verbatim("txt", memory_doctor::report(&memory).as_bytes());
    Ok(())
}

const PURGE: Command = Command {
    name: "purge",
    summary: "Has the allocator return unused memory to the system.",
    complexity: "Grows with the memory that is allocated",
    tips: &["request_policy:all_shards", "response_policy:all_succeeded"],
    handler: purge,
    ..ENTRY
};

fn purge(call: &mut Call<'_, '_>) -> Result<(), Error> {
    ochre_memory::purge();
    call.reply.ok();
    Ok(())
}

const HELP: Command = Command {
    name: "help",
    summary: "Explains the subcommands.",
    flags: flags::LOADING | flags::STALE,
    handler: help,
    ..ENTRY
};

fn help(call: &mut Call<'_, '_>) -> Result<(), Error> {
    const LINES: &[&str] = &[
        "DOCTOR",
        "    Look for problems with memory.",
        "MALLOC-STATS",
        "    Return the allocator's own statistics.",
        "PURGE",
        "    Have the allocator return unused memory to the system.",
        "STATS",
        "    Tell what the server uses memory for.",
        "USAGE <key> [SAMPLES <count>]",
        "    Return the bytes that <key> and its value take. Values know their size:",
        "    <count> elements of a nested value are looked at, but no fewer than 1024; 0: all.",
    ];
    reply_help(call, "MEMORY", LINES)
}

#[cfg(test)]
mod tests {
    use crate::testing::Harness;

    #[test]
    fn usage_is_that_of_the_entry() {
        let mut client = Harness::new();
        client.run("set foo bar");
        client.run_args(&[b"set", b"big", &[b'x'; 10_000]]);
        let cases = [
            ("memory usage foo", ":16|"),
            ("memory usage foo samples 0", ":16|"),
            ("memory usage foo samples 5 SAMPLES 6", ":16|"),
            ("memory usage nokey", "$-1|"),
            ("memory usage foo samples", "-ERR syntax error|"),
            ("memory usage foo samples x", "-ERR value is not an integer or out of range|"),
            ("memory usage foo samples -1", "-ERR syntax error|"),
            ("memory usage foo x 1", "-ERR syntax error|"),
            ("memory usage", "-ERR wrong number of arguments for 'memory|usage' command|"),
        ];
        for (request, reply) in cases {
            assert_eq!(client.run(request), reply, "{request}");
        }
        let big: usize = client.run("memory usage big")[1..].trim_end_matches('|').parse().unwrap();
        assert!((10_000..12_000).contains(&big), "{big}");
    }

    #[test]
    fn stats_are_a_map_with_a_map_per_database() {
        let mut client = Harness::new();
        assert!(client.run("memory stats").starts_with("*66|$14|peak.allocated|:"));
        for request in ["set a b", "select 3", "set a b"] {
            client.run(request);
        }
        client.client.set_protocol(ochre_resp::Protocol::Resp3);
        let reply = client.run("memory stats");
        assert!(reply.starts_with("%35|") && reply.contains("|$10|keys.count|:2|"), "{reply}");
        assert!(reply.contains("|$4|db.3|%2|$23|overhead.hashtable.main|:"), "{reply}");
        assert_eq!(client.run("memory purge"), "+OK|");
        assert!(client.run("memory doctor").contains("|txt:"));
    }
}
