//! Lists, sets, hashes and sorted sets.
//!
//! A portion of a source becomes a command, so that nothing has to be remembered from one part to the next. Where a source
//! shows more than it was asked for (small values are shown at once), it becomes several.

use std::ops::Range;

use ochre_types::Portion;
use ochre_types::list::{List, PinnedList};
use ochre_types::listpack::Item;

use super::encoder::CommandEncoder;
use super::runs::{ELEMENTS_MAX, Runs};
use super::value::CommandParts;
use crate::rdb::{Fields, Members, ScoredMembers};

/// Lists and sets: RPUSH and SADD.
pub(super) struct ItemCommands<S> {
    name: &'static str,
    source: S,
}

impl<S: Members> ItemCommands<S> {
    pub(super) fn new(name: &'static str, source: S) -> ItemCommands<S> {
        ItemCommands { name, source }
    }
}

impl<S: Members> CommandParts for ItemCommands<S> {
    fn write_part(&mut self, out: &mut CommandEncoder, key: &[u8], bytes: usize) -> bool {
        while let Some(portion) = out.portion(bytes) {
            let mut runs = Runs::new(out, self.name, key, 1);
            let has_more = self.source.next_members(portion, &mut |item| runs.element().push_item(item));
            runs.end();
            if !has_more {
                return true;
            }
        }
        false
    }
}

/// Sorted sets: ZADD.
pub(super) struct ScoreCommands<S>(S);

impl<S: ScoredMembers> ScoreCommands<S> {
    pub(super) fn new(source: S) -> ScoreCommands<S> {
        ScoreCommands(source)
    }
}

impl<S: ScoredMembers> CommandParts for ScoreCommands<S> {
    fn write_part(&mut self, out: &mut CommandEncoder, key: &[u8], bytes: usize) -> bool {
        while let Some(portion) = out.portion(bytes) {
            let mut runs = Runs::new(out, "ZADD", key, 2);
            let has_more = self.0.next_members(portion, &mut |member, score| {
                let out = runs.element();
                out.push_score(score);
                out.push_item(member);
            });
            runs.end();
            if !has_more {
                return true;
            }
        }
        false
    }
}

/// Hashes: HMSET, and HPEXPIREAT behind it for the fields that expire.
pub(super) struct FieldCommands<S> {
    source: S,
    times: Times,
}

impl<S: Fields> FieldCommands<S> {
    pub(super) fn new(source: S) -> FieldCommands<S> {
        FieldCommands { source, times: Times::default() }
    }
}

impl<S: Fields> CommandParts for FieldCommands<S> {
    fn write_part(&mut self, out: &mut CommandEncoder, key: &[u8], bytes: usize) -> bool {
        let FieldCommands { source, times } = self;
        while let Some(portion) = out.portion(bytes) {
            let mut runs = Runs::new(out, "HMSET", key, 2);
            let has_more = source.next_fields(portion, &mut |field| {
                let out = runs.element();
                out.push_item(field.name);
                out.push_item(field.value);
                if let Some(expire_ms) = field.expire_ms {
                    times.note(field.name, expire_ms);
                }
            });
            runs.end();
            times.write(out, key);
            if !has_more {
                return true;
            }
        }
        false
    }
}

/// When the fields of a portion expire.
#[derive(Default)]
struct Times {
    names: Vec<u8>,
    /// Times, with where the names are.
    fields: Vec<(i64, Range<usize>)>,
}

impl Times {
    fn note(&mut self, name: Item<'_>, expire_ms: i64) {
        let start = self.names.len();
        match name {
            Item::Int(int) => self.names.extend_from_slice(itoa::Buffer::new().format(int).as_bytes()),
            Item::Bytes(text) => self.names.extend_from_slice(text),
        }
        self.fields.push((expire_ms, start..self.names.len()));
    }

    /// Writes what was noted, with one command for up to 64 fields of the same time.
    fn write(&mut self, out: &mut CommandEncoder, key: &[u8]) {
        self.fields.sort_by_key(|(expire_ms, _)| *expire_ms);
        let same = self.fields.chunk_by(|one, next| one.0 == next.0);
        for fields in same.flat_map(|fields| fields.chunks(ELEMENTS_MAX)) {
            out.begin(5 + fields.len(), "HPEXPIREAT");
            out.push_text(key);
            out.push_int(fields[0].0);
            out.push_word("FIELDS");
            out.push_count(fields.len() as u64);
            fields.iter().for_each(|(_, name)| out.push_text(&self.names[name.clone()]));
        }
        self.names.clear();
        self.fields.clear();
    }
}

/// The elements of a list, read as members are: the commands differ in nothing but the name.
pub(super) struct PlainElements<'a> {
    list: &'a List,
    read: usize,
}

impl<'a> PlainElements<'a> {
    pub(super) fn new(list: &'a List) -> PlainElements<'a> {
        PlainElements { list, read: 0 }
    }
}

impl Members for PlainElements<'_> {
    fn members_len(&self) -> usize {
        self.list.len()
    }

    fn next_members(&mut self, portion: Portion, visit: &mut dyn FnMut(Item<'_>)) -> bool {
        self.list.range(self.read, portion.elements, visit);
        self.read = self.read.saturating_add(portion.elements);
        self.read < self.list.len()
    }
}

/// The same of a list as it was at an instant.
impl Members for &mut PinnedList {
    fn members_len(&self) -> usize {
        self.len()
    }

    fn next_members(&mut self, portion: Portion, visit: &mut dyn FnMut(Item<'_>)) -> bool {
        self.read(portion, visit)
    }
}
