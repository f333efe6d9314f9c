//! Histories of concurrent clients, checked against a sequential model.
//!
//! The claim under test: whatever concurrent clients observe, a server with one thread could have shown them. Clients
//! run short rounds of random operations on few keys and record what they were told and when; the checker looks for an
//! order that explains it. Rounds are short because the search is exponential in the overlap, and many because rare
//! interleavings are the point.
//!
//! | part | what it is |
//! |---|---|
//! | `operation` | what clients can do, how it is sent, how it is drawn; scripts and blocking commands will go here |
//! | `model` | what it means |
//! | `recorder` | rounds against a server |
//! | `history` | what was recorded, and its independent parts |
//! | `checker` | the search |

mod checker;
mod history;
mod model;
mod operation;
mod recorder;

pub use checker::{Verdict, check};
pub use history::{Event, History};
pub use model::State;
pub use operation::{Draw, Key, Mix, Operation, Runner, library};
pub use recorder::{Shape, record};
