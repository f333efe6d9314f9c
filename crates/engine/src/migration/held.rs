//! Names of keys that are on their way to another server.

use std::collections::HashSet;

use parking_lot::Mutex;

use crate::engine::Pause;

/// The names. Whether there are any is told by [`Pause::holds_keys`], which every command looks at anyway.
#[derive(Debug, Default)]
pub(crate) struct Held(Mutex<HashSet<Box<[u8]>>>);

impl Held {
    /// Adds names, to be called with their stripes locked: who locks one of them later finds it here.
    pub(super) fn add(&self, pause: &Pause, names: &[Box<[u8]>]) {
        let mut held = self.0.lock();
        held.extend(names.iter().cloned());
        pause.set_holds_keys(!held.is_empty());
    }

    /// Removes names.
    pub(super) fn remove(&self, pause: &Pause, names: &[Box<[u8]>]) {
        let mut held = self.0.lock();
        for name in names {
            held.remove(name);
        }
        if held.is_empty() {
            *held = HashSet::new();
        }
        pause.set_holds_keys(!held.is_empty());
    }

    /// Whether one of these names is held.
    pub(crate) fn has_any<'n>(&self, mut names: impl Iterator<Item = &'n [u8]>) -> bool {
        let held = self.0.lock();
        names.any(|name| held.contains(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_knows_whether_there_are_any() {
        let (held, pause) = (Held::default(), Pause::default());
        let names: Vec<Box<[u8]>> = vec![b"a"[..].into(), b"b"[..].into()];
        held.add(&pause, &names);
        assert!(pause.holds_keys());
        assert!(held.has_any([&b"x"[..], b"b"].into_iter()));
        held.remove(&pause, &names[..1]);
        assert!(pause.holds_keys() && !held.has_any([&b"a"[..]].into_iter()));
        held.remove(&pause, &names[1..]);
        assert!(!pause.holds_keys());
    }
}
