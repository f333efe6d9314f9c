//! Tests of the family through whole requests.
