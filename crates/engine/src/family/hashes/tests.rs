//! What clients cannot see of the commands of hashes: the journal, events, dirtiness.
