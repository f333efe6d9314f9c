//! Who asks for rewrites and snapshots while others write.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use ochre_differential::{Client, Random, Reply};

/// What is asked for, and how often in ten times.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Disturbance {
    pub(crate) rewrites: usize,
    pub(crate) saves: usize,
}

const PAUSE_MAX_MS: usize = 120;

/// Goes on until the server does not answer, or until `stop`; returns when the last SAVE that succeeded was asked for.
pub(crate) fn disturb(
    address: SocketAddr,
    mut random: Random,
    what: Disturbance,
    stop: &AtomicBool,
) -> Option<Instant> {
    let mut saved = None;
    let Ok(mut client) = Client::connect(address) else { return saved };
    while !stop.load(Relaxed) {
        std::thread::sleep(Duration::from_millis(random.below(PAUSE_MAX_MS) as u64));
        let choice = random.below(10);
        let command: &[u8] = if choice < what.rewrites {
            b"BGREWRITEAOF"
        } else if choice < what.rewrites + what.saves {
            b"SAVE"
        } else {
            b"BGSAVE"
        };
        let asked = Instant::now();
        match client.call(&[command]) {
            Ok(Reply::Simple(_)) if command == b"SAVE" => saved = Some(asked),
            // One of them may be going on already.
            Ok(_) => {}
            Err(_) => break,
        }
    }
    saved
}
