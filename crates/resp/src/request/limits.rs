//! What one request may ask for before it is refused.
//!
//! Every number a client sends is compared with a limit before anything is kept for it. A client
//! that has not authenticated yet gets much smaller limits, with error texts of their own, because
//! all it has any business to send is AUTH or HELLO.

use super::ProtocolError;

/// Most arguments a client may announce before it has authenticated.
const UNAUTHENTICATED_MULTIBULK_LEN_MAX: i64 = 10;
/// Longest argument, in bytes, before the client has authenticated.
const UNAUTHENTICATED_BULK_LEN_MAX: u64 = 16 * 1024;

/// Bounds on one request; what exceeds them is a [`ProtocolError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most arguments a request may announce, in requests of the `*` form.
    pub multibulk_len_max: i64,
    /// Longest argument in bytes (`proto-max-bulk-len`).
    pub bulk_len_max: u64,
    /// Bytes that may arrive without the end of a line, for inline requests and for headers. A
    /// longer line passes when its end is already there, since then it costs nothing to read it.
    pub inline_len_max: usize,
    /// False as long as the client has to authenticate first: then a request is also refused
    /// above 10 arguments or above 16 KiB in one of them.
    pub authenticated: bool,
}

impl Limits {
    /// Most arguments in one request of an authenticated client.
    pub const MULTIBULK_LEN_MAX: i64 = i32::MAX as i64;
    /// Default of `proto-max-bulk-len`: 512 MiB.
    pub const BULK_LEN_MAX: u64 = 512 * 1024 * 1024;
    /// Bytes that may arrive without the end of a line.
    pub const INLINE_LEN_MAX: usize = 64 * 1024;

    /// The limits of a server whose `proto-max-bulk-len` is `bulk_len_max` bytes.
    pub const fn new(bulk_len_max: u64, authenticated: bool) -> Self {
        Self {
            multibulk_len_max: Self::MULTIBULK_LEN_MAX,
            bulk_len_max,
            inline_len_max: Self::INLINE_LEN_MAX,
            authenticated,
        }
    }

    /// Checks the number of arguments that a request announces.
    #[inline]
    pub(super) fn check_multibulk_len(&self, len: i64) -> Result<(), ProtocolError> {
        if len > self.multibulk_len_max {
            return Err(ProtocolError::InvalidMultibulkLength);
        }
        if !self.authenticated && len > UNAUTHENTICATED_MULTIBULK_LEN_MAX {
            return Err(ProtocolError::UnauthenticatedMultibulkLength);
        }
        Ok(())
    }

    /// Longest argument allowed now, in bytes; a longer one gets [`Self::bulk_len_error`].
    #[inline]
    pub(super) fn bulk_len_allowed(&self) -> u64 {
        if self.authenticated {
            self.bulk_len_max
        } else {
            self.bulk_len_max.min(UNAUTHENTICATED_BULK_LEN_MAX)
        }
    }

    /// Which limit an argument of `len` bytes exceeds.
    #[cold]
    pub(super) fn bulk_len_error(&self, len: u64) -> ProtocolError {
        if len > self.bulk_len_max {
            ProtocolError::InvalidBulkLength
        } else {
            ProtocolError::UnauthenticatedBulkLength
        }
    }
}

impl Default for Limits {
    /// An authenticated client under the default configuration.
    fn default() -> Self {
        Self::new(Self::BULK_LEN_MAX, true)
    }
}
