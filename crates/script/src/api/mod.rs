//! The table `redis` (and `server`, its other name).

mod command;
mod register;
mod server;

use crate::library::functions;
use crate::lua::{Frame, Raise};
use crate::version::Versions;

/// Pushes the table that scripts see; some functions are for EVAL only.
pub(crate) fn push_table(frame: &mut Frame<'_>, versions: &Versions, is_eval: bool) -> Result<(), Raise> {
    frame.push_table(0, 32)?;
    functions!(frame, {
        "call" => command::call,
        "pcall" => command::pcall,
        "acl_check_cmd" => command::acl_check_cmd,
        "setresp" => server::setresp,
        "sha1hex" => server::sha1hex,
        "error_reply" => server::error_reply,
        "status_reply" => server::status_reply,
        "set_repl" => server::set_repl,
    });
    let numbers =
        [("REPL_NONE", 0), ("REPL_AOF", 1), ("REPL_SLAVE", 2), ("REPL_REPLICA", 2), ("REPL_ALL", 3)];
    set_numbers(frame, &numbers)?;
    if is_eval {
        functions!(frame, {
            "breakpoint" => server::breakpoint,
            "debug" => server::debug,
            "replicate_commands" => server::replicate_commands,
        });
    }
    set_common(frame, versions)
}

/// Pushes the table that libraries see while they are loaded.
pub(crate) fn push_load_table(frame: &mut Frame<'_>, versions: &Versions) -> Result<(), Raise> {
    frame.push_table(0, 16)?;
    functions!(frame, { "register_function" => register::register_function });
    set_common(frame, versions)
}

fn set_common(frame: &mut Frame<'_>, versions: &Versions) -> Result<(), Raise> {
    functions!(frame, { "log" => server::log });
    set_numbers(frame, &[("LOG_DEBUG", 0), ("LOG_VERBOSE", 1), ("LOG_NOTICE", 2), ("LOG_WARNING", 3)])?;
    for (name, version) in [("REDIS_VERSION", versions.redis), ("VALKEY_VERSION", versions.valkey)] {
        frame.push_string(version.as_bytes())?;
        frame.set_field(-2, name)?;
        frame.push_number(f64::from(Versions::number(version)))?;
        frame.set_field(-2, &format!("{name}_NUM"))?;
    }
    frame.push_string(versions.server_name.as_bytes())?;
    frame.set_field(-2, "SERVER_NAME")
}

fn set_numbers(frame: &mut Frame<'_>, numbers: &[(&str, i32)]) -> Result<(), Raise> {
    for (name, number) in numbers {
        frame.push_number(f64::from(*number))?;
        frame.set_field(-2, name)?;
    }
    Ok(())
}
