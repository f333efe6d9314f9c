//! The rest of replies that show the elements of one value, one after the other (see [`crate::Sequel`]).

use ochre_resp::ReplyWriter;
use ochre_types::Portion;
use ochre_types::hash::{HashEntry, PinnedHash};
use ochre_types::list::PinnedList;
use ochre_types::listpack::Item;
use ochre_types::set::PinnedSet;
use ochre_types::zset::PinnedZSet;

use super::reply_item::reply_item;
use crate::sequel::Sequel;

/// Elements of which a part has at most so many: short ones cost more than their bytes tell.
const ELEMENTS_MAX: usize = 4096;

/// So much of a value makes so many bytes of a reply.
pub(super) fn portion(bytes: usize) -> Portion {
    Portion { elements: ELEMENTS_MAX, bytes }
}

/// Members of a set.
impl Sequel for PinnedSet {
    fn write(&mut self, reply: &mut ReplyWriter<'_>, bytes: usize) -> bool {
        self.read(portion(bytes), &mut |member| reply_item(reply, member))
    }
}

/// Elements of a list.
impl Sequel for PinnedList {
    fn write(&mut self, reply: &mut ReplyWriter<'_>, bytes: usize) -> bool {
        self.read(portion(bytes), &mut |item| reply_item(reply, item))
    }
}

/// Fields of a hash.
pub(super) struct FieldsSequel<F> {
    pub(super) fields: PinnedHash,
    /// The time of the command: fields that had not expired then are shown.
    pub(super) now_ms: i64,
    /// What is shown of each.
    pub(super) show: F,
}

impl<F: Fn(&mut ReplyWriter<'_>, HashEntry<'_>) + Send> Sequel for FieldsSequel<F> {
    fn write(&mut self, reply: &mut ReplyWriter<'_>, bytes: usize) -> bool {
        let show = &self.show;
        self.fields.read(portion(bytes), self.now_ms, &mut |field| show(reply, field))
    }
}

/// Members of a sorted set, with their scores or without.
pub(super) struct MembersSequel<F> {
    pub(super) members: PinnedZSet,
    /// What is shown of each.
    pub(super) show: F,
}

impl<F: Fn(&mut ReplyWriter<'_>, Item<'_>, f64) + Send> Sequel for MembersSequel<F> {
    fn write(&mut self, reply: &mut ReplyWriter<'_>, bytes: usize) -> bool {
        let show = &self.show;
        self.members.read(portion(bytes), &mut |member, score| show(reply, member, score))
    }
}
