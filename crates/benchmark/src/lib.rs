//! The load generator behind ochre-benchmark.
