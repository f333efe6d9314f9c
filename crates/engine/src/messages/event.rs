//! Keyspace events as messages.
//!
//! An event goes to up to six kinds of channels: by key and by name (Redis's documentation: "Keyspace notifications"), and, if it is
//! about fields of a hash, in four ways that tell which ("Subkey notifications"). Lengths precede the names of subkeys, so
//! that they may contain anything; where a name would make a channel ambiguous, that one is left out.

use ochre_keyspace::{Event, event_class};

/// Calls `publish` with each channel and message of an event, of those kinds that are wanted.
pub(super) fn event_messages(event: &Event, wanted: u32, publish: &mut dyn FnMut(&[u8], &[u8])) {
    let Event { name, key, .. } = event;
    let channel = |kind: &str, rest: &[u8]| channel(kind, event.db, rest);
    if wanted & event_class::KEYSPACE != 0 {
        publish(&channel("keyspace", key), name.as_bytes());
    }
    if wanted & event_class::KEYEVENT != 0 {
        publish(&channel("keyevent", name.as_bytes()), key);
    }
    if event.subkeys.is_empty() || wanted & event_class::SUBKEYS == 0 {
        return;
    }
    let subkeys = listed(&event.subkeys);
    let name_is_plain = !name.contains('|');
    if wanted & event_class::SUBKEYSPACE != 0 && name_is_plain {
        publish(&channel("subkeyspace", key), &[name.as_bytes(), b"|", &subkeys].concat());
    }
    if wanted & event_class::SUBKEYEVENT != 0 {
        let key = listed(std::slice::from_ref(key));
        publish(&channel("subkeyevent", name.as_bytes()), &[&key, &b"|"[..], &subkeys].concat());
    }
    if wanted & event_class::SUBKEYSPACEITEM != 0 && !key.contains(&b'\n') {
        for subkey in &event.subkeys {
            let item = [&**key, b"\n", subkey].concat();
            publish(&channel("subkeyspaceitem", &item), name.as_bytes());
        }
    }
    if wanted & event_class::SUBKEYSPACEEVENT != 0 && name_is_plain {
        let both = [name.as_bytes(), b"|", key].concat();
        publish(&channel("subkeyspaceevent", &both), &subkeys);
    }
}

/// `__KIND@DB__:REST`
fn channel(kind: &str, db: u32, rest: &[u8]) -> Vec<u8> {
    let mut number = itoa::Buffer::new();
    [b"__", kind.as_bytes(), b"@", number.format(db).as_bytes(), b"__:", rest].concat()
}

/// `LENGTH:NAME`, with commas between.
fn listed(names: &[Vec<u8>]) -> Vec<u8> {
    let mut list = Vec::new();
    for name in names {
        if !list.is_empty() {
            list.push(b',');
        }
        list.extend_from_slice(itoa::Buffer::new().format(name.len()).as_bytes());
        list.push(b':');
        list.extend_from_slice(name);
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(name: &'static str, key: &str, subkeys: &[&str], wanted: u32) -> Vec<(String, String)> {
        let subkeys = subkeys.iter().map(|subkey| subkey.as_bytes().to_vec()).collect();
        let event = Event { class: event_class::HASH, name, db: 3, key: key.as_bytes().to_vec(), subkeys };
        let mut told = Vec::new();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("text");
        event_messages(&event, wanted, &mut |channel, message| told.push((text(channel), text(message))));
        told
    }

    fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
        expected.iter().map(|(channel, message)| ((*channel).to_owned(), (*message).to_owned())).collect()
    }

    #[test]
    fn an_event_is_told_in_the_ways_that_are_wanted() {
        let by_key_and_name = event_class::KEYSPACE | event_class::KEYEVENT;
        let expected = pairs(&[("__keyspace@3__:k", "set"), ("__keyevent@3__:set", "k")]);
        assert_eq!(told("set", "k", &[], by_key_and_name | event_class::SUBKEYS), expected);
        assert_eq!(told("set", "k", &[], event_class::KEYEVENT), expected[1..]);
        let expected = pairs(&[
            ("__subkeyspace@3__:hash", "hset|2:f1,0:"),
            ("__subkeyevent@3__:hset", "4:hash|2:f1,0:"),
            ("__subkeyspaceitem@3__:hash\nf1", "hset"),
            ("__subkeyspaceitem@3__:hash\n", "hset"),
            ("__subkeyspaceevent@3__:hset|hash", "2:f1,0:"),
        ]);
        assert_eq!(told("hset", "hash", &["f1", ""], event_class::SUBKEYS), expected);
    }

    #[test]
    fn what_would_be_ambiguous_is_left_out() {
        let all = event_class::SUBKEYS;
        let channels = |name, key| told(name, key, &["f"], all).into_iter().map(|(channel, _)| channel);
        let expected =
            ["__subkeyspace@3__:a\nb", "__subkeyevent@3__:hset", "__subkeyspaceevent@3__:hset|a\nb"];
        assert!(channels("hset", "a\nb").eq(expected));
        assert!(channels("a|b", "k").eq(["__subkeyevent@3__:a|b", "__subkeyspaceitem@3__:k\nf"]));
    }
}
