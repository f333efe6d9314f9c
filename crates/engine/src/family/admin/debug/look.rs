//! DEBUG subcommands that show what is inside.

use std::fmt::Write as _;
use std::sync::atomic::Ordering::Relaxed;

use ochre_config::ClientMemoryLimit;
use ochre_keyspace::{Entry, EntryRef, Random, ValueRef, access};
use ochre_types::list::{List, ListLimits, QuicklistFigures};
use ochre_types::{Case, Object, ObjectRef, glob_match};

use crate::call::{Call, integer};
use crate::client::{Client, ClientShared};
use crate::error::{Error, NO_SUCH_KEY};
use crate::family::lists::list_limits;

/// Runs `f` on the entry of the key that is the third argument, without a trace.
fn with_entry<R>(call: &mut Call<'_, '_>, f: impl FnOnce(EntryRef<'_>) -> R) -> Result<R, Error> {
    let (db, key) = (call.db(), call.view.key(call.args.at(2)));
    call.view.stored(db, key).map(f).ok_or(NO_SUCH_KEY)
}

pub(super) fn object(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let (now_ms, fast, limits) = (call.now_ms(), call.args.is(3, "fast"), list_limits(call.engine));
    let text = with_entry(call, |entry| {
        let address = entry.key().as_ptr() as usize;
        let mut text = format!("Value at:{address:#x} refcount:1 encoding:{}", encoding(entry));
        if !fast {
            text += &format!(" serializedlength:{}", serialized_bytes(entry));
        }
        let idle_s = access::idle_ms(entry.access(), now_ms) / 1000;
        text += &format!(" lru:{} lru_seconds_idle:{idle_s}", entry.access());
        text + &quicklist_figures(entry, &limits)
    })?;
    call.reply.simple(&text);
    Ok(())
}

/// What there is to tell of a list of many nodes; nothing of anything else.
fn quicklist_figures(entry: EntryRef<'_>, limits: &ListLimits) -> String {
    let figures = list_of(entry).and_then(|list| list.quicklist_figures(limits));
    let text = |figures: QuicklistFigures| {
        format!(
            " ql_nodes:{} ql_avg_node:{:.2} ql_listpack_max:{} ql_compressed:{} ql_uncompressed_size:{}",
            figures.nodes,
            figures.elements_per_node,
            figures.listpack_max,
            u8::from(figures.compressed),
            figures.uncompressed_bytes
        )
    };
    figures.map(text).unwrap_or_default()
}

fn list_of(entry: EntryRef<'_>) -> Option<&List> {
    if let ValueRef::Object(ObjectRef::List(list)) = entry.value() { Some(list) } else { None }
}

fn encoding(entry: EntryRef<'_>) -> &'static str {
    match entry.value() {
        ValueRef::Int(_) => "int",
        ValueRef::Bytes { raw: true, .. } => "raw",
        ValueRef::Bytes { raw: false, .. } => "embstr",
        ValueRef::Object(object) => object.encoding_name(),
    }
}

/// Bytes of the value in an RDB file, not compressed: a string is its length and its bytes, or an integer of one, two
/// or four bytes after a byte that says so.
fn serialized_bytes(entry: EntryRef<'_>) -> usize {
    let string = |len: usize| {
        let prefix = match len {
            0..64 => 1,
            64..16384 => 2,
            16384..=0xffff_ffff => 5,
            _ => 9,
        };
        prefix + len
    };
    match entry.value() {
        ValueRef::Int(number) if i8::try_from(number).is_ok() => 2,
        ValueRef::Int(number) if i16::try_from(number).is_ok() => 3,
        ValueRef::Int(number) if i32::try_from(number).is_ok() => 5,
        ValueRef::Int(number) => string(itoa::Buffer::new().format(number).len()),
        ValueRef::Bytes { bytes, .. } => string(bytes.len()),
        ValueRef::Object(ObjectRef::String(bytes)) => string(bytes.len()),
        // What it takes here is near to what it would take there: both are mostly listpacks.
        ValueRef::Object(object) => object.heap_bytes(),
    }
}

/// A key and a small value share the entry's memory, so the value has none of its own and no room left.
pub(super) fn string_sizes(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let text = with_entry(call, |entry| {
        let (len, room, own) = match entry.value() {
            ValueRef::Bytes { bytes, .. } => (bytes.len(), 0, 0),
            ValueRef::Object(ObjectRef::String(bytes)) => {
                (bytes.len(), bytes.capacity() - bytes.len(), bytes.heap_bytes())
            }
            ValueRef::Int(_) | ValueRef::Object(_) => {
                return Err(Error::new("ERR Not an sds encoded string."));
            }
        };
        let (key_len, entry_bytes) = (entry.key().len(), entry.memory_bytes_estimate(usize::MAX) - own);
        Ok(format!(
            "key_sds_len:{key_len}, key_sds_avail:0, key_zmalloc: {entry_bytes}, val_sds_len:{len}, \
             val_sds_avail:{room}, val_zmalloc: {own}"
        ))
    })??;
    call.reply.simple(&text);
    Ok(())
}

pub(super) fn listpack(call: &mut Call<'_, '_>) -> Result<(), Error> {
    if !with_entry(call, encoding)?.starts_with("listpack") {
        return Err(Error::new("ERR Not a listpack encoded object."));
    }
    call.reply.simple("Listpack structure printed on stdout");
    Ok(())
}

/// The nodes go to the log, since the standard output may be anything.
pub(super) fn quicklist(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let nodes = with_entry(call, |entry| {
        let list = list_of(entry).filter(|list| list.encoding_name() == "quicklist")?;
        Some(list.quicklist_nodes().collect::<Vec<_>>())
    })?;
    let nodes = nodes.ok_or(Error::new("ERR Not a quicklist encoded object."))?;
    for (index, (elements, bytes, compressed_bytes)) in nodes.iter().enumerate() {
        log::debug!("Node {index}: {elements} elements, {bytes} bytes, compressed {compressed_bytes:?}");
    }
    call.reply.simple("Quicklist structure printed on stdout");
    Ok(())
}

/// Tables have no chains, so there are none to be told of.
pub(super) fn table_figures_of_key(call: &mut Call<'_, '_>) -> Result<(), Error> {
    const NO_TABLE: Error =
        Error::new("ERR The value stored at the specified key is not represented using an hash table");
    let (slots, elements) = with_entry(call, |entry| match entry.value() {
        ValueRef::Object(object) => Some((table_slots(object)?, object.size())),
        _ => None,
    })?
    .ok_or(NO_TABLE)?;
    let mut text = String::new();
    write_table_figures(&mut text, slots, elements);
    call.reply.verbatim("txt", text.as_bytes());
    Ok(())
}

fn table_slots(object: ObjectRef<'_>) -> Option<usize> {
    match object {
        ObjectRef::Set(set) => set.table_slots(),
        ObjectRef::Hash(hash) => hash.table_slots(),
        ObjectRef::ZSet(zset) => zset.table_slots(),
        ObjectRef::String(_) | ObjectRef::List(_) | ObjectRef::Stream(_) => None,
    }
}

fn write_table_figures(text: &mut String, slots: usize, elements: usize) {
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        "Hash table 0 stats (main hash table):\n table size: {slots}\n number of elements: {elements}"
    );
}

/// There is one table per stripe, and expiring keys have none of their own: the sums are shown as if there were.
pub(super) fn table_figures(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let db = integer(call.args.at(2))?;
    let count = call.engine.keyspace.databases() as i64;
    let db = Some(db).filter(|db| (0..count).contains(db)).ok_or(Error::new("ERR Out of range database"))?;
    let size = call.view.database_size(db as u32);
    let mut text = String::new();
    for (title, elements) in [("Dictionary", size.keys), ("Expires", size.expiring)] {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "[{title} HT]");
        if elements > 0 {
            write_table_figures(&mut text, size.slots, elements);
        }
    }
    call.reply.verbatim("txt", text.as_bytes());
    Ok(())
}

/// Sizes of what most memory goes into. `bits` is what test suites look for.
pub(super) fn sizes(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let sizes = format!(
        "bits:{} entry:{} object:{} client:{} client_shared:{} ",
        usize::BITS,
        size_of::<Entry>(),
        size_of::<Object>(),
        size_of::<Client>(),
        size_of::<ClientShared>()
    );
    call.reply.bulk(sizes.as_bytes());
    Ok(())
}

/// Client eviction looks at clients by powers of two of their memory.
const SMALLEST_LOG: u32 = 15;
const LARGEST_LOG: u32 = 33;

pub(super) fn client_eviction(call: &mut Call<'_, '_>) -> Result<(), Error> {
    if call.engine.config.read().maxmemory_clients() == ClientMemoryLimit::None {
        return Err(Error::new("ERR maxmemory-clients is disabled."));
    }
    let mut classes = [(0usize, 0usize); (LARGEST_LOG - SMALLEST_LOG + 1) as usize];
    for client in call.engine.clients.list() {
        let bytes = client.memory_bytes.load(Relaxed);
        let log = bytes.checked_ilog2().map_or(0, |log| log + 1).clamp(SMALLEST_LOG, LARGEST_LOG);
        let class = &mut classes[(log - SMALLEST_LOG) as usize];
        *class = (class.0 + bytes, class.1 + 1);
    }
    let mut text = String::new();
    for (log, (bytes, clients)) in (SMALLEST_LOG..).zip(classes) {
        let from = if log == SMALLEST_LOG { 0 } else { 1u64 << (log - 1) };
        let to = match log {
            LARGEST_LOG => "+            : ".to_owned(),
            _ => format!(" - {:>10}: ", (1u64 << log) - 1),
        };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "bucket {from:>10}{to}tot-mem: {bytes:>10}, clients: {clients}");
    }
    call.reply.verbatim("txt", text.as_bytes());
    Ok(())
}

/// Matches random patterns against random texts: it must come to an end without a panic.
pub(super) fn try_patterns(call: &mut Call<'_, '_>) -> Result<(), Error> {
    const TRIES: usize = 100_000;
    let mut random = Random::new(call.now_ms() as u64);
    let mut draw = |len: usize| -> Vec<u8> {
        let letters = b"*?[]-\\^abc\0\xff";
        (0..len).map(|_| letters[random.below(letters.len())]).collect()
    };
    let matches = (0..TRIES).filter(|try_| glob_match(&draw(try_ % 12), &draw(try_ % 17), Case::Sensitive));
    log::debug!("DEBUG STRINGMATCH-TEST: {} of {TRIES} patterns matched.", matches.count());
    call.reply.simple("Apparently the server did not crash: test passed");
    Ok(())
}
