//! The first sixteen bytes.

/// Bytes of the header.
pub(super) const HEADER_LEN: usize = 16;

const MAGIC: &[u8; 4] = b"HYLL";
const ENCODING_AT: usize = 4;
const CARDINALITY_AT: usize = 8;
/// The top bit of the cardinality: it is out of date.
const STALE: u64 = 1 << 63;

/// How the registers are stored.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Encoding {
    /// Six bits each.
    Dense,
    /// As runs of equal ones.
    Sparse,
}

impl Encoding {
    /// Its name in replies.
    pub fn name(self) -> &'static str {
        match self {
            Encoding::Dense => "dense",
            Encoding::Sparse => "sparse",
        }
    }
}

/// A string is no HyperLogLog: its header or its length is wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NotAHyperLogLog;

/// A header without a cardinality.
pub(super) fn new(encoding: Encoding) -> [u8; HEADER_LEN] {
    let mut header = [0; HEADER_LEN];
    header[..MAGIC.len()].copy_from_slice(MAGIC);
    set_encoding(&mut header, encoding);
    header
}

/// The encoding that a header names; `None` if this is no header.
pub(super) fn encoding(bytes: &[u8]) -> Option<Encoding> {
    if bytes.len() < HEADER_LEN || !bytes.starts_with(MAGIC) {
        return None;
    }
    match bytes[ENCODING_AT] {
        0 => Some(Encoding::Dense),
        1 => Some(Encoding::Sparse),
        _ => None,
    }
}

pub(super) fn set_encoding(bytes: &mut [u8], encoding: Encoding) {
    bytes[ENCODING_AT] = match encoding {
        Encoding::Dense => 0,
        Encoding::Sparse => 1,
    };
}

/// The stored cardinality, unless it is out of date.
pub(super) fn cardinality(bytes: &[u8]) -> Option<u64> {
    let stored = bytes.get(CARDINALITY_AT..)?.first_chunk::<8>().map(|word| u64::from_le_bytes(*word))?;
    (stored & STALE == 0).then_some(stored)
}

pub(super) fn set_cardinality(bytes: &mut [u8], cardinality: u64) {
    bytes[CARDINALITY_AT..HEADER_LEN].copy_from_slice(&cardinality.to_le_bytes());
}

/// Notes that the stored cardinality is out of date. What is there stays, as it does in Redis.
pub(super) fn invalidate(bytes: &mut [u8]) {
    bytes[HEADER_LEN - 1] |= 0x80;
}
