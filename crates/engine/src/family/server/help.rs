//! The replies of all HELP subcommands.

use crate::call::Call;
use crate::error::Error;

/// Replies the help of a container: `lines` are the subcommands, each followed by indented lines about it.
pub(crate) fn reply_help(call: &mut Call<'_, '_>, container: &str, lines: &[&str]) -> Result<(), Error> {
    call.reply.array(lines.len() + 3);
    call.reply.simple(&format!("{container} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:"));
    lines.iter().chain(&["HELP", "    Print this help."]).for_each(|line| call.reply.simple(line));
    Ok(())
}
