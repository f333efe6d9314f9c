//! The log on the twin: what it promises, under every failure and loss of power.

mod crash;
mod faults;
mod form;
mod threads;
mod world;
