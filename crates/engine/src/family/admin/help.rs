//! The replies of HELP.

use crate::call::Call;

/// Replies the help of a command: `lines` are its subcommands, each followed by indented lines about it.
pub(super) fn reply_help(call: &mut Call<'_, '_>, command: &str, lines: &[&str]) {
    call.reply.array(lines.len() + 3);
    call.reply.simple(&format!("{command} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:"));
    lines.iter().chain(&["HELP", "    Print this help."]).for_each(|line| call.reply.simple(line));
}
