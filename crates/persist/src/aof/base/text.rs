//! Strings: SET.

use ochre_types::listpack::Item;

use super::encoder::{CommandEncoder, LINE_END};
use super::value::CommandParts;

/// Writes a string, straight from where it is.
pub(super) struct TextCommands<'a> {
    text: &'a [u8],
    /// Its bytes that have been written; `None` before its command.
    written: Option<usize>,
}

impl<'a> TextCommands<'a> {
    pub(super) fn new(text: &'a [u8]) -> TextCommands<'a> {
        TextCommands { text, written: None }
    }
}

impl CommandParts for TextCommands<'_> {
    fn write_part(&mut self, out: &mut CommandEncoder, key: &[u8], bytes: usize) -> bool {
        let at = match self.written {
            Some(at) => at,
            None if self.text.len() <= bytes.saturating_sub(out.len()) => {
                out.set(key, Item::Bytes(self.text));
                return true;
            }
            None => {
                out.begin_set(key, self.text);
                0
            }
        };
        let room = bytes.saturating_sub(out.len());
        let end = at.saturating_add(room).min(self.text.len());
        out.push_raw(&self.text[at..end]);
        self.written = Some(end);
        if end < self.text.len() {
            return false;
        }
        out.push_raw(LINE_END);
        true
    }
}
