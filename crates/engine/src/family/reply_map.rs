//! Replying maps whose fields are not all there every time.

use ochre_resp::{Deferred, ReplyWriter};

/// A map whose fields are counted as they are written.
pub(super) struct ReplyMap<'r, 'a> {
    pub(super) reply: &'r mut ReplyWriter<'a>,
    place: Deferred,
    pairs: usize,
}

impl<'r, 'a> ReplyMap<'r, 'a> {
    /// Begins a map; it has to be ended.
    pub(super) fn begin(reply: &'r mut ReplyWriter<'a>) -> ReplyMap<'r, 'a> {
        let place = reply.defer_map();
        ReplyMap { reply, place, pairs: 0 }
    }

    /// Writes the name of a field; its value has to follow.
    pub(super) fn field(&mut self, name: &str) -> &mut ReplyWriter<'a> {
        self.pairs += 1;
        self.reply.bulk(name.as_bytes());
        self.reply
    }

    /// A field that is left out if it is empty.
    pub(super) fn text(&mut self, name: &str, value: &str) {
        if !value.is_empty() {
            self.field(name).bulk(value.as_bytes());
        }
    }

    /// A field with an integer.
    pub(super) fn integer(&mut self, name: &str, value: i64) {
        self.field(name).integer(value);
    }

    /// Writes the header.
    pub(super) fn end(self) {
        self.reply.finish_map(self.place, self.pairs);
    }
}
