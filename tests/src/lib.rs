//! What end-to-end tests stand on: real server processes, a client that sees exact bytes, and cases as data.
//!
//! - [`Server`] starts the binary under test (or a peer) on a free port and ends it again; [`ochre`] finds the binary.
//! - [`Client`] sends bytes as they are and reads replies with Ochre's own parser.
//! - [`cases`] reads the files of `tests/cases`, runs them in every [`Mode`](cases::Mode), and records what a peer
//!   answers.
//! - [`Mutator`] makes wrong inputs out of right ones, the same ones in every run.
//!
//! Nothing here sleeps for a guessed time: what takes time is asked for until it is there or a generous limit is over.

mod binary;
pub mod cases;
mod client;
mod fill;
mod mutate;
mod scratch;
mod server;
mod transcript;
mod wait;

pub use binary::{ochre, workspace_root};
pub use client::{Address, Client, is_closed};
pub use fill::fill;
pub use mutate::Mutator;
pub use scratch::Scratch;
pub use server::{Server, ServerBuilder, free_port};
pub use transcript::follow_transcript;
pub use wait::{PATIENCE, wait_for};
