//! Command table, command families, transactions, statistics.
