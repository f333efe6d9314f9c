//! Replies that are made in parts: what they say is what was there when the command ran, whatever becomes of the value
//! and of the client meanwhile.

#![allow(clippy::unwrap_used, reason = "what fails in a test fails the test")]

use std::time::{Duration, Instant};

use ochre_resp::{Value, encode_request};
use ochre_tests::{Client, Server, ServerBuilder, ochre, wait_for};

/// More than a client that reads nothing is sent ahead, in elements of [`PADDING`] bytes and some.
const ELEMENTS: usize = 60_000;
const PADDING: usize = 200;
/// No small reply has so many bytes; the first part of a large one has more.
const SMALL_REPLY_BYTES: u64 = 10_000;

fn server(workers: usize) -> Server {
    ServerBuilder::new(ochre()).workers(workers).start()
}

fn element(number: usize) -> String {
    format!("{number:08}{}", "x".repeat(PADDING))
}

/// Fills a key with many elements, which are returned in order.
fn fill(client: &mut Client, command: &str, key: &str) -> Vec<String> {
    let elements: Vec<String> = (0..ELEMENTS).map(element).collect();
    for chunk in elements.chunks(500) {
        let mut args = vec![command, key];
        for element in chunk {
            match command {
                "zadd" => args.extend([&element[..8], element]),
                "hset" => args.extend([element.as_str(), &element[..8]]),
                _ => args.push(element),
            }
        }
        assert!(matches!(client.request(&args).unwrap(), Value::Integer(_)));
    }
    elements
}

fn texts(value: &Value) -> Vec<String> {
    array(value).iter().map(text).collect()
}

fn array(value: &Value) -> &[Value] {
    match value {
        Value::Array(Some(elements)) => elements,
        other => panic!("no array: {other:?}"),
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::Bulk(Some(bytes)) => String::from_utf8_lossy(bytes).into_owned(),
        other => panic!("no text: {other:?}"),
    }
}

fn simple(text: &str) -> Value {
    Value::Simple(text.into())
}

fn sorted(mut texts: Vec<String>) -> Vec<String> {
    texts.sort();
    texts
}

/// Sends a request and reads nothing of its reply.
fn ask_only(client: &mut Client, words: &str) {
    let mut request = Vec::new();
    encode_request(&mut request, &words.split(' ').collect::<Vec<_>>());
    client.send(&request).unwrap();
}

/// What a client was sent so far, bytes; a reply that it has just read may not be counted yet.
fn sent_bytes(other: &mut Client, client: i64) -> u64 {
    let line = text(&other.ask(&format!("client list id {client}")));
    let sent = line.split(' ').find_map(|field| field.strip_prefix("tot-net-out="));
    sent.and_then(|bytes| bytes.parse().ok()).unwrap()
}

/// Asks for a large value, and waits until the first part of the reply is on its way.
fn ask_for_large(reader: &mut Client, other: &mut Client, id: i64, request: &str) {
    let before = sent_bytes(other, id);
    ask_only(reader, request);
    wait_for(|| (sent_bytes(other, id) > before + SMALL_REPLY_BYTES).then_some(())).unwrap();
}

fn id(client: &mut Client) -> i64 {
    let Value::Integer(id) = client.ask("client id") else { panic!("no number") };
    id
}

/// Asks for the whole of a value, changes it in every way while the reply is on its way, and reads that.
fn read_while_it_changes(
    workers: usize,
    fill_with: &str,
    request: &str,
    changes: &[&str],
) -> (Vec<String>, Vec<String>) {
    let server = server(workers);
    let (mut reader, mut other) = (server.connect(), server.connect());
    let elements = fill(&mut other, fill_with, "k");
    let id = id(&mut reader);
    ask_for_large(&mut reader, &mut other, id, request);
    ask_only(&mut reader, "echo behind");
    for change in changes {
        assert!(!matches!(other.ask(change), Value::Error(_)), "{change}");
    }
    let reply = texts(&reader.read().unwrap());
    assert_eq!(reader.read().unwrap(), Value::Bulk(Some(b"behind".to_vec())));
    (reply, elements)
}

#[test]
fn a_set_is_told_as_it_was() {
    let first = element(0);
    let changes = [&format!("srem k {first}"), "sadd k new", "spop k 1000", "rename k other", "del other"];
    let (reply, elements) = read_while_it_changes(1, "sadd", "smembers k", &changes);
    assert!(sorted(reply) == elements, "other members");
}

#[test]
fn a_list_is_told_as_it_was() {
    let changes =
        ["lset k 40000 changed", "linsert k before changed new", "ltrim k 10 -10", "rpush k new", "del k"];
    let (reply, elements) = read_while_it_changes(2, "rpush", "lrange k 1 -2", &changes);
    assert!(reply == elements[1..ELEMENTS - 1], "other elements");
}

#[test]
fn a_hash_is_told_as_it_was() {
    let (field, last) = (element(5), element(ELEMENTS - 1));
    let changes = [
        &format!("hset k {field} changed new 1"),
        &format!("hdel k {last}"),
        &format!("hpexpire k 1 fields 1 {}", element(7)),
        "set k other",
    ];
    let (reply, elements) = read_while_it_changes(2, "hset", "hgetall k", &changes);
    let pairs: Vec<String> = reply.chunks(2).map(|pair| format!("{}={}", pair[0], pair[1])).collect();
    let expected: Vec<String> =
        elements.iter().map(|element| format!("{element}={}", &element[..8])).collect();
    assert!(sorted(pairs) == expected, "other fields");
}

#[test]
fn names_and_values_of_a_hash_are_told_as_they_were() {
    let changes = ["flushall"];
    let (names, elements) = read_while_it_changes(1, "hset", "hkeys k", &changes);
    assert!(sorted(names) == elements);
}

#[test]
fn a_sorted_set_is_told_as_it_was() {
    let member = element(9);
    let changes =
        [&format!("zadd k 5000000 {member}"), "zpopmin k 500", "zremrangebyrank k 100 900", "swapdb 0 1"];
    for (request, back) in [("zrange k 0 -1", false), ("zrevrangebyscore k +inf 1", true)] {
        let (reply, mut elements) = read_while_it_changes(1, "zadd", request, &changes);
        if back {
            elements.remove(0);
            elements.reverse();
        }
        assert!(reply == elements, "{request}");
    }
}

#[test]
fn what_is_sorted_is_told_as_it_was() {
    let changes = ["spop k 1000", "del k"];
    let (reply, mut elements) = read_while_it_changes(1, "sadd", "sort k alpha desc", &changes);
    elements.reverse();
    assert!(reply == elements, "another order");
}

#[test]
fn what_is_shown_unsorted_is_told_as_it_was() {
    let member = element(9);
    let changes = [&format!("zadd k 5000000 {member}"), "zpopmin k 500", "del k"];
    let (reply, elements) = read_while_it_changes(1, "zadd", "sort k by nosort limit 5 50000", &changes);
    assert!(reply == elements[5..50_005]);
    let changes = ["lpop k 1000", "rpush k new", "lset k 50 changed"];
    let (reply, mut elements) = read_while_it_changes(2, "rpush", "sort k by nosort desc", &changes);
    elements.reverse();
    assert!(reply == elements, "another order");
}

#[test]
fn unsorted_windows_are_those_of_replies_made_at_once() {
    let server = server(1);
    let mut client = server.connect();
    let elements = fill(&mut client, "rpush", "l");
    fill(&mut client, "zadd", "z");
    let members = fill(&mut client, "sadd", "s");
    for key in ["l", "z"] {
        let reply = texts(&client.ask(&format!("sort {key} by nosort desc limit 100 30000")));
        assert!(reply.iter().eq(elements.iter().rev().skip(100).take(30_000)), "{key}");
    }
    let twice = client.ask("sort l by nosort get # get nothing limit 59990 100");
    let expected = elements[59_990..]
        .iter()
        .flat_map(|element| [Value::Bulk(Some(element.clone().into_bytes())), Value::Bulk(None)]);
    assert!(array(&twice).iter().eq(expected.collect::<Vec<_>>().iter()));
    let walk = texts(&client.ask("sort s by nosort desc"));
    assert!(sorted(walk.clone()) == members);
    assert!(texts(&client.ask("sort s by nosort limit 40000 15000")) == walk[40_000..55_000]);
}

#[test]
fn entries_are_told_as_they_were() {
    let server = server(2);
    let (mut reader, mut other) = (server.connect(), server.connect());
    let padding = "x".repeat(PADDING);
    for number in 1..=ELEMENTS {
        ask_only(&mut other, &format!("xadd k {number}-0 n {padding}"));
        if number % 1000 == 0 {
            (0..1000).for_each(|_| assert!(matches!(other.read().unwrap(), Value::Bulk(Some(_)))));
        }
    }
    other.ask("xadd few 1-0 n v");
    let id = id(&mut reader);
    let requests: [(&str, Vec<usize>); 4] = [
        ("xrange k - +", (1..=ELEMENTS).collect()),
        ("xrevrange k 50000 (10 count 45000", (5001..=50_000).rev().collect()),
        ("xread streams k 100", (101..=ELEMENTS).collect()),
        ("xread count 55000 streams nokey few k k 0 0 0 59999", (1..=55_000).collect()),
    ];
    for (number, (request, expected)) in requests.iter().enumerate() {
        ask_for_large(&mut reader, &mut other, id, request);
        // What was changed is put back, but for what no later request asks for.
        other.ask(&format!("xadd k {} n new", ELEMENTS + 1 + number));
        other.ask(&format!("xdel k {}", ELEMENTS + 1 + number));
        let reply = reader.read().unwrap();
        let entries = match array(&reply) {
            [one] if request.starts_with("xread") => array(&array(one)[1]),
            [few, all, last] => {
                assert_eq!((array(&array(few)[1]).len(), array(&array(last)[1]).len()), (1, 1));
                array(&array(all)[1])
            }
            entries => entries,
        };
        assert_eq!(entries.len(), expected.len(), "{request}");
        for (entry, number) in entries.iter().zip(expected) {
            assert_eq!(text(&array(entry)[0]), format!("{number}-0"), "{request}");
            assert_eq!(text(&array(&array(entry)[1])[1]), padding);
        }
    }
    ask_for_large(&mut reader, &mut other, id, "xrange k - +");
    ["xtrim k maxlen 10", "xadd k * n new", "del k"].iter().for_each(|change| drop(other.ask(change)));
    assert_eq!(array(&reader.read().unwrap()).len(), ELEMENTS);
}

#[test]
fn a_whole_scan_is_told_as_it_was_and_a_step_is_short() {
    let (changes, all) = (["spop k 1000", "srem k none", "del k"], "sscan k 0 count 1000000");
    let server = server(1);
    let (mut reader, mut other) = (server.connect(), server.connect());
    let members = fill(&mut other, "sadd", "k");
    let id = id(&mut reader);
    ask_for_large(&mut reader, &mut other, id, all);
    changes.iter().for_each(|change| drop(other.ask(change)));
    let reply = reader.read().unwrap();
    assert_eq!(text(&array(&reply)[0]), "0");
    assert!(sorted(texts(&array(&reply)[1])) == members);
    let fields = fill(&mut other, "hset", "h");
    let reply = other.ask("hscan h 0 count 60000 match *7x* novalues");
    let matching: Vec<String> = fields.iter().filter(|field| field.contains("7x")).cloned().collect();
    assert!(sorted(texts(&array(&reply)[1])) == matching);
    fill(&mut other, "zadd", "z");
    let reply = other.ask("zscan z 0 count 60001");
    let pairs = texts(&array(&reply)[1]);
    assert!(pairs.chunks(2).all(|pair| pair[0].starts_with(&format!("{:0>8}", pair[1]))));
    assert_eq!(pairs.len(), 2 * ELEMENTS);
    let reply = other.ask("zscan z 0 count 59999 noscores");
    assert!(text(&array(&reply)[0]) != "0" && array(&array(&reply)[1]).len() < 30_000);
}

#[test]
fn sorting_in_parts_sorts_as_at_once() {
    let server = server(1);
    let mut client = server.connect();
    // A score with a decimal point here and there, numbers that are equal but not the same text.
    let mut numbers: Vec<String> =
        (0..ELEMENTS).map(|number| ((number * 7919) % 50_021).to_string()).collect();
    numbers.iter_mut().step_by(10).for_each(|number| number.push_str(".5"));
    numbers.iter_mut().step_by(17).for_each(|number| number.insert(0, '-'));
    for chunk in numbers.chunks(1000) {
        let args: Vec<&str> = ["rpush", "k"].into_iter().chain(chunk.iter().map(String::as_str)).collect();
        client.request(&args).unwrap();
    }
    let value = |number: &String| number.parse::<f64>().unwrap();
    numbers.sort_by(|a, b| value(a).total_cmp(&value(b)).then(a.cmp(b)));
    assert!(texts(&client.ask("sort k")) == numbers);
    assert!(texts(&client.ask("sort k limit 100 50")) == numbers[100..150]);
    assert!(texts(&client.ask("sort k limit 20000 20000")) == numbers[20_000..40_000]);
    let twice: Vec<String> =
        numbers.iter().rev().take(30).flat_map(|number| [number.clone(), number.clone()]).collect();
    assert!(texts(&client.ask("sort k desc limit 0 30 get # get #")) == twice);
    client.ask("rpush k word");
    let error = "ERR One or more scores can't be converted into double";
    assert_eq!(client.ask("sort k"), Value::Error(error.into()));
    assert_eq!(client.info("total_error_replies"), 1);
}

#[test]
fn a_transaction_may_have_several_with_others_between_them() {
    let server = server(2);
    let mut client = server.connect();
    let members = fill(&mut client, "sadd", "s");
    let elements = fill(&mut client, "rpush", "l");
    for words in ["multi", "incr n", "smembers s", "incr n", "lrange l 0 -1", "del s l", "sort l", "exec"] {
        ask_only(&mut client, words);
    }
    (0..7).for_each(|_| assert!(matches!(client.read().unwrap(), Value::Simple(_))));
    let replies = client.read().unwrap();
    let replies = array(&replies);
    assert_eq!((&replies[0], &replies[2]), (&Value::Integer(1), &Value::Integer(2)));
    assert!(sorted(texts(&replies[1])) == members);
    assert!(texts(&replies[3]) == elements);
    assert_eq!((&replies[4], &replies[5]), (&Value::Integer(2), &Value::Array(Some(Vec::new()))));
}

#[test]
fn replies_that_nobody_wants_are_not_made() {
    let server = server(1);
    let mut client = server.connect();
    fill(&mut client, "sadd", "s");
    ask_only(&mut client, "client reply off");
    ask_only(&mut client, "smembers s");
    ask_only(&mut client, "client reply on");
    assert_eq!(client.read().unwrap(), simple("OK"));
    ask_only(&mut client, "client reply skip");
    ask_only(&mut client, "smembers s");
    assert_eq!(client.ask("ping"), simple("PONG"));
}

#[test]
fn others_are_served_while_a_client_does_not_read() {
    let server = server(1);
    let (mut reader, mut other) = (server.connect(), server.connect());
    let members = fill(&mut other, "sadd", "s");
    let before = server.resident_bytes();
    let id = id(&mut reader);
    let asked = Instant::now();
    ask_for_large(&mut reader, &mut other, id, "smembers s");
    (0..2).for_each(|_| ask_only(&mut reader, "smembers s"));
    for _ in 0..100 {
        assert_eq!(other.ask("ping"), simple("PONG"));
    }
    // What is made ahead of what it takes is little, until the server's patience ends.
    let grown = server.resident_bytes().saturating_sub(before);
    let is_early = asked.elapsed() < Duration::from_millis(250);
    assert!(
        !is_early || grown < (ELEMENTS * PADDING) as u64 / 2,
        "{grown} bytes for a reply that is not read"
    );
    let start = Instant::now();
    while start.elapsed() < Duration::from_millis(1200) {
        assert_eq!(other.ask("ping"), simple("PONG"));
        std::thread::sleep(Duration::from_millis(20));
    }
    for _ in 0..3 {
        assert!(sorted(texts(&reader.read().unwrap())) == members);
    }
    assert_eq!(reader.ask("ping"), simple("PONG"));
}

#[test]
fn a_client_that_is_killed_leaves_nothing_behind() {
    let server = server(2);
    let mut other = server.connect();
    fill(&mut other, "sadd", "s");
    for _ in 0..20 {
        let mut reader = server.connect();
        let id = id(&mut reader);
        ask_for_large(&mut reader, &mut other, id, "smembers s");
        other.ask("spop s 10");
        assert_eq!(other.ask(&format!("client kill id {id}")), Value::Integer(1));
    }
    let mut counted = || text(&other.ask("info commandstats")).contains("cmdstat_smembers:calls=20,");
    let counted = wait_for(|| counted().then_some(()));
    assert!(counted.is_some(), "they count, complete or not");
    other.ask("del s");
    // Whatever was kept for them comes back.
    wait_for(|| (other.info("used_memory") < 8_000_000).then_some(())).expect("memory is back");
}

#[test]
fn logs_show_what_was_replied_in_parts() {
    let server = ServerBuilder::new(ochre()).workers(1).set("slowlog-log-slower-than", "0").start();
    let mut client = server.connect();
    fill(&mut client, "sadd", "s");
    client.ask("commandlog reset large-reply");
    client.ask("slowlog reset");
    client.ask("smembers s");
    let slow = client.ask("slowlog get 1");
    assert_eq!(texts(&array(&array(&slow)[0])[3]), ["smembers", "s"]);
    let large = client.ask("commandlog get -1 large-reply");
    assert_eq!(array(&large).len(), 1);
    let Value::Integer(bytes) = array(&array(&large)[0])[2] else { panic!("no size") };
    assert!(bytes as usize > ELEMENTS * PADDING, "{bytes}");
}

#[test]
fn what_is_sent_behind_a_reply_in_parts_waits_outside() {
    const REQUESTS: usize = 600;
    let server = ServerBuilder::new(ochre()).workers(1).set("client-query-buffer-limit", "4mb").start();
    let (mut other, mut asker) = (server.connect(), server.connect());
    let members = fill(&mut other, "sadd", "s");
    let mut request = Vec::new();
    encode_request(&mut request, &[&b"set"[..], b"k", &vec![b'x'; 20_000]]);
    ask_only(&mut asker, "smembers s");
    // Three times as much as may be buffered, while nothing of the reply is read.
    (0..REQUESTS).for_each(|_| asker.send(&request).unwrap());
    assert!(sorted(texts(&asker.read().unwrap())) == members);
    (0..REQUESTS).for_each(|_| assert_eq!(asker.read().unwrap(), simple("OK")));
    assert_eq!(other.info("client_query_buffer_limit_disconnections"), 0);
}

#[test]
fn who_reads_nothing_is_not_waited_for_again_and_again() {
    const REPLIES: usize = 40;
    let server = server(1);
    let (mut reader, mut other) = (server.connect(), server.connect());
    other.ask("setrange k 2000000 x");
    (0..REPLIES).for_each(|_| ask_only(&mut reader, "get k"));
    ask_only(&mut reader, "set done 1");
    // Forty times a wait would be twelve seconds.
    let start = Instant::now();
    wait_for(|| (other.ask("exists done") == Value::Integer(1)).then_some(())).unwrap();
    assert!(start.elapsed() < Duration::from_secs(8), "{:?}", start.elapsed());
    (0..REPLIES).for_each(|_| assert_eq!(text(&reader.read().unwrap()).len(), 2_000_001));
}
