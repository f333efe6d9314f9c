//! PFSELFTEST: whether HyperLogLogs work on this machine.
//!
//! Elements are added to a sparse one and to one that is dense from the start; at every power of ten both have to agree
//! and to be right within a few standard errors. A million elements are enough to fill every register and take some
//! tens of milliseconds; nothing is locked meanwhile. (Redis adds ten million, and first writes registers at random.
//! The latter are unit tests here.)

use ochre_types::Rng;

use super::*;
use crate::command::flags;

pub(super) const PFSELFTEST: Command = Command {
    name: "pfselftest",
    summary: "Tests whether HyperLogLogs estimate well.",
    complexity: "O(1), but tens of milliseconds.",
    arity: 1,
    flags: flags::ADMIN,
    handler: pfselftest,
    ..BASE
};

const ELEMENTS: u64 = 1_000_000;

fn pfselftest(call: &mut Call<'_, '_>) -> Result<(), Error> {
    run(Rng::new(call.now_ms() as u64).next_u64(), sparse_len_max(call))?;
    call.reply.ok();
    Ok(())
}

fn run(seed: u64, len_max: usize) -> Result<(), Error> {
    let (mut sparse, mut dense) = (HyperLogLog::empty(), HyperLogLog::empty());
    HyperLogLog::make_dense(&mut dense)?;
    let mut checkpoint = 1;
    for number in 1..=ELEMENTS {
        let element = (number ^ seed).to_le_bytes();
        HyperLogLog::add(&mut dense, &element, len_max)?;
        HyperLogLog::add(&mut sparse, &element, len_max)?;
        if number == checkpoint {
            check(number, count(&sparse)?, count(&dense)?)?;
            checkpoint *= 10;
        }
    }
    Ok(())
}

fn count(string: &[u8]) -> Result<u64, Error> {
    Ok(HyperLogLog::new(string).map_err(|_| NOT_ONE)?.count()?)
}

fn check(number: u64, sparse: u64, dense: u64) -> Result<(), Error> {
    if sparse != dense {
        return Err(Error::new("ERR TESTFAILED dense/sparse disagree"));
    }
    let error = number.abs_diff(dense);
    // Six standard errors of 1.04 / sqrt(16384); two of a few elements may fall on the same register.
    let error_max = (number as f64 * 6.0 * 1.04 / 128.0).ceil() as u64;
    if error > error_max {
        return Err(Error::owned(format!("ERR TESTFAILED Too big error. card:{number} abserr:{error}")));
    }
    Ok(())
}
