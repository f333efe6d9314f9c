//! The scripts that a server knows by their names.
//!
//! What SCRIPT LOAD brought stays until it is flushed. What EVAL brought may come in another text every time, so only
//! the [`EVALUATED_MAX`] used last are kept.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::script::{Script, ScriptDigest};

/// Scripts of EVAL that are kept.
pub const EVALUATED_MAX: usize = 500;

/// A script, and its turn if it may be forgotten.
#[derive(Debug)]
struct Entry {
    script: Arc<Script>,
    turn: Option<u64>,
}

/// Scripts by name.
#[derive(Debug, Default)]
pub struct ScriptCache {
    scripts: HashMap<ScriptDigest, Entry>,
    /// Scripts of EVAL, the one used longest ago first.
    turns: BTreeMap<u64, ScriptDigest>,
    next_turn: u64,
    evicted: u64,
    bytes: usize,
}

impl ScriptCache {
    /// A cache without scripts.
    pub fn new() -> ScriptCache {
        ScriptCache::default()
    }

    /// A script by its name; if EVAL brought it, it becomes the one used last.
    pub fn get(&mut self, digest: &ScriptDigest) -> Option<Arc<Script>> {
        let entry = self.scripts.get_mut(digest)?;
        if let Some(turn) = &mut entry.turn {
            self.turns.remove(turn);
            *turn = self.next_turn;
            self.turns.insert(self.next_turn, *digest);
            self.next_turn += 1;
        }
        Some(Arc::clone(&entry.script))
    }

    /// Whether there is a script of this name.
    pub fn contains(&self, digest: &ScriptDigest) -> bool {
        self.scripts.contains_key(digest)
    }

    /// Adds a script of EVAL; the one used longest ago goes if there are too many.
    pub fn add_evaluated(&mut self, script: Arc<Script>) {
        let digest = script.digest();
        if self.scripts.contains_key(&digest) {
            return;
        }
        while self.turns.len() >= EVALUATED_MAX {
            if let Some((_, oldest)) = self.turns.pop_first() {
                self.remove(&oldest);
                self.evicted += 1;
            }
        }
        self.turns.insert(self.next_turn, digest);
        self.insert(script, Some(self.next_turn));
        self.next_turn += 1;
    }

    /// Adds a script of SCRIPT LOAD, or keeps from now on what EVAL brought.
    pub fn add_loaded(&mut self, script: Arc<Script>) {
        match self.scripts.get_mut(&script.digest()) {
            Some(entry) => {
                if let Some(turn) = entry.turn.take() {
                    self.turns.remove(&turn);
                }
            }
            None => self.insert(script, None),
        }
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.scripts.clear();
        self.turns.clear();
        self.bytes = 0;
    }

    /// The number of scripts.
    pub fn len(&self) -> usize {
        self.scripts.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.scripts.is_empty()
    }

    /// Scripts that had to go since the start, or the last reset.
    pub fn evicted(&self) -> u64 {
        self.evicted
    }

    /// Counts those that had to go from here on.
    pub fn reset_evicted(&mut self) {
        self.evicted = 0;
    }

    /// Bytes that the scripts take.
    pub fn memory_bytes(&self) -> usize {
        self.bytes + self.scripts.len() * size_of::<(ScriptDigest, Entry)>()
    }

    fn insert(&mut self, script: Arc<Script>, turn: Option<u64>) {
        self.bytes += script.memory_bytes();
        self.scripts.insert(script.digest(), Entry { script, turn });
    }

    fn remove(&mut self, digest: &ScriptDigest) {
        if let Some(entry) = self.scripts.remove(digest) {
            self.bytes -= entry.script.memory_bytes();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(number: usize) -> Arc<Script> {
        Script::new(format!("return {number}").as_bytes()).unwrap()
    }

    #[test]
    fn only_the_scripts_of_eval_go() {
        let mut cache = ScriptCache::new();
        cache.add_loaded(script(0));
        for number in 1..=EVALUATED_MAX {
            cache.add_evaluated(script(number));
        }
        // One is used again, one is loaded: the third is the oldest.
        assert!(cache.get(&script(1).digest()).is_some());
        cache.add_loaded(script(2));
        cache.add_evaluated(script(1000));
        cache.add_evaluated(script(1001));
        assert!(cache.contains(&script(0).digest()));
        assert!(cache.contains(&script(1).digest()));
        assert!(cache.contains(&script(2).digest()));
        assert!(!cache.contains(&script(3).digest()));
        assert!(cache.contains(&script(4).digest()));
        assert_eq!((cache.len(), cache.evicted()), (EVALUATED_MAX + 2, 1));
    }

    #[test]
    fn bytes_are_counted() {
        let mut cache = ScriptCache::new();
        assert!(cache.is_empty());
        for number in 0..=EVALUATED_MAX {
            cache.add_evaluated(script(number));
        }
        let expected: usize = (1..=EVALUATED_MAX).map(|number| script(number).memory_bytes()).sum();
        assert_eq!(cache.bytes, expected);
        cache.clear();
        assert_eq!((cache.memory_bytes(), cache.len()), (0, 0));
    }
}
