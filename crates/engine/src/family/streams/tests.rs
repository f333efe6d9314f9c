//! What a client cannot see in a reply: changes, events, the journal.
