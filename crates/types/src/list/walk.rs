//! Reading a long list, node by node. A compressed node is decompressed into memory of its own for as long as it is read.

use std::ops::ControlFlow;

use super::chain::End;
use super::node::Wanted;
use super::quicklist::Quicklist;
use crate::listpack::Item;

impl Quicklist {
    /// Shows the elements from number `from` on until `visit` breaks.
    #[inline]
    pub(super) fn walk(
        &self,
        from: usize,
        visit: &mut impl FnMut(Item<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let (mut at, mut offset) = self.chain.seek(from).unzip();
        while let Some(place) = at
            && let Some(node) = self.chain.get(place)
        {
            node.walk(offset.take().unwrap_or(0), visit)?;
            at = self.chain.next(place);
        }
        ControlFlow::Continue(())
    }

    /// Shows the elements before number `end`, last to first, until `visit` breaks.
    pub(super) fn walk_back(
        &self,
        end: usize,
        visit: &mut impl FnMut(Item<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let (mut at, mut offset) = end.checked_sub(1).and_then(|last| self.chain.seek(last)).unzip();
        while let Some(place) = at
            && let Some(node) = self.chain.get(place)
        {
            let end = offset.take().map_or(node.len(), |last| last + 1);
            node.walk_back(end, visit)?;
            at = self.chain.prev(place);
        }
        ControlFlow::Continue(())
    }

    /// Looks at the first `compared` elements for what is `wanted`; tells their indexes, first to last.
    pub(super) fn find(
        &self,
        wanted: &Wanted<'_>,
        compared: usize,
        hit: &mut impl FnMut(usize) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let mut passed = 0;
        for node in self.chain.iter() {
            if passed >= compared {
                break;
            }
            node.find(wanted, 0, compared - passed, &mut |index| hit(passed + index))?;
            passed += node.len();
        }
        ControlFlow::Continue(())
    }

    /// Looks at the last `compared` elements for what is `wanted`; tells their indexes, last to first.
    pub(super) fn find_back(
        &self,
        wanted: &Wanted<'_>,
        compared: usize,
        hit: &mut impl FnMut(usize) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let (mut end, least) = (self.chain.len(), self.chain.len().saturating_sub(compared));
        let mut found = Vec::new();
        let mut at = self.chain.end(End::Tail);
        while end > least
            && let Some(place) = at
            && let Some(node) = self.chain.get(place)
        {
            let start = end - node.len();
            let _ = node.find(wanted, least.saturating_sub(start), usize::MAX, &mut |index| {
                found.push(start + index);
                ControlFlow::Continue(())
            });
            found.drain(..).rev().try_for_each(&mut *hit)?;
            end = start;
            at = self.chain.prev(place);
        }
        ControlFlow::Continue(())
    }
}
