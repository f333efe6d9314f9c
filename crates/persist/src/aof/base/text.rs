//! Strings: SET.

use super::encoder::CommandEncoder;
use super::value::CommandParts;

/// Writes a string, straight from where it is.
pub(super) struct TextCommands<'a> {
    text: &'a [u8],
    /// Its bytes that have been written; `None` before its length.
    written: Option<usize>,
}

impl<'a> TextCommands<'a> {
    pub(super) fn new(text: &'a [u8]) -> TextCommands<'a> {
        TextCommands { text, written: None }
    }

    fn begin(&self, out: &mut CommandEncoder, key: &[u8]) -> usize {
        out.begin(3, "SET");
        out.push_text(key);
        out.push_header(b'$', self.text.len());
        0
    }
}

impl CommandParts for TextCommands<'_> {
    fn write_part(&mut self, out: &mut CommandEncoder, key: &[u8], bytes: usize) -> bool {
        let at = self.written.unwrap_or_else(|| self.begin(out, key));
        let room = bytes.saturating_sub(out.bytes().len());
        let end = at.saturating_add(room).min(self.text.len());
        out.push_raw(&self.text[at..end]);
        self.written = Some(end);
        if end < self.text.len() {
            return false;
        }
        out.push_raw(b"\r\n");
        true
    }
}
