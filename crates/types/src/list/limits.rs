//! When a list changes its encoding, what a node may hold, what is compressed: `list-max-listpack-size` and
//! `list-compress-depth`, in the terms of Redis's documentation.

/// Nodes limited by a number of elements are limited to these bytes as well.
const BYTES_OF_COUNTED: usize = 8192;
/// Sizes for `list-max-listpack-size` of -1 to -5.
const BYTES_MAX: [usize; 5] = [4096, 8192, 16_384, 32_768, 65_536];
/// What an element can take beside its text, with its share of an index.
const OVERHEAD: usize = 16;

/// The limits of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListLimits {
    /// `list-max-listpack-size`: elements per node if positive, -1 to -5 for 4, 8, 16, 32, 64 KiB.
    pub max_listpack_size: i32,
    /// `list-compress-depth`: nodes at each end that are not compressed; 0 for no compression.
    pub compress_depth: u32,
    /// Elements of as many bytes get a node of their own, whatever the size says (DEBUG QUICKLIST-PACKED-THRESHOLD); 0
    /// for no such limit.
    pub plain_from_bytes: usize,
}

impl Default for ListLimits {
    /// The defaults of the configuration: 8 KiB, no compression.
    fn default() -> ListLimits {
        ListLimits { max_listpack_size: -2, compress_depth: 0, plain_from_bytes: 0 }
    }
}

impl ListLimits {
    /// The most bytes of a node.
    #[inline]
    pub(super) fn node_bytes_max(&self) -> usize {
        match usize::try_from(-i64::from(self.max_listpack_size)) {
            Ok(level @ 1..) => BYTES_MAX[level.min(BYTES_MAX.len()) - 1],
            _ => BYTES_OF_COUNTED,
        }
    }

    /// The most elements of a node.
    #[inline]
    pub(super) fn node_len_max(&self) -> usize {
        match self.max_listpack_size {
            ..0 => usize::from(u16::MAX),
            len => (len as usize).clamp(1, usize::from(u16::MAX)),
        }
    }

    /// Whether a list that takes these bytes as a listpack, and has these elements, must not be one.
    pub(super) fn exceeded_by(&self, bytes: usize, len: usize) -> bool {
        bytes > self.node_bytes_max() || self.max_listpack_size >= 0 && len > self.node_len_max()
    }

    /// Whether a list that has shrunk to these bytes and elements is to be a listpack again: below half, so that a
    /// list at the limit does not change its encoding all the time.
    pub(super) fn allows_listpack(&self, bytes: usize, len: usize) -> bool {
        if self.max_listpack_size < 0 {
            bytes <= self.node_bytes_max() / 2
        } else {
            len <= self.node_len_max() / 2
        }
    }

    /// Whether an element of `len` bytes gets a node of its own.
    #[inline]
    pub(super) fn is_plain(&self, len: usize) -> bool {
        len.saturating_add(OVERHEAD) > self.node_bytes_max()
            || self.plain_from_bytes != 0 && len >= self.plain_from_bytes
    }

    /// How many bytes of two nodes are few enough to make them one.
    pub(super) fn joined_bytes_max(&self) -> usize {
        self.node_bytes_max() / 4 * 3
    }
}
