//! The groups of a stream by name: making, finding, deleting them and their consumers.

use std::ops::Bound::{Excluded, Unbounded};

use super::group::Group;
use super::id::StreamId;
use super::state::{Inner, Stream};

/// There is no such group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoGroup;

/// There is such a group already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GroupExists;

impl Stream {
    /// Makes a group that has read up to `last_delivered`. A count of entries read is bounded by what was added.
    pub fn create_group(
        &mut self,
        name: &[u8],
        last_delivered: StreamId,
        entries_read: Option<u64>,
    ) -> Result<(), GroupExists> {
        if self.0.groups.contains_key(name) {
            return Err(GroupExists);
        }
        let entries_read = entries_read.map(|read| read.min(self.0.entries_added));
        self.0.groups.insert(name.into(), Box::new(Group::new(last_delivered, entries_read)));
        Ok(())
    }

    /// Sets how far a group has read.
    pub fn set_group_id(
        &mut self,
        name: &[u8],
        last_delivered: StreamId,
        entries_read: Option<u64>,
    ) -> Result<(), NoGroup> {
        let added = self.0.entries_added;
        let group = self.group_mut(name)?;
        group.last_delivered = last_delivered;
        group.entries_read = entries_read.map(|read| read.min(added));
        Ok(())
    }

    /// Takes a group out. It may be large: [`Group::free_effort`] says whether to drop it elsewhere.
    pub fn destroy_group(&mut self, name: &[u8]) -> Option<Box<Group>> {
        self.0.groups.remove(name)
    }

    /// Makes a consumer; false if it is there already.
    pub fn create_consumer(&mut self, group: &[u8], name: &[u8], now_ms: i64) -> Result<bool, NoGroup> {
        Ok(self.group_mut(group)?.consumers.get_or_create(name, now_ms).1)
    }

    /// Makes a consumer if it is not there, and notes that it tried something. True if it was made.
    pub fn see_consumer(&mut self, group: &[u8], name: &[u8], now_ms: i64) -> Result<bool, NoGroup> {
        Ok(self.group_mut(group)?.see(name, now_ms).1)
    }

    /// Deletes a consumer with all that is pending for it; says how much that was, nothing if there was no consumer.
    pub fn delete_consumer(&mut self, group: &[u8], name: &[u8]) -> Result<Option<usize>, NoGroup> {
        Ok(self.group_mut(group)?.remove_consumer(name))
    }

    /// The group with this name.
    pub fn group(&self, name: &[u8]) -> Option<&Group> {
        self.0.groups.get(name).map(Box::as_ref)
    }

    /// How many groups there are.
    pub fn groups_len(&self) -> usize {
        self.0.groups.len()
    }

    /// The groups with their names, by name.
    pub fn groups(&self) -> impl Iterator<Item = (&[u8], &Group)> {
        self.0.groups.iter().map(|(name, group)| (name.as_ref(), group.as_ref()))
    }

    /// The groups whose names come after this one, by name: for who goes on another time.
    pub fn groups_after(&self, name: &[u8]) -> impl Iterator<Item = (&[u8], &Group)> {
        let groups = self.0.groups.range::<[u8], _>((Excluded(name), Unbounded));
        groups.map(|(name, group)| (name.as_ref(), group.as_ref()))
    }

    /// How many entries a group has not read yet, if that can be known without counting.
    pub fn lag(&self, group: &Group) -> Option<i64> {
        self.history().lag(group)
    }

    pub(super) fn group_mut(&mut self, name: &[u8]) -> Result<&mut Group, NoGroup> {
        let group = self.0.groups.get_mut(name).ok_or(NoGroup)?;
        group.sweep();
        Ok(group)
    }
}

impl Inner {
    /// Whether no group needs the entry with this ID any more.
    pub(super) fn all_done_with(&self, id: StreamId) -> bool {
        self.groups.values().all(|group| group.is_done_with(id))
    }

    /// Takes an entry off the lists of all groups.
    pub(super) fn forget_pending(&mut self, id: StreamId) {
        for group in self.groups.values_mut() {
            group.remove_pending(id);
        }
    }
}
