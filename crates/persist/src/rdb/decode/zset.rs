//! Sorted sets, in four forms: texts with scores as text or in binary, a ziplist, a listpack.

use ochre_types::listpack::{Item, Listpack};
use ochre_types::parse_f64;
use ochre_types::zset::{AddRule, Added, ZSet, ZSetGatherer, ZSetLimits};

use super::super::cursor::Cursor;
use super::super::error::RdbError;
use super::super::format::code;
use super::{Left, Progress, Step, room_for, ziplist};

const DUPLICATE: RdbError = RdbError::Corrupt("Zset with dup elements");
const NOT_A_NUMBER: RdbError = RdbError::Corrupt("Zset with NAN score detected");

/// A sorted set that is being read.
pub(crate) struct ZSetDecoder<'c> {
    code: u8,
    left: Left,
    zset: Option<ZSet>,
    /// Members of a big one, which are put in order at the end.
    gathered: Option<ZSetGatherer>,
    limits: &'c ZSetLimits,
}

impl<'c> ZSetDecoder<'c> {
    pub(crate) fn new(code: u8, limits: &'c ZSetLimits) -> ZSetDecoder<'c> {
        let is_counted = matches!(code, code::ZSET | code::ZSET_2);
        let left = if is_counted { Left::unknown() } else { Left::of(1) };
        ZSetDecoder { code, left, zset: None, gathered: None, limits }
    }

    pub(super) fn step(&mut self, cursor: &mut Cursor<'_>) -> Step {
        match self.left {
            Left(None) => {
                let count = cursor.length()?;
                if count > self.limits.listpack_entries_max as u64 {
                    self.gathered = Some(ZSetGatherer::new(room_for(count, cursor)));
                }
                self.left = Left::of(count);
            }
            Left(Some(0)) => return Ok(Progress::Done),
            Left(Some(_)) => {
                match self.code {
                    code::ZSET | code::ZSET_2 => self.read_member(cursor)?,
                    _ => self.read_flat(cursor)?,
                }
                return self.left.take_one();
            }
        }
        Ok(Progress::More)
    }

    fn read_member(&mut self, cursor: &mut Cursor<'_>) -> Result<(), RdbError> {
        let member = cursor.text()?;
        let score = match self.code {
            code::ZSET => cursor.score_text()?,
            _ => f64::from_le_bytes(cursor.array()?),
        };
        if let Some(gathered) = &mut self.gathered {
            return match member.with_bytes(|member| gathered.add(member, score)) {
                true => Ok(()),
                false if score.is_nan() => Err(NOT_A_NUMBER),
                false => Err(DUPLICATE),
            };
        }
        let zset = self.zset.get_or_insert_default();
        member.with_bytes(|member| add(zset, member, score, self.limits))
    }

    fn read_flat(&mut self, cursor: &mut Cursor<'_>) -> Result<(), RdbError> {
        let text = cursor.text()?;
        let listpack = if self.code == code::ZSET_ZIPLIST {
            text.with_bytes(|bytes| ziplist::to_listpack(bytes, "Zset ziplist integrity check failed."))?
        } else {
            let listpack = text.with_bytes(Listpack::from_bytes);
            listpack.map_err(|_| RdbError::Corrupt("Zset listpack integrity check failed."))?
        };
        if listpack.is_empty() {
            return Err(RdbError::EmptyValue);
        }
        let mut zset = match ZSet::from_listpack(&listpack) {
            Ok(zset) => zset,
            Err(_) => self.sort(&listpack)?,
        };
        zset.expect(zset.len(), self.limits);
        self.zset = Some(zset);
        Ok(())
    }

    /// Puts pairs in order that are not: Redis does not look at that when it loads, so such files may be somewhere.
    fn sort(&self, listpack: &Listpack) -> Result<ZSet, RdbError> {
        let error = RdbError::Corrupt("Zset listpack integrity check failed.");
        let mut zset = ZSet::new();
        let mut items = listpack.iter();
        while let Some(member) = items.next() {
            let score = match items.next().ok_or(error)? {
                Item::Int(int) => int as f64,
                Item::Bytes(text) => parse_f64(text).ok_or(error)?,
            };
            member.with_bytes(|member| add(&mut zset, member, score, self.limits))?;
        }
        Ok(zset)
    }

    pub(crate) fn finish(self) -> Result<ZSet, RdbError> {
        let gathered = self.gathered.filter(|gathered| !gathered.is_empty()).map(ZSetGatherer::finish);
        gathered.or(self.zset).ok_or(RdbError::EmptyValue)
    }
}

fn add(zset: &mut ZSet, member: &[u8], score: f64, limits: &ZSetLimits) -> Result<(), RdbError> {
    match zset.add(member, score, AddRule::default(), limits) {
        Ok(Added::New(_)) => Ok(()),
        Ok(_) => Err(DUPLICATE),
        Err(_) => Err(NOT_A_NUMBER),
    }
}
