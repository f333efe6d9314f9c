//! Names that peers have commands of and this server does not (yet).
//!
//! Whoever comes with a configuration has some of them in it: renamed away, or in the rules of a user. There they are
//! understood, as if they were commands that nobody calls: a rule about one is kept and shown, and allows or denies nothing.
//! Everywhere else (COMMAND, errors) there is no such command. A name leaves the list when its command comes.

/// A name in lower case, and those of its subcommands.
type Absent = (&'static str, &'static [&'static str]);

/// Those of Redis 8.10, with the modules that it is delivered with, and of Valkey 9.1.
#[rustfmt::skip]
const ABSENT: &[Absent] = &[
    // Replication, and what belongs to the server.
    ("backup", &["abort", "cleanup", "help", "list", "seal", "start", "status"]),
    ("failover", &[]),
    ("hotkeys", &["get", "help", "reset", "start", "stop"]),
    ("psync", &[]), ("replconf", &[]), ("replicaof", &[]), ("slaveof", &[]), ("sync", &[]), ("trimslots", &[]),
    // Cluster.
    ("asking", &[]),
    ("cluster", &[
        "addslots", "addslotsrange", "bumpepoch", "cancelslotmigrations", "count-failure-reports",
        "countkeysinslot", "delslots", "delslotsrange", "failover", "flushslot", "flushslots", "forget",
        "getkeysinslot", "getslotmigrations", "help", "info", "keyslot", "links", "meet", "migrateslots",
        "migration", "myid", "myshardid", "nodes", "replicas", "replicate", "reset", "saveconfig",
        "set-config-epoch", "setslot", "shards", "slaves", "slot-stats", "slots", "syncslots",
    ]),
    ("clusterscan", &[]), ("readonly", &[]), ("readwrite", &[]),
    // Hashes.
    ("himport", &["discard", "discardall", "prepare", "set"]),
    // Arrays.
    ("arcount", &[]), ("ardel", &[]), ("ardelrange", &[]), ("arget", &[]), ("argetrange", &[]), ("argrep", &[]),
    ("arinfo", &[]), ("arinsert", &[]), ("arlastitems", &[]), ("arlen", &[]), ("armget", &[]), ("armset", &[]),
    ("arnext", &[]), ("arop", &[]), ("arring", &[]), ("arscan", &[]), ("arseek", &[]), ("arset", &[]),
    // Vector sets.
    ("vadd", &[]), ("vcard", &[]), ("vdim", &[]), ("vemb", &[]), ("vgetattr", &[]), ("vinfo", &[]),
    ("vismember", &[]), ("vlinks", &[]), ("vrandmember", &[]), ("vrange", &[]), ("vrem", &[]), ("vsetattr", &[]),
    ("vsim", &[]),
    // JSON.
    ("json.arrappend", &[]), ("json.arrindex", &[]), ("json.arrinsert", &[]), ("json.arrlen", &[]),
    ("json.arrpop", &[]), ("json.arrtrim", &[]), ("json.clear", &[]), ("json.debug", &[]), ("json.del", &[]),
    ("json.forget", &[]), ("json.get", &[]), ("json.merge", &[]), ("json.mget", &[]), ("json.mset", &[]),
    ("json.numincrby", &[]), ("json.nummultby", &[]), ("json.numpowby", &[]), ("json.objkeys", &[]),
    ("json.objlen", &[]), ("json.resp", &[]), ("json.set", &[]), ("json.strappend", &[]), ("json.strlen", &[]),
    ("json.toggle", &[]), ("json.type", &[]),
    // Search.
    ("ft._aliasaddifnx", &[]), ("ft._aliasdelifx", &[]), ("ft._alterifnx", &[]), ("ft._createifnx", &[]),
    ("ft._dropifx", &[]), ("ft._dropindexifx", &[]), ("ft._list", &[]), ("ft.add", &[]), ("ft.aggregate", &[]),
    ("ft.aliasadd", &[]), ("ft.aliasdel", &[]), ("ft.aliaslist", &[]), ("ft.aliasupdate", &[]), ("ft.alter", &[]),
    ("ft.config", &["get", "help", "set"]),
    ("ft.create", &[]),
    ("ft.cursor", &["del", "gc", "read"]),
    ("ft.del", &[]), ("ft.dictadd", &[]), ("ft.dictdel", &[]), ("ft.dictdump", &[]), ("ft.drop", &[]),
    ("ft.dropindex", &[]), ("ft.explain", &[]), ("ft.explaincli", &[]), ("ft.get", &[]), ("ft.hybrid", &[]),
    ("ft.info", &[]), ("ft.mget", &[]), ("ft.profile", &[]), ("ft.safeadd", &[]), ("ft.search", &[]),
    ("ft.spellcheck", &[]), ("ft.sugadd", &[]), ("ft.sugdel", &[]), ("ft.sugget", &[]), ("ft.suglen", &[]),
    ("ft.synadd", &[]), ("ft.syndump", &[]), ("ft.synupdate", &[]), ("ft.tagvals", &[]),
    // Bloom filters.
    ("bf.add", &[]), ("bf.card", &[]), ("bf.debug", &[]), ("bf.exists", &[]), ("bf.info", &[]),
    ("bf.insert", &[]), ("bf.loadchunk", &[]), ("bf.madd", &[]), ("bf.mexists", &[]), ("bf.reserve", &[]),
    ("bf.scandump", &[]),
    // Cuckoo filters.
    ("cf.add", &[]), ("cf.addnx", &[]), ("cf.compact", &[]), ("cf.count", &[]), ("cf.debug", &[]),
    ("cf.del", &[]), ("cf.exists", &[]), ("cf.info", &[]), ("cf.insert", &[]), ("cf.insertnx", &[]),
    ("cf.loadchunk", &[]), ("cf.mexists", &[]), ("cf.reserve", &[]), ("cf.scandump", &[]),
    // Count-min sketches.
    ("cms.incrby", &[]), ("cms.info", &[]), ("cms.initbydim", &[]), ("cms.initbyprob", &[]), ("cms.merge", &[]),
    ("cms.query", &[]),
    // Top-k.
    ("topk.add", &[]), ("topk.count", &[]), ("topk.incrby", &[]), ("topk.info", &[]), ("topk.list", &[]),
    ("topk.query", &[]), ("topk.reserve", &[]),
    // t-digests.
    ("tdigest.add", &[]), ("tdigest.byrank", &[]), ("tdigest.byrevrank", &[]), ("tdigest.cdf", &[]),
    ("tdigest.create", &[]), ("tdigest.info", &[]), ("tdigest.max", &[]), ("tdigest.merge", &[]),
    ("tdigest.min", &[]), ("tdigest.quantile", &[]), ("tdigest.rank", &[]), ("tdigest.reset", &[]),
    ("tdigest.revrank", &[]), ("tdigest.trimmed_mean", &[]),
    // Time series.
    ("ts.add", &[]), ("ts.alter", &[]), ("ts.create", &[]), ("ts.createrule", &[]), ("ts.decrby", &[]),
    ("ts.del", &[]), ("ts.deleterule", &[]), ("ts.get", &[]), ("ts.incrby", &[]), ("ts.info", &[]),
    ("ts.madd", &[]), ("ts.mget", &[]), ("ts.mrange", &[]), ("ts.mrevrange", &[]), ("ts.nrange", &[]),
    ("ts.nrevrange", &[]), ("ts.queryindex", &[]), ("ts.querylabels", &[]), ("ts.range", &[]), ("ts.read", &[]),
    ("ts.revrange", &[]),
];

/// The names of commands.
pub fn names() -> impl Iterator<Item = &'static str> {
    ABSENT.iter().map(|(name, _)| *name)
}

/// The names of commands and subcommands: `sync`, `cluster|slots`.
pub fn full_names() -> impl Iterator<Item = String> {
    ABSENT.iter().flat_map(|(name, subcommands)| {
        let subcommands = subcommands.iter().map(move |sub| format!("{name}|{sub}"));
        std::iter::once((*name).to_owned()).chain(subcommands)
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::command::CommandTable;
    use crate::family;

    #[test]
    fn a_command_that_is_there_is_not_among_those_that_are_not() {
        let table = CommandTable::new(family::ALL);
        let mut seen = HashSet::new();
        for name in full_names() {
            assert!(table.find_full(name.as_bytes()).is_none(), "{name} is there");
            assert_eq!(name, name.to_ascii_lowercase());
            assert!(seen.insert(name.clone()), "{name} is listed twice");
        }
    }
}
