//! Passes the fuzzer's inputs to the property of the same name.

#![no_main]

#[path = "../properties.rs"]
mod properties;

libfuzzer_sys::fuzz_target!(|input: &[u8]| properties::set(input));
