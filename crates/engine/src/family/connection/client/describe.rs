//! A client as a line of CLIENT LIST, and the letters of its flags.
//!
//! Fields and order are those of Redis; Valkey's `capa` stands where Valkey has it. All figures are read from atomics while the
//! client's worker goes on: they fit together only as well as that.

use std::io::Write;
use std::sync::atomic::Ordering::Relaxed;

use smallvec::SmallVec;

use crate::client::{ClientShared, capability, client_flags as bits};
use crate::engine::{Engine, clock_ms};

/// The letters of flag bits, in the order of CLIENT LIST; a client that has any of the bits shows the letter. Between
/// them stand those that do not follow from a bit alone.
const LETTERS: [(u8, u64); 16] = [
    (b'O', bits::MONITOR),
    (b'S', bits::REPLICA),
    (b'M', bits::PRIMARY),
    (b'P', bits::PUBSUB),
    (b'x', bits::MULTI),
    (b'b', bits::BLOCKED | bits::POSTPONED),
    (b't', bits::TRACKING),
    (b'R', bits::BROKEN_REDIRECTION),
    (b'B', bits::BROADCAST),
    (b'd', 0),
    (b'c', bits::CLOSE_AFTER_REPLY),
    (b'A', bits::CLOSE_ASAP),
    (b'U', bits::UNIX_SOCKET),
    (b'r', bits::READONLY),
    (b'e', bits::NO_EVICT),
    (b'T', bits::NO_TOUCH),
];

/// What CLIENT LIST shows under `flags`.
pub(super) fn flag_letters(client: &ClientShared) -> SmallVec<[u8; 16]> {
    let mut flags = client.flags.load(Relaxed);
    if client.wait.is_served() {
        flags &= !bits::BLOCKED;
    }
    let shown = |(letter, bits): &(u8, u64)| match letter {
        b'd' => client.is_dirty(),
        b'A' => flags & bits != 0 || client.is_killed(),
        _ => flags & bits != 0,
    };
    let mut letters: SmallVec<[u8; 16]> =
        LETTERS.iter().filter(|entry| shown(entry)).map(|(letter, _)| *letter).collect();
    if flags & bits::IMPORT_SOURCE != 0 {
        letters.push(b'I');
    }
    if letters.is_empty() {
        letters.push(b'N');
    }
    letters
}

/// What CLIENT LIST shows under `capa`.
pub(super) fn capability_letters(client: &ClientShared) -> &'static [u8] {
    if client.capabilities.load(Relaxed) & capability::REDIRECT != 0 { b"r" } else { b"" }
}

impl Engine {
    /// A client's line of CLIENT LIST without the line end: for the log.
    pub fn describe_client(&self, client: &ClientShared) -> String {
        String::from_utf8_lossy(&self.client_line(client)).into_owned()
    }

    /// The same as bytes: for logs that clients read.
    pub(crate) fn client_line(&self, client: &ClientShared) -> Vec<u8> {
        let mut line = Vec::new();
        describe(&mut line, self, client, clock_ms());
        line.truncate(line.trim_ascii_end().len());
        line
    }
}

/// Appends a client's line, line end included.
pub(super) fn describe(out: &mut Vec<u8>, engine: &Engine, client: &ClientShared, now_ms: i64) {
    identity(out, client, now_ms);
    session(out, client);
    buffers(out, client);
    history(out, engine, client);
    out.push(b'\n');
}

/// Appends ` name=value`; what a client gave itself is bytes, so everything is.
fn field(out: &mut Vec<u8>, name: &str, value: &[u8]) {
    out.extend_from_slice(&[b" ", name.as_bytes(), b"=", value].concat());
}

macro_rules! fields {
    ($out:expr, $($format:literal => $value:expr),+ $(,)?) => {{
        // Writing to a vector cannot fail.
        $(let _ = write!($out, concat!(" ", $format, "={}"), $value);)+
    }};
}

fn identity(out: &mut Vec<u8>, client: &ClientShared, now_ms: i64) {
    let _ = write!(out, "id={} addr={}", client.id, client.address);
    fields!(out, "laddr" => client.local_address, "fd" => client.fd);
    field(out, "name", client.names.lock().name.as_deref().unwrap_or_default());
    fields!(out, "age" => seconds_since(client.created_ms, now_ms),
        "idle" => seconds_since(client.last_interaction_ms.load(Relaxed), now_ms));
}

fn session(out: &mut Vec<u8>, client: &ClientShared) {
    field(out, "flags", &flag_letters(client));
    field(out, "capa", capability_letters(client));
    let [channels, patterns, shard_channels] = &client.subscriptions;
    // As soon as one watched key was changed, the others are of no interest.
    let watched = if client.is_dirty() { 0 } else { client.watched.load(Relaxed) };
    fields!(out,
        "db" => client.db.load(Relaxed),
        "sub" => channels.load(Relaxed),
        "psub" => patterns.load(Relaxed),
        "ssub" => shard_channels.load(Relaxed),
        "multi" => client.queued.load(Relaxed),
        "watch" => watched,
    );
}

fn buffers(out: &mut Vec<u8>, client: &ClientShared) {
    let events = if client.awaits_room.load(Relaxed) { "rw" } else { "r" };
    fields!(out,
        "qbuf" => client.query_bytes.load(Relaxed),
        "qbuf-free" => client.query_free_bytes.load(Relaxed),
        "argv-mem" => client.argument_bytes.load(Relaxed),
        "multi-mem" => client.queued_bytes.load(Relaxed),
        "rbs" => client.reply_buffer_bytes.load(Relaxed),
        "rbp" => client.reply_buffer_peak_bytes.load(Relaxed),
        "obl" => client.reply_used_bytes.load(Relaxed),
        "oll" => client.reply_list_len.load(Relaxed),
        "omem" => client.reply_list_bytes.load(Relaxed),
        "tot-mem" => client.memory_bytes.load(Relaxed),
        "events" => events,
    );
}

fn history(out: &mut Vec<u8>, engine: &Engine, client: &ClientShared) {
    let last = engine.commands.all().get(usize::from(client.last_command.load(Relaxed)));
    field(out, "cmd", last.map_or("NULL", |entry| &entry.full_name).as_bytes());
    let names = client.names.lock();
    field(out, "user", names.user());
    fields!(out, "redir" => redirection(client), "resp" => client.protocol.load(Relaxed));
    field(out, "lib-name", &names.library);
    field(out, "lib-ver", &names.library_version);
    fields!(out,
        "io-thread" => client.worker,
        "tot-net-in" => client.net_in_bytes.load(Relaxed),
        "tot-net-out" => client.net_out_bytes.load(Relaxed),
        "tot-cmds" => client.commands.load(Relaxed),
    );
}

/// What CLIENT LIST and CLIENT GETREDIR say of who hears in a client's place: -1 if nothing is tracked, 0 if it hears itself.
pub(super) fn redirection(client: &ClientShared) -> i64 {
    if client.has(bits::TRACKING) { client.redirection.load(Relaxed) as i64 } else { -1 }
}

/// Whole seconds between two points of unix time in ms, as a clock that shows only seconds counts them.
pub(super) fn seconds_since(then_ms: i64, now_ms: i64) -> i64 {
    (now_ms / 1000).saturating_sub(then_ms / 1000).max(0)
}
