//! The shapes of one shard, the transitions between them, and what they may cost.
//!
//! Shapes are the nodes of a tree, numbered; a map leads from a shape and a name to the shape with one name more. The
//! shard owns every shape once, hashes own them as well, so a shape whose only owner is the shard is used by no hash,
//! and nobody but the shard (under its lock) can give it out again. Only leaves are removed: a shape's way from the
//! empty one is always complete.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use ochre_table::{hasher, same_bytes};

use super::names::Shape;
use super::seen::Seen;

/// More fields than these have no shape: names are then a small part of what a new field costs.
pub(in super::super) const FIELDS_MAX: usize = 64;
/// No name of a shape is longer.
pub(in super::super) const NAME_BYTES_MAX: usize = 128;
/// Shapes in a shard.
const SHAPES_MAX: usize = 2048;
/// Bytes of a shard's shapes.
const BYTES_MAX: usize = 1 << 20;
/// Sightings that make a shape, in a shard that is up to half, up to three quarters, and fuller.
const SIGHTINGS: [u32; 3] = [2, 8, 64];
/// Steps that a full shard refuses between two attempts to make room.
const REFUSALS_BETWEEN_RELEASES: u32 = 256;

const ROOT: u32 = 0;

struct Node {
    shape: Arc<Shape>,
    /// What leads here in `Shard::steps`.
    step: u64,
    parent: u32,
    children: u32,
    /// The child that was stepped to last; `ROOT` for none.
    likely: u32,
}

/// Shapes and the steps between them.
pub(super) struct Shard {
    nodes: Vec<Option<Node>>,
    free: Vec<u32>,
    steps: HashMap<u64, u32, BuildHasherDefault<AsIs>>,
    seen: Seen,
    bytes: usize,
    refused: u32,
}

impl Shard {
    /// A shard without shapes, without an allocation.
    pub(super) const fn new() -> Shard {
        Shard {
            nodes: Vec::new(),
            free: Vec::new(),
            steps: HashMap::with_hasher(BuildHasherDefault::new()),
            seen: Seen::new(),
            bytes: 0,
            refused: 0,
        }
    }

    /// The shape that `names` lead to, from shape number `from` on; `None` when there is none, or when a name comes
    /// twice. `shard` is this shard's own number.
    pub(super) fn follow<'a>(
        &mut self,
        shard: u8,
        from: u32,
        mut names: impl Iterator<Item = &'a [u8]> + Clone,
    ) -> Option<Arc<Shape>> {
        if self.nodes.is_empty() {
            self.nodes.push(Some(Node::new(Shape::root(shard), 0, ROOT)));
        }
        let mut node = from;
        loop {
            let rest = names.clone();
            let Some(name) = names.next() else { break };
            match self.step(node, name) {
                Some(next) => node = next,
                None => return self.learn(node, rest),
            }
        }
        Some(Arc::clone(&self.node(node)?.shape))
    }

    /// Removes the shapes that no hash has, nor the shapes that follow from them.
    pub(super) fn release_unused(&mut self) {
        for node in 0..self.nodes.len() as u32 {
            self.release(node);
        }
        if self.shapes() == 1 {
            *self = Shard::new();
        }
    }

    /// Bytes allocated for shapes and what leads to them.
    pub(super) fn heap_bytes(&self) -> usize {
        self.bytes + self.seen.heap_bytes()
    }

    /// Number of shapes, with the empty one.
    fn shapes(&self) -> usize {
        self.nodes.len() - self.free.len()
    }

    #[inline]
    fn node(&self, node: u32) -> Option<&Node> {
        self.nodes.get(node as usize)?.as_ref()
    }

    fn node_mut(&mut self, node: u32) -> Option<&mut Node> {
        self.nodes.get_mut(node as usize)?.as_mut()
    }

    /// The shape after `node` and a name.
    #[inline]
    fn step(&mut self, node: u32, name: &[u8]) -> Option<u32> {
        let likely = self.node(node)?.likely;
        if likely != ROOT && same_bytes(self.node(likely)?.shape.last(), name) {
            return Some(likely);
        }
        let &next = self.steps.get(&step_hash(node, name))?;
        let found = self.node(next)?;
        if found.parent != node || found.shape.last() != name {
            return None;
        }
        self.node_mut(node)?.likely = next;
        Some(next)
    }

    /// Takes down that `names` are wanted after `node`, and makes their shapes once that was often enough.
    #[cold]
    fn learn<'a>(&mut self, node: u32, names: impl Iterator<Item = &'a [u8]> + Clone) -> Option<Arc<Shape>> {
        let fields_max = FIELDS_MAX.checked_sub(self.node(node)?.shape.len())?;
        let (mut wanted, mut fields) = (u64::from(node), 0);
        for name in names.clone() {
            fields += 1;
            if fields > fields_max || name.len() > NAME_BYTES_MAX {
                return None;
            }
            wanted = step_hash(fields as u32, name) ^ wanted.rotate_left(9);
        }
        let sightings = self.seen.count(wanted);
        if !self.may_grow(sightings) {
            return None;
        }
        let mut last = node;
        for name in names {
            last = self.step(last, name).or_else(|| self.grow(last, name))?;
        }
        Some(Arc::clone(&self.node(last)?.shape))
    }

    /// Whether what was seen this often gets its shapes.
    fn may_grow(&mut self, sightings: u32) -> bool {
        let fullness = (self.shapes() * 4 / SHAPES_MAX).max(self.bytes * 4 / BYTES_MAX);
        if fullness >= 4 {
            self.refused += 1;
            if self.refused.is_multiple_of(REFUSALS_BETWEEN_RELEASES) {
                self.release_unused();
            }
            return false;
        }
        sightings >= SIGHTINGS[fullness.saturating_sub(1).min(2)]
    }

    /// Makes the shape after `parent` and a name.
    fn grow(&mut self, parent: u32, name: &[u8]) -> Option<u32> {
        let number = self.free.last().copied().unwrap_or(self.nodes.len() as u32);
        let shape = &self.node(parent)?.shape;
        if shape.find(name).is_some() {
            return None;
        }
        let node = Node::new(shape.with(name, number)?, step_hash(parent, name), parent);
        self.bytes += node.bytes();
        self.steps.insert(node.step, number);
        match self.free.pop() {
            Some(number) => self.nodes[number as usize] = Some(node),
            None => self.nodes.push(Some(node)),
        }
        let parent = self.node_mut(parent)?;
        parent.children += 1;
        parent.likely = number;
        Some(number)
    }

    /// Removes a shape that nobody uses, and those before it that only led there.
    fn release(&mut self, mut number: u32) {
        while number != ROOT
            && let Some(node) = self.node(number)
            && node.children == 0
            && Arc::strong_count(&node.shape) == 1
            && let Some(node) = self.nodes[number as usize].take()
        {
            self.bytes -= node.bytes();
            if self.steps.get(&node.step) == Some(&number) {
                self.steps.remove(&node.step);
            }
            self.free.push(number);
            let Some(parent) = self.node_mut(node.parent) else { break };
            parent.children -= 1;
            if parent.likely == number {
                parent.likely = ROOT;
            }
            number = node.parent;
        }
    }
}

impl Node {
    fn new(shape: Shape, step: u64, parent: u32) -> Node {
        Node { shape: Arc::new(shape), step, parent, children: 0, likely: ROOT }
    }

    /// What it costs: itself, the shape with its counters, an entry of the map.
    fn bytes(&self) -> usize {
        size_of::<Option<Node>>() + size_of::<Shape>() + 16 + self.shape.heap_bytes() + 24
    }
}

#[inline]
fn step_hash(node: u32, name: &[u8]) -> u64 {
    let hash = hasher().hash(name).0;
    (hash ^ u64::from(node)).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(32)
}

/// The hasher of keys that are hashes.
#[derive(Default)]
struct AsIs(u64);

impl Hasher for AsIs {
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn follow(shard: &mut Shard, names: &[&str]) -> Option<Arc<Shape>> {
        shard.follow(5, ROOT, names.iter().map(|name| name.as_bytes()))
    }

    #[test]
    fn the_second_of_a_kind_has_a_shape() {
        let mut shard = Shard::new();
        assert!(follow(&mut shard, &["a", "b", "c"]).is_none());
        let shape = follow(&mut shard, &["a", "b", "c"]).expect("seen twice");
        assert!(shape.iter().eq([&b"a"[..], b"b", b"c"]));
        assert_eq!((shape.shard(), shard.shapes()), (5, 4));
        let again = follow(&mut shard, &["a", "b", "c"]).expect("known");
        assert!(Arc::ptr_eq(&shape, &again));
        let part = follow(&mut shard, &["a", "b"]).expect("on the way");
        let whole = shard.follow(5, part.node(), [&b"c"[..]].into_iter()).expect("one more");
        assert!(Arc::ptr_eq(&shape, &whole));
    }

    #[test]
    fn order_counts_and_no_name_comes_twice() {
        let mut shard = Shard::new();
        let [first, second] = [["a", "b"], ["b", "a"]].map(|names| {
            follow(&mut shard, &names);
            follow(&mut shard, &names).expect("seen twice")
        });
        assert!(first.iter().eq([&b"a"[..], b"b"]) && second.iter().eq([&b"b"[..], b"a"]));
        assert!((0..5).all(|_| follow(&mut shard, &["a", "b", "a"]).is_none()));
    }

    #[test]
    fn what_is_too_big_gets_no_shape() {
        let mut shard = Shard::new();
        let names: Vec<String> = (0..=FIELDS_MAX).map(|name| name.to_string()).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        assert!((0..5).all(|_| follow(&mut shard, &names).is_none()));
        follow(&mut shard, &names[1..]);
        assert!(follow(&mut shard, &names[1..]).is_some());
        assert!((0..5).all(|_| follow(&mut shard, &names).is_none()));
        let long = "x".repeat(NAME_BYTES_MAX + 1);
        assert!((0..5).all(|_| follow(&mut shard, &[&long]).is_none()));
    }

    #[test]
    fn names_of_their_own_leave_nothing_behind() {
        let mut shard = Shard::new();
        let names = (0..100_000).map(|name| format!("field:{name}"));
        // Now and then two names have the same fingerprint, and look like one that was seen before.
        let mistaken = names.filter(|name| follow(&mut shard, &[name]).is_some()).count();
        assert!(mistaken <= 3 && shard.shapes() <= 1 + mistaken, "{mistaken} of {}", shard.shapes());
    }

    #[test]
    fn a_full_shard_lets_unused_shapes_go() {
        let mut shard = Shard::new();
        let mut kept = Vec::new();
        for kind in 0..5000 {
            let names = [format!("a{kind}"), format!("b{kind}")];
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            for _ in 0..100 {
                if let Some(shape) = follow(&mut shard, &names) {
                    kept.push((kind, shape));
                    break;
                }
            }
            assert!(shard.shapes() <= SHAPES_MAX + FIELDS_MAX);
            assert!(shard.bytes <= BYTES_MAX + BYTES_MAX / 8);
            if kind % 3 == 0 {
                kept.clear();
            }
        }
        assert!(kept.iter().any(|&(kind, _)| kind > 4990), "new kinds still find room");
        let (kind, shape) = kept.pop().expect("one is left");
        kept.clear();
        shard.release_unused();
        assert_eq!((shard.shapes(), shard.steps.len()), (3, 2));
        let names = [format!("a{kind}"), format!("b{kind}")];
        let again = follow(&mut shard, &[&names[0], &names[1]]).expect("in use");
        assert!(Arc::ptr_eq(&shape, &again));
        drop((shape, again));
        shard.release_unused();
        assert_eq!((shard.heap_bytes(), shard.nodes.len()), (0, 0));
    }
}
