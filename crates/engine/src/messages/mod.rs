//! Messages: whatever connections are told besides replies. Channels, keyspace events, and what has changed of the keys
//! that a client has read.
//!
//! - `hub` knows who is to be told ([`Messages`]); `topics` who is subscribed to what, `prefix_map` finds patterns and
//!   prefixes; `stale` who has read what
//! - `event` is what keyspace events are published as
//! - `notice` is a thing to be told, encoded once; `queue` where it waits for the workers of those who get it
//! - `backlog` is what a worker has taken out of its queue and its clients have not been told yet
//! - `subscriptions` is what one client is subscribed to
//!
//! The order is that of a server with one thread. Publishing and subscribing happen at a moment: the topics are locked, and
//! whatever concerns several workers is put into all their queues together. A message carries the list of those who were
//! subscribed at that moment: nobody else gets it, and each of them does.
//!
//! What a client is told and what it is replied come through one connection, so they have an order, too. A client that may be
//! told things therefore has its worker look into the queue when each of its commands takes effect, with the stripes of the
//! command locked: what is there by then comes before the reply, and everything else, what the command itself publishes among
//! it, comes after it. What the command publishes stands in the queue with its author's number and is the limit; so is a
//! [`Notice::Mark`], which a change of subscriptions leaves. Whoever is told nothing pays nothing for this.
//!
//! A transaction that publishes or subscribes has all to itself until it is over ([`Messages::exclusive`]), lest the messages of
//! others come in between. The lock for that is taken after those of stripes and before that of the topics.

mod backlog;
mod event;
mod hub;
mod notice;
mod prefix_map;
mod queue;
mod stale;
mod subscriptions;
#[cfg(test)]
mod tests;
mod topics;

pub use backlog::Backlog;
pub(crate) use hub::KeyspaceListener;
pub use hub::{Changes, Exclusive, Messages};
pub use notice::Notice;
pub use queue::{Delivery, Receiver, enter_worker};
pub use subscriptions::Subscriptions;
pub use topics::Kind;
