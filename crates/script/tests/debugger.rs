//! Sessions of the debugger that try its bounds. What it shows otherwise is compared with Redis by whole servers.

#![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]

#[allow(dead_code, reason = "others use the rest of it")]
mod support;

use std::time::Duration;

use ochre_resp::{Protocol, ReplyWriter, encode_request};
use ochre_script::{
    Debugger, Finished, Heard, Host, Interrupt, LogLevel, Permission, Replication, Request, SHOWN_BYTES_MAX,
    Script,
};
use support::{Small, interpreter};

/// A client that says one thing after the other.
#[derive(Default)]
struct Told {
    small: Small,
    orders: std::vec::IntoIter<Vec<u8>>,
    shown: Vec<Vec<u8>>,
}

impl Host for Told {
    fn execute(&mut self, request: Request<'_>, reply: &mut Vec<u8>) {
        self.small.execute(request, reply);
    }

    fn permission(&mut self, request: Request<'_>) -> Permission {
        self.small.permission(request)
    }

    fn log(&mut self, level: LogLevel, text: &[u8]) {
        self.small.log(level, text);
    }

    fn set_replication(&mut self, replication: Replication) {
        self.small.set_replication(replication);
    }

    fn interrupt(&mut self) -> Interrupt {
        self.small.interrupt()
    }

    fn show(&mut self, reply: &[u8]) {
        self.shown.push(reply.to_vec());
    }

    fn listen(&mut self) -> Heard {
        self.orders.next().map_or(Heard::End, Heard::Bytes)
    }
}

/// What is shown to a client with these orders, and the reply of the script.
fn session(script: &str, orders: &[&str], timeout: Duration) -> (Vec<String>, String) {
    let mut interpreter = interpreter(16 << 20);
    let script = Script::new(script.as_bytes()).unwrap();
    let request = |order: &&str| {
        let (mut bytes, words) = (Vec::new(), order.splitn(2, ' ').collect::<Vec<&str>>());
        encode_request(&mut bytes, &words);
        bytes
    };
    let orders: Vec<Vec<u8>> = orders.iter().map(request).collect();
    let mut told = Told { orders: orders.into_iter(), ..Told::default() };
    let mut debugger = Some(Box::new(Debugger::new(script.body(), timeout)));
    let none = || std::iter::empty::<&[u8]>();
    let mut out = Vec::new();
    let mut reply = ReplyWriter::new(&mut out, Protocol::Resp2);
    interpreter.debug(&script, none(), none(), &mut debugger, &mut told, &mut reply);
    told.shown.push(debugger.unwrap().end());
    // What was debugged is forgotten: the next run neither stops nor is shown.
    let mut rest = Vec::new();
    let mut reply = ReplyWriter::new(&mut rest, Protocol::Resp2);
    let again = Script::new(b"return redis.breakpoint()").unwrap();
    assert_eq!(interpreter.eval(&again, none(), none(), &mut told, &mut reply), Finished::Returned);
    assert_eq!(rest, b"$-1\r\n");
    let text = |bytes: &Vec<u8>| String::from_utf8_lossy(bytes).into_owned();
    (told.shown.iter().map(text).collect(), text(&out))
}

#[test]
fn a_script_is_gone_through() {
    let (shown, reply) = session("local a = 1\nlocal b = 2\nreturn a", &["s", "p", "c"], Duration::MAX);
    assert_eq!(
        shown,
        [
            "*2\r\n+* Stopped at 1, stop reason = step over\r\n+-> 1   local a = 1\r\n",
            "*2\r\n+* Stopped at 2, stop reason = step over\r\n+-> 2   local b = 2\r\n",
            "*1\r\n+<value> a = 1\r\n",
            "*1\r\n+<endsession>\r\n",
        ]
    );
    assert_eq!(reply, ":1\r\n");
    let (_, reply) = session("local a = 1\nreturn pcall(error)", &["a"], Duration::MAX);
    assert!(reply.starts_with("-ERR script aborted for user request script: "), "{reply}");
    let (shown, reply) = session("local a = 1\nreturn a", &["b 2"], Duration::MAX);
    assert_eq!((shown.len(), reply.as_str()), (3, ":1\r\n"), "it runs on without its client");
}

#[test]
fn what_is_shown_is_bounded() {
    let doubled = "local t = {}\nfor i = 1, 100 do t = {t, t, t, t} end\nreturn 1";
    let (shown, _) = session(doubled, &["b 3", "c", "m 0", "p t", "e string.rep('x', 3e6)"], Duration::MAX);
    assert!(shown[4].len() < 3 << 20 && shown[4].contains("<max recursion level"), "{}", shown[4].len());
    assert!(shown[5].len() < 3 << 20 && shown[5].contains("xx ..."), "{}", shown[5].len());
    let wide = "local t = {}\nfor i = 1, 100 do t[i] = t t['k' .. i] = t end\nreturn 1";
    let (shown, _) = session(wide, &["b 3", "c", "m 0", "p t"], Duration::MAX);
    assert!(shown[4].len() < 3 << 20, "{}", shown[4].len());
    let noisy = "for i = 1, 100 do redis.debug(string.rep('x', 1e5)) end\nreturn 1";
    let (shown, _) = session(noisy, &["c"], Duration::MAX);
    assert!(shown[1].len() < SHOWN_BYTES_MAX + 1000 && shown[1].contains("lines were left out"));
}

#[test]
fn what_never_ends_is_stopped() {
    let endless =
        ["e while true do pcall(error) end", "e coroutine.wrap(function() while true do end end)()"];
    for order in endless {
        let (shown, reply) = session("return 7", &[order, "e 1", "s"], Duration::from_millis(50));
        assert_eq!(shown[1], "*1\r\n+<error> timeout reached, infinite loop?\r\n", "{order}");
        assert_eq!((shown[2].as_str(), reply.as_str()), ("*1\r\n+<retval> 1\r\n", ":7\r\n"));
    }
    let (shown, _) = session("while true do end", &["c", "a"], Duration::from_millis(50));
    assert!(shown[1].contains("timeout reached"), "{}", shown[1]);
}

#[test]
fn texts_of_the_client_harm_nothing() {
    for (order, expected) in [
        ("e coroutine.yield(1)", "<error>"),
        ("e local function f() return f() + 1 end f()", "<error>"),
        ("e local t = {} while true do t[#t + 1] = ('x'):rep(1e5) .. #t end", "not enough memory"),
        ("e \u{1b}Lua", "<error>"),
        ("e redis.breakpoint()", "<retval> true"),
    ] {
        let (shown, reply) = session("local a = 1\nreturn 7", &[order, "s", "s"], Duration::from_secs(60));
        assert!(shown[1].contains(expected), "{order}: {}", shown[1]);
        assert_eq!(reply, ":7\r\n", "{order}");
    }
    let deep = "local function f(n) if n == 0 then redis.breakpoint()\nreturn 0 end return 1 + f(n - 1) end\nreturn f(5000)";
    let (shown, reply) = session(deep, &["c", "t", "p nosuch", "c"], Duration::MAX);
    assert_eq!((shown.len(), reply.as_str()), (5, ":5000\r\n"), "{shown:?}");
}
