//! What a client cannot see.
