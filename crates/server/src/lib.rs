//! Event loops, connections, signals, logging, start-up.
