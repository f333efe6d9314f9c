//! A server in small, for scripts under test.

use std::collections::HashMap;

use ochre_resp::{Protocol, ReplyWriter};
use ochre_script::{
    Host, Interpreter, InterpreterOptions, Interrupt, LogLevel, Permission, Replication, Request, Script,
    Versions,
};

/// Keeps strings, and counts what is asked.
#[derive(Default)]
pub struct Small {
    pub strings: HashMap<Vec<u8>, Vec<u8>>,
    pub calls: usize,
    pub interrupts: usize,
    /// How often the script may be interrupted before it has to end.
    pub interrupts_max: Option<usize>,
    pub log: Vec<(LogLevel, Vec<u8>)>,
    pub replication: Option<Replication>,
}

/// What DEBUG PROTOCOL replies, in RESP3 and RESP2.
const PROTOCOL: &[(&str, &str, &str)] = &[
    ("string", "$11\r\nHello World\r\n", "$11\r\nHello World\r\n"),
    ("integer", ":12345\r\n", ":12345\r\n"),
    ("double", ",3.141\r\n", "$5\r\n3.141\r\n"),
    ("null", "_\r\n", "$-1\r\n"),
    ("array", "*3\r\n:0\r\n:1\r\n:2\r\n", "*3\r\n:0\r\n:1\r\n:2\r\n"),
    ("set", "~3\r\n:0\r\n:1\r\n:2\r\n", "*3\r\n:0\r\n:1\r\n:2\r\n"),
    ("map", "%3\r\n:0\r\n#f\r\n:1\r\n#t\r\n:2\r\n#f\r\n", "*6\r\n:0\r\n:0\r\n:1\r\n:1\r\n:2\r\n:0\r\n"),
    ("true", "#t\r\n", ":1\r\n"),
    ("false", "#f\r\n", ":0\r\n"),
    (
        "bignum",
        "(1234567999999999999999999999999999999\r\n",
        "$37\r\n1234567999999999999999999999999999999\r\n",
    ),
    ("verbatim", "=29\r\ntxt:This is a verbatim\nstring\r\n", "$25\r\nThis is a verbatim\nstring\r\n"),
];

impl Small {
    fn protocol(&self, word: &[u8], protocol: Protocol, reply: &mut Vec<u8>) {
        let found = PROTOCOL.iter().find(|(name, ..)| name.as_bytes() == word);
        let (_, resp3, resp2) = found.copied().unwrap_or(("", "-ERR what\r\n", "-ERR what\r\n"));
        reply.extend_from_slice(if protocol == Protocol::Resp3 { resp3 } else { resp2 }.as_bytes());
    }
}

impl Host for Small {
    fn execute(&mut self, request: Request<'_>, reply: &mut Vec<u8>) {
        self.calls += 1;
        let args: Vec<&[u8]> = request.args().collect();
        let mut reply = ReplyWriter::new(reply, request.protocol);
        match (args[0].to_ascii_lowercase().as_slice(), &args[1..]) {
            (b"echo", [text]) => reply.bulk(text),
            (b"ping", []) => reply.simple("PONG"),
            (b"set", [key, value]) => {
                self.strings.insert(key.to_vec(), value.to_vec());
                reply.ok();
            }
            (b"get", [key]) => match self.strings.get(*key) {
                Some(value) => reply.bulk(value),
                None => reply.null(),
            },
            (b"mget", keys) => {
                reply.array(keys.len());
                for key in keys.iter() {
                    match self.strings.get(*key) {
                        Some(value) => reply.bulk(value),
                        None => reply.null(),
                    }
                }
            }
            (b"incr", [key]) => {
                let value = self.strings.entry(key.to_vec()).or_insert_with(|| b"0".to_vec());
                match std::str::from_utf8(value).ok().and_then(|value| value.parse::<i64>().ok()) {
                    Some(number) => {
                        *value = (number + 1).to_string().into_bytes();
                        reply.integer(number + 1);
                    }
                    None => reply.error("ERR value is not an integer or out of range"),
                }
            }
            (b"lpush", [_]) => reply.error("ERR Wrong number of args calling Redis command from script"),
            (b"lpush", _) => {
                reply.error("WRONGTYPE Operation against a key holding the wrong kind of value");
            }
            (b"debug", [_, word]) => {
                let mut bytes = Vec::new();
                self.protocol(word, request.protocol, &mut bytes);
                reply.raw(&bytes);
            }
            (b"echo" | b"ping" | b"set" | b"get" | b"incr" | b"debug", _) => {
                reply.error("ERR Wrong number of args calling Redis command from script");
            }
            (b"auth" | b"multi" | b"eval", _) => {
                reply.error("ERR This Redis command is not allowed from script")
            }
            _ => reply.error("ERR Unknown Redis command called from script"),
        }
    }

    fn permission(&mut self, request: Request<'_>) -> Permission {
        let args: Vec<&[u8]> = request.args().collect();
        match (args[0].to_ascii_lowercase().as_slice(), args.len()) {
            (b"get", 2) | (b"set", 3..) => Permission::Granted,
            (b"acl", 2) => Permission::Denied,
            (b"get" | b"set" | b"acl", _) => Permission::WrongArity,
            _ => Permission::Unknown,
        }
    }

    fn log(&mut self, level: LogLevel, text: &[u8]) {
        self.log.push((level, text.to_vec()));
    }

    fn set_replication(&mut self, replication: Replication) {
        self.replication = Some(replication);
    }

    fn interrupt(&mut self) -> Interrupt {
        self.interrupts += 1;
        match self.interrupts_max {
            Some(max) if self.interrupts > max => Interrupt::Stop("Script killed by user with SCRIPT KILL."),
            _ => Interrupt::Continue,
        }
    }
}

/// The versions of the peer that replies were recorded from.
pub const VERSIONS: Versions = Versions { redis: "8.6.3", valkey: "9.1.2", server_name: "ochre" };

/// An interpreter with so many bytes for scripts.
pub fn interpreter(memory_limit: usize) -> Interpreter {
    Interpreter::new(InterpreterOptions { memory_limit, versions: VERSIONS }).unwrap()
}

/// Runs a script and returns the reply.
pub fn eval(interpreter: &mut Interpreter, host: &mut Small, body: &[u8], protocol: Protocol) -> Vec<u8> {
    eval_with(interpreter, host, body, &[], &[], protocol)
}

/// [`eval`] with keys and arguments.
pub fn eval_with(
    interpreter: &mut Interpreter,
    host: &mut Small,
    body: &[u8],
    keys: &[&[u8]],
    args: &[&[u8]],
    protocol: Protocol,
) -> Vec<u8> {
    let mut out = Vec::new();
    let mut reply = ReplyWriter::new(&mut out, protocol);
    match Script::new(body) {
        Ok(script) => {
            interpreter.eval(&script, keys.iter().copied(), args.iter().copied(), host, &mut reply);
        }
        Err(text) => reply.error_bytes(&[b"ERR ", text.as_slice()].concat()),
    }
    out
}
