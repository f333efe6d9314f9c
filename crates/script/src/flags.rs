//! What scripts and functions declare about themselves.

/// A declaration: its bit and its word.
const WORDS: [(u8, &str); 5] = [
    (ScriptFlags::NO_WRITES.0, "no-writes"),
    (ScriptFlags::ALLOW_OOM.0, "allow-oom"),
    (ScriptFlags::ALLOW_STALE.0, "allow-stale"),
    (ScriptFlags::NO_CLUSTER.0, "no-cluster"),
    (ScriptFlags::ALLOW_CROSS_SLOT_KEYS.0, "allow-cross-slot-keys"),
];

/// Declarations of a script or a function.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ScriptFlags(u8);

impl ScriptFlags {
    /// It changes nothing (and so may run without memory to spare).
    pub const NO_WRITES: ScriptFlags = ScriptFlags(1);
    /// It may run above `maxmemory`.
    pub const ALLOW_OOM: ScriptFlags = ScriptFlags(2);
    /// It may run on a replica that has lost its master.
    pub const ALLOW_STALE: ScriptFlags = ScriptFlags(4);
    /// It does not run in a cluster.
    pub const NO_CLUSTER: ScriptFlags = ScriptFlags(8);
    /// It may use keys of several slots.
    pub const ALLOW_CROSS_SLOT_KEYS: ScriptFlags = ScriptFlags(16);

    /// Whether all of these are declared.
    pub fn has(self, flags: ScriptFlags) -> bool {
        self.0 & flags.0 == flags.0
    }

    /// These and those.
    #[must_use]
    pub fn with(self, flags: ScriptFlags) -> ScriptFlags {
        ScriptFlags(self.0 | flags.0)
    }

    /// The flag of a word.
    pub fn parse(word: &[u8]) -> Option<ScriptFlags> {
        WORDS.iter().find(|(_, own)| own.as_bytes() == word).map(|(bit, _)| ScriptFlags(*bit))
    }

    /// The words of what is declared, in Redis's order.
    pub fn words(self) -> impl Iterator<Item = &'static str> {
        WORDS.into_iter().filter(move |(bit, _)| self.0 & bit != 0).map(|(_, word)| word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_flags_are_the_same() {
        let all = WORDS.iter().filter_map(|(_, word)| ScriptFlags::parse(word.as_bytes()));
        let all = all.fold(ScriptFlags::default(), ScriptFlags::with);
        assert_eq!(all.words().count(), WORDS.len());
        assert!(all.has(ScriptFlags::NO_CLUSTER.with(ScriptFlags::ALLOW_OOM)));
        assert_eq!(ScriptFlags::parse(b"No-Writes"), None);
        assert_eq!(ScriptFlags::default().words().count(), 0);
    }
}
