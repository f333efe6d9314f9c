//! What was removed and is to be free before its client is told so: DEL, FLUSHDB and FLUSHALL with SYNC.
//!
//! A little is freed by the worker itself, once its locks are released. What takes longer goes the way of all garbage, in the order in
//! which it came, with a [`Notice`] behind it: when that is reached all before it is free, and the client, which waits until then, is
//! replied to. So the worker's other clients do not wait. Within transactions and scripts nobody can wait: much is freed in
//! the background there, and some of it after the reply.

use ochre_keyspace::Garbage;

use crate::call::Call;
use crate::client::BlockedOn;
use crate::notice::Notice;

/// So many allocations are freed in one go: about a millisecond.
const EFFORT_AT_ONCE: usize = if cfg!(debug_assertions) { 1000 } else { 16 * 1024 };

/// Sees to it that the garbage of this step, from a place in its effects on, is freed before its client gets `reply`, which is the same
/// in all protocols.
pub(super) fn reply_once_freed(call: &mut Call<'_, '_>, from: usize, reply: &[u8]) {
    let garbage = &mut call.view.effects().garbage;
    let effort = garbage[from..].iter().map(Garbage::effort).fold(0, usize::saturating_add);
    let is_alone = call.in_transaction || call.is_retry || call.client.in_script;
    let engine = call.engine.served();
    match engine.filter(|_| effort > EFFORT_AT_ONCE) {
        None => {
            let garbage: Vec<Garbage> = garbage.drain(from..).collect();
            call.view.effects().freed_before_reply.extend(garbage);
        }
        Some(_) if is_alone => {}
        Some(engine) => {
            let to = (call.worker.index, call.client.id());
            let notice = Notice::new(engine, to, reply);
            garbage.push(Garbage::Other(Box::new(notice)));
            return call.client.block(BlockedOn::Completion, i64::MAX);
        }
    }
    call.reply.raw(reply);
}
