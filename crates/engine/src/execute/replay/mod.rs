//! Running the commands of a log: one after the other, or in batches on several threads.

mod batch;
mod replayer;

pub(crate) use batch::Batch;
pub(crate) use replayer::Replayer;
