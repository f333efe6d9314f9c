//! SHUTDOWN: the end, asked for by a client.

use super::{ADMIN, BASE};
use crate::call::{Args, Call};
use crate::client::BlockedOn;
use crate::command::{Arg, Command, flags};
use crate::engine::ShutdownRequest;
use crate::error::{Error, SYNTAX};

pub(super) const SHUTDOWN: Command = Command {
    name: "shutdown",
    summary: "Saves the data set and ends the server.",
    complexity: "O(N) when saving, where N is the total number of keys in all databases when saving data, otherwise O(1)",
    arity: -1,
    flags: ADMIN | flags::NO_MULTI | flags::ALLOW_BUSY,
    args: &[
        Arg::one_of("save-selector", &[Arg::word("nosave", "NOSAVE"), Arg::word("save", "SAVE")]).optional(),
        Arg::word("now", "NOW").since("7.0.0").optional(),
        Arg::word("force", "FORCE").since("7.0.0").optional(),
        Arg::word("abort", "ABORT").since("7.0.0").optional(),
    ],
    history: &[("7.0.0", "NOW, FORCE and ABORT were added.")],
    handler: shutdown,
    ..BASE
};

fn shutdown(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let order = Order::read(call.args)?;
    let host = call.engine.host().ok_or(Error::new("ERR Errors trying to SHUTDOWN. Check logs."))?;
    let request = match order {
        Order::Abort if host.abort_shutdown() => {
            call.reply.ok();
            return Ok(());
        }
        Order::Abort => return Err(Error::new("ERR No shutdown in progress.")),
        Order::Begin(request) => request,
    };
    if request.save != Some(false)
        && let Some(busy) = call.engine.why_busy()
    {
        return Err(busy);
    }
    if request.failover && !call.engine.config.read().bool(ochre_config::Directive::ClusterEnabled) {
        return Err(Error::new("ERR SHUTDOWN FAILOVER is only supported in cluster mode."));
    }
    let client = Some((call.worker.index, call.client.id()));
    host.shutdown(ShutdownRequest { client, ..request }).map_err(Error::owned)?;
    // The reply is the end of the connection, or an error if the server stays.
    call.client.block(BlockedOn::Completion, i64::MAX);
    Ok(())
}

/// What the arguments ask for.
#[derive(Debug, PartialEq, Eq)]
enum Order {
    Begin(ShutdownRequest),
    Abort,
}

impl Order {
    fn read(args: Args<'_>) -> Result<Order, Error> {
        let mut request = ShutdownRequest::default();
        let (mut save, mut nosave, mut abort) = (false, false, false);
        for arg in args.from(1) {
            let switch = match arg.to_ascii_lowercase().as_slice() {
                b"nosave" => &mut nosave,
                b"save" => &mut save,
                b"now" => &mut request.now,
                b"force" => &mut request.force,
                b"safe" => &mut request.safe,
                b"failover" => &mut request.failover,
                b"abort" => &mut abort,
                _ => return Err(SYNTAX),
            };
            *switch = true;
        }
        let any = save || nosave || request != ShutdownRequest::default();
        if (abort && any) || (save && nosave) {
            return Err(SYNTAX);
        }
        request.save = (save || nosave).then_some(save);
        Ok(if abort { Order::Abort } else { Order::Begin(request) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::OwnedRequest;

    #[test]
    fn what_the_words_ask_for() {
        let none = ShutdownRequest::default();
        let cases = [
            ("shutdown", Some(Order::Begin(none))),
            ("shutdown nosave", Some(Order::Begin(ShutdownRequest { save: Some(false), ..none }))),
            (
                "shutdown SAVE now",
                Some(Order::Begin(ShutdownRequest { save: Some(true), now: true, ..none })),
            ),
            (
                "shutdown force safe failover",
                Some(Order::Begin(ShutdownRequest { force: true, safe: true, failover: true, ..none })),
            ),
            ("shutdown abort", Some(Order::Abort)),
            ("shutdown abort now", None),
            ("shutdown abort nosave", None),
            ("shutdown save nosave", None),
            ("shutdown later", None),
        ];
        for (words, expected) in cases {
            let parts: Vec<Vec<u8>> = words.split(' ').map(Into::into).collect();
            assert_eq!(Order::read(OwnedRequest::from_parts(&parts).args()).ok(), expected, "{words}");
        }
    }
}
