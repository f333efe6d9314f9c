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

    /// Which limit a connection has overcome, if any. Remembers since when it is above the soft one.
    pub fn exceeded(&self, connection: &mut Connection, now_ms: i64) -> Option<&'static str> {
        let class = match connection.shared() {
            shared if shared.has(client_flags::REPLICA) => 1,
            shared if shared.has(client_flags::PUBSUB) => 2,
            _ => 0,
        };
        let limit = self.classes[class];
        let unsent = connection.unsent_bytes() as u64;
        let client = &connection.client;
        let is_stranger = self.has_password && !client.authenticated && !client.was_authenticated;
        if is_stranger && unsent > STRANGER_BYTES_MAX {
            return Some("not authenticated");
        }
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
