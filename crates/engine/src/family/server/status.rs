//! TIME and ROLE.

use super::BASE;
use crate::call::Call;
use crate::command::{Command, acl, flags};
use crate::engine::clock_us;
use crate::error::Error;

pub(super) const TIME: Command = Command {
    name: "time",
    summary: "Tells the server's clock.",
    since: "2.6.0",
    arity: 1,
    flags: flags::LOADING | flags::STALE | flags::FAST,
    tips: &["nondeterministic_output"],
    handler: time,
    ..BASE
};

fn time(call: &mut Call<'_, '_>) -> Result<(), Error> {
    // For a script and a transaction the clock stands still.
    let now_us = if call.in_transaction { call.view.told_us(clock_us) } else { clock_us() };
    call.reply.array(2);
    call.reply.bulk_int(now_us / 1_000_000);
    call.reply.bulk_int(now_us % 1_000_000);
    Ok(())
}

pub(super) const ROLE: Command = Command {
    name: "role",
    summary: "Tells the server's part in replication.",
    since: "2.8.12",
    arity: 1,
    flags: flags::NOSCRIPT | flags::LOADING | flags::STALE | flags::FAST,
    acl: acl::ADMIN | acl::DANGEROUS,
    handler: role,
    ..BASE
};

fn role(call: &mut Call<'_, '_>) -> Result<(), Error> {
    call.reply.array(3);
    call.reply.bulk(b"master");
    call.reply.integer(call.engine.keyspace.journal.offset() as i64);
    call.reply.array(0);
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::engine::clock_ms;
    use crate::testing::Harness;

    #[test]
    fn the_clock_has_seconds_and_microseconds() {
        let reply = Harness::new().run("time");
        let parts: Vec<&str> = reply.split('|').collect();
        assert_eq!((parts[0], parts[1], parts.len()), ("*2", "$10", 6), "{reply}");
        let (seconds, micros): (i64, i64) = (parts[2].parse().unwrap(), parts[4].parse().unwrap());
        assert!((clock_ms() / 1000 - seconds).abs() < 60 && (0..1_000_000).contains(&micros));
    }

    #[test]
    fn a_server_alone_is_a_master() {
        assert_eq!(Harness::new().run("role"), "*3|$6|master|:0|*0|");
    }
}
