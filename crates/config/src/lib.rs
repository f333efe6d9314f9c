//! Every directive of redis.conf in one typed table, the file grammar and CONFIG REWRITE.
