//! The append-only file of a running server: the journal's reader that writes it, who waits for it, its rewriting, loading.
//!
//! `ochre_persist::aof` knows the files and writes them on a thread of its own. Here is what that has to do with commands:
//!
//! - **Replies wait** under `appendfsync always`. Every step notes in its client up to where the journal went while the step's
//!   stripes were locked ([`Client::seen_offset`](crate::Client)): all that it can have seen is before that. The worker keeps
//!   what it has to send to the client until so much is durable. Readers wait like writers: nobody sees what a crash can take
//!   back. What sees no key (PING, a refusal) waits for nothing but the replies before it.
//! - **Refusals.** While the disk fails, or takes less than what is written, commands that write are refused (MISCONF).
//! - **Rewriting** is a snapshot with another sink: at the instant at which it begins, the log goes on in another file.
//! - **Loading** runs the log's commands with nothing of what belongs to clients: no accounts, no expiry, no eviction.
//!
//! | module | what it knows |
//! |---|---|
//! | `state` | whether there is a log, who waits for it, how rewrites went |
//! | `switch` | beginning and ending it: at the start, by CONFIG SET, at the end |
//! | `folder` | the lock that keeps other servers from the log's files |
//! | `sink`, `listener` | between the journal, the log's thread and the workers |
//! | `rewrite` | beginning rewrites, asked for or due |
//! | `load`, `spread` | from the files into the keyspace, on all cores |

mod folder;
mod listener;
mod load;
mod rewrite;
mod sink;
mod spread;
mod state;
mod switch;

pub(crate) use rewrite::RewriteAsked;
pub use state::AppendOnly;
pub(crate) use switch::SwitchError;
