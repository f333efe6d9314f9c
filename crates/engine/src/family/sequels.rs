//! The rest of replies that show the elements of one value, one after the other (see [`crate::Sequel`]).

use ochre_resp::ReplyWriter;
use ochre_types::Portion;
use ochre_types::hash::{HashEntry, PinnedHash, PinnedValues};
use ochre_types::list::PinnedList;
use ochre_types::listpack::Item;
use ochre_types::set::PinnedSet;
use ochre_types::zset::PinnedZSet;

use super::reply_item::reply_item;
use crate::sequel::Sequel;

/// Elements of which a part has at most so many: short ones cost more than their bytes tell.
const ELEMENTS_MAX: usize = 4096;

/// So much of a value makes so many bytes of a reply.
pub(super) fn portion(bytes: usize) -> Portion {
    Portion { elements: ELEMENTS_MAX, bytes }
}

/// Members of a set.
impl Sequel for PinnedSet {
    fn write(&mut self, reply: &mut ReplyWriter<'_>, bytes: usize) -> bool {
        self.read(portion(bytes), &mut |member| reply_item(reply, member))
    }
}

/// Elements of a list.
impl Sequel for PinnedList {
    fn write(&mut self, reply: &mut ReplyWriter<'_>, bytes: usize) -> bool {
        self.read(portion(bytes), &mut |item| reply_item(reply, item))
    }
}

/// Fields of a hash.
pub(super) struct FieldsSequel<F> {
    pub(super) fields: PinnedHash,
    /// The time of the command: fields that had not expired then are shown.
    pub(super) now_ms: i64,
    /// What is shown of each.
    pub(super) show: F,
}

impl<F: Fn(&mut ReplyWriter<'_>, HashEntry<'_>) + Send> Sequel for FieldsSequel<F> {
    fn write(&mut self, reply: &mut ReplyWriter<'_>, bytes: usize) -> bool {
        let show = &self.show;
        self.fields.read(portion(bytes), self.now_ms, &mut |field| show(reply, field))
    }
}

/// Values of fields that were asked for.
impl Sequel for PinnedValues {
    fn write(&mut self, reply: &mut ReplyWriter<'_>, bytes: usize) -> bool {
        self.read(portion(bytes), &mut |value| match value {
            Some(value) => reply_item(reply, value),
            None => reply.null(),
        })
    }
}

/// Members of a sorted set, with their scores or without.
pub(super) struct MembersSequel<F> {
    pub(super) members: PinnedZSet,
    /// What is shown of each.
    pub(super) show: F,
}

impl<F: Fn(&mut ReplyWriter<'_>, Item<'_>, f64) + Send> Sequel for MembersSequel<F> {
    fn write(&mut self, reply: &mut ReplyWriter<'_>, bytes: usize) -> bool {
        let show = &self.show;
        self.members.read(portion(bytes), &mut |member, score| show(reply, member, score))
    }
}

#[cfg(test)]
mod tests {
    use crate::client::OwnedRequest;
    use crate::execute::Outcome;
    use crate::sequel::BYTES_AT_ONCE;
    use crate::testing::Harness;

    /// `V` and `W` are long, `N` is just not long alone.
    fn long(word: &str) -> String {
        match word {
            "V" => "v".repeat(BYTES_AT_ONCE),
            "W" => "w".repeat(2 * BYTES_AT_ONCE),
            "N" => "n".repeat(BYTES_AT_ONCE * 2 / 3),
            word => word.to_owned(),
        }
    }

    fn run(client: &mut Harness, words: &str) -> String {
        let parts: Vec<Vec<u8>> = words.split_whitespace().map(|word| long(word).into_bytes()).collect();
        String::from_utf8(client.run_request(&OwnedRequest::from_parts(&parts))).expect("text")
    }

    fn array(words: &str) -> String {
        let words: Vec<String> = words.split_whitespace().map(long).collect();
        let bulk = |word: &String| match word.as_str() {
            "nil" => "$-1\r\n".to_owned(),
            word => format!("${}\r\n{word}\r\n", word.len()),
        };
        format!("*{}\r\n{}", words.len(), words.iter().map(bulk).collect::<String>())
    }

    /// The same without the header.
    fn bulk(word: &str) -> String {
        array(word).split_off("*1\r\n".len())
    }

    fn prepared() -> Harness {
        let mut client = Harness::new();
        for words in [
            "mset v V w W n N m N s short",
            "hset h a V b short c N d N",
            "rpush l V short N N",
            "sadd s1 V",
            "sadd s2 W",
            "zadd z 1 V 2 short 3 W",
        ] {
            assert!(!run(&mut client, words).starts_with('-'), "{words}");
        }
        client
    }

    #[test]
    fn what_is_long_is_left_to_parts() {
        let cases = [
            ("get v", bulk("V")),
            ("mget s v none w s", array("short V nil W short")),
            ("mget s n m n", array("short N N N")),
            ("getrange w 5 -6", format!("${}\r\n{}\r\n", 2 * BYTES_AT_ONCE - 10, &long("W")[10..])),
            ("substr v 0 -1", bulk("V")),
            ("getex v ex 100", bulk("V")),
            ("getset v W", bulk("V")),
            ("set v N get", bulk("W")),
            ("getdel w", bulk("W")),
            ("hget h a", bulk("V")),
            ("hmget h b none a d", array("short nil V N")),
            ("hmget h b c d c", array("short N N N")),
            ("lrange l 0 -1", array("V short N N")),
            ("lrange l 1 2", array("short N")),
            ("lrange l -2 -1", array("N N")),
            ("lindex l 0", bulk("V")),
            ("smembers s1", array("V")),
            ("zrange z 0 -1", array("V short W")),
            ("zrevrange z 0 1 withscores", array("W 3 short 2")),
        ];
        let mut client = prepared();
        for (words, reply) in cases {
            assert!(run(&mut client, words) == reply, "{words}");
            let is_short = words == "lrange l 1 2";
            assert_eq!(client.outcome == Outcome::Continues, !is_short, "{words}");
        }
        for (words, len) in [("hgetall h", 8), ("hvals h", 4)] {
            assert!(run(&mut client, words).starts_with(&format!("*{len}\r\n")), "{words}");
            assert!(client.outcome == Outcome::Continues, "{words}");
        }
    }

    #[test]
    fn what_is_short_is_replied_at_once() {
        let mut client = prepared();
        for words in ["get s", "mget s n", "getrange w 0 5", "hget h b", "hmget h b c", "lindex l 1"] {
            run(&mut client, words);
            assert!(client.outcome == Outcome::Done, "{words}");
        }
    }

    #[test]
    fn later_changes_are_not_told() {
        for (words, change, reply) in [
            ("hmget h a nil c", "hset h a x c y", array("V nil N")),
            ("hget h a", "hdel h a", bulk("V")),
            ("lrange l 0 -1", "lset l 0 x", array("V short N N")),
            ("mget n v", "append v x", array("N V")),
            ("getrange v 0 -1", "setrange v 0 x", bulk("V")),
            ("zrange z 0 -1", "zrem z short", array("V short W")),
        ] {
            let mut client = prepared();
            run(&mut client, "multi");
            for words in [words, change] {
                assert_eq!(run(&mut client, words), "+QUEUED\r\n");
            }
            let replies = run(&mut client, "exec");
            assert!(replies.starts_with(&format!("*2\r\n{reply}")), "{words}");
        }
    }
}
