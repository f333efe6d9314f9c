//! Values that cannot be built, only passed: those of modules, and types that Ochre does not have.

use super::super::cursor::Cursor;
use super::super::error::RdbError;
use super::super::format::code;
use super::super::module::ModuleId;
use super::{Progress, Step};

/// A value that is being passed.
pub(crate) struct ForeignDecoder {
    code: u8,
    module: Option<ModuleId>,
    /// Elements of an array that are still to come.
    left: Option<u64>,
}

impl ForeignDecoder {
    pub(crate) fn new(code: u8) -> ForeignDecoder {
        ForeignDecoder { code, module: None, left: None }
    }

    pub(super) fn step(&mut self, cursor: &mut Cursor<'_>) -> Step {
        if self.code == code::ARRAY { self.step_array(cursor) } else { self.step_module(cursor) }
    }

    fn step_module(&mut self, cursor: &mut Cursor<'_>) -> Step {
        if self.module.is_none() {
            self.module = Some(ModuleId(cursor.length()?));
            return Ok(Progress::More);
        }
        Ok(if cursor.skip_module_part()? { Progress::More } else { Progress::Done })
    }

    fn step_array(&mut self, cursor: &mut Cursor<'_>) -> Step {
        match self.left {
            None => self.left = Some(super::super::grammar::skip_array_head(cursor)?),
            Some(0) => return Ok(Progress::Done),
            Some(left) => {
                super::super::grammar::skip_array_element(cursor)?;
                self.left = Some(left - 1);
            }
        }
        Ok(Progress::More)
    }

    /// Why it cannot be built.
    pub(crate) fn finish(self) -> RdbError {
        match self.module {
            Some(id) => RdbError::Module(id),
            None => RdbError::Unsupported("array"),
        }
    }
}
