//! DEBUG MALLCTL and MALLCTL-STR: the allocator's figures by name.

use ochre_config::os_reason;

use crate::call::{Call, integer};
use crate::error::Error;

fn name(call: &Call<'_, '_>) -> String {
    String::from_utf8_lossy(call.args.at(2)).into_owned()
}

fn failed(error: &std::io::Error) -> Error {
    Error::owned(format!("ERR {}", os_reason(error)))
}

pub(super) fn number(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let new = call.args.get(3).map(integer).transpose()?;
    let value = ochre_memory::tuning_integer(&name(call), new).map_err(|error| failed(&error))?;
    call.reply.integer(value);
    Ok(())
}

pub(super) fn text(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let value = ochre_memory::tuning_text(&name(call)).map_err(|error| failed(&error))?;
    call.reply.bulk(value.as_bytes());
    Ok(())
}
