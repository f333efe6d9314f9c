//! `client-output-buffer-limit`: how much a client may leave unread.

use ochre_config::Config;
use ochre_engine::{AccessControl, client_flags};

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
}

impl OutputLimits {
    /// The configured limits.
    pub fn new(config: &Config) -> OutputLimits {
        let classes = config.output_buffer_limits().map(|limit| Limit {
            hard_bytes: limit.hard_bytes,
            soft_bytes: limit.soft_bytes,
            soft_ms: limit.soft_seconds as i64 * 1000,
        });
        OutputLimits { classes }
    }

    fn of(&self, connection: &Connection) -> Limit {
        let class = match connection.shared() {
            shared if shared.has(client_flags::REPLICA) => 1,
            shared if shared.has(client_flags::PUBSUB) => 2,
            _ => 0,
        };
        self.classes[class]
    }

    /// Whether a connection may never have more than so much output: then replies are not sent before it is known how
    /// much they are, because the client is to get none of them if they are too much.
    pub fn is_hard(&self, connection: &Connection) -> bool {
        self.of(connection).hard_bytes > 0
    }

    /// How many bytes of replies at once are too many for a connection, whatever else it has.
    pub fn too_many(&self, connection: &Connection) -> usize {
        match self.of(connection).hard_bytes {
            0 => usize::MAX,
            hard_bytes => connection.output_bytes_for(usize::try_from(hard_bytes).unwrap_or(usize::MAX)),
        }
    }

    /// Whether `more` bytes of output would overcome a connection's hard limit.
    pub fn would_exceed(&self, connection: &Connection, more: usize) -> bool {
        let limit = self.of(connection).hard_bytes;
        limit > 0 && connection.limited_bytes_with(more) as u64 >= limit
    }

    /// Whether a connection has overcome one of its limits. Remembers since when it is above the soft one.
    pub fn exceeded(&self, connection: &mut Connection, access: &AccessControl, now_ms: i64) -> bool {
        let limit = self.of(connection);
        let client = &connection.client;
        let is_stranger = !client.authenticated && !client.was_authenticated;
        if is_stranger
            && access.requires_authentication()
            && connection.unsent_bytes() as u64 > STRANGER_BYTES_MAX
        {
            return true;
        }
        let unsent = connection.limited_bytes() as u64;
        if limit.hard_bytes > 0 && unsent >= limit.hard_bytes {
            return true;
        }
        if limit.soft_bytes == 0 || unsent < limit.soft_bytes {
            connection.soft_limit_since_ms = None;
            return false;
        }
        let since_ms = *connection.soft_limit_since_ms.get_or_insert(now_ms);
        now_ms - since_ms > limit.soft_ms
    }
}
