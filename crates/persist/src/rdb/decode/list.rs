//! Lists, in four forms: texts, a ziplist, several ziplists, several listpacks and plain texts.

use ochre_types::list::{End, List, ListLimits, SavedNode};
use ochre_types::listpack::Listpack;

use super::super::cursor::Cursor;
use super::super::error::RdbError;
use super::super::format::code;
use super::{Left, Progress, Step, ziplist};

/// What a node of a quicklist is.
const PLAIN: u64 = 1;
const PACKED: u64 = 2;

/// A list that is being read.
pub(crate) struct ListDecoder<'c> {
    code: u8,
    left: Left,
    list: List,
    limits: &'c ListLimits,
}

impl<'c> ListDecoder<'c> {
    pub(crate) fn new(code: u8, limits: &'c ListLimits) -> ListDecoder<'c> {
        let left = if code == code::LIST_ZIPLIST { Left::of(1) } else { Left::unknown() };
        ListDecoder { code, left, list: List::new(), limits }
    }

    pub(super) fn step(&mut self, cursor: &mut Cursor<'_>) -> Step {
        match self.left {
            Left(None) => self.left = Left::of(cursor.length()?),
            Left(Some(0)) => return Ok(Progress::Done),
            Left(Some(_)) => {
                self.read_element(cursor)?;
                return self.left.take_one();
            }
        }
        Ok(Progress::More)
    }

    fn read_element(&mut self, cursor: &mut Cursor<'_>) -> Result<(), RdbError> {
        match self.code {
            code::LIST => {
                let list = &mut self.list;
                cursor.text()?.with_bytes(|text| list.push(End::Tail, [text], self.limits));
            }
            code::LIST_QUICKLIST_2 => match cursor.length()? {
                PLAIN => {
                    let text = cursor.text()?.into_vec();
                    // A node has an element of its own because that is large.
                    if text.is_empty() {
                        return Err(RdbError::Corrupt("Quicklist integrity check failed."));
                    }
                    self.list.push_saved(&SavedNode::Plain(text.into()), self.limits);
                }
                PACKED => {
                    let node = cursor.text()?.with_bytes(Listpack::from_bytes);
                    let error = RdbError::Corrupt("Listpack integrity check failed.");
                    self.push_node(node.map_err(|_| error)?);
                }
                _ => return Err(RdbError::Corrupt("Quicklist integrity check failed.")),
            },
            _ => {
                let node = cursor.text()?;
                let error = "Ziplist integrity check failed.";
                self.push_node(node.with_bytes(|bytes| ziplist::to_listpack(bytes, error))?);
            }
        }
        Ok(())
    }

    /// Adds a node. Empty ones were left behind by old bugs.
    fn push_node(&mut self, node: Listpack) {
        if !node.is_empty() {
            self.list.push_saved(&SavedNode::Listpack(node), self.limits);
        }
    }

    pub(crate) fn finish(mut self) -> Result<List, RdbError> {
        self.list.loaded(self.limits);
        if self.list.is_empty() { Err(RdbError::EmptyValue) } else { Ok(self.list) }
    }
}
