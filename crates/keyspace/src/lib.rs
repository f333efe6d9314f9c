//! Stripes, table, expiry, eviction, the write door and the journal.
