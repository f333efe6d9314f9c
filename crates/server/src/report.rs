//! What a crash report says of the server: INFO, the clients, and the request that the crashed worker was running.
//!
//! INFO and CLIENT LIST are simply run, as a client would. They may need a lock that the crashed thread holds; then the
//! section is given up (see `process::crash`).

use std::fmt::Write as _;
use std::sync::Arc;

use ochre_config::{Config, Directive};
use ochre_engine::{Client, ClientShared, Clock, Engine, Executor, OwnedRequest};
use ochre_resp::Protocol;

use crate::process::crash::{CrashedThread, Section, add_section};
use crate::running;

/// Bytes of an argument that are shown.
const ARG_BYTES_MAX: usize = 1024;

/// Adds the sections of the server.
pub fn install(engine: &Arc<Engine>) {
    let ask = |title, words: &'static [&'static str]| {
        let engine = Arc::clone(engine);
        add_section(Section { title, text: Arc::new(move |_| answer(&engine, words)) });
    };
    // What tells most comes first: the others may have to wait for locks that are never released.
    let its_engine = Arc::clone(engine);
    add_section(Section {
        title: "CURRENT CLIENT INFO",
        text: Arc::new(move |thread| current_client(&its_engine, thread)),
    });
    ask("CLIENT LIST OUTPUT", &["client", "list"]);
    ask("INFO OUTPUT", &["info", "everything"]);
}

/// The text that a command answers with; empty if it does not.
fn answer(engine: &Arc<Engine>, words: &[&str]) -> String {
    let parts: Vec<Vec<u8>> = words.iter().map(|word| word.as_bytes().to_vec()).collect();
    let request = OwnedRequest::from_parts(&parts);
    let (shared, user) = (Arc::new(ClientShared::default()), engine.access.internal_user());
    let mut client = Client::new(shared, Protocol::Resp2, user, true);
    let mut executor = Executor::new(Arc::clone(engine), 0);
    let (mut keys, mut out) = (Vec::new(), Vec::new());
    let prepared = executor.prepare(request.args(), 0, &mut keys);
    let keys = &keys[prepared.keys()];
    executor.execute(&mut client, request.args(), prepared, keys, &mut out, &mut Clock::read());
    bulk(&out).map_or_else(String::new, |text| String::from_utf8_lossy(text).into_owned())
}

/// The content of a reply that is one bulk string.
fn bulk(reply: &[u8]) -> Option<&[u8]> {
    let end = reply.iter().position(|byte| *byte == b'\r')?;
    reply.strip_prefix(b"$")?;
    reply.get(end + 2..reply.len().checked_sub(2)?)
}

fn current_client(engine: &Arc<Engine>, thread: &CrashedThread) -> String {
    let Some((id, args)) = running::of_crashed(thread) else { return String::new() };
    let mut text = answer(engine, &["client", "list", "id", &id.to_string()]);
    if text.is_empty()
        && let Some(client) = engine.clients.get(id)
    {
        text = crate::describe(&client) + "\n";
    }
    let hide = engine.config.try_read().is_none_or(|config| config.bool(Directive::HideUserDataFromLog));
    text + &describe_args(&args, hide)
}

/// A request for people. What follows the word `auth` is left out, and so are values of secret directives.
fn describe_args(args: &[Vec<u8>], hide: bool) -> String {
    let mut text = format!("argc: {}\n", args.len());
    for (index, arg) in args.iter().enumerate() {
        let secret = index > 0 && (hide || Config::is_sensitive(&args[index - 1]));
        // Writing to a string cannot fail.
        let _ = match secret {
            true => writeln!(text, "argv[{index}]: {} bytes", arg.len()),
            false => writeln!(text, "argv[{index}]: {}", quoted(arg)),
        };
        if arg.eq_ignore_ascii_case(b"auth") || arg.eq_ignore_ascii_case(b"auth2") {
            break;
        }
    }
    text
}

fn quoted(arg: &[u8]) -> String {
    let shown = &arg[..arg.len().min(ARG_BYTES_MAX)];
    let more = arg.len() - shown.len();
    let rest = if more > 0 { format!("... ({more} more bytes)") } else { String::new() };
    format!("\"{}\"{rest}", shown.escape_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_shown_without_secrets() {
        let cases = [
            ("set k v", false, "argc: 3\nargv[0]: \"set\"\nargv[1]: \"k\"\nargv[2]: \"v\"\n"),
            ("set key v", true, "argc: 3\nargv[0]: \"set\"\nargv[1]: 3 bytes\nargv[2]: 1 bytes\n"),
            ("auth secret", false, "argc: 2\nargv[0]: \"auth\"\n"),
            (
                "x requirepass pw",
                false,
                "argc: 3\nargv[0]: \"x\"\nargv[1]: \"requirepass\"\nargv[2]: 2 bytes\n",
            ),
        ];
        for (words, hide, expected) in cases {
            let args: Vec<Vec<u8>> = words.split(' ').map(Into::into).collect();
            assert_eq!(describe_args(&args, hide), expected);
        }
        assert_eq!(quoted(&[b'a'; 1025]), format!("\"{}\"... (1 more bytes)", "a".repeat(1024)));
    }

    #[test]
    fn bulk_replies() {
        let cases: [(&[u8], Option<&[u8]>); 4] =
            [(b"$2\r\nab\r\n", Some(b"ab")), (b"-ERR x\r\n", None), (b"", None), (b"$0\r\n\r\n", Some(b""))];
        for (reply, expected) in cases {
            assert_eq!(bulk(reply), expected);
        }
    }
}
