//! What the measurements share.

#![allow(dead_code, reason = "each uses some of it")]

/// The name of an element, twelve bytes.
pub fn name(number: u64) -> [u8; 12] {
    let mut name = *b"m:0000000000";
    let digits = number.to_string();
    name[12 - digits.len()..].copy_from_slice(digits.as_bytes());
    name
}

/// Nanoseconds that this thread has run.
pub fn cpu_ns() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split(' ').next().and_then(|ns| ns.parse().ok()).unwrap_or(0)
}
