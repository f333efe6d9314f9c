//! INFO: everything at a glance, in sections.
//!
//! The sections stand in one table, in the order in which they are shown whatever the order in which they are asked
//! for. Nothing here walks all data or holds more than one stripe's lock: figures that need a look at all stripes, all
//! clients or the allocator are taken only if a section shows them, and then once.

mod clients;
mod commands;
mod keysizes;
mod keyspace;
mod memory;
mod persistence;
mod replication;
mod report;
mod server;
mod stats;

pub(super) use commands::times;

use std::cell::OnceCell;

use ochre_keyspace::{Figures, KeySizes};

use super::BASE;
use super::facts::{ClientFigures, MemoryFigures};
use crate::call::{Args, Call};
use crate::command::{Arg, ArgKind, Command, acl, flags};
use crate::engine::Engine;
use crate::error::Error;
use report::Report;

pub(super) const INFO: Command = Command {
    name: "info",
    summary: "Shows figures and facts about the server.",
    arity: -1,
    flags: flags::LOADING | flags::STALE | flags::WALKS_KEYSPACE,
    acl: acl::DANGEROUS,
    tips: &["nondeterministic_output", "request_policy:all_shards", "response_policy:special"],
    args: &[Arg::new("section", ArgKind::String).optional().multiple()],
    history: &[("7.0.0", "Several sections can be asked for at once.")],
    handler: info,
    ..BASE
};

fn info(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let used_bytes = ochre_memory::used_bytes();
    let sections: Vec<&Section> = SECTIONS.iter().filter(|section| section.is_asked(call.args)).collect();
    let figures = match sections.iter().any(|section| section.needs_figures) {
        true => call.view.figures(),
        false => Figures::default(),
    };
    let shows_sizes = sections.iter().any(|section| section.title == KEYSIZES);
    let key_sizes = shows_sizes.then(|| call.view.key_sizes());
    let scene = Scene {
        engine: call.engine,
        now_ms: call.now_ms(),
        used_bytes,
        figures,
        key_sizes,
        clients: OnceCell::new(),
        memory: OnceCell::new(),
    };
    let mut report = Report::default();
    for section in sections {
        report.section(section.title);
        (section.write)(&scene, &mut report);
    }
    call.reply.verbatim("txt", report.into_text().as_bytes());
    Ok(())
}

/// What the sections are written from.
struct Scene<'e> {
    engine: &'e Engine,
    now_ms: i64,
    /// Bytes in use before the reply was begun, which takes some itself.
    used_bytes: usize,
    figures: Figures,
    key_sizes: Option<KeySizes>,
    clients: OnceCell<ClientFigures>,
    memory: OnceCell<MemoryFigures>,
}

impl Scene<'_> {
    fn clients(&self) -> &ClientFigures {
        self.clients.get_or_init(|| ClientFigures::collect(self.engine))
    }

    fn memory(&self) -> &MemoryFigures {
        let collect =
            || MemoryFigures::collect(self.engine, self.used_bytes, &self.figures.databases, self.clients());
        self.memory.get_or_init(collect)
    }
}

/// Which of `default`, `all` and `everything` include a section.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shown {
    ByDefault,
    InAll,
    WhenNamed,
}

struct Section {
    title: &'static str,
    shown: Shown,
    needs_figures: bool,
    write: fn(&Scene<'_>, &mut Report),
}

const fn section(title: &'static str, write: fn(&Scene<'_>, &mut Report)) -> Section {
    Section { title, shown: Shown::ByDefault, needs_figures: false, write }
}

impl Section {
    const fn with_figures(self) -> Section {
        Section { needs_figures: true, ..self }
    }

    const fn shown(self, shown: Shown) -> Section {
        Section { shown, ..self }
    }

    fn is_asked(&self, args: Args<'_>) -> bool {
        let by_default = self.shown == Shown::ByDefault;
        let asks = |word: &[u8]| match word.to_ascii_lowercase().as_slice() {
            b"default" => by_default,
            b"all" | b"everything" => self.shown != Shown::WhenNamed,
            word => word.eq_ignore_ascii_case(self.title.as_bytes()),
        };
        (args.len() == 1 && by_default) || args.from(1).any(asks)
    }
}

/// The one section that is made from a look at values.
const KEYSIZES: &str = "Keysizes";

const SECTIONS: &[Section] = &[
    section("Server", server::server),
    section("Clients", clients::clients).with_figures(),
    section("Memory", memory::memory).with_figures(),
    section("Persistence", persistence::persistence).with_figures(),
    section("Threads", server::threads),
    section("Stats", stats::stats).with_figures(),
    section("Replication", replication::replication),
    section("CPU", server::cpu),
    section("Hotkeys", nothing),
    section("Modules", nothing),
    section("Commandstats", commands::command_stats).shown(Shown::InAll),
    section("Errorstats", commands::error_stats),
    section("Latencystats", commands::latency_stats).shown(Shown::InAll),
    section("Cluster", server::cluster),
    section("Keyspace", keyspace::keyspace).with_figures(),
    section(KEYSIZES, keysizes::keysizes),
    section("Debug", stats::debug).shown(Shown::WhenNamed),
];

/// A section with nothing to show.
fn nothing(_: &Scene<'_>, _: &mut Report) {}

#[cfg(test)]
mod tests {
    use crate::testing::Harness;

    fn titles(text: &str) -> Vec<&str> {
        text.split('|').filter_map(|line| line.strip_prefix("# ")).collect()
    }

    fn field<'t>(text: &'t str, name: &str) -> &'t str {
        let value = text.split('|').find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        value.unwrap_or_else(|| panic!("no {name} in {text}"))
    }

    #[test]
    fn sections_come_in_their_own_order_and_once() {
        let mut client = Harness::new();
        let cases = [
            ("info nosuch", &[][..]),
            ("info CPU cpu", &["CPU"]),
            ("info keyspace server nosuch", &["Server", "Keyspace"]),
            ("info debug", &["Debug"]),
        ];
        for (request, expected) in cases {
            assert_eq!(titles(&client.run(request)), expected, "{request}");
        }
        let (default, all) = (client.run("info"), client.run("info all cpu"));
        assert_eq!(titles(&default), titles(&client.run("info default cpu")));
        assert_eq!((titles(&default).len(), titles(&all).len()), (14, 16));
        assert_eq!(titles(&all), titles(&client.run("info everything")));
        assert!(all.contains("||# Clients|") && all.starts_with('$'));
    }

    #[test]
    fn no_field_comes_twice() {
        let text = Harness::new().run("info everything debug");
        let mut names: Vec<&str> =
            text.split('|').filter_map(|line| line.split_once(':')).map(|(name, _)| name).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
        assert!(count > 200, "{count}");
    }

    #[test]
    fn figures_are_those_of_what_happened() {
        let mut client = Harness::new();
        for request in ["set k v", "get k", "get nokey", "set k2 v", "get", "nosuch", "watch k k2"] {
            client.run(request);
        }
        let text = client.run("info everything");
        let expected = [
            ("keyspace_hits", "1"),
            ("keyspace_misses", "1"),
            ("total_commands_processed", "5"),
            ("total_error_replies", "2"),
            ("errorstat_ERR", "count=2"),
            ("rdb_changes_since_last_save", "2"),
            ("db0", "keys=2,expires=0,avg_ttl=0,subexpiry=0"),
            ("connected_clients", "1"),
            ("watching_clients", "1"),
            ("total_watched_keys", "2"),
            ("role", "master"),
            ("redis_version", crate::REDIS_VERSION),
        ];
        for (name, value) in expected {
            assert_eq!(field(&text, name), value, "{name}");
        }
        let get = field(&text, "cmdstat_get");
        assert!(
            get.starts_with("calls=2,usec=") && get.ends_with(",rejected_calls=1,failed_calls=0"),
            "{get}"
        );
        assert!(field(&text, "latency_percentiles_usec_get").starts_with("p50="));
    }

    /// What Redis counts for each of these.
    #[test]
    fn requests_count_what_they_do_in_redis() {
        let mut client = Harness::new();
        let rows = [
            ("hset h a 1 b 2 c 3 d 4 e 5", 0, 0, 5),
            ("hexpire h 0 fields 2 a b", 2, 0, 2),
            ("hpexpireat h 1 fields 2 a c", 1, 0, 1),
            ("hgetex h ex 0 fields 2 c d", 1, 0, 1),
            ("hsetex h ex 0 fields 1 x 1", 1, 0, 1),
            ("hsetex h pxat 1 fields 2 x 1 y 1", 2, 0, 2),
            ("hsetex other pxat 1 fields 1 x 1", 1, 0, 1),
            ("hexpire h 100 fields 1 e", 0, 0, 1),
            ("hexpire h 0 fields 1 e", 1, 0, 1),
            ("set s v", 0, 0, 1),
            ("set s v ifeq v", 0, 1, 1),
            ("set s v ifne v", 0, 1, 0),
            ("set s v ifdeq 0000000000000000", 0, 1, 0),
            ("set s v ifdne 0000000000000000", 0, 1, 1),
            ("set s v get ifeq v", 0, 2, 1),
            ("set s v nx", 0, 0, 0),
            ("set none v ifeq v", 0, 0, 0),
            ("rpush l 3 1 2", 0, 0, 3),
            ("sort l store sorted", 0, 1, 3),
            ("geoadd g 1 1 a 1.1 1.1 b", 0, 0, 2),
            ("geosearchstore to g fromlonlat 1 1 byradius 100 km", 0, 1, 2),
            ("georadius g 1 1 100 km store to", 0, 1, 2),
            ("geosearchstore to g fromlonlat 50 50 byradius 1 km", 0, 1, 1),
            ("xadd x 1-1 f v", 0, 0, 1),
            ("xgroup create x g 0", 0, 0, 1),
            ("xautoclaim x g c 0 0", 0, 1, 1),
        ];
        let mut before = [0; 3];
        for (request, fields, hits, changes) in rows {
            client.run(request);
            let text = client.run("info everything");
            let figures = ["expired_subkeys", "keyspace_hits", "rdb_changes_since_last_save"]
                .map(|name| field(&text, name).parse::<i64>().unwrap());
            let added = [0, 1, 2].map(|index| figures[index] - before[index]);
            assert_eq!(added, [fields, hits, changes], "{request}");
            before = figures;
        }
    }

    /// A subcommand that a container does not have is no request of the container's.
    #[test]
    fn what_is_no_command_is_not_rejected_on_anybodys_account() {
        let mut client = Harness::new();
        for request in ["xgroup nosuch", "xgroup", "config nosuch x", "config get"] {
            client.run(request);
        }
        let text = client.run("info commandstats");
        assert!(field(&text, "cmdstat_xgroup").contains(",rejected_calls=1,"), "{text}");
        let config = "|cmdstat_config|get:calls=0,usec=0,usec_per_call=0.00,rejected_calls=1,";
        assert!(text.contains(config), "{text}");
        assert!(!text.contains("cmdstat_config:"), "{text}");
    }

    #[test]
    fn a_transaction_may_ask_while_it_holds_keys() {
        let mut client = Harness::new();
        for request in ["multi", "set k v", "info", "memory stats", "exec"] {
            client.run(request);
        }
        for request in ["multi", "set k v", "info everything"] {
            client.run(request);
        }
        let reply = client.run("exec");
        assert_eq!(field(&reply, "db0"), "keys=1,expires=0,avg_ttl=0,subexpiry=0");
    }

    #[test]
    fn statistics_start_anew() {
        use ochre_keyspace::{Effects, Locks};
        let mut client = Harness::new();
        for request in ["set k v", "get k", "nosuch"] {
            client.run(request);
        }
        let engine = std::sync::Arc::clone(&client.executor.engine);
        let mut effects = Effects::default();
        engine.reset_statistics(&mut engine.keyspace.view(Locks::None, 0, &mut effects));
        let text = client.run("info everything");
        let zero = [
            "keyspace_hits",
            "total_commands_processed",
            "total_error_replies",
            "eventloop_duration_cmd_sum",
        ];
        zero.iter().for_each(|name| assert_eq!(field(&text, name), "0", "{name}"));
        assert_eq!(field(&text, "rdb_changes_since_last_save"), "1");
        assert!(
            !text.contains("cmdstat_")
                && !text.contains("latency_percentiles")
                && !text.contains("errorstat_")
        );
    }
}
