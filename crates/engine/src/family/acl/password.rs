//! ACL GENPASS.

use super::{BASE, too_many};
use crate::call::{Call, integer};
use crate::command::{Arg, ArgKind, Command};
use crate::error::Error;

pub(super) const GENPASS: Command = Command {
    name: "genpass",
    summary: "Makes up a password that nobody can guess.",
    arity: -2,
    args: &[Arg::new("bits", ArgKind::Integer).optional()],
    handler: generate,
    ..BASE
};

const BITS: i64 = 256;
const BITS_MAX: i64 = 4096;

fn generate(call: &mut Call<'_, '_>) -> Result<(), Error> {
    if call.args.len() > 3 {
        return Err(too_many(call));
    }
    let bits = call.args.get(2).map_or(Ok(BITS), integer)?;
    if !(1..=BITS_MAX).contains(&bits) {
        return Err(Error::owned(format!(
            "ERR ACL GENPASS argument must be the number of bits for the output password, a positive number up to \
             {BITS_MAX}"
        )));
    }
    let password = random_digits((bits as usize).div_ceil(4))?;
    call.reply.bulk(&password);
    Ok(())
}

/// Hexadecimal digits from the system's generator.
fn random_digits(count: usize) -> Result<Vec<u8>, Error> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut bytes = vec![0; count];
    let mut filled = 0;
    while filled < count {
        let flags = rustix::rand::GetRandomFlags::empty();
        match rustix::rand::getrandom(&mut bytes[filled..], flags) {
            Ok(more) => filled += more,
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(Error::owned(format!("ERR No random numbers to be had: {error}"))),
        }
    }
    bytes.iter_mut().for_each(|byte| *byte = DIGITS[usize::from(*byte & 15)]);
    Ok(bytes)
}
