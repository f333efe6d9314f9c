//! What clients cannot see of the commands of hashes: events, what counts as a change, the journal, what background work
//! does. Expected is what Redis 8.6.3 does; where its journal has a HDEL for each field, here is one for all.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use ochre_keyspace::{Effects, JournalSink, Key, Locks};
use ochre_resp::ReplyWriter;
use parking_lot::Mutex;

use crate::call::{Call, Propagation};
use crate::client::OwnedRequest;
use crate::command::Latest;
use crate::testing::Harness;

/// Keeps the journal.
#[derive(Clone, Default)]
struct Recorder(Arc<Mutex<Vec<u8>>>);

impl JournalSink for Recorder {
    fn append(&mut self, _offset: u64, bytes: &[u8]) {
        self.0.lock().extend_from_slice(bytes);
    }
}

impl Recorder {
    /// The commands since the last time, without SELECT, as words with a semicolon between two.
    fn take(&self) -> String {
        let bytes = std::mem::take(&mut *self.0.lock());
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let words = |command: &str| command.split("\r\n").skip(2).step_by(2).collect::<Vec<_>>().join(" ");
        let commands = text.split('*').skip(1).map(words);
        commands.filter(|command| !command.starts_with("SELECT")).collect::<Vec<_>>().join("; ")
    }
}

/// A client whose time the test sets.
struct Observer {
    harness: Harness,
    recorder: Recorder,
    now_ms: i64,
}

impl Observer {
    fn new() -> Observer {
        let (harness, recorder) = (Harness::new(), Recorder::default());
        let keyspace = &harness.executor.engine.keyspace;
        keyspace.settings.notify_classes.store(u32::MAX, Relaxed);
        keyspace.journal.attach(Box::new(recorder.clone()));
        Observer { harness, recorder, now_ms: 1_000_000 }
    }

    /// Runs a request of words that blanks separate; shows `reply | events | changes | journal`, where `=` stands for the
    /// request as it came.
    fn run(&mut self, words: &str) -> String {
        let engine = Arc::clone(&self.harness.executor.engine);
        let parts: Vec<Vec<u8>> = words.split_whitespace().map(|word| word.as_bytes().to_vec()).collect();
        let request = OwnedRequest::from_parts(&parts);
        let mut keys: Vec<Key<'_>> = Vec::new();
        self.harness.executor.prepare(request.args(), 0, &mut keys);
        let command =
            engine.commands.resolve(request.args(), 0, &mut Latest::default()).expect("known").command;
        let (mut effects, mut out) = (Effects::default(), Vec::new());
        let mut view = engine.keyspace.view(Locks::Keys(&keys), self.now_ms, &mut effects);
        let mut call = Call {
            args: request.args(),
            command,
            keys: &keys,
            view: &mut view,
            reply: ReplyWriter::new(&mut out, self.harness.client.protocol),
            client: &mut self.harness.client,
            engine: &engine,
            worker: &self.harness.executor.context,
            propagation: Propagation::Verbatim,
            in_transaction: false,
            is_retry: false,
            stage: crate::scripting::ScriptStage::default(),
            has_failed: false,
        };
        assert_eq!((command.handler)(&mut call), Ok(()), "{words}");
        let is_verbatim = call.propagation == Propagation::Verbatim;
        drop(view);
        engine.keyspace.journal.append(&effects.unit);
        let reply = String::from_utf8_lossy(&out).replace("\r\n", " ");
        let events: Vec<&str> = effects.events.iter().map(|event| event.name).collect();
        let mut journal = self.recorder.take();
        if is_verbatim && effects.dirty > 0 {
            journal += if journal.is_empty() { "=" } else { "; =" };
        }
        format!("{}| {} | {} | {journal}", reply, events.join(" "), effects.dirty)
    }

    /// Runs each request and compares. `+N` lets so many ms pass.
    fn check(&mut self, cases: &[(&str, &str)]) {
        for (request, expected) in cases {
            match request.strip_prefix('+') {
                Some(ms) => self.now_ms += ms.parse::<i64>().expect("a number"),
                None => assert_eq!(self.run(request), *expected, "{request}"),
            }
        }
    }
}

#[test]
fn fields_and_values() {
    Observer::new().check(&[
        ("hset h a 1 b 2 a 3", ":2 | new hset | 3 | ="),
        ("hset h a 1", ":0 | hset | 1 | ="),
        ("hmset h a 1 c 2", "+OK | hset | 2 | ="),
        ("hsetnx h a 1", ":0 |  | 0 | "),
        ("hsetnx h z 1", ":1 | hset | 1 | ="),
        ("hincrby h a 5", ":6 | hincrby | 1 | ="),
        ("hincrbyfloat h a 1.5", "$3 7.5 | hincrbyfloat | 1 | HSETEX h KEEPTTL FIELDS 1 a 7.5"),
        ("hincrbyfloat n a 3e3", "$4 3000 | new hincrbyfloat | 1 | HSETEX n KEEPTTL FIELDS 1 a 3000"),
        ("hdel h nosuch", ":0 |  | 0 | "),
        ("hdel h a a c", ":2 | hdel | 2 | ="),
        ("hdel n a b", ":1 | hdel del | 1 | ="),
        ("hgetdel h fields 2 nosuch b", "*2 $-1 $1 2 | hdel | 1 | ="),
        ("hgetdel h fields 3 z z q", "*3 $1 1 $-1 $-1 | hdel del | 1 | ="),
        ("hgetdel h fields 1 a", "*1 $-1 |  | 0 | "),
        ("hget h a", "$-1 | keymiss | 0 | "),
        ("hlen h", ":0 | keymiss | 0 | "),
        ("hgetall h", "*0 | keymiss | 0 | "),
        ("hscan h 0", "*2 $1 0 *0 | keymiss | 0 | "),
        ("hrandfield h", "$-1 | keymiss | 0 | "),
        ("httl h fields 1 a", "*1 :-2 | keymiss | 0 | "),
        ("hgetex h fields 1 a", "*1 $-1 |  | 0 | "),
    ]);
}

#[test]
fn times_that_are_set() {
    Observer::new().check(&[
        ("hset h a 1 b 2 c 3 d 4", ":4 | new hset | 4 | ="),
        ("hexpire h 10 fields 2 a nosuch", "*2 :1 :-2 | hexpire | 1 | HPEXPIREAT h 1010000 FIELDS 1 a"),
        ("hpexpire h 5 nx fields 2 a b", "*2 :0 :1 | hexpire | 1 | HPEXPIREAT h 1000005 NX FIELDS 1 b"),
        ("hexpireat h 2000 GT fields 2 b c", "*2 :1 :0 | hexpire | 1 | HPEXPIREAT h 2000000 GT FIELDS 1 b"),
        ("hpexpireat h 2000001 fields 2 a a", "*2 :1 :1 | hexpire | 2 | HPEXPIREAT h 2000001 FIELDS 2 a a"),
        ("hexpire h 1 xx fields 1 c", "*1 :0 |  | 0 | "),
        ("hpersist h fields 2 a b", "*2 :1 :1 | hpersist | 1 | ="),
        ("hpersist h fields 2 a b", "*2 :-1 :-1 |  | 0 | "),
        ("hexpire h 0 fields 2 a b", "*2 :2 :2 | hdel | 2 | HDEL h a b"),
        ("hexpireat h 1 fields 3 c d q", "*3 :2 :2 :-2 | hdel del | 2 | HDEL h c d"),
        ("hexpire h 1 fields 1 a", "*1 :-2 |  | 0 | "),
    ]);
}

#[test]
fn times_that_come_with_values() {
    Observer::new().check(&[
        ("hset h a 1 b 2 c 3", ":3 | new hset | 3 | ="),
        ("hgetex h fields 2 a q", "*2 $1 1 $-1 |  | 0 | "),
        ("hgetex h ex 1 fields 2 a q", "*2 $1 1 $-1 | hexpire | 1 | HPEXPIREAT h 1001000 FIELDS 2 a q"),
        ("hgetex h px 1 fields 2 a b", "*2 $1 1 $1 2 | hexpire | 2 | HPEXPIREAT h 1000001 FIELDS 2 a b"),
        ("hgetex h persist fields 2 a c", "*2 $1 1 $1 3 | hpersist | 1 | HPERSIST h FIELDS 2 a c"),
        ("hgetex h persist fields 2 a c", "*2 $1 1 $1 3 |  | 0 | "),
        ("hgetex h exat 1 fields 2 b q", "*2 $1 2 $-1 | hdel | 1 | HDEL h b"),
        ("hgetex h px 0 fields 2 a c", "*2 $1 1 $1 3 | hdel del | 2 | HDEL h a c"),
        ("hsetex h ex 1 fields 1 a 1", ":1 | new hset hexpire | 1 | hsetex h PXAT 1001000 fields 1 a 1"),
        ("hsetex h fields 1 b 1 px 7", ":1 | hset hexpire | 1 | hsetex h fields 1 b 1 PXAT 1000007"),
        ("hsetex h pxat 1000009 fields 1 b 1", ":1 | hset hexpire | 1 | ="),
        ("hsetex h keepttl fields 1 b 2", ":1 | hset | 1 | ="),
        ("hsetex h fields 2 b 2 b 3", ":1 | hset | 2 | ="),
        ("hsetex h fnx fields 2 q 1 b 1", ":0 |  | 0 | "),
        ("hsetex h fxx ex 1 fields 2 q 1 b 1", ":0 |  | 0 | "),
        ("hsetex h fxx fields 1 a 2", ":1 | hset | 1 | ="),
        ("hsetex h exat 1 fields 2 a 1 b 1", ":1 | hset hdel del | 2 | HDEL h a b"),
        ("hsetex h exat 1 fields 2 a 1 b 1", ":1 | new hset hdel del | 2 | HDEL h a b"),
        ("hsetex h fxx fields 1 a 1", ":0 |  | 0 | "),
        ("hsetex h xx fields 1 a 1", ":0 |  | 0 | "),
        ("hsetex h NX nx fields 1 a 1", ":1 | new hset | 1 | hsetex h fields 1 a 1"),
        ("hsetex h nx fields 1 b 1", ":0 |  | 0 | "),
        ("hsetex h ex 1 xx fields 1 b 1", ":1 | hset hexpire | 1 | hsetex h PXAT 1001000 fields 1 b 1"),
        ("hsetex h xx fnx fields 1 b 1", ":0 |  | 0 | "),
    ]);
}

#[test]
fn what_is_found_expired_goes_first() {
    Observer::new().check(&[
        ("hset h a 1 b 2 c 3 d 4", ":4 | new hset | 4 | ="),
        ("hpexpire h 1 fields 3 a b c", "*3 :1 :1 :1 | hexpire | 3 | HPEXPIREAT h 1000001 FIELDS 3 a b c"),
        ("+1", ""),
        ("hget h a", "$1 1 |  | 0 | "),
        ("+1", ""),
        ("hlen h", ":4 |  | 0 | "),
        ("hgetall h", "*2 $1 d $1 4 |  | 0 | "),
        ("hkeys h", "*1 $1 d |  | 0 | "),
        ("hscan h 0", "*2 $1 0 *2 $1 d $1 4 |  | 0 | "),
        ("httl h fields 2 a d", "*2 :-2 :-1 |  | 0 | "),
        ("hpersist h fields 1 a", "*1 :-2 |  | 0 | "),
        ("hget h a", "$-1 | hexpired | 0 | HDEL h a"),
        ("hmget h b d c", "*3 $-1 $1 4 $-1 | hexpired | 0 | HDEL h b c"),
        ("hlen h", ":1 |  | 0 | "),
        ("hpexpireat h 1000003 fields 1 d", "*1 :1 | hexpire | 1 | HPEXPIREAT h 1000003 FIELDS 1 d"),
        ("+2", ""),
        ("hexists h d", ":0 | hexpired del | 0 | HDEL h d"),
    ]);
}

/// A key `h` with a field `a` that has expired, and `b` that does not.
fn with_expired_field() -> Observer {
    let mut observer = Observer::new();
    observer.run("hset h a 1 b 2");
    observer.run("hpexpire h 1 fields 1 a");
    observer.now_ms += 2;
    observer
}

#[test]
fn commands_that_write_see_expired_fields_each_in_its_way() {
    for case in [
        ("hset h a 7", ":0 | hset | 1 | ="),
        ("hdel h a", ":1 | hdel | 1 | ="),
        ("hsetnx h a 5", ":1 | hexpired hset | 1 | HDEL h a; ="),
        ("hincrby h a 5", ":5 | hexpired hincrby | 1 | HDEL h a; ="),
        (
            "hincrbyfloat h a 5",
            "$1 5 | hexpired hincrbyfloat | 1 | MULTI; HDEL h a; HSETEX h KEEPTTL FIELDS 1 a 5; EXEC",
        ),
        ("hexpire h 1 fields 1 a", "*1 :1 | hexpire | 1 | HPEXPIREAT h 1001002 FIELDS 1 a"),
        ("hexpire h 1 nx fields 1 a", "*1 :0 |  | 0 | "),
        ("hgetex h ex 1 fields 1 a", "*1 $-1 | hexpired | 0 | HDEL h a"),
        ("hgetex h fields 2 a b", "*2 $-1 $1 2 | hexpired | 0 | HDEL h a"),
        ("hgetdel h fields 2 a b", "*2 $-1 $1 2 | hexpired hdel del | 1 | HDEL h a; ="),
        ("hsetex h fnx fields 1 a 5", ":1 | hexpired hset | 1 | HDEL h a; ="),
        ("hsetex h fxx fields 1 a 5", ":0 | hexpired | 0 | HDEL h a"),
        ("hsetex h keepttl fields 1 a 5", ":1 | hset | 1 | ="),
        ("hrandfield h", "$1 b | hexpired | 0 | HDEL h a"),
        ("hrandfield h 5 withvalues", "*2 $1 b $1 2 | hexpired | 0 | HDEL h a"),
        ("hstrlen h a", ":0 | hexpired | 0 | HDEL h a"),
        ("hstrlen h b", ":1 |  | 0 | "),
        ("copy h g", ":1 | new copy_to | 1 | ="),
    ] {
        with_expired_field().check(&[case]);
    }
}

#[test]
fn the_key_goes_with_the_last_expired_field() {
    for request in
        ["hget h a", "hmget h a q", "hgetdel h fields 1 a", "hgetex h persist fields 1 a", "hrandfield h 2"]
    {
        let mut observer = with_expired_field();
        observer.run("hdel h b");
        let shown = observer.run(request);
        assert!(shown.ends_with("| hexpired del | 0 | HDEL h a"), "{request}: {shown}");
    }
}

#[test]
fn nothing_expires_where_it_is_not_to() {
    let mut observer = with_expired_field();
    let settings = &Arc::clone(&observer.harness.executor.engine);
    let settings = &settings.keyspace.settings;
    settings.lazy_expire_disabled.store(true, Relaxed);
    observer.check(&[("hget h a", "$1 1 |  | 0 | "), ("hlen h", ":2 |  | 0 | ")]);
    settings.lazy_expire_disabled.store(false, Relaxed);
    settings.import_mode.store(true, Relaxed);
    observer.check(&[("hget h a", "$-1 |  | 0 | "), ("hlen h", ":2 |  | 0 | ")]);
    settings.import_mode.store(false, Relaxed);
    observer.check(&[("hget h a", "$-1 | hexpired | 0 | HDEL h a")]);
}

#[test]
fn background_work_finds_expired_fields() {
    let mut observer = with_expired_field();
    let executor = &mut observer.harness.executor;
    while !executor.sweep(observer.now_ms).round_ended {}
    assert_eq!(observer.recorder.take(), "HDEL h a");
    assert_eq!(observer.harness.executor.context.stats.expired_fields_in_background.get(), 1);
    observer.check(&[("hlen h", ":1 |  | 0 | ")]);
}

#[test]
fn someone_who_watches_hears_of_expired_fields() {
    let mut observer = with_expired_field();
    let other = Harness::on(Arc::clone(&observer.harness.executor.engine));
    let mut watcher = other;
    assert_eq!(watcher.run("watch h"), "+OK|");
    observer.run("hget h a");
    assert_eq!(watcher.run("multi"), "+OK|");
    assert_eq!(watcher.run("ping"), "+QUEUED|");
    assert_eq!(watcher.run("exec"), "*-1|");
}

#[test]
fn draws_have_a_limit() {
    let mut observer = Observer::new();
    let engine = Arc::clone(&observer.harness.executor.engine);
    engine.settings.bulk_len_max.store(1 << 20, Relaxed);
    observer.run("hset h a 1");
    let reply = observer.harness.run("hrandfield h -9223372036854775807");
    assert_eq!(reply, "-ERR value is out of range|");
    assert!(observer.harness.run("hrandfield h -1000").starts_with("*1000|"));
}

#[test]
fn very_many_fields_at_random() {
    let (mut observer, limit) = (Observer::new(), "config set hash-max-listpack-entries");
    // A hash of its own table, one of which fields may expire, and a small one.
    for (entries_max, expires) in [(10, false), (10, true), (512, false)] {
        observer.harness.run(&format!("{limit} {entries_max}"));
        observer.harness.run("del h");
        (100..200).for_each(|at| drop(observer.harness.run(&format!("hset h f{at} {at}"))));
        if expires {
            observer.harness.run("hpexpire h 100000 fields 2 f100 f101");
        }
        let mut values = |words: &str| -> Vec<String> {
            let reply = observer.harness.run(words);
            let lines: Vec<&str> = reply.split('|').collect();
            let fields: Vec<usize> = (0..lines.len()).filter(|at| lines[*at].starts_with('f')).collect();
            assert_eq!(lines[0], format!("*{}", 2 * fields.len()), "{words}");
            assert!(fields.iter().all(|at| lines[at + 2] == &lines[*at][1..]), "{words}");
            let mut values: Vec<_> = fields.iter().map(|at| lines[at + 2].to_owned()).collect();
            values.sort();
            values
        };
        let all: Vec<String> = (100..200).map(|at| at.to_string()).collect();
        assert_eq!(values("hrandfield h 1000 withvalues"), all);
        let mut some = values("hrandfield h 50 withvalues");
        some.dedup();
        assert_eq!(some.len(), 50);
        let mut many = values("hrandfield h -5000 withvalues");
        assert_eq!(many.len(), 5000);
        many.dedup();
        assert_eq!(many, all);
        assert!(values("hrandfield none -5000 withvalues").is_empty());
    }
}
