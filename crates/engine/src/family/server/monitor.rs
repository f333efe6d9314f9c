//! MONITOR: the client reads along what all clients ask.

use super::BASE;
use crate::call::Call;
use crate::client::client_flags;
use crate::command::{Command, flags};
use crate::error::Error;

pub(super) const MONITOR: Command = Command {
    name: "monitor",
    summary: "Shows every request that the server runs, as it runs.",
    complexity: "",
    arity: 1,
    flags: flags::ADMIN | flags::NOSCRIPT | flags::LOADING | flags::STALE,
    handler: monitor,
    ..BASE
};

fn monitor(call: &mut Call<'_, '_>) -> Result<(), Error> {
    if call.in_transaction {
        return Err(Error::new("ERR MONITOR isn't allowed for DENY BLOCKING client"));
    }
    // As in Redis, who monitors already gets no second reply.
    if !call.client.shared.has(client_flags::MONITOR) {
        call.client.shared.set_flag(client_flags::MONITOR, true);
        crate::monitor::add(call.engine, call.worker.index, call.client.id());
        call.reply.ok();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::Ordering::Relaxed;

    use crate::testing::Harness;

    #[test]
    fn a_monitor_is_known_until_it_leaves() {
        let mut client = Harness::new();
        let engine = Arc::clone(&client.executor.engine);
        assert_eq!(
            (client.run("multi"), client.run("monitor"), client.run("exec")),
            (
                "+OK|".into(),
                "+QUEUED|".into(),
                "*1|-ERR MONITOR isn't allowed for DENY BLOCKING client|".into()
            )
        );
        assert_eq!((client.run("monitor"), client.run("monitor")), ("+OK|".into(), String::new()));
        assert_eq!(engine.monitor_count.load(Relaxed), 1);
        let Harness { executor, client, .. } = &mut client;
        executor.forget(client);
        assert_eq!(engine.monitor_count.load(Relaxed), 0);
    }
}
