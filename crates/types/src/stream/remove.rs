//! Deleting and trimming, and what becomes of references to the entries in the groups' lists.

use super::groups::NoGroup;
use super::id::StreamId;
use super::state::{Inner, Stream};

/// What is done about groups that have an entry pending, or have not read it, when it is to be removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum References {
    /// KEEPREF: nothing; their lists name an entry that is gone.
    #[default]
    Keep,
    /// DELREF: it is taken off their lists.
    Delete,
    /// ACKED: it is removed only if all have read and acknowledged it.
    Acked,
}

/// What became of an entry that was to be deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deletion {
    /// There is no such entry (or, with an acknowledgement, it is not pending).
    NotFound,
    /// It was deleted.
    Deleted,
    /// A group still needs it: it was acknowledged if that was asked for, but not deleted.
    Referenced,
}

/// Where trimming ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrimTo {
    /// No more entries than this are left.
    Len(u64),
    /// No entry with a smaller ID is left.
    MinId(StreamId),
}

/// How to trim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trim {
    /// Where to end.
    pub to: TrimTo,
    /// Whether only whole nodes may be removed (with [`References::Keep`]; else entries are looked at one by one).
    pub approximate: bool,
    /// The most entries to remove; 0 is no limit. A node is begun only if all its entries are within the limit.
    pub limit: u64,
    /// What is done about references.
    pub references: References,
}

/// What trimming did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trimmed {
    /// How many entries were removed.
    pub removed: u64,
    /// What does exactly the same to a stream that was the same, wherever its nodes end.
    pub again: Trim,
}

impl Stream {
    /// Deletes entries; returns how many there were.
    pub fn delete(&mut self, ids: &[StreamId]) -> u64 {
        ids.iter().filter(|id| self.0.delete(**id)).count() as u64
    }

    /// Deletes an entry with regard to references. O(log n) for each group.
    pub fn delete_with(&mut self, id: StreamId, references: References) -> Deletion {
        let inner = &mut *self.0;
        match references {
            References::Acked if !inner.all_done_with(id) => return Deletion::Referenced,
            References::Delete => inner.forget_pending(id),
            _ => {}
        }
        if inner.delete(id) { Deletion::Deleted } else { Deletion::NotFound }
    }

    /// Acknowledges entries; returns how many were pending.
    pub fn acknowledge(&mut self, group: &[u8], ids: &[StreamId]) -> Result<u64, NoGroup> {
        let group = self.group_mut(group)?;
        Ok(ids.iter().filter(|id| group.remove_pending(**id).is_some()).count() as u64)
    }

    /// Acknowledges an entry and, if it was pending, deletes it with regard to references. It need not exist any more.
    pub fn acknowledge_and_delete(
        &mut self,
        group: &[u8],
        id: StreamId,
        references: References,
    ) -> Result<Deletion, NoGroup> {
        if self.group_mut(group)?.remove_pending(id).is_none() {
            return Ok(Deletion::NotFound);
        }
        Ok(match self.delete_with(id, references) {
            Deletion::Referenced => Deletion::Referenced,
            _ => Deletion::Deleted,
        })
    }

    /// Removes entries from the front. O(log n) per node, and with regard to references per entry looked at.
    pub fn trim(&mut self, trim: &Trim) -> Trimmed {
        let (removed, min_id) = match trim.references {
            References::Keep => {
                let removed = self.0.trim_front(trim);
                let behind = self.0.log.first_id().or_else(|| self.0.last_id.next());
                (removed, if removed == 0 { Some(StreamId::MIN) } else { behind })
            }
            _ => {
                let (removed, last) = self.0.trim_selected(trim);
                (removed, last.map_or(Some(StreamId::MIN), StreamId::next))
            }
        };
        // Only the removal of the greatest ID of all cannot be put as a bound of IDs.
        let to = min_id.map_or(TrimTo::Len(self.len()), TrimTo::MinId);
        let again = Trim { to, approximate: false, limit: 0, references: trim.references };
        Trimmed { removed, again }
    }
}

impl Inner {
    /// Trims without looking at groups: whole nodes, then what is left from the front of one.
    fn trim_front(&mut self, trim: &Trim) -> u64 {
        let mut removed = 0;
        while let Some(node) = self.log.first_node() {
            let whole = match trim.to {
                TrimTo::Len(len) if self.log.len() <= len => break,
                TrimTo::Len(len) => self.log.len() - node.count() >= len,
                TrimTo::MinId(id) => node.last_ever() < id,
            };
            if exceeds(trim, removed, node.count()) {
                break;
            }
            if whole {
                removed += self.log.remove_first_node();
                continue;
            }
            if !trim.approximate {
                removed += self.trim_node(trim);
            }
            break;
        }
        removed
    }

    /// Removes entries from the front of the first node.
    fn trim_node(&mut self, trim: &Trim) -> u64 {
        let Some(node) = self.log.first_node() else {
            return 0;
        };
        let count = match trim.to {
            TrimTo::Len(len) => (self.log.len() - len.min(self.log.len())).min(node.count()),
            TrimTo::MinId(id) => node.entries().take_while(|(_, entry)| entry.id() < id).count() as u64,
        };
        self.log.remove_from_first_node(count);
        count
    }

    /// Trims entry by entry, as references allow. Ends with the first node that need not go as a whole, even if
    /// references have kept entries before it: so Redis does. Returns how many were removed, and the last of them.
    fn trim_selected(&mut self, trim: &Trim) -> (u64, Option<StreamId>) {
        let (mut removed, mut last) = (0, None);
        let mut behind = None;
        while let Some(candidates) = self.next_candidates(trim, removed, behind) {
            for id in candidates.ids {
                if matches!(trim.to, TrimTo::Len(len) if self.log.len() <= len) {
                    return (removed, last);
                }
                if self.trim_entry(id, trim.references) {
                    removed += 1;
                    last = Some(id);
                }
            }
            if !candidates.whole {
                break;
            }
            behind = Some(candidates.base);
        }
        (removed, last)
    }

    /// Removes an entry without taking note of its ID, unless references forbid it.
    fn trim_entry(&mut self, id: StreamId, references: References) -> bool {
        match references {
            References::Acked if !self.all_done_with(id) => return false,
            References::Delete => self.forget_pending(id),
            _ => {}
        }
        self.log.remove(id)
    }

    /// What may go of the next node behind `behind`, if trimming goes on there.
    fn next_candidates(&self, trim: &Trim, removed: u64, behind: Option<StreamId>) -> Option<Candidates> {
        let mut nodes = self.log.nodes_from(behind.unwrap_or(StreamId::MIN));
        let node = nodes.find(|node| behind.is_none_or(|behind| node.base() > behind))?;
        let (whole, end) = match trim.to {
            TrimTo::Len(len) if self.log.len() <= len => return None,
            TrimTo::Len(len) => (self.log.len() - node.count() >= len, None),
            TrimTo::MinId(id) => (node.last_ever() < id, Some(id)),
        };
        if exceeds(trim, removed, node.count()) {
            return None;
        }
        let ids = node.entries().map(|(_, entry)| entry.id());
        let ids = ids.take_while(|id| end.is_none_or(|end| *id < end)).collect();
        Some(Candidates { base: node.base(), whole, ids })
    }
}

/// Entries of a node that trimming may remove.
struct Candidates {
    base: StreamId,
    whole: bool,
    ids: Vec<StreamId>,
}

fn exceeds(trim: &Trim, removed: u64, more: u64) -> bool {
    trim.limit > 0 && removed.saturating_add(more) > trim.limit
}
