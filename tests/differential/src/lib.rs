//! Random commands to Ochre and to a peer, replies compared byte for byte.
//!
//! Two servers receive the same commands in lock step: side A, which is under test, and side B, the oracle. Commands
//! come from a grammar (one table per family) and from mutations of what it yields; sessions of raw bytes test the
//! protocol itself; from time to time everything that the servers hold is compared. A run is a sequence of epochs, each
//! a function of the seed and its number, each begun on empty servers: any difference can be met again without what
//! came before its epoch, and is shrunk to a reproducer of a few lines.
//!
//! What was rejected: recording one server's replies and playing them to the other (a recording ages, and cannot be
//! shrunk), and comparing parsed replies alone (clients see bytes).

mod campaign;
mod client;
mod compare;
mod exceptions;
mod generate;
mod grammar;
mod pair;
mod payload;
mod process;
mod random;
mod reply;
mod report;
mod scripts;
mod session;
mod shrink;
mod state;
mod step;
mod syntax;
mod tame;
mod text;
mod vocabulary;

pub use campaign::{Findings, Length, run};
pub use client::{Client, encode};
pub use exceptions::Exceptions;
pub use generate::Plan;
pub use grammar::{FAMILIES, Family, Grammar, Known, Oracle, Rule};
pub use pair::{Difference, Pair};
pub use process::Server;
pub use random::Random;
pub use reply::{Broken, Reply};
pub use report::{describe, signature};
pub use shrink::{Reproducer, shrink};
pub use step::{Step, parse_all};
pub use text::escape;
