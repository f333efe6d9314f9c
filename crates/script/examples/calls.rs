//! What a script with three commands costs, with a host that does next to nothing: `calls [RUNS]`. Run under
//! `valgrind --tool=callgrind` it counts instructions.

use std::time::Instant;

use ochre_resp::{Protocol, ReplyWriter};
use ochre_script::{
    Host, Interpreter, InterpreterOptions, Interrupt, LogLevel, Permission, Replication, Request, Script,
    Versions,
};

/// Answers every command with an integer.
struct Trivial;

impl Host for Trivial {
    fn execute(&mut self, _request: Request<'_>, reply: &mut Vec<u8>) {
        reply.extend_from_slice(b":1\r\n");
    }

    fn permission(&mut self, _request: Request<'_>) -> Permission {
        Permission::Granted
    }

    fn log(&mut self, _level: LogLevel, _text: &[u8]) {}

    fn set_replication(&mut self, _replication: Replication) {}

    fn interrupt(&mut self) -> Interrupt {
        Interrupt::Continue
    }
}

fn main() {
    let runs: u32 = std::env::args().nth(1).and_then(|runs| runs.parse().ok()).unwrap_or(200_000);
    let versions = Versions { redis: "8.6.3", valkey: "9.1.2", server_name: "ochre" };
    let options = InterpreterOptions { memory_limit: 64 << 20, versions };
    let mut interpreter = Interpreter::new(options).expect("there is memory for an interpreter");
    println!("an interpreter takes {} bytes", interpreter.memory_bytes());
    for body in [
        "return 1",
        "return redis.call('INCR', KEYS[1])",
        "redis.call('INCR', KEYS[1]) redis.call('INCR', KEYS[1]) return redis.call('INCR', KEYS[1])",
    ] {
        let script = Script::new(body.as_bytes()).expect("the script has no shebang");
        let mut out = Vec::new();
        let start = Instant::now();
        for _ in 0..runs {
            out.clear();
            let mut reply = ReplyWriter::new(&mut out, Protocol::Resp2);
            let (keys, args) = ([b"some:key".as_slice()], [b"value".as_slice()]);
            interpreter.eval(&script, keys.into_iter(), args.into_iter(), &mut Trivial, &mut reply);
        }
        println!("{:.0} ns: {body}", start.elapsed().as_nanos() as f64 / f64::from(runs));
    }
}
