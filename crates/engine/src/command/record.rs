//! What is known of a command, as data.
//!
//! A record stands beside its handler in the file of its family. From the records come dispatch, COMMAND and its
//! subcommands, ACL categories, cluster routing, the locks of a command and the hints of the command line tool.

use crate::call::{Args, Handler};

/// A command or a subcommand.
#[derive(Clone, Copy)]
pub struct Command {
    /// Lower-case name; of a subcommand only its own word.
    pub name: &'static str,
    /// One line, in our own words.
    pub summary: &'static str,
    /// The Redis version that brought it.
    pub since: &'static str,
    /// Where it is documented.
    pub group: Group,
    /// Time complexity.
    pub complexity: &'static str,
    /// Number of arguments with the name (and of a subcommand with its container's); negative: at least so many.
    pub arity: i16,
    /// What it is like; a union of [`flags`] bits.
    pub flags: u64,
    /// ACL categories beyond those that follow from the flags; a union of [`acl`] bits.
    pub acl: u32,
    /// Where its keys are.
    pub keys: &'static [KeySpec],
    /// Hints for clients and proxies.
    pub tips: &'static [&'static str],
    /// The tree of its arguments.
    pub args: &'static [Arg],
    /// What changed when.
    pub history: &'static [(&'static str, &'static str)],
    /// If it is deprecated: since when and what to use instead.
    pub deprecated: Option<(&'static str, &'static str)>,
    /// With which arguments it reaches keys that no argument names (with [`flags::MAY_REACH_ALL`]).
    pub reaches_all: fn(Args<'_>) -> bool,
    /// Its subcommands.
    pub subcommands: &'static [Command],
    /// What runs it.
    pub handler: Handler,
}

impl Command {
    /// A record to fill in the rest of another from (`..Command::BASE`).
    pub const BASE: Command = Command {
        name: "",
        summary: "",
        since: "1.0.0",
        group: Group::Generic,
        complexity: "O(1)",
        arity: 1,
        flags: 0,
        acl: 0,
        keys: &[],
        tips: &[],
        args: &[],
        history: &[],
        deprecated: None,
        reaches_all: |_| false,
        subcommands: &[],
        handler: crate::call::unknown_subcommand,
    };

    /// Whether all of the given flag bits are set.
    #[inline]
    pub const fn is(&self, bits: u64) -> bool {
        self.flags & bits == bits
    }

    /// Whether a request of `len` arguments, the name among them, has the right number.
    #[inline]
    pub const fn accepts(&self, len: usize) -> bool {
        if self.arity >= 0 { len == self.arity as usize } else { len >= self.arity.unsigned_abs() as usize }
    }
}

/// Command flags. The first are those that COMMAND INFO names.
pub mod flags {
    /// Changes the data set.
    pub const WRITE: u64 = 1 << 0;
    /// Reads the data set.
    pub const READONLY: u64 = 1 << 1;
    /// Refused when memory has run out.
    pub const DENYOOM: u64 = 1 << 2;
    /// For administrators.
    pub const ADMIN: u64 = 1 << 3;
    /// Works on channels.
    pub const PUBSUB: u64 = 1 << 4;
    /// Not allowed in scripts.
    pub const NOSCRIPT: u64 = 1 << 5;
    /// May block the client.
    pub const BLOCKING: u64 = 1 << 6;
    /// Allowed while the data set is being loaded.
    pub const LOADING: u64 = 1 << 7;
    /// Allowed on a replica with stale data.
    pub const STALE: u64 = 1 << 8;
    /// Not shown by MONITOR.
    pub const SKIP_MONITOR: u64 = 1 << 9;
    /// Not kept in the slow log.
    pub const SKIP_SLOWLOG: u64 = 1 << 10;
    /// Allowed on an importing slot without ASKING.
    pub const ASKING: u64 = 1 << 11;
    /// Takes constant or logarithmic time.
    pub const FAST: u64 = 1 << 12;
    /// Allowed without authentication.
    pub const NO_AUTH: u64 = 1 << 13;
    /// May replicate although it does not write.
    pub const MAY_REPLICATE: u64 = 1 << 14;
    /// Known to Sentinel.
    pub const SENTINEL: u64 = 1 << 15;
    /// Known to Sentinel only.
    pub const ONLY_SENTINEL: u64 = 1 << 16;
    /// Its key arguments are optional.
    pub const NO_MANDATORY_KEYS: u64 = 1 << 17;
    /// Off unless enabled in the configuration.
    pub const PROTECTED: u64 = 1 << 18;
    /// Refused while loading in the background.
    pub const NO_ASYNC_LOADING: u64 = 1 << 19;
    /// Not allowed in a transaction.
    pub const NO_MULTI: u64 = 1 << 20;
    /// Allowed while a script runs too long.
    pub const ALLOW_BUSY: u64 = 1 << 21;
    /// Keys are found by looking at the arguments.
    pub const MOVABLE_KEYS: u64 = 1 << 22;
    /// Its arguments are hidden from logs.
    pub const SENSITIVE: u64 = 1 << 23;

    /// Needs every stripe locked.
    pub const WHOLE_KEYSPACE: u64 = 1 << 40;
    /// Runs at once also inside MULTI (EXEC, DISCARD, WATCH, ...).
    pub const NOT_QUEUED: u64 = 1 << 41;
    /// Runs the queue of a transaction (EXEC).
    pub const RUNS_QUEUE: u64 = 1 << 42;
    /// Walks the keyspace, locking one stripe after the other by itself. Where other commands' stripes are locked at the
    /// same time (in a transaction), all have to be.
    pub const WALKS_KEYSPACE: u64 = 1 << 48;
    /// Needs every stripe locked with some arguments: [`super::Command::reaches_all`] tells.
    pub const MAY_REACH_ALL: u64 = 1 << 49;
    /// Runs a script or a function: its flags depend on what that declares.
    pub const RUNS_SCRIPT: u64 = 1 << 50;
    /// Takes long now and then, which neither its arguments nor its reply show: each call is timed by itself.
    pub const UNEVEN: u64 = 1 << 51;
}

/// ACL categories, by bit; the order is Redis's.
pub mod acl {
    /// Keys of any type.
    pub const KEYSPACE: u32 = 1 << 0;
    /// Reads.
    pub const READ: u32 = 1 << 1;
    /// Writes.
    pub const WRITE: u32 = 1 << 2;
    /// Sets.
    pub const SET: u32 = 1 << 3;
    /// Sorted sets.
    pub const SORTED_SET: u32 = 1 << 4;
    /// Lists.
    pub const LIST: u32 = 1 << 5;
    /// Hashes.
    pub const HASH: u32 = 1 << 6;
    /// Strings.
    pub const STRING: u32 = 1 << 7;
    /// Bitmaps.
    pub const BITMAP: u32 = 1 << 8;
    /// HyperLogLogs.
    pub const HYPERLOGLOG: u32 = 1 << 9;
    /// Geospatial indexes.
    pub const GEO: u32 = 1 << 10;
    /// Streams.
    pub const STREAM: u32 = 1 << 11;
    /// Channels.
    pub const PUBSUB: u32 = 1 << 12;
    /// For administrators.
    pub const ADMIN: u32 = 1 << 13;
    /// Constant or logarithmic time.
    pub const FAST: u32 = 1 << 14;
    /// All others.
    pub const SLOW: u32 = 1 << 15;
    /// May block.
    pub const BLOCKING: u32 = 1 << 16;
    /// Can harm a server.
    pub const DANGEROUS: u32 = 1 << 17;
    /// About the connection itself.
    pub const CONNECTION: u32 = 1 << 18;
    /// Transactions.
    pub const TRANSACTION: u32 = 1 << 19;
    /// Scripts.
    pub const SCRIPTING: u32 = 1 << 20;

    /// The names, in bit order.
    pub const NAMES: [&str; 21] = [
        "keyspace",
        "read",
        "write",
        "set",
        "sortedset",
        "list",
        "hash",
        "string",
        "bitmap",
        "hyperloglog",
        "geo",
        "stream",
        "pubsub",
        "admin",
        "fast",
        "slow",
        "blocking",
        "dangerous",
        "connection",
        "transaction",
        "scripting",
    ];
}

/// Where a command is documented.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Group {
    /// Keys of any type.
    Generic,
    /// Strings.
    String,
    /// Lists.
    List,
    /// Sets.
    Set,
    /// Sorted sets.
    SortedSet,
    /// Hashes.
    Hash,
    /// Channels.
    Pubsub,
    /// Transactions.
    Transactions,
    /// Connections.
    Connection,
    /// The server.
    Server,
    /// Scripts.
    Scripting,
    /// HyperLogLogs.
    Hyperloglog,
    /// Cluster.
    Cluster,
    /// Geospatial indexes.
    Geo,
    /// Streams.
    Stream,
    /// Bitmaps.
    Bitmap,
}

impl Group {
    /// The name that COMMAND DOCS shows.
    pub const fn name(self) -> &'static str {
        match self {
            Group::Generic => "generic",
            Group::String => "string",
            Group::List => "list",
            Group::Set => "set",
            Group::SortedSet => "sorted-set",
            Group::Hash => "hash",
            Group::Pubsub => "pubsub",
            Group::Transactions => "transactions",
            Group::Connection => "connection",
            Group::Server => "server",
            Group::Scripting => "scripting",
            Group::Hyperloglog => "hyperloglog",
            Group::Cluster => "cluster",
            Group::Geo => "geo",
            Group::Stream => "stream",
            Group::Bitmap => "bitmap",
        }
    }
}

/// Where some of a command's keys are (documentation: "Command key specifications").
#[derive(Clone, Copy, Debug)]
pub struct KeySpec {
    /// Where the search begins.
    pub begin: Begin,
    /// How keys follow from there.
    pub find: Find,
    /// What the command does to them; a union of [`key_flags`] bits.
    pub flags: u32,
    /// A note for readers of COMMAND INFO.
    pub notes: &'static str,
}

impl KeySpec {
    /// One key as the first argument.
    pub const fn first(flags: u32) -> KeySpec {
        KeySpec::at(1, flags)
    }

    /// One key at an index.
    pub const fn at(index: u16, flags: u32) -> KeySpec {
        KeySpec {
            begin: Begin::Index(index),
            find: Find::Range { last: 0, step: 1, limit: 0 },
            flags,
            notes: "",
        }
    }

    /// Keys from an index to the end, every `step`-th argument.
    pub const fn from(index: u16, step: u16, flags: u32) -> KeySpec {
        KeySpec {
            begin: Begin::Index(index),
            find: Find::Range { last: -1, step, limit: 0 },
            flags,
            notes: "",
        }
    }
}

/// Where the search for keys begins.
#[derive(Clone, Copy, Debug)]
pub enum Begin {
    /// At an argument index.
    Index(u16),
    /// At an argument index, if something holds of the arguments. Clients are told the index.
    IndexIf {
        /// The index.
        index: u16,
        /// What must hold.
        holds: fn(Args<'_>) -> bool,
    },
    /// After a keyword, which the command's own grammar finds. Clients are told where they may search.
    KeywordAt {
        /// The word.
        word: &'static str,
        /// Where to search from.
        from: i16,
        /// The index of what follows it.
        find: fn(Args<'_>) -> Option<usize>,
    },
    /// After a keyword, which is searched from an index (negative: from the end, backwards).
    Keyword {
        /// The word.
        word: &'static str,
        /// Where to search from.
        from: i16,
    },
    /// After a keyword, and after each other occurrence of it: which of them counts is the command's own grammar. All are
    /// keys; clients are told of the first only.
    EachKeyword {
        /// The word.
        word: &'static str,
        /// Where to search from.
        from: u16,
    },
    /// Where the command's own grammar says, which clients cannot be told: to them it is unknown.
    Computed(fn(Args<'_>) -> Option<usize>),
    /// Nobody can tell.
    Unknown,
}

/// How keys follow from the beginning.
#[derive(Clone, Copy, Debug)]
pub enum Find {
    /// Up to an index relative to the beginning (negative: from the end of the arguments).
    Range {
        /// The last key.
        last: i16,
        /// The distance from one key to the next.
        step: u16,
        /// If `last` is -1 and this above 1: only the first `1/limit` of the arguments.
        limit: u16,
    },
    /// Preceded by their number.
    KeyNum {
        /// Index of the number, relative to the beginning.
        number: u16,
        /// Index of the first key, relative to the beginning.
        first: u16,
        /// The distance from one key to the next.
        step: u16,
    },
    /// Nobody can tell.
    Unknown,
}

/// What a command does to a key.
pub mod key_flags {
    /// Reads it.
    pub const RO: u32 = 1 << 0;
    /// Reads and writes it.
    pub const RW: u32 = 1 << 1;
    /// Overwrites it whatever it was.
    pub const OW: u32 = 1 << 2;
    /// Removes it.
    pub const RM: u32 = 1 << 3;
    /// Its data reach the reply or another key.
    pub const ACCESS: u32 = 1 << 4;
    /// Its data are changed depending on what they were.
    pub const UPDATE: u32 = 1 << 5;
    /// Data are added, nothing is lost.
    pub const INSERT: u32 = 1 << 6;
    /// Data are removed.
    pub const DELETE: u32 = 1 << 7;
    /// Looks like a key but is not.
    pub const NOT_KEY: u32 = 1 << 8;
    /// There may be more keys than this specification tells.
    pub const INCOMPLETE: u32 = 1 << 9;
    /// The other flags depend on the arguments.
    pub const VARIABLE_FLAGS: u32 = 1 << 10;

    /// The names, in bit order.
    pub const NAMES: [&str; 11] = [
        "RO",
        "RW",
        "OW",
        "RM",
        "access",
        "update",
        "insert",
        "delete",
        "not_key",
        "incomplete",
        "variable_flags",
    ];
}

/// An argument, for COMMAND DOCS.
#[derive(Clone, Copy, Debug)]
pub struct Arg {
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub kind: ArgKind,
    /// The literal that precedes it (or that it is, for a pure token).
    pub token: &'static str,
    /// What is shown instead of the name.
    pub display: &'static str,
    /// One line about it.
    pub summary: &'static str,
    /// The version that brought it.
    pub since: &'static str,
    /// Since when it is deprecated.
    pub deprecated_since: &'static str,
    /// Which key specification it belongs to, for keys.
    pub key_spec: Option<u8>,
    /// May be left out.
    pub optional: bool,
    /// May be given several times.
    pub multiple: bool,
    /// Its token precedes every one of them.
    pub multiple_token: bool,
    /// Its parts, for blocks and choices.
    pub parts: &'static [Arg],
}

/// What an argument is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ArgKind {
    /// Any bytes.
    String,
    /// An integer.
    Integer,
    /// A floating point number.
    Double,
    /// A key.
    Key,
    /// A glob pattern.
    Pattern,
    /// Seconds since 1970.
    UnixTime,
    /// A literal word.
    PureToken,
    /// One of its parts.
    OneOf,
    /// All of its parts in order.
    Block,
}

impl Arg {
    /// A plain argument; chain the methods below to say more.
    pub const fn new(name: &'static str, kind: ArgKind) -> Arg {
        Arg {
            name,
            kind,
            token: "",
            display: "",
            summary: "",
            since: "",
            deprecated_since: "",
            key_spec: None,
            optional: false,
            multiple: false,
            multiple_token: false,
            parts: &[],
        }
    }

    /// A key that belongs to the `spec`-th key specification.
    pub const fn key(name: &'static str, spec: u8) -> Arg {
        Arg { key_spec: Some(spec), ..Arg::new(name, ArgKind::Key) }
    }

    /// A literal word.
    pub const fn word(name: &'static str, token: &'static str) -> Arg {
        Arg { token, ..Arg::new(name, ArgKind::PureToken) }
    }

    /// One of several.
    pub const fn one_of(name: &'static str, parts: &'static [Arg]) -> Arg {
        Arg { parts, ..Arg::new(name, ArgKind::OneOf) }
    }

    /// Several in a row.
    pub const fn block(name: &'static str, parts: &'static [Arg]) -> Arg {
        Arg { parts, ..Arg::new(name, ArgKind::Block) }
    }

    /// With a literal before it.
    pub const fn token(self, token: &'static str) -> Arg {
        Arg { token, ..self }
    }

    /// Shown under another name.
    pub const fn display(self, display: &'static str) -> Arg {
        Arg { display, ..self }
    }

    /// Brought by a later version than its command.
    pub const fn since(self, since: &'static str) -> Arg {
        Arg { since, ..self }
    }

    /// May be left out.
    pub const fn optional(self) -> Arg {
        Arg { optional: true, ..self }
    }

    /// May be given several times.
    pub const fn multiple(self) -> Arg {
        Arg { multiple: true, ..self }
    }
}
