//! WAIT and WAITAOF with nobody to wait for.

use crate::client::BlockedOn;
use crate::engine::clock_ms;
use crate::execute::Outcome;
use crate::testing::Harness;

#[test]
fn who_asks_for_more_than_there_is_waits() {
    let mut harness = Harness::new();
    for (request, on, timeout_ms) in [
        ("wait 1 50000", BlockedOn::Replicas, Some(50_000)),
        ("wait 1 0", BlockedOn::Replicas, None),
        ("waitaof 0 1 50000", BlockedOn::Logs { local: false, replicas: true }, Some(50_000)),
        ("waitaof 0 2 0", BlockedOn::Logs { local: false, replicas: true }, None),
    ] {
        let before_ms = clock_ms();
        assert_eq!((harness.run(request).as_str(), harness.outcome), ("", Outcome::Blocked), "{request}");
        let blocked = harness.client.blocked.expect("a blocked client");
        assert_eq!(blocked.on, on);
        match timeout_ms {
            None => assert_eq!(blocked.deadline_ms, i64::MAX),
            Some(timeout_ms) => {
                assert!((before_ms..=clock_ms()).contains(&(blocked.deadline_ms - timeout_ms)));
            }
        }
        harness.client.unblock();
    }
}
