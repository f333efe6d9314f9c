//! When it is time for a snapshot by itself.

use ochre_config::SavePoint;

/// After a failed one, the next attempt waits for so long, s.
const RETRY_S: i64 = 5;

/// What became of snapshots so far.
#[derive(Clone, Copy, Debug)]
pub(super) struct History {
    /// Since the last one that succeeded, s.
    pub(super) since_success_s: i64,
    /// Since the last attempt, s.
    pub(super) since_attempt_s: i64,
    /// Whether the last one succeeded.
    pub(super) is_ok: bool,
}

/// The save point that asks for a snapshot, if one does. How many changes there were is asked only where the time has come:
/// finding out takes a look at every stripe.
pub(super) fn due(
    points: &[SavePoint],
    changes: impl FnOnce() -> u64,
    history: &History,
) -> Option<SavePoint> {
    let may_try = history.is_ok || history.since_attempt_s > RETRY_S;
    let is_long_ago = |point: &&SavePoint| history.since_success_s > point.seconds;
    let mut ripe = points.iter().filter(is_long_ago).filter(|_| may_try).peekable();
    ripe.peek()?;
    let changes = changes();
    ripe.find(|point| changes >= point.changes as u64).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_point_that_is_reached_asks() {
        let points = [SavePoint { seconds: 900, changes: 1 }, SavePoint { seconds: 60, changes: 10_000 }];
        let cases = [
            (0, 1000, 1000, true, None),
            (1, 900, 900, true, None),
            (1, 901, 901, true, Some(900)),
            (9_999, 100, 100, true, None),
            (10_000, 61, 61, true, Some(60)),
            (10_000, 61, 5, false, None),
            (10_000, 61, 6, false, Some(60)),
            (u64::MAX, -5, -5, true, None),
        ];
        for (changes, since_success_s, since_attempt_s, is_ok, expected) in cases {
            let history = History { since_success_s, since_attempt_s, is_ok };
            let found = due(&points, || changes, &history).map(|point| point.seconds);
            assert_eq!(found, expected, "{changes} changes, {history:?}");
        }
    }
}
