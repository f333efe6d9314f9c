//! How many nodes Redis's radix tree would have over our nodes, which XINFO STREAM shows.
//!
//! Its keys are the nodes' first IDs as sixteen bytes, most significant first. A chain of bytes without a branch is one
//! node, a branch is one, a key ends in one. So what is needed is where neighbouring keys part: every key after the
//! first makes a leaf, and a branch unless there was one at that depth; between two branches, or a branch and an end,
//! there is a chain unless a single byte, which belongs to the branch, is all there is.

use super::id::StreamId;

/// Bytes of a key.
const KEY_LEN: usize = 16;
/// With more keys than this the count is taken from so many of the first, in proportion: XINFO must not take longer
/// the larger the stream is.
const KEYS_MAX: usize = 4096;

/// The nodes of a tree over `keys`, of which there are `count`, in order.
pub(super) fn tree_nodes(keys: impl Iterator<Item = StreamId>, count: usize) -> usize {
    let mut tree = Count::default();
    keys.take(KEYS_MAX).for_each(|key| tree.add(key));
    let counted = count.min(KEYS_MAX);
    let nodes = tree.finish(counted);
    if count > counted { (nodes as u128 * count as u128 / counted as u128) as usize } else { nodes }
}

#[derive(Default)]
struct Count {
    last: Option<u128>,
    /// Depths of the branches above the last key, ascending.
    branches: Vec<usize>,
    nodes: usize,
}

impl Count {
    fn add(&mut self, key: StreamId) {
        let key = u128::from(key.ms) << 64 | u128::from(key.seq);
        if let Some(last) = self.last.replace(key) {
            self.part((last ^ key).leading_zeros() as usize / 8);
        }
    }

    /// The next key shares `depth` bytes with the last: what is below that depth is complete.
    fn part(&mut self, depth: usize) {
        let mut end = KEY_LEN;
        while let Some(branch) = self.branches.pop_if(|branch| *branch > depth) {
            self.nodes += 1 + usize::from(end - branch > 1);
            end = branch;
        }
        // The edge that begins at this depth, whether the branch is new or not.
        self.nodes += usize::from(end - depth > 1);
        if self.branches.last() != Some(&depth) {
            self.branches.push(depth);
        }
    }

    fn finish(mut self, keys: usize) -> usize {
        if keys == 0 {
            return 1;
        }
        let mut end = KEY_LEN;
        while let Some(branch) = self.branches.pop() {
            self.nodes += 1 + usize::from(end - branch > 1);
            end = branch;
        }
        self.nodes + usize::from(end > 0) + keys
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nodes(keys: &[(u64, u64)]) -> usize {
        tree_nodes(keys.iter().map(|(ms, seq)| StreamId::new(*ms, *seq)), keys.len())
    }

    /// The same from the definition: every string that is a prefix of a key, and whether it stands for a node.
    fn by_definition(keys: &[(u64, u64)]) -> usize {
        let keys: Vec<[u8; 16]> =
            keys.iter().map(|(ms, seq)| (u128::from(*ms) << 64 | u128::from(*seq)).to_be_bytes()).collect();
        let mut prefixes: Vec<&[u8]> = keys.iter().flat_map(|key| (0..=16).map(|len| &key[..len])).collect();
        prefixes.sort_unstable();
        prefixes.dedup();
        let children = |prefix: &[u8]| {
            prefixes.iter().filter(|it| it.len() == prefix.len() + 1 && it.starts_with(prefix)).count()
        };
        let is_node = |prefix: &[u8]| match children(prefix) {
            1 => prefix.is_empty() || children(&prefix[..prefix.len() - 1]) > 1,
            _ => true,
        };
        prefixes.iter().filter(|prefix| is_node(prefix)).count()
    }

    #[test]
    fn what_redis_says() {
        assert_eq!(nodes(&[]), 1);
        assert_eq!(nodes(&[(1, 0)]), 2);
        assert_eq!(nodes(&[(1, 0), (4, 0)]), 6);
        assert_eq!(nodes(&[(1, 0), (4, 0), (8, 0)]), 8);
    }

    #[test]
    fn like_the_definition() {
        let mut rng = crate::Rng::new(11);
        for _ in 0..300 {
            let spread = 1 + rng.below(40);
            let mut keys: Vec<(u64, u64)> = (0..1 + rng.below(20))
                .map(|_| {
                    let (ms, bits) = (1u64 << rng.below(spread), rng.below(spread));
                    (ms, rng.below(1 << bits))
                })
                .collect();
            keys.sort_unstable();
            keys.dedup();
            assert_eq!(nodes(&keys), by_definition(&keys), "{keys:?}");
        }
    }

    #[test]
    fn large_trees_are_counted_in_part() {
        let keys: Vec<(u64, u64)> = (0..100_000).map(|n| (n * 37, 0)).collect();
        let exact = {
            let mut tree = Count::default();
            keys.iter().for_each(|(ms, seq)| tree.add(StreamId::new(*ms, *seq)));
            tree.finish(keys.len())
        };
        let estimate = nodes(&keys);
        assert!(estimate.abs_diff(exact) < exact / 50, "{estimate} {exact}");
    }
}
