//! The files of the log, and the steps by which they change.
//!
//! At most one base comes first, then incremental files in the order of their numbers; the data set is the base with the
//! changes in the others applied one after the other. Steps are made on a copy that replaces the manifest once it is on
//! disk. Numbers are never used twice while the process lives, even if a step fails: a file that a failed step left behind
//! may be named by a manifest that a loss of power brings back.

use super::{Entry, ManifestFault, Role};

/// The files of the log.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Manifest {
    base: Option<Entry>,
    history: Vec<Entry>,
    incrementals: Vec<Entry>,
    last_base_seq: i64,
    last_incremental_seq: i64,
}

impl Manifest {
    /// The base.
    pub fn base(&self) -> Option<&Entry> {
        self.base.as_ref()
    }

    /// The incremental files in their order.
    pub fn incrementals(&self) -> &[Entry] {
        &self.incrementals
    }

    /// The files that are no longer needed.
    pub fn history(&self) -> &[Entry] {
        &self.history
    }

    /// What is to be loaded, in order.
    pub fn live(&self) -> impl Iterator<Item = &Entry> {
        self.base.iter().chain(&self.incrementals)
    }

    /// Whether there is nothing to load.
    pub fn is_empty(&self) -> bool {
        self.base.is_none() && self.incrementals.is_empty()
    }

    /// The text, as Redis writes it: the base, history, incremental files.
    pub fn text(&self) -> Vec<u8> {
        self.base.iter().chain(&self.history).chain(&self.incrementals).flat_map(Entry::line).collect()
    }

    /// The number that the next base gets.
    pub fn next_base_seq(&self) -> i64 {
        self.last_base_seq.saturating_add(1)
    }

    /// The number that the next incremental file gets.
    pub fn next_incremental_seq(&self) -> i64 {
        self.last_incremental_seq.saturating_add(1)
    }

    /// Adds an entry as it stands in a file.
    pub(super) fn add(&mut self, entry: Entry) -> Result<(), ManifestFault> {
        match entry.role {
            Role::Base if self.base.is_some() => return Err(ManifestFault::DuplicateBase),
            Role::Base => self.set_base(entry),
            Role::History => self.history.push(entry),
            Role::Incremental => {
                let last = self.incrementals.last().map_or(0, |last| last.seq);
                if entry.seq <= last {
                    return Err(ManifestFault::Sequence);
                }
                self.push_incremental(entry);
            }
        }
        Ok(())
    }

    /// Makes a file the base; the one before becomes history.
    pub fn set_base(&mut self, entry: Entry) {
        self.last_base_seq = self.last_base_seq.max(entry.seq);
        if let Some(mut before) = self.base.replace(entry) {
            before.role = Role::History;
            self.history.insert(0, before);
        }
    }

    /// Adds an incremental file behind all others.
    pub fn push_incremental(&mut self, entry: Entry) {
        self.last_incremental_seq = self.last_incremental_seq.max(entry.seq);
        self.incrementals.push(entry);
    }

    /// The last incremental file.
    pub fn last_incremental_mut(&mut self) -> Option<&mut Entry> {
        self.incrementals.last_mut()
    }

    /// Makes all incremental files but the last `keep` history.
    pub fn retire_incrementals(&mut self, keep: usize) {
        let kept = self.incrementals.split_off(self.incrementals.len().saturating_sub(keep));
        let retired = std::mem::replace(&mut self.incrementals, kept);
        let retired = retired.into_iter().map(|entry| Entry { role: Role::History, ..entry });
        self.history.splice(0..0, retired);
    }

    /// Forgets history.
    pub fn clear_history(&mut self) {
        self.history.clear();
    }

    /// Takes over the numbers of a copy whose step failed, so that they are not used again.
    pub fn skip_numbers_of(&mut self, failed: &Manifest) {
        self.last_base_seq = self.last_base_seq.max(failed.last_base_seq);
        self.last_incremental_seq = self.last_incremental_seq.max(failed.last_incremental_seq);
    }
}
