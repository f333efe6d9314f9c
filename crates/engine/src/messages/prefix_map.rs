//! Values by prefix, and finding all prefixes of a text without looking at the others.
//!
//! An ordered map. The prefixes of a text, the longest first: take the greatest key that is not above the text; if it is a
//! prefix, go on below it; if not, no prefix of the text can be longer than what both have in common, so go on from there.
//! Every step makes the bound shorter, so there are no more look-ups than the text has bytes, and hardly ever more than a
//! few beyond those that find something. Rejected: a trie, which takes more memory for the same look-ups, and one hash map
//! per length, for which every length that anybody uses costs a look-up.

use std::collections::BTreeMap;
use std::ops::Bound::{Included, Unbounded};

/// A map by prefix.
#[derive(Debug)]
pub(super) struct PrefixMap<T>(BTreeMap<Box<[u8]>, T>);

impl<T> Default for PrefixMap<T> {
    fn default() -> PrefixMap<T> {
        PrefixMap(BTreeMap::new())
    }
}

impl<T> PrefixMap<T> {
    /// Whether there is nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The number of prefixes.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The value of a prefix.
    pub(super) fn get_mut(&mut self, prefix: &[u8]) -> Option<&mut T> {
        self.0.get_mut(prefix)
    }

    /// The value of a prefix, a new one if there is none.
    pub(super) fn entry(&mut self, prefix: &[u8]) -> &mut T
    where
        T: Default,
    {
        self.0.entry(prefix.into()).or_default()
    }

    /// Removes a prefix.
    pub(super) fn remove(&mut self, prefix: &[u8]) {
        self.0.remove(prefix);
    }

    /// All prefixes with their values.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&[u8], &T)> {
        self.0.iter().map(|(prefix, value)| (&**prefix, value))
    }

    /// Calls `visit` for every prefix of a text, the longest first.
    pub(super) fn each_prefix_of<'m>(&'m self, text: &[u8], mut visit: impl FnMut(&'m [u8], &'m T)) {
        let mut bound = text;
        loop {
            let below = self.0.range::<[u8], _>((Unbounded, Included(bound))).next_back();
            let Some((prefix, value)) = below else { return };
            let common = prefix.iter().zip(bound).take_while(|(a, b)| a == b).count();
            if common < prefix.len() {
                bound = &bound[..common];
                continue;
            }
            visit(prefix, value);
            let Some(shorter) = common.checked_sub(1) else { return };
            bound = &bound[..shorter];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found<'m>(map: &'m PrefixMap<usize>, text: &str) -> Vec<&'m str> {
        let mut found = Vec::new();
        map.each_prefix_of(text.as_bytes(), |prefix, _| found.push(std::str::from_utf8(prefix).unwrap()));
        found
    }

    #[test]
    fn all_prefixes_are_found_and_nothing_else() {
        let mut map = PrefixMap::default();
        for (index, prefix) in ["", "a", "ab", "abz", "abc:", "b", "ac", "abc:d"].iter().enumerate() {
            *map.entry(prefix.as_bytes()) = index;
        }
        assert_eq!(found(&map, "abc:d"), ["abc:d", "abc:", "ab", "a", ""]);
        assert_eq!(found(&map, "abc"), ["ab", "a", ""]);
        assert_eq!(found(&map, "zzz"), [""]);
        assert_eq!(found(&map, ""), [""]);
        map.remove(b"");
        assert_eq!(found(&map, "zzz"), [] as [&str; 0]);
    }

    /// Compared with looking at every prefix, for texts of two letters.
    #[test]
    fn it_agrees_with_a_search_through_all() {
        let words = |len: u32| (0..1u32 << len).map(move |bits| word(bits, len));
        for seed in 0..200u32 {
            let all: Vec<String> = (0..5).flat_map(words).collect();
            let chosen: Vec<&String> = all
                .iter()
                .enumerate()
                .filter(|(index, _)| (seed.wrapping_mul(2_654_435_761) >> (index % 29)) & 1 == 1)
                .map(|(_, word)| word)
                .collect();
            let mut map = PrefixMap::default();
            chosen.iter().for_each(|word| *map.entry(word.as_bytes()) = 1);
            for text in (0..7).flat_map(words) {
                let mut expected: Vec<&str> =
                    chosen.iter().filter(|word| text.starts_with(**word)).map(|word| word.as_str()).collect();
                expected.sort_by_key(|word| std::cmp::Reverse(word.len()));
                assert_eq!(found(&map, &text), expected, "{text} in {chosen:?}");
            }
        }
    }

    fn word(bits: u32, len: u32) -> String {
        (0..len).map(|at| if bits >> at & 1 == 1 { 'b' } else { 'a' }).collect()
    }
}
