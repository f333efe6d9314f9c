//! Strings. One that is larger than what is read at a time is put together as it comes.

use super::super::cursor::Cursor;
use super::super::text::Text;
use super::{Progress, Step};

/// Room that is made for an announced string at once; beyond that it grows with what has come.
const ROOM_BYTES_MAX: u64 = 64 << 20;

/// A string that is being read.
pub(crate) struct TextDecoder {
    text: Text<'static>,
    /// Bytes of a plain text that are still to come, once its length is known.
    left: Option<u64>,
}

impl TextDecoder {
    pub(crate) fn new() -> TextDecoder {
        TextDecoder { text: Text::Owned(Vec::new()), left: None }
    }

    pub(super) fn step(&mut self, cursor: &mut Cursor<'_>) -> Step {
        let Some(left) = self.left else {
            return match cursor.plain_text_len()? {
                Some(len) => {
                    self.text = Text::Owned(Vec::with_capacity(len.min(ROOM_BYTES_MAX) as usize));
                    self.left = Some(len);
                    Ok(if len == 0 { Progress::Done } else { Progress::More })
                }
                None => {
                    self.text = cursor.text()?.into_owned();
                    Ok(Progress::Done)
                }
            };
        };
        let part = cursor.take_up_to(left);
        if part.is_empty() {
            return Err(super::RdbError::Truncated);
        }
        if let Text::Owned(bytes) = &mut self.text {
            bytes.extend_from_slice(part);
        }
        let left = left - part.len() as u64;
        self.left = Some(left);
        Ok(if left == 0 { Progress::Done } else { Progress::More })
    }

    pub(crate) fn finish(self) -> Text<'static> {
        self.text
    }
}
