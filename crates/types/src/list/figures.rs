//! What DEBUG OBJECT and DEBUG QUICKLIST tell of a list.

use super::limits::ListLimits;
use super::value::List;
use crate::listpack::CompactRef;

/// Figures of a quicklist, for DEBUG OBJECT.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct QuicklistFigures {
    /// `ql_nodes`.
    pub nodes: usize,
    /// `ql_avg_node`: elements per node.
    pub elements_per_node: f64,
    /// `ql_listpack_max`: the limit as it is configured.
    pub listpack_max: i32,
    /// `ql_compressed`: whether nodes in the middle are to be compressed.
    pub compressed: bool,
    /// `ql_uncompressed_size`: bytes of all nodes without compression.
    pub uncompressed_bytes: usize,
}

impl List {
    /// Figures of a list that is a quicklist. O(nodes).
    pub fn quicklist_figures(&self, limits: &ListLimits) -> Option<QuicklistFigures> {
        let CompactRef::Boxed(quicklist) = self.view() else { return None };
        let chain = &quicklist.chain;
        Some(QuicklistFigures {
            nodes: chain.nodes(),
            elements_per_node: chain.len() as f64 / chain.nodes().max(1) as f64,
            listpack_max: limits.max_listpack_size,
            compressed: limits.compress_depth > 0,
            uncompressed_bytes: chain.iter().map(|node| node.raw_bytes()).sum(),
        })
    }

    /// For every node of a quicklist: its elements, its bytes, and its bytes in compressed form if it is compressed.
    pub fn quicklist_nodes(&self) -> impl Iterator<Item = (usize, usize, Option<usize>)> {
        let chain = match self.view() {
            CompactRef::Boxed(quicklist) => Some(&quicklist.chain),
            CompactRef::Pack(_) => None,
        };
        let nodes = chain.into_iter().flat_map(|chain| chain.iter());
        nodes.map(|node| (node.len(), node.raw_bytes(), node.compressed_bytes()))
    }
}
