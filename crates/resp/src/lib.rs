//! Redis serialization protocol: bytes to requests and replies to bytes; no I/O.
