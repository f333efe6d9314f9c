//! Large values: commands store them as they came, without a copy while keys are locked.

use ochre_keyspace::{Effects, Locks, ValueRef};
use ochre_resp::PART_BYTES_MIN;
use ochre_types::ObjectRef;

use crate::client::OwnedRequest;
use crate::testing::Harness;

/// A request of words, of which `V` and `W` are large.
fn request(words: &str) -> OwnedRequest {
    let word = |word: &str| match word {
        "V" => vec![b'v'; PART_BYTES_MIN],
        "W" => vec![b'w'; 3 * PART_BYTES_MIN],
        word => word.as_bytes().to_vec(),
    };
    OwnedRequest::from_parts(&words.split_whitespace().map(word).collect::<Vec<_>>())
}

/// Where the bytes of a key's value lie, and whether others share them.
fn place(client: &Harness, key: &str) -> (usize, bool) {
    let (keyspace, mut effects) = (&client.executor.engine.keyspace, Effects::default());
    let key = keyspace.key(key.as_bytes());
    let mut view = keyspace.view(Locks::Keys(std::slice::from_ref(&key)), 1, &mut effects);
    match view.peek(0, key).expect("the key is there").value() {
        ValueRef::Object(ObjectRef::String(string)) => (string.as_ptr().addr(), string.is_shared()),
        _ => panic!("the value has memory of its own"),
    }
}

/// The same of the first argument that begins with this byte.
fn given(request: &OwnedRequest, byte: u8) -> usize {
    let is_it = |arg: &&[u8]| arg.len() >= PART_BYTES_MIN && arg[0] == byte;
    request.args().iter().find(is_it).expect("the request has it").as_ptr().addr()
}

const CASES: &[&str] = &[
    "set a V",
    "set a V ex 100",
    "set a V xx get keepttl",
    "setex a 100 V",
    "psetex a 100000 V",
    "getset a V",
    "del a",
    "setnx a V",
    "del a",
    "append a V",
    "del a",
    "setrange a 0 V",
    "mset a V b W",
    "del a b",
    "msetnx a V b W",
    "msetex 2 a V b W ex 100",
];

#[test]
fn what_was_received_is_what_is_stored() {
    let mut client = Harness::new();
    for words in CASES.iter().copied() {
        let request = request(words);
        let reply = client.run_request(&request);
        assert_ne!(reply[0], b'-', "{words}");
        for (key, byte) in [("a", b'v'), ("b", b'w')] {
            if words.contains(&format!("{key} {}", char::from(byte).to_ascii_uppercase()))
                || (key == "a" && words.contains('V'))
            {
                assert_eq!(place(&client, key).0, given(&request, byte), "{words}");
            }
        }
        drop(request);
        if words.contains('V') {
            assert!(!place(&client, "a").1, "{words}: nobody else has it any more");
        }
    }
}

#[test]
fn queues_share_what_they_were_given() {
    let mut client = Harness::new();
    client.run("multi");
    let request = request("mset a V b W");
    assert_eq!(client.run_request(&request), b"+QUEUED\r\n");
    assert_eq!(client.run("exec"), "*1|+OK|");
    assert_eq!(place(&client, "a"), (given(&request, b'v'), true));
    assert_eq!(place(&client, "b"), (given(&request, b'w'), true));
    // Whoever changes it leaves the request as it was.
    assert_eq!(client.run("append a !"), format!(":{}|", PART_BYTES_MIN + 1));
    assert_eq!(request.args().at(2), [b'v'; PART_BYTES_MIN]);
    assert_ne!(place(&client, "a").0, given(&request, b'v'));
}

#[test]
fn a_copy_of_a_key_shares_its_value_until_one_of_them_changes() {
    let mut client = Harness::new();
    client.run_request(&request("set a V"));
    assert_eq!(client.run("copy a b"), ":1|");
    assert_eq!(place(&client, "a"), place(&client, "b"));
    assert_eq!(client.run("setbit a 0 1"), ":0|");
    assert_ne!(place(&client, "a").0, place(&client, "b").0);
    assert_eq!((client.run("getbit a 0"), client.run("getbit b 0")), (":1|".to_owned(), ":0|".to_owned()));
}
