//! Pinned values as what writers read from: a snapshot writes them in parts, without any lock. What is small is not written
//! as one run of bytes: it gets here only if it was changed while the snapshot was under way.

use ochre_types::hash::{HashEntry, PinnedHash};
use ochre_types::list::{PinnedList, SavedNode};
use ochre_types::listpack::Item;
use ochre_types::set::PinnedSet;
use ochre_types::zset::PinnedZSet;
use ochre_types::{LongString, ObjectRef, Pinned, Portion};

use super::super::format::code;
use super::super::version::Version;
use super::collection::{HashWriter, ListWriter, SetWriter, ZSetWriter};
use super::encoder::Encoder;
use super::parts::{Fields, Members, Nodes, ScoredMembers, ValueParts};
use super::plan::{CannotHold, Target};
use super::value::{ValueRef, ValueWriter};

/// Writes a pinned value that nothing has been read of yet.
///
/// # Errors
/// When the target cannot hold it.
pub fn pinned_writer<'a>(
    pinned: &'a mut Pinned,
    target: Target,
) -> Result<Box<dyn ValueParts + 'a>, CannotHold> {
    let plain = |object: ObjectRef<'a>| -> Result<Box<dyn ValueParts + 'a>, CannotHold> {
        Ok(Box::new(ValueWriter::new(ValueRef::Object(object), target)?))
    };
    match pinned {
        Pinned::String(string) => match string.len() > LONG_BYTES {
            true => Ok(Box::new(LongText { string, written: None })),
            false => plain(ObjectRef::String(string)),
        },
        Pinned::Stream(stream) => plain(ObjectRef::Stream(stream)),
        Pinned::List(list) => Ok(Box::new(ListWriter::new(PinnedNodes { elements: list.len(), list }))),
        Pinned::Set(set) => Ok(Box::new(SetWriter::new(set))),
        Pinned::Hash(hash) => Ok(Box::new(HashWriter::new(hash))),
        Pinned::ZSet(zset) => Ok(Box::new(ZSetWriter::new(zset))),
    }
}

/// A longer string is written in parts, as it is: compressing it would take as much memory again.
const LONG_BYTES: usize = 4 << 20;

struct LongText<'a> {
    string: &'a LongString,
    /// Its bytes that have been written; `None` before its length.
    written: Option<usize>,
}

impl ValueParts for LongText<'_> {
    fn plan(&mut self, _: Target) -> Result<(u8, Version), CannotHold> {
        Ok((code::STRING, Version::V9))
    }

    fn write_part(&mut self, out: &mut Encoder, bytes: usize) -> bool {
        let at = self.written.unwrap_or_else(|| {
            out.push_length(self.string.len() as u64);
            0
        });
        let room = bytes.saturating_sub(out.bytes().len());
        let end = at.saturating_add(room).min(self.string.len());
        out.push_raw(&self.string[at..end]);
        self.written = Some(end);
        end == self.string.len()
    }
}

struct PinnedNodes<'a> {
    elements: usize,
    list: &'a mut PinnedList,
}

impl Nodes for PinnedNodes<'_> {
    fn nodes_len(&self) -> usize {
        self.list.nodes_len()
    }

    fn elements_len(&self) -> usize {
        self.elements
    }

    fn next_node(&mut self) -> Option<SavedNode> {
        self.list.next_node()
    }
}

impl Members for &mut PinnedSet {
    fn members_len(&self) -> usize {
        self.len()
    }

    fn next_members(&mut self, portion: Portion, visit: &mut dyn FnMut(Item<'_>)) -> bool {
        self.read(portion, visit)
    }
}

impl Fields for &mut PinnedHash {
    fn fields_len(&self) -> usize {
        self.len()
    }

    fn earliest_ms(&self) -> Option<i64> {
        self.next_expiry_ms()
    }

    fn next_fields(&mut self, portion: Portion, visit: &mut dyn FnMut(HashEntry<'_>)) -> bool {
        self.read(portion, i64::MIN, visit)
    }
}

impl ScoredMembers for &mut PinnedZSet {
    fn members_len(&self) -> usize {
        self.len()
    }

    fn next_members(&mut self, portion: Portion, visit: &mut dyn FnMut(Item<'_>, f64)) -> bool {
        self.read(portion, visit)
    }
}

#[cfg(test)]
mod tests {
    use ochre_types::set::{Set, SetLimits};
    use ochre_types::{DataType as _, Object};

    use super::super::encoder::EncodeOptions;
    use super::*;

    #[test]
    fn a_part_has_no_more_than_an_element_beyond_its_size() {
        const ELEMENT: usize = 100_000;
        let mut set = Set::new();
        for at in 0..20 {
            set.add(&vec![at; ELEMENT], &SetLimits::default());
        }
        let mut object: Object = set.into_object();
        let mut pinned = object.as_mut().pin();
        let mut parts = pinned_writer(&mut pinned, Target::default()).unwrap();
        let mut encoder = Encoder::new(EncodeOptions::default());
        parts.plan(Target::default()).unwrap();
        let mut calls = 0;
        while !parts.write_part(&mut encoder, 1000) {
            assert!(encoder.bytes().len() < 1000 + ELEMENT + 100, "{}", encoder.bytes().len());
            encoder.clear();
            calls += 1;
        }
        assert_eq!(calls, 19);
    }
}
