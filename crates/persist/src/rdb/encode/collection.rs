//! Lists, sets, hashes and sorted sets, element by element.
//!
//! All four are the same: a number, then as many elements. The number is written first, so a source must not show more
//! or fewer elements than it announces; a pinned value does not change, and a plain one is written under its lock.

use super::super::format::code;
use super::super::version::Version;
use super::encoder::Encoder;
use super::parts::{Fields, Members, Nodes, ScoredMembers, ValueParts};
use super::plan::{CannotHold, Target};
use ochre_types::Portion;
use ochre_types::list::SavedNode;

/// Elements that are asked for at a time.
const ELEMENTS: usize = 128;

/// What to ask for next, if there is room.
fn portion(out: &Encoder, bytes: usize) -> Option<Portion> {
    let room = bytes.saturating_sub(out.bytes().len());
    (room > 0).then_some(Portion { elements: ELEMENTS, bytes: room })
}

/// What a node of a quicklist is.
const PLAIN: u64 = 1;
const PACKED: u64 = 2;

/// What all of them remember: the type, and whether the number stands there.
#[derive(Clone, Copy, Debug, Default)]
struct State {
    code: u8,
    has_begun: bool,
}

impl State {
    /// Writes the number of elements once.
    fn begin(&mut self, out: &mut Encoder, len: usize) {
        if !self.has_begun {
            self.has_begun = true;
            out.push_length(len as u64);
        }
    }

    fn plan(&mut self, plan: (u8, Version)) -> (u8, Version) {
        self.code = plan.0;
        plan
    }
}

/// Writes a list.
#[derive(Debug)]
pub struct ListWriter<S> {
    source: S,
    state: State,
}

impl<S: Nodes> ListWriter<S> {
    /// One that has written nothing.
    pub fn new(source: S) -> ListWriter<S> {
        ListWriter { source, state: State::default() }
    }

    fn write_node(&self, out: &mut Encoder, node: &SavedNode) {
        match (node, self.state.code) {
            (SavedNode::Plain(text), code::LIST) => out.push_text(text),
            (SavedNode::Plain(text), _) => {
                out.push_length(PLAIN);
                out.push_text(text);
            }
            (SavedNode::Listpack(listpack), code::LIST) => {
                listpack.iter().for_each(|item| out.push_item(item));
            }
            (SavedNode::Listpack(listpack), _) => {
                out.push_length(PACKED);
                out.push_text(listpack.as_bytes());
            }
        }
    }
}

impl<S: Nodes> ValueParts for ListWriter<S> {
    fn plan(&mut self, target: Target) -> Result<(u8, Version), CannotHold> {
        Ok(self.state.plan(target.list()))
    }

    fn write_part(&mut self, out: &mut Encoder, bytes: usize) -> bool {
        let is_plain = self.state.code == code::LIST;
        let len = if is_plain { self.source.elements_len() } else { self.source.nodes_len() };
        self.state.begin(out, len);
        while out.bytes().len() < bytes {
            match self.source.next_node() {
                Some(node) => self.write_node(out, &node),
                None => return true,
            }
        }
        false
    }
}

/// Writes a set.
#[derive(Debug)]
pub struct SetWriter<S> {
    source: S,
    state: State,
}

impl<S: Members> SetWriter<S> {
    /// One that has written nothing.
    pub fn new(source: S) -> SetWriter<S> {
        SetWriter { source, state: State::default() }
    }
}

impl<S: Members> ValueParts for SetWriter<S> {
    fn plan(&mut self, target: Target) -> Result<(u8, Version), CannotHold> {
        Ok(self.state.plan(target.set("hashtable")))
    }

    fn write_part(&mut self, out: &mut Encoder, bytes: usize) -> bool {
        self.state.begin(out, self.source.members_len());
        while let Some(portion) = portion(out, bytes) {
            if !self.source.next_members(portion, &mut |member| out.push_item(member)) {
                return true;
            }
        }
        false
    }
}

/// Writes a hash.
#[derive(Debug)]
pub struct HashWriter<S> {
    source: S,
    state: State,
    earliest_ms: i64,
}

impl<S: Fields> HashWriter<S> {
    /// One that has written nothing.
    pub fn new(source: S) -> HashWriter<S> {
        // Times before 1970 have passed, whatever they are.
        let earliest_ms = source.earliest_ms().unwrap_or(0).max(0);
        HashWriter { source, state: State::default(), earliest_ms }
    }
}

impl<S: Fields> ValueParts for HashWriter<S> {
    fn plan(&mut self, target: Target) -> Result<(u8, Version), CannotHold> {
        target.hash("hashtable", self.source.earliest_ms().is_some()).map(|plan| self.state.plan(plan))
    }

    fn write_part(&mut self, out: &mut Encoder, bytes: usize) -> bool {
        let (code, earliest_ms) = (self.state.code, self.earliest_ms);
        if code == code::HASH_METADATA && !self.state.has_begun {
            out.push_raw(&earliest_ms.to_le_bytes());
        }
        self.state.begin(out, self.source.fields_len());
        while let Some(portion) = portion(out, bytes) {
            let has_more = self.source.next_fields(portion, &mut |field| {
                if code == code::HASH_METADATA {
                    // Counted from the earliest, which is 1: 0 is for those that do not expire.
                    let time = field.expire_ms.map_or(0, |ms| ms.max(earliest_ms) - earliest_ms + 1);
                    out.push_length(time as u64);
                }
                out.push_item(field.name);
                out.push_item(field.value);
                if code == code::HASH_2 {
                    out.push_raw(&field.expire_ms.unwrap_or(-1).to_le_bytes());
                }
            });
            if !has_more {
                return true;
            }
        }
        false
    }
}

/// Writes a sorted set.
#[derive(Debug)]
pub struct ZSetWriter<S> {
    source: S,
    state: State,
}

impl<S: ScoredMembers> ZSetWriter<S> {
    /// One that has written nothing.
    pub fn new(source: S) -> ZSetWriter<S> {
        ZSetWriter { source, state: State::default() }
    }
}

impl<S: ScoredMembers> ValueParts for ZSetWriter<S> {
    fn plan(&mut self, target: Target) -> Result<(u8, Version), CannotHold> {
        Ok(self.state.plan(target.zset("skiplist")))
    }

    fn write_part(&mut self, out: &mut Encoder, bytes: usize) -> bool {
        self.state.begin(out, self.source.members_len());
        while let Some(portion) = portion(out, bytes) {
            let has_more = self.source.next_members(portion, &mut |member, score| {
                out.push_item(member);
                out.push_raw(&score.to_le_bytes());
            });
            if !has_more {
                return true;
            }
        }
        false
    }
}
