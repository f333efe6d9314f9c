//! Sorted sets.
mod member;
mod score;
mod tree;
