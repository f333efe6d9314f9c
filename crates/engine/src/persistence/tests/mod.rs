//! Whole servers but for their sockets, on the twin of a disk: snapshots, the log, its rewriting, loading and starting again.
//!
//! A client changes keys; after every operation the digest of all there is, is noted: a *point* of its history. Whatever
//! becomes of the disk, the next start must succeed, and must find one of these points: so no operation is there in part, none
//! out of order, and none that was refused. It must be one of those from the last that was acknowledged on: so nothing is lost
//! that was promised. With a log every operation is a point; without one, only snapshots are.
//!
//! - `server`: a server on a disk, and what its client does
//! - `history`: points, and which of them may be found
//! - `program`: operations at random, the same for the same seed
//! - `crash`: the power goes before every call on the disk
//! - `faults`: calls on the disk fail
//!
//! Threads write the files, so not even the same seed has the same calls each time; every run looks at all there were.
//! `OCHRE_SEEDS=100 OCHRE_SEED=7 cargo test -p ochre-engine persistence::tests` tries a hundred programs of each kind from the
//! seventh on; what fails says which.

mod crash;
mod faults;
mod history;
mod program;
mod server;

/// The seeds to try: so many, or as many as the environment says.
fn seeds(usual: u64) -> std::ops::Range<u64> {
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let first = number("OCHRE_SEED").unwrap_or(0);
    first..first + number("OCHRE_SEEDS").unwrap_or(usual)
}
