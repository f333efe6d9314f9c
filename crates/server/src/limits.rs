//! `client-output-buffer-limit`: how much a client may leave unread.

use ochre_config::{Config, Directive};
use ochre_engine::client_flags;

use crate::connection::Connection;

/// What a client that never authenticated may leave unread, bytes.
const STRANGER_BYTES_MAX: u64 = 1024;

#[derive(Clone, Copy, Debug)]
struct Limit {
    hard_bytes: u64,
    soft_bytes: u64,
    soft_ms: i64,
}

/// Replies that every client has room for whatever its limit, bytes: Redis does not count its clients' first buffer.
const FREE_BYTES: usize = 16 * 1024;

/// What counts of the bytes that a client has not taken.
fn counted_bytes(unsent_bytes: usize) -> u64 {
    unsent_bytes.saturating_sub(FREE_BYTES) as u64
}

/// The limits by class of client: normal, replica, pubsub.
#[derive(Clone, Debug)]
pub struct OutputLimits {
    classes: [Limit; 3],
    has_password: bool,
}

impl OutputLimits {
    /// The configured limits.
    pub fn new(config: &Config) -> OutputLimits {
        let classes = config.output_buffer_limits().map(|limit| Limit {
            hard_bytes: limit.hard_bytes,
            soft_bytes: limit.soft_bytes,
            soft_ms: limit.soft_seconds as i64 * 1000,
        });
        OutputLimits { classes, has_password: !config.text(Directive::Requirepass).is_empty() }
    }

    /// Whether a connection's hard limit is overcome once these replies are there too.
    pub fn is_over_hard(&self, connection: &Connection, replies_bytes: usize) -> bool {
        let hard_bytes = self.class(connection).hard_bytes;
        hard_bytes > 0 && counted_bytes(connection.unsent_bytes() + replies_bytes) >= hard_bytes
    }

    fn class(&self, connection: &Connection) -> Limit {
        self.classes[match connection.shared() {
            shared if shared.has(client_flags::REPLICA) => 1,
            shared if shared.has(client_flags::PUBSUB) => 2,
            _ => 0,
        }]
    }

    /// Which limit a connection has overcome, if any. Remembers since when it is above the soft one.
    pub fn exceeded(&self, connection: &mut Connection, now_ms: i64) -> Option<&'static str> {
        let limit = self.class(connection);
        let client = &connection.client;
        let is_stranger = self.has_password && !client.authenticated && !client.was_authenticated;
        if is_stranger && connection.unsent_bytes() as u64 > STRANGER_BYTES_MAX {
            return Some("not authenticated");
        }
        let unsent = counted_bytes(connection.unsent_bytes());
        if limit.hard_bytes > 0 && unsent >= limit.hard_bytes {
            return Some("hard limit");
        }
        if limit.soft_bytes == 0 || unsent < limit.soft_bytes {
            connection.soft_limit_since_ms = None;
            return None;
        }
        let since_ms = *connection.soft_limit_since_ms.get_or_insert(now_ms);
        (now_ms - since_ms > limit.soft_ms).then_some("soft limit")
    }
}
