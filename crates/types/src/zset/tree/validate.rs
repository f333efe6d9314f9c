//! The invariants of a tree, for tests and fuzzers.

use super::*;

impl<const LEAF: usize, const INNER: usize> Tree<LEAF, INNER> {
    /// Panics if an invariant does not hold.
    pub(in crate::zset) fn validate(&self) {
        let (len, height) = self.root.as_ref().map_or((0, 0), Child::validate);
        assert_eq!(len, self.len);
        assert!(height < 64);
        let mut census = Census::default();
        let mut nodes: Vec<&Child<LEAF, INNER>> = self.root.iter().collect();
        while let Some(node) = nodes.pop() {
            match node {
                Child::Leaf(_) => census.leaves += 1,
                Child::Inner(inner) => {
                    census.inners += 1;
                    nodes.extend(inner.children().map(|(child, _)| child));
                }
            }
        }
        assert_eq!(census, self.upkeep.census, "nodes are counted");
    }
}
