//! Hashes from bytes that come from outside: listpacks of RDB files and of RESTORE.

use super::table::Table;
use super::value::HashLimits;
use super::word::{Look, Owned, Word};
use super::{Hash, expiring, packed, shaped};
use crate::listpack::{ForwardPack, Listpack, are_distinct};

/// A listpack that is no hash: fields are incomplete or come twice, times are none or out of order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAHash;

impl Hash {
    /// The hash whose fields are in a well-formed listpack: with times (`listpackex`) or without. Limits are not looked at, but
    /// what is too long for one run of bytes here becomes a table. O(fields). An empty listpack is none: no key has a hash
    /// without fields.
    pub fn from_listpack(pack: &Listpack, has_times: bool) -> Result<Hash, NotAHash> {
        let width = if has_times { 3 } else { 2 };
        if pack.is_empty() || !pack.len().is_multiple_of(width) {
            return Err(NotAHash);
        }
        if has_times && !are_times_in_order(pack) {
            return Err(NotAHash);
        }
        if !are_distinct(pack.iter().step_by(width)) {
            return Err(NotAHash);
        }
        let mut hash = Hash(Word::from(match ForwardPack::from_listpack(pack) {
            Some(pack) if has_times => Owned::Expiring(Box::new(pack)),
            Some(pack) => Owned::Packed(pack),
            None => Owned::Table(Box::new(match has_times {
                true => Table::of_entries(pack.len() / width, expiring::iter(pack)),
                false => Table::of_entries(pack.len() / width, packed::iter(pack)),
            })),
        }));
        hash.share_names();
        Ok(hash)
    }

    /// Chooses the encoding of a hash that has been put together from a file.
    pub fn loaded(&mut self, limits: &HashLimits) {
        self.enforce(limits);
    }

    /// Shares the names with other hashes, if there are enough of the kind.
    fn share_names(&mut self) {
        let Look::Packed(pack) = self.0.look() else { return };
        let texts = Texts::of(pack);
        if let Some(record) = shaped::of(texts.pairs()) {
            self.0 = Word::from(Owned::Shaped(record));
        }
    }
}

/// The elements of a pack as texts, in one run of bytes.
struct Texts {
    bytes: Vec<u8>,
    /// Where each of them ends.
    ends: Vec<usize>,
}

impl Texts {
    fn of(pack: &ForwardPack) -> Texts {
        let mut texts =
            Texts { bytes: Vec::with_capacity(2 * pack.bytes()), ends: Vec::with_capacity(pack.len()) };
        for item in pack {
            item.write_to(&mut texts.bytes);
            texts.ends.push(texts.bytes.len());
        }
        texts
    }

    fn text(&self, index: usize) -> &[u8] {
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.bytes[start..self.ends[index]]
    }

    fn pairs(&self) -> impl Iterator<Item = (&[u8], &[u8])> + Clone {
        (0..self.ends.len() / 2).map(|pair| (self.text(2 * pair), self.text(2 * pair + 1)))
    }
}

/// Whether every third element is a time, the earliest first and those of fields that do not expire (0) last.
fn are_times_in_order(pack: &Listpack) -> bool {
    let are_times = pack.iter().skip(2).step_by(3).all(|time| time.as_int().is_some_and(|ms| ms >= 0));
    let times = expiring::iter(pack).map(|entry| entry.expire_ms.unwrap_or(i64::MAX));
    are_times && times.is_sorted()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(elements: &[&str], has_times: bool) -> Result<Hash, NotAHash> {
        let mut pack = Listpack::new();
        elements.iter().for_each(|element| pack.push_back(element.as_bytes()));
        Hash::from_listpack(&pack, has_times)
    }

    #[test]
    fn what_was_given_out_is_taken_back() {
        let fields = ["name of its own", "1", "17", "x"];
        let hash = load(&fields, false).expect("a hash");
        assert_eq!((hash.len(), hash.encoding_name()), (2, "listpack"));
        assert_eq!(hash.get(b"17", 0).map(|value| value.to_vec()), Some(b"x".to_vec()));
        let again = load(&fields, false).expect("a hash");
        assert!(again.is_shaped() && again == hash);
        let times = load(&["b", "1", "50", "a", "2", "50", "c", "3", "0"], true).expect("a hash");
        assert_eq!((times.len(), times.encoding_name()), (3, "listpackex"));
        assert_eq!(times.next_expiry_ms(), Some(50));
        let (pack, has_times) = times.as_pack().expect("one run of bytes");
        assert_eq!(Hash::from_listpack(&pack.to_listpack(), has_times).as_ref(), Ok(&times));
    }

    #[test]
    fn what_exceeds_the_limits_becomes_a_table() {
        let mut hash = load(&["a", "1", "b", "2"], false).expect("a hash");
        hash.loaded(&HashLimits { entries_max: 2, value_bytes_max: 64 });
        assert_eq!(hash.encoding_name(), "listpack");
        hash.loaded(&HashLimits { entries_max: 1, value_bytes_max: 64 });
        assert_eq!((hash.encoding_name(), hash.len()), ("hashtable", 2));
    }

    #[test]
    fn what_is_no_hash_is_refused() {
        let cases: &[(&[&str], bool)] = &[
            (&[], false),
            (&[], true),
            (&["a"], false),
            (&["a", "1", "a", "2"], false),
            (&["1", "1", "1", "2"], false),
            (&["a", "1"], true),
            (&["a", "1", "x"], true),
            (&["a", "1", "-5"], true),
            (&["a", "1", "0", "b", "2", "50"], true),
            (&["a", "1", "60", "b", "2", "50"], true),
            (&["a", "1", "50", "a", "2", "50"], true),
        ];
        for (elements, has_times) in cases {
            assert_eq!(load(elements, *has_times), Err(NotAHash), "{elements:?}");
        }
    }
}
