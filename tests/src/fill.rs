//! A data set with something of everything.

use ochre_resp::Value;

use crate::Client;

/// Keys of all types in two databases, small and large, some that expire, one field that does.
///
/// # Panics
/// When the server refuses any of it.
pub fn fill(client: &mut Client) {
    for words in [
        "set int 12345",
        "set text hello ex 10000",
        "append raw some",
        "setrange long 20000 x",
        "rpush list a b 3",
        "sadd numbers 1 2 3",
        "sadd words a b c",
        "hset hash f v g 7",
        "hexpire hash 10000 fields 1 f",
        "zadd zset 1 a 2.5 b inf c",
        "xadd stream 1-1 a b",
        "xgroup create stream g 0",
        "xreadgroup group g c streams stream >",
        "pfadd hll a b c",
    ] {
        assert!(!matches!(client.ask(words), Value::Error(_)), "{words}");
    }
    for (command, key) in [("rpush", "biglist"), ("sadd", "bigset"), ("hset", "bighash"), ("zadd", "bigzset")]
    {
        for first in (0..4000).step_by(500) {
            let mut args = vec![command.to_owned(), key.to_owned()];
            for number in first..first + 500 {
                match command {
                    "zadd" => args.extend([number.to_string(), format!("member:{number}")]),
                    "hset" => args.extend([format!("field:{number}"), format!("value:{number}")]),
                    _ => args.push(format!("element:{number}")),
                }
            }
            client.request(&args).expect("a server answers");
        }
    }
    for first in (0..3000).step_by(500) {
        let pair = |number: i32| [format!("key:{number}"), format!("{number:>40}")];
        let args: Vec<String> =
            ["mset".to_owned()].into_iter().chain((first..first + 500).flat_map(pair)).collect();
        client.request(&args).expect("a server answers");
    }
    client.ask("select 9");
    client.ask("set other 1");
    client.ask("select 0");
}
