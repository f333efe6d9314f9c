//! `maxclients` against the limit of open files.
//!
//! The server needs [`RESERVED_FILES`] descriptors besides its clients'. If the soft limit is lower than both together
//! it is raised, as far as the system allows; if that does not suffice, `maxclients` shrinks to what fits. The decision
//! is plain arithmetic over "can the limit be set to this", so that tests can play the system.

use std::io;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Descriptors for listeners, persistence, logs and the like.
pub const RESERVED_FILES: u64 = 32;
/// How far apart the attempts to raise the limit are.
const STEP: u64 = 16;

/// What came of fitting `maxclients` into the limit of open files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileLimit {
    /// The limit was high enough.
    Enough,
    /// The limit is now what is needed; it was `from`.
    Raised {
        /// The new limit.
        to: u64,
        /// The old one.
        from: u64,
    },
    /// The limit could be raised to `limit` at most: `maxclients` must be this.
    Reduced {
        /// The number of clients that fit.
        maxclients: u64,
        /// The limit reached.
        limit: u64,
        /// Why the system refused more.
        error: String,
    },
    /// Not even one client fits: the server cannot start.
    TooLow {
        /// The limit found.
        limit: u64,
        /// The limit needed.
        needed: u64,
    },
}

/// Raises the limit of open files for `maxclients` clients, and logs what Redis logs. `reduces` says that `maxclients` will be
/// what fits; otherwise it stays what it was where not all fit.
pub fn fit_open_files(maxclients: u64, reduces: bool) -> FileLimit {
    let found = getrlimit(Resource::Nofile);
    // No limit at all is reported as none.
    let soft = found.current.unwrap_or(u64::MAX);
    let outcome = fit(maxclients, soft, &mut |limit| set_limit(limit, found.maximum));
    log(maxclients, &outcome, reduces);
    outcome
}

/// Sets the soft limit; the hard one follows only upwards, which needs the privilege that Redis uses if it has it.
fn set_limit(limit: u64, hard: Option<u64>) -> io::Result<()> {
    let maximum = hard.map(|hard| hard.max(limit));
    setrlimit(Resource::Nofile, Rlimit { current: Some(limit), maximum }).map_err(io::Error::from)
}

fn fit(maxclients: u64, soft: u64, set: &mut dyn FnMut(u64) -> io::Result<()>) -> FileLimit {
    let needed = maxclients.saturating_add(RESERVED_FILES);
    if soft >= needed {
        return FileLimit::Enough;
    }
    let Err(refusal) = set(needed) else { return FileLimit::Raised { to: needed, from: soft } };
    let mut error = super::error_text(&refusal);
    let at = |steps: u64| needed.saturating_sub(steps.saturating_mul(STEP)).max(soft);
    // Who is refused a limit is refused all above it: so many steps down it is refused, and so many it is granted.
    let (mut refused, mut granted) = (0, (needed - soft).div_ceil(STEP));
    while granted - refused > 1 {
        let middle = refused + (granted - refused) / 2;
        match set(at(middle)) {
            Ok(()) => granted = middle,
            Err(refusal) => (refused, error) = (middle, super::error_text(&refusal)),
        }
    }
    match at(granted) {
        limit if limit <= RESERVED_FILES => FileLimit::TooLow { limit: soft, needed },
        limit => FileLimit::Reduced { maxclients: limit - RESERVED_FILES, limit, error },
    }
}

fn log(requested: u64, outcome: &FileLimit, reduces: bool) {
    let needed = requested.saturating_add(RESERVED_FILES);
    match outcome {
        FileLimit::Enough => {}
        FileLimit::Raised { to, from } => {
            crate::notice!(
                "Increased maximum number of open files to {to} (it was originally set to {from})."
            );
        }
        FileLimit::Reduced { maxclients, limit, error } => {
            crate::warning!(
                "You requested maxclients of {requested} requiring at least {needed} max file descriptors."
            );
            crate::warning!("Server can't set maximum open files to {needed} because of OS error: {error}.");
            let outcome = match reduces {
                true => format!("maxclients has been reduced to {maxclients} to compensate for low ulimit."),
                false => "maxclients stays as it was.".to_owned(),
            };
            crate::warning!(
                "Current maximum open files is {limit}. {outcome} If you need higher maxclients increase 'ulimit -n'."
            );
        }
        FileLimit::TooLow { limit, needed } => crate::warning!(
            "Your current 'ulimit -n' of {limit} is not enough for the server to start. Please increase your open file \
             limit to at least {needed}. Exiting."
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A system that allows limits up to `most`.
    fn system(most: u64) -> impl FnMut(u64) -> io::Result<()> {
        move |limit| if limit <= most { Ok(()) } else { Err(io::Error::from_raw_os_error(1)) }
    }

    #[test]
    fn decisions() {
        let reduced = |maxclients, limit| FileLimit::Reduced {
            maxclients,
            limit,
            error: "Operation not permitted".into(),
        };
        let cases = [
            (100, 132, 132, FileLimit::Enough),
            (100, 131, 132, FileLimit::Raised { to: 132, from: 131 }),
            (10000, 1024, 1 << 20, FileLimit::Raised { to: 10032, from: 1024 }),
            (10000, 1024, 1024, reduced(992, 1024)),
            (10000, 1024, 4096, reduced(4064, 4096)),
            (10000, 32, 32, FileLimit::TooLow { limit: 32, needed: 10032 }),
            (10000, 1024, 4095, reduced(4048, 4080)),
            (10000, 33, 33, reduced(1, 33)),
            (4, 3, 3, FileLimit::TooLow { limit: 3, needed: 36 }),
            (u64::MAX, u64::MAX, u64::MAX, FileLimit::Enough),
        ];
        for (maxclients, soft, most, expected) in cases {
            assert_eq!(fit(maxclients, soft, &mut system(most)), expected, "{maxclients} {soft} {most}");
        }
    }

    #[test]
    fn far_too_many_are_refused_after_a_few_attempts() {
        let mut attempts = 0;
        let mut most = system(1 << 20);
        let outcome = fit(1_000_000_000, 1024, &mut |limit| {
            attempts += 1;
            most(limit)
        });
        assert!(matches!(outcome, FileLimit::Reduced { limit: 1_048_576, .. }), "{outcome:?}");
        assert!(attempts < 40, "{attempts}");
    }

    #[test]
    fn the_real_limit_suffices_for_no_clients() {
        assert_eq!(fit_open_files(0, true), FileLimit::Enough);
    }
}
