//! What a loss of power leaves: any state that the disk's contract permits.
//!
//! Of each file the durable contents survive, then some of the changes in their order, and of the next write some of its
//! sectors, in any selection; where the file grew over a sector that did not make it, there are zeros. Of the names' changes
//! any selection survives, each as a whole. Later writes that survive while earlier ones do not are left out: the product
//! never has two that overlap, and a selection of sectors within one write is just as hard.

use std::collections::BTreeMap;

use super::choose::Choose;
use super::world::{Change, Inode, Names, Node, World, has_directory, parent};

/// The unit that a disk writes or does not.
pub(super) const SECTOR_BYTES: usize = 512;

/// The world after a loss of power.
pub(super) fn crash(world: &World, choose: &mut dyn Choose) -> World {
    let names = surviving_names(world, choose);
    let mut inodes = Vec::new();
    let mut moved: BTreeMap<usize, usize> = BTreeMap::new();
    let mut kept = Names::new();
    for (path, node) in names {
        let node = match node {
            Node::Directory => Node::Directory,
            Node::File(inode) => Node::File(*moved.entry(inode).or_insert_with(|| {
                let contents = surviving_contents(&world.inodes[inode], choose);
                inodes.push(Inode { durable: contents.clone(), contents, pending: Vec::new() });
                inodes.len() - 1
            })),
        };
        kept.insert(path, node);
    }
    World { inodes, durable_names: kept.clone(), names: kept, ..World::default() }
}

fn surviving_names(world: &World, choose: &mut dyn Choose) -> Names {
    let mut names = world.durable_names.clone();
    for naming in &world.pending_names {
        if choose.pick(2) == 1 {
            naming.apply(&mut names);
        }
    }
    let orphans: Vec<_> =
        names.keys().filter(|path| !has_directory(&names, &parent(path))).cloned().collect();
    for path in &orphans {
        names.remove(path);
    }
    names
}

fn surviving_contents(inode: &Inode, choose: &mut dyn Choose) -> Vec<u8> {
    let mut contents = inode.durable.clone();
    if inode.pending.is_empty() {
        return contents;
    }
    let whole = choose.pick(inode.pending.len() + 1);
    inode.pending[..whole].iter().for_each(|change| change.apply(&mut contents));
    if let Some(Change::Write { offset, bytes }) = inode.pending.get(whole) {
        tear(*offset, bytes, &mut contents, choose);
    }
    contents
}

/// Applies some sectors of a write: none, a prefix, or a selection with holes.
fn tear(offset: u64, bytes: &[u8], contents: &mut Vec<u8>, choose: &mut dyn Choose) {
    let mut start = 0;
    let by_selection = choose.pick(2) == 1;
    let mut kept = true;
    while start < bytes.len() {
        let position = offset as usize + start;
        let end = (start + SECTOR_BYTES - position % SECTOR_BYTES).min(bytes.len());
        kept = (kept || by_selection) && choose.pick(2) == 1;
        if kept {
            let piece = Change::Write { offset: position as u64, bytes: bytes[start..end].to_vec() };
            piece.apply(contents);
        }
        start = end;
    }
}
