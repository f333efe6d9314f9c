//! CONFIG GET.

use std::collections::HashSet;

use ochre_types::{Case, glob_match};

use crate::config::Config;
use crate::table::{self, NAMES};

impl Config {
    /// The names that match any of the patterns, each once, in alphabetical order, with their values.
    ///
    /// A pattern without wildcards is a name: it is looked up, finds hidden directives too, and is answered in the
    /// spelling in which it was asked. Aliases are names of their own. Patterns are compared without case.
    #[must_use]
    pub fn get<P: AsRef<[u8]>>(&self, patterns: &[P]) -> Vec<(Vec<u8>, Vec<u8>)> {
        let mut seen = HashSet::new();
        let mut found = Vec::new();
        for pattern in patterns.iter().map(AsRef::as_ref) {
            if pattern.iter().any(|byte| b"[*?".contains(byte)) {
                let named = NAMES.iter().filter(|named| {
                    !named.record.hidden && glob_match(pattern, named.name.as_bytes(), Case::Insensitive)
                });
                found.extend(
                    named.filter(|named| seen.insert(named.name)).map(|named| (named.name.into(), named)),
                );
            } else if let Some(named) = table::find(pattern)
                && seen.insert(named.name)
            {
                found.push((pattern.to_vec(), named));
            }
        }
        found.sort_by_key(|(_, named)| named.name);
        found.into_iter().map(|(name, named)| (name, self.shown(named.record.id))).collect()
    }
}
