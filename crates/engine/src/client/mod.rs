//! Clients: the session that a worker keeps, and what others may see of it.

mod listening;
mod memory;
mod parked;
mod registry;
mod request;
mod session;
mod shared;
mod transaction;
mod wait;

pub use listening::{Listening, Tracking};
pub(crate) use memory::Leaving;
pub use parked::Parked;
pub use registry::Registry;
pub use request::{OwnedRequest, Parts};
pub use session::{Blocked, BlockedOn, Client, Close, Debugging, ReplyMode};
pub use shared::{Attention, ClientShared, DEFAULT_USER, Names, capability, client_flags};
pub use transaction::{Queued, Transaction, Watched};
pub use wait::Wait;
