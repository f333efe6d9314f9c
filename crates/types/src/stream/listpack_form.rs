//! A node as files and peers have it: Redis's stream listpack, made and read when it is needed.
//!
//! ```text
//!   count, deleted, number of names, names.., 0
//!   flags, ms, seq, [number of pairs,] values or pairs.., number of elements before this one       (for each entry)
//! ```
//!
//! `flags` has 1 for a deleted entry and 2 for one with the names of the node; `ms` and `seq` are distances from the
//! node's first ID, which is kept beside the listpack. The last element of an entry lets Redis walk backwards.

use std::iter;

use super::id::StreamId;
use super::node::{Entry, Node};
use crate::listpack::{Corrupt, Item, Iter, Listpack};

const DELETED: i64 = 1;
const SAME_NAMES: i64 = 2;
/// Elements of an entry before its values or pairs: flags and two distances.
const FIXED_ELEMENTS: usize = 3;

/// The node as a listpack. Entries that were removed are not in it.
pub(super) fn write(node: &Node) -> Listpack {
    let mut out = Listpack::with_capacity(node.listpack_len());
    out.push_back_int(node.count() as i64);
    out.push_back_int(0);
    out.push_back_int(node.names().len() as i64);
    node.names().for_each(|name| out.push_back_item(name));
    out.push_back_int(0);
    for (_, entry) in node.entries() {
        write_entry(&mut out, node.base(), &entry);
    }
    out
}

fn write_entry(out: &mut Listpack, base: StreamId, entry: &Entry<'_>) {
    let same = entry.has_node_names();
    out.push_back_int(if same { SAME_NAMES } else { 0 });
    out.push_back_int(entry.id().ms.wrapping_sub(base.ms) as i64);
    out.push_back_int(entry.id().seq.wrapping_sub(base.seq) as i64);
    let mut elements = FIXED_ELEMENTS + entry.len();
    if !same {
        out.push_back_int(entry.len() as i64);
        elements += entry.len() + 1;
    }
    for (name, value) in entry.fields() {
        if !same {
            out.push_back_item(name);
        }
        out.push_back_item(value);
    }
    out.push_back_int(elements as i64);
}

/// Reads a node, of which nothing is taken on trust: counts must be those of what is there, IDs must ascend.
pub(super) fn read(base: StreamId, listpack: &Listpack) -> Result<Node, Corrupt> {
    let mut items = listpack.iter();
    let elements = listpack.len();
    let count = take_count(&mut items, elements)?;
    let deleted = take_count(&mut items, elements)?;
    let names = take_count(&mut items, elements)?;
    let names: Vec<Item<'_>> = items.by_ref().take(names).collect::<Vec<_>>();
    let mut node = Node::with_names(base, names.iter().copied());
    if take_int(&mut items)? != 0 {
        return Err(Corrupt);
    }
    let mut last = None;
    for _ in 0..count.checked_add(deleted).ok_or(Corrupt)? {
        last = Some(read_entry(&mut node, &mut items, last, names.len())?);
    }
    let read_deleted = node.deleted();
    if items.next().is_some() || node.count() != count as u64 || read_deleted != deleted as u64 {
        return Err(Corrupt);
    }
    Ok(node)
}

/// Reads an entry, whose ID is returned, and adds it unless it is a deleted one.
fn read_entry(
    node: &mut Node,
    items: &mut Iter<'_>,
    last: Option<StreamId>,
    names: usize,
) -> Result<StreamId, Corrupt> {
    let flags = take_int(items)?;
    if flags & !(DELETED | SAME_NAMES) != 0 {
        return Err(Corrupt);
    }
    let base = node.base();
    let ms = base.ms.wrapping_add(take_int(items)? as u64);
    let id = StreamId::new(ms, base.seq.wrapping_add(take_int(items)? as u64));
    if id < base || last.is_some_and(|last| id <= last) {
        return Err(Corrupt);
    }
    let own = flags & SAME_NAMES == 0;
    let pairs = if own { take_count(items, usize::MAX / 4)? } else { names };
    let texts = if own { 2 * pairs } else { pairs };
    if flags & DELETED == 0 {
        node.append_items(id, own, pairs, &mut iter::from_fn(|| items.next()).take(texts));
    } else {
        node.note_deleted(id);
        items.take(texts).for_each(drop);
    }
    let elements = FIXED_ELEMENTS + texts + usize::from(own);
    if take_int(items)? != elements as i64 { Err(Corrupt) } else { Ok(id) }
}

fn take_int(items: &mut Iter<'_>) -> Result<i64, Corrupt> {
    items.next().and_then(|item| item.as_int()).ok_or(Corrupt)
}

fn take_count(items: &mut Iter<'_>, max: usize) -> Result<usize, Corrupt> {
    usize::try_from(take_int(items)?).ok().filter(|count| *count <= max).ok_or(Corrupt)
}
