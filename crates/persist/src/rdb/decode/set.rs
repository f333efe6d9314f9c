//! Sets, in three forms: texts, an intset, a listpack.

use ochre_types::listpack::Listpack;
use ochre_types::set::{Set, SetLimits};

use super::super::cursor::Cursor;
use super::super::error::RdbError;
use super::super::format::code;
use super::{Left, Progress, Step, room_for};

/// A set that is being read.
pub(crate) struct SetDecoder<'c> {
    code: u8,
    left: Left,
    set: Option<Set>,
    limits: &'c SetLimits,
}

/// A set for `count` members, with room for some of them. Peers look at what an intset may have, even of words.
fn begun(first: &[u8], (count, room): (u64, usize), limits: &SetLimits) -> Set {
    if count <= limits.intset_entries as u64 {
        return Set::for_members(first, room, limits);
    }
    let mut set = Set::new();
    set.expect(room.max(limits.intset_entries + 1), limits);
    set
}

impl<'c> SetDecoder<'c> {
    pub(crate) fn new(code: u8, limits: &'c SetLimits) -> SetDecoder<'c> {
        let left = if code == code::SET { Left::unknown() } else { Left::of(1) };
        SetDecoder { code, left, set: None, limits }
    }

    pub(super) fn step(&mut self, cursor: &mut Cursor<'_>) -> Step {
        match self.left {
            Left(None) => self.left = Left::of(cursor.length()?),
            Left(Some(0)) => return Ok(Progress::Done),
            Left(Some(left)) => {
                match self.code {
                    code::SET => self.read_member(left, cursor)?,
                    code::SET_INTSET => self.read_intset(cursor)?,
                    _ => self.read_listpack(cursor)?,
                }
                return self.left.take_one();
            }
        }
        Ok(Progress::More)
    }

    fn read_member(&mut self, left: u64, cursor: &mut Cursor<'_>) -> Result<(), RdbError> {
        let room = room_for(left, cursor);
        let limits = self.limits;
        let set = &mut self.set;
        let is_new = cursor.text()?.with_bytes(|member| {
            set.get_or_insert_with(|| begun(member, (left, room), limits)).add(member, limits)
        });
        if is_new { Ok(()) } else { Err(RdbError::Corrupt("Duplicate set members detected")) }
    }

    fn read_intset(&mut self, cursor: &mut Cursor<'_>) -> Result<(), RdbError> {
        let set = cursor.text()?.with_bytes(Set::from_intset_bytes);
        self.take(set.map_err(|_| RdbError::Corrupt("Intset integrity check failed."))?);
        Ok(())
    }

    fn read_listpack(&mut self, cursor: &mut Cursor<'_>) -> Result<(), RdbError> {
        let error = |_| RdbError::Corrupt("Set listpack integrity check failed.");
        let listpack = cursor.text()?.with_bytes(Listpack::from_bytes).map_err(error)?;
        if listpack.is_empty() {
            return Err(RdbError::EmptyValue);
        }
        self.take(Set::from_listpack(&listpack).map_err(error)?);
        Ok(())
    }

    /// Takes a set in its small encoding, which it may be too large for.
    fn take(&mut self, mut set: Set) {
        set.expect(set.len(), self.limits);
        self.set = Some(set);
    }

    pub(crate) fn finish(self) -> Result<Set, RdbError> {
        self.set.ok_or(RdbError::EmptyValue)
    }
}
