//! What a connection is told besides replies, encoded once for all who get it.

use ochre_resp::{Protocol, ReplyWriter};

use crate::client::{Client, client_flags};

/// The channel by which clients without pushes hear what has changed.
const INVALIDATION_CHANNEL: &[u8] = b"__redis__:invalidate";

/// A thing to be told.
#[derive(Debug, PartialEq, Eq)]
pub enum Notice {
    /// A message of a channel, as a push of RESP3; RESP2 has another first byte.
    Message(Box<[u8]>),
    /// What the client, or one that it speaks for, has read is not so any more.
    Invalidation {
        /// The names, encoded as an array or as null.
        names: Box<[u8]>,
        /// Whether another client has read it.
        is_redirected: bool,
    },
    /// The client that was to hear what has changed is gone; its number.
    BrokenRedirection(u64),
    /// Nothing: what comes before it was there before its author did something.
    Mark,
}

impl Notice {
    /// A message of these parts.
    pub(super) fn message(parts: &[&[u8]]) -> Notice {
        let bytes: usize = parts.iter().map(|part| part.len() + 16).sum();
        let mut out = Vec::with_capacity(bytes + 8);
        let mut writer = ReplyWriter::new(&mut out, Protocol::Resp3);
        writer.push(parts.len());
        parts.iter().for_each(|part| writer.bulk(part));
        Notice::Message(out.into())
    }

    /// That these keys have changed.
    pub(super) fn invalidation<'n>(
        names: impl ExactSizeIterator<Item = &'n [u8]>,
        is_redirected: bool,
    ) -> Notice {
        let mut out = Vec::new();
        let mut writer = ReplyWriter::new(&mut out, Protocol::Resp3);
        writer.array(names.len());
        names.for_each(|name| writer.bulk(name));
        Notice::Invalidation { names: out.into(), is_redirected }
    }

    /// That everything has changed; null is as the client that has read it speaks.
    pub(super) fn invalidation_of_all(protocol: Protocol, is_redirected: bool) -> Notice {
        let mut out = Vec::new();
        ReplyWriter::new(&mut out, protocol).null();
        Notice::Invalidation { names: out.into(), is_redirected }
    }

    /// No fewer bytes than it takes, here or in an output.
    pub fn memory_bytes(&self) -> usize {
        let bytes = match self {
            Notice::Message(bytes) | Notice::Invalidation { names: bytes, .. } => bytes.len(),
            Notice::BrokenRedirection(_) | Notice::Mark => 0,
        };
        // What an invalidation is written with is more than the value itself.
        size_of::<Notice>() + 64 + bytes
    }

    /// Writes it as a client is to see it; nothing if it cannot be told in its protocol.
    #[inline]
    pub fn write(&self, client: &Client, out: &mut Vec<u8>) {
        match self {
            Notice::Message(bytes) => write_push(bytes, client.protocol, out),
            _ => self.write_rare(client, out),
        }
    }

    fn write_rare(&self, client: &Client, out: &mut Vec<u8>) {
        let mut writer = ReplyWriter::new(out, client.protocol);
        let speaks_pushes = client.protocol == Protocol::Resp3;
        match self {
            Notice::Invalidation { names, .. } if speaks_pushes => {
                writer.push(2);
                writer.bulk(b"invalidate");
                writer.raw(names);
            }
            Notice::Invalidation { names, is_redirected: true }
                if client.shared.has(client_flags::PUBSUB) =>
            {
                writer.push(3);
                writer.bulk(b"message");
                writer.bulk(INVALIDATION_CHANNEL);
                writer.raw(names);
            }
            Notice::BrokenRedirection(target) => {
                client.shared.set_flag(client_flags::BROKEN_REDIRECTION, true);
                if speaks_pushes {
                    writer.push(2);
                    writer.bulk(b"tracking-redir-broken");
                    writer.integer(*target as i64);
                }
            }
            Notice::Message(_) | Notice::Invalidation { .. } | Notice::Mark => {}
        }
    }
}

/// Copies a push of RESP3, of which RESP2 has the same bytes but for the first.
#[inline]
fn write_push(bytes: &[u8], protocol: Protocol, out: &mut Vec<u8>) {
    let at = out.len();
    out.extend_from_slice(bytes);
    if protocol == Protocol::Resp2
        && let Some(first) = out.get_mut(at)
    {
        *first = b'*';
    }
}
