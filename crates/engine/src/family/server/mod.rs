//! What the server tells about itself: INFO, MEMORY, LATENCY, SLOWLOG, MONITOR, TIME, ...

mod command_log;
mod facts;
mod graph;
mod help;
mod info;
mod latency;
mod latency_doctor;
mod lolwut;
mod memory;
mod memory_doctor;
mod module;
mod monitor;
mod status;

pub(crate) use help::reply_help;

use crate::command::{Command, Group};

/// The family's commands.
pub const COMMANDS: &[Command] = &[
    command_log::COMMAND_LOG,
    command_log::SLOW_LOG,
    info::INFO,
    latency::LATENCY,
    lolwut::LOLWUT,
    memory::MEMORY,
    module::MODULE,
    monitor::MONITOR,
    status::ROLE,
    status::TIME,
];

const BASE: Command = Command { group: Group::Server, ..Command::BASE };
