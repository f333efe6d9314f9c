//! House rules of the tree, as tests.
