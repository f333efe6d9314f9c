//! The program against expectations taken from redis-check-aof 8.6.
