//! Finding the end of a reply without building it, for clients that only count.

use super::DecodeError;
use super::token::{Aggregate, Body, Found, read_token};

/// Length in bytes of the reply at the start of `input`, `None` while it is incomplete.
///
/// Attributes belong to the reply they precede. Time is linear in the length of the reply, memory
/// is constant; a call on more bytes starts from the beginning.
///
/// ```
/// assert_eq!(ochre_resp::skip_reply(b"*1\r\n:1\r\n+OK\r\n"), Ok(Some(8)));
/// assert_eq!(ochre_resp::skip_reply(b"*2\r\n:1\r\n"), Ok(None));
/// ```
///
/// # Errors
/// [`DecodeError`] when `input` does not start with a reply.
pub fn skip_reply(input: &[u8]) -> Result<Option<usize>, DecodeError> {
    let mut pos = 0usize;
    let mut pending = 1u64;
    while pending > 0 {
        let Found::Token(token) = read_token(input.get(pos..).unwrap_or_default(), 0)? else {
            return Ok(None);
        };
        pos += token.len;
        let inside = match token.body {
            Body::Scalar(..) => 0,
            Body::Open(Aggregate::Map, pairs) => pairs.saturating_mul(2),
            // Its pairs, and the reply it belongs to.
            Body::Open(Aggregate::Attribute, pairs) => pairs.saturating_mul(2).saturating_add(1),
            Body::Open(_, len) => len,
        };
        pending = (pending - 1).checked_add(inside).ok_or(DecodeError::ReplyTooLong)?;
    }
    Ok(Some(pos))
}
