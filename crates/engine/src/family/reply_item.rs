//! Replying what a value is made of.

use ochre_resp::ReplyWriter;
use ochre_types::listpack::Item;

/// An element, a member, a field or its value.
#[inline]
pub(super) fn reply_item(reply: &mut ReplyWriter<'_>, item: Item<'_>) {
    match item {
        Item::Int(number) => reply.bulk_int(number),
        Item::Bytes(bytes) => reply.bulk(bytes),
    }
}
