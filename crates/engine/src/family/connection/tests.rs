//! The family's commands, as clients see them.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use ochre_config::{Changes, Config, SetError};
use ochre_keyspace::Policy;
use parking_lot::Mutex;

use crate::client::{BlockedOn, ClientShared, client_flags};
use crate::engine::{Host, Message, ShutdownRequest};
use crate::execute::Outcome;
use crate::log::LogKind;
use crate::monitor;
use crate::testing::Harness;

/// Requests and replies, in order; blanks separate words.
fn check(harness: &mut Harness, table: &[(&str, &str)]) {
    for (request, reply) in table {
        assert_eq!(harness.run(request), *reply, "{request}");
    }
}

fn another(harness: &Harness) -> Harness {
    Harness::on(Arc::clone(&harness.executor.engine))
}

fn set_password(harness: &Harness, password: &str) {
    let engine = &harness.executor.engine;
    engine.access.set_default_password(password.as_bytes(), &engine.clients);
}

/// Keeps what is posted.
#[derive(Clone, Default)]
struct Mailbox(Arc<Mutex<Vec<(usize, Message)>>>);

impl Mailbox {
    fn on(harness: &Harness) -> Mailbox {
        let mailbox = Mailbox::default();
        harness.executor.engine.set_host(Box::new(mailbox.clone()));
        mailbox
    }

    fn take(&self) -> Vec<(usize, Message)> {
        std::mem::take(&mut self.0.lock())
    }

    fn take_text(&self) -> String {
        let texts = self.take().into_iter().map(|(_, message)| match message {
            Message::Send { bytes, .. } => String::from_utf8_lossy(&bytes).into_owned(),
            other => format!("{other:?}"),
        });
        texts.collect()
    }
}

impl Host for Mailbox {
    fn post(&self, worker: usize, message: Message) {
        self.0.lock().push((worker, message));
    }
    fn apply(&self, _: &Changes, _: &Config, _: &mut Config) -> Result<(), SetError> {
        Ok(())
    }
    fn shutdown(&self, _: ShutdownRequest) -> Result<(), String> {
        Ok(())
    }
    fn abort_shutdown(&self) -> bool {
        false
    }
    fn fact(&self, _: &str) -> Option<String> {
        None
    }
    fn crash(&self, _: &str) {}
    fn config_file(&self) -> Option<std::path::PathBuf> {
        None
    }

    fn rewrite_config(&self, _: &Config, _: bool) -> std::io::Result<()> {
        Ok(())
    }

    fn restart(&self, _: u64) {}
}

const WRONG_PASS: &str = "-WRONGPASS invalid username-password pair or user is disabled.|";
const NO_AUTH: &str = "-NOAUTH Authentication required.|";

#[test]
fn sessions_start_change_and_end() {
    check(
        &mut Harness::new(),
        &[
            ("ping", "+PONG|"),
            ("ping a", "$1|a|"),
            ("ping a b", "-ERR wrong number of arguments for 'ping' command|"),
            ("echo a", "$1|a|"),
            ("select 15", "+OK|"),
            ("select 16", "-ERR DB index is out of range|"),
            ("select -1", "-ERR DB index is out of range|"),
            ("select x", "-ERR value is not an integer or out of range|"),
            (
                "select 3000000000",
                "-ERR value is out of range, value must between -2147483648 and 2147483647|",
            ),
            ("nosuch", "-ERR unknown command 'nosuch'|"),
            ("nosuch a b", "-ERR unknown command 'nosuch', with args beginning with: 'a' 'b' |"),
        ],
    );
    let mut client = Harness::new();
    check(&mut client, &[("multi", "+OK|"), ("quit a b", "+OK|")]);
    assert_eq!(client.outcome, Outcome::Close);
}

#[test]
fn subscribers_of_resp2_get_ping_as_a_message() {
    let mut client = Harness::new();
    client.client.shared.set_flag(client_flags::PUBSUB, true);
    check(&mut client, &[("ping", "*2|$4|pong|$0||"), ("ping a", "*2|$4|pong|$1|a|")]);
    client.client.set_protocol(ochre_resp::Protocol::Resp3);
    check(&mut client, &[("ping", "+PONG|")]);
}

#[test]
fn passwords() {
    let mut client = Harness::new();
    check(
        &mut client,
        &[
            (
                "auth x",
                "-ERR AUTH <password> called without any password configured for the default user. Are you sure your \
                 configuration is correct?|",
            ),
            ("auth default x", "+OK|"),
            ("auth foo x", WRONG_PASS),
            ("auth a b c", "-ERR syntax error|"),
            ("auth", "-ERR wrong number of arguments for 'auth' command|"),
        ],
    );
    set_password(&client, "sek");
    client.client.authenticated = false;
    let hello = "-NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH \
                 <user> <pass> option can be used to authenticate the client and select the RESP protocol version at \
                 the same time|";
    check(
        &mut client,
        &[
            ("ping", NO_AUTH),
            ("nosuch", "-ERR unknown command 'nosuch'|"),
            ("get", "-ERR wrong number of arguments for 'get' command|"),
            ("exec", "-EXECABORT Transaction discarded because of: NOAUTH Authentication required.|"),
            ("hello", hello),
            ("hello 3 setname xy", hello),
            ("hello 5", "-NOPROTO unsupported protocol version|"),
            ("hello 3 auth default wrong", WRONG_PASS),
            ("auth wrong", WRONG_PASS),
            ("auth sekk", WRONG_PASS),
            ("auth default wrong", WRONG_PASS),
            ("auth Default sek", WRONG_PASS),
            ("auth sek", "+OK|"),
            ("client getname", "$-1|"),
            ("auth wrong", WRONG_PASS),
            ("ping", "+PONG|"),
            ("reset", "+RESET|"),
            ("ping", NO_AUTH),
        ],
    );
    assert_eq!(client.executor.engine.stats.acl_denied_auth.load(Relaxed), 7);
    set_password(&client, "");
    check(&mut client, &[("ping", "+PONG|"), ("hello", hello), ("reset", "+RESET|")]);
    assert!(client.run("hello").starts_with("*14|"));
}

#[test]
fn hello_agrees_on_protocol_and_name() {
    let mut client = Harness::new();
    check(
        &mut client,
        &[
            ("hello x", "-ERR Protocol version is not an integer or out of range|"),
            ("hello 4", "-NOPROTO unsupported protocol version|"),
            ("hello 3 auth a", "-ERR Syntax error in HELLO option 'auth'|"),
            ("hello 3 foo", "-ERR Syntax error in HELLO option 'foo'|"),
            ("hello 2 auth foo bar setname nn", WRONG_PASS),
            ("client getname", "$-1|"),
            (
                "hello 3 setname nn",
                "%7|$6|server|$5|redis|$7|version|$5|8.6.3|$5|proto|:3|$2|id|:1|$4|mode|$10|standalone|$4|role|\
                 $6|master|$7|modules|*0|",
            ),
            ("client getname", "$2|nn|"),
        ],
    );
    let name = b"-ERR Client names cannot contain spaces, newlines or special characters.\r\n";
    assert_eq!(client.run_args(&[b"hello", b"2", b"setname", b"a b"]), name);
    assert_eq!(
        client.run_args(&[b"hello", b"2", b"\xff\0x"]),
        b"-ERR Syntax error in HELLO option '\xff'\r\n"
    );
    assert!(client.run_args(&[b"hello", b"2", b"setname", b""]).starts_with(b"*14\r\n"));
    check(&mut client, &[("client getname", "$-1|"), ("multi", "+OK|"), ("hello 3", "+QUEUED|")]);
    assert!(client.run("exec").starts_with("*1|%7|"));
}

#[test]
fn names_fit_into_the_list() {
    let mut client = Harness::new();
    for bad in [b"a b".as_slice(), b"a\nb", b"\xff", b"a\0b", b"\x7f"] {
        let error = b"-ERR Client names cannot contain spaces, newlines or special characters.\r\n";
        assert_eq!(client.run_args(&[b"client", b"setname", bad]), error);
        let error = b"-ERR Lib-Name cannot contain spaces, newlines or special characters.\r\n";
        assert_eq!(client.run_args(&[b"client", b"setinfo", b"Lib-Name", bad]), error);
    }
    check(
        &mut client,
        &[
            ("client setname abc", "+OK|"),
            ("client getname", "$3|abc|"),
            ("client setinfo foo bar", "-ERR Unrecognized option 'foo'|"),
            ("client setinfo lib-name abc", "+OK|"),
            ("client setinfo LIB-VER 1.2", "+OK|"),
        ],
    );
    assert!(client.run("client info").contains(" lib-name=abc lib-ver=1.2 "));
    assert_eq!(client.run_args(&[b"client", b"setinfo", b"lib-name", b""]), b"+OK\r\n");
    assert_eq!(client.run_args(&[b"client", b"setname", b""]), b"+OK\r\n");
    check(&mut client, &[("client getname", "$-1|")]);
    assert!(client.run("client info").contains(" lib-name= lib-ver=1.2 "));
}

#[test]
fn replies_can_be_had_or_not() {
    check(
        &mut Harness::new(),
        &[
            ("client reply x", "-ERR syntax error|"),
            ("client reply on", "+OK|"),
            ("client reply skip", ""),
            ("ping", ""),
            ("ping", "+PONG|"),
            ("client reply skip", ""),
            ("client reply skip", ""),
            ("ping", ""),
            ("ping", "+PONG|"),
            ("client reply off", ""),
            ("ping", ""),
            ("client reply skip", ""),
            ("client reply x", ""),
            ("client reply on", "+OK|"),
            ("client reply off", ""),
            ("reset", "+RESET|"),
            ("client reply skip", ""),
            ("reset", ""),
            ("ping", "+PONG|"),
        ],
    );
}

#[test]
fn modes_show_as_letters_and_reset_takes_them_back() {
    let mut client = Harness::new();
    check(
        &mut client,
        &[
            ("client no-evict x", "-ERR syntax error|"),
            ("client no-evict on", "+OK|"),
            ("client no-touch x", "-ERR syntax error|"),
            ("client no-touch on", "+OK|"),
            ("client import-source on", "-ERR Server is not in import mode|"),
            ("client import-source x", "-ERR Server is not in import mode|"),
            ("client import-source off", "+OK|"),
            ("client capa redirect other", "+OK|"),
            ("client setname nn", "+OK|"),
            ("select 3", "+OK|"),
            ("watch k", "+OK|"),
        ],
    );
    assert!(client.run("client info").contains(" name=nn age="));
    assert!(
        client.run("client info").contains(" flags=eT capa=r db=3 sub=0 psub=0 ssub=0 multi=-1 watch=1 ")
    );
    assert!(client.client.no_touch);
    check(&mut client, &[("multi", "+OK|"), ("hello 3", "+QUEUED|"), ("reset", "+RESET|")]);
    assert!(client.run("client info").contains(" flags=N capa=r db=0 sub=0 psub=0 ssub=0 multi=-1 watch=0 "));
    assert!(!client.client.no_touch);
    assert_eq!(client.executor.engine.keyspace.watched_keys(), 0);
    client.client.shared.set_flag(client_flags::REPLICA, true);
    check(&mut client, &[("reset", "-ERR can only reset normal client connections|")]);
}

#[test]
fn nothing_is_tracked() {
    check(
        &mut Harness::new(),
        &[
            ("client getredir", ":-1|"),
            ("client trackinginfo", "*6|$5|flags|*1|$3|off|$8|redirect|:-1|$8|prefixes|*0|"),
            ("client tracking off", "+OK|"),
            ("client tracking off prefix a bcast optin optout noloop", "+OK|"),
            ("client tracking off redirect 1", "+OK|"),
            ("client tracking off redirect 99", "-ERR The client ID you want redirect to does not exist|"),
            ("client tracking off redirect x", "-ERR value is not an integer or out of range|"),
            (
                "client tracking off redirect 1 redirect 1",
                "-ERR A client can only redirect to a single other client|",
            ),
            ("client tracking on prefix", "-ERR syntax error|"),
            ("client tracking foo", "-ERR syntax error|"),
            ("client tracking on bcast optin", "-ERR OPTIN and OPTOUT are not compatible with BCAST|"),
            (
                "client caching yes",
                "-ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode \
                 enabled|",
            ),
        ],
    );
}

fn connect(harness: &Harness, id: u64, change: impl FnOnce(&mut ClientShared)) -> Arc<ClientShared> {
    let mut shared = ClientShared {
        id,
        worker: 3,
        address: format!("10.0.0.{id}:500{id}"),
        local_address: "10.0.0.1:6379".to_owned(),
        fd: id as i32,
        created_ms: crate::clock_ms(),
        ..ClientShared::default()
    };
    change(&mut shared);
    let shared = Arc::new(shared);
    shared.last_interaction_ms.store(crate::clock_ms(), Relaxed);
    shared.queued.store(-1, Relaxed);
    shared.protocol.store(2, Relaxed);
    shared.last_command.store(u16::MAX, Relaxed);
    harness.executor.engine.clients.add(Arc::clone(&shared));
    shared
}

#[test]
fn a_line_has_all_fields_in_order() {
    let mut client = Harness::new();
    let other = connect(&client, 77, |_| {});
    other.names.lock().name = Some(b"nn".to_vec());
    other.names.lock().library = b"lib".to_vec();
    for (field, value) in [
        (&other.query_bytes, 1),
        (&other.query_free_bytes, 2),
        (&other.argument_bytes, 3),
        (&other.queued_bytes, 4),
        (&other.reply_buffer_bytes, 5),
        (&other.reply_buffer_peak_bytes, 6),
        (&other.reply_used_bytes, 7),
        (&other.reply_list_len, 8),
        (&other.reply_list_bytes, 9),
        (&other.memory_bytes, 10),
    ] {
        field.store(value, Relaxed);
    }
    other.net_in_bytes.store(11, Relaxed);
    other.net_out_bytes.store(12, Relaxed);
    other.commands.store(13, Relaxed);
    other.awaits_room.store(true, Relaxed);
    let line = "id=77 addr=10.0.0.77:50077 laddr=10.0.0.1:6379 fd=77 name=nn age=0 idle=0 flags=N capa= db=0 sub=0 psub=0 \
                ssub=0 multi=-1 watch=0 qbuf=1 qbuf-free=2 argv-mem=3 multi-mem=4 rbs=5 rbp=6 obl=7 oll=8 omem=9 \
                tot-mem=10 events=rw cmd=NULL user=default redir=-1 resp=2 lib-name=lib lib-ver= io-thread=3 \
                tot-net-in=11 tot-net-out=12 tot-cmds=13\n";
    // A second may have begun meanwhile.
    let later = line.replace("age=0 idle=0", "age=1 idle=1");
    let listed = client.run("client list id 77");
    let text = listed.split_once('|').map_or("", |(_, text)| text).trim_end_matches('|');
    assert!(text == line || text == later, "{listed}");
    assert!(client.run("client info").contains(" cmd=client|info "));
    check(&mut client, &[("multi", "+OK|"), ("client info", "+QUEUED|")]);
    let inside = client.run("exec");
    assert!(inside.contains(" cmd=exec ") && inside.contains(" flags=x ") && inside.contains(" multi=1 "));
    let mut refused = another(&client);
    refused.run("get");
    assert!(client.run("client list id 2").contains(" cmd=get "));
    client.run("hello 3");
    assert!(client.run("client info").starts_with('='));
    assert!(client.run("client list").contains("|txt:id=1 "));
}

#[test]
fn filters_choose() {
    let mut client = Harness::new();
    let now_ms = crate::clock_ms();
    connect(&client, 2, |_| {}).names.lock().name = Some(b"two".to_vec());
    let three = connect(&client, 3, |client| client.created_ms = now_ms - 100_000);
    three.set_flag(client_flags::PUBSUB | client_flags::NO_EVICT, true);
    three.names.lock().library = b"lib".to_vec();
    three.names.lock().library_version = b"1".to_vec();
    three.last_interaction_ms.store(now_ms - 50_000, Relaxed);
    let four = connect(&client, 4, |client| client.address = "[::1]:77".to_owned());
    four.set_flag(client_flags::REPLICA, true);
    four.capabilities.store(1, Relaxed);
    four.db.store(2, Relaxed);
    let five = connect(&client, 5, |client| client.address = "/tmp/s:0".to_owned());
    five.set_flag(client_flags::UNIX_SOCKET, true);
    for (filter, expected) in [
        ("type normal", "1 2 5"),
        ("type slave", "4"),
        ("type REPLICA", "4"),
        ("type master", ""),
        ("type primary", ""),
        ("type pubsub", "3"),
        ("not-type normal", "3 4"),
        ("id 3 2 3", "3 2 3"),
        ("id 3 2 skipme yes type normal", "2"),
        ("id 3 id 2 id 3", "3 2 3"),
        ("id 0 -1 99 2", "2"),
        ("not-id 3 2", "1 4 5"),
        ("user default", "1 2 3 4 5"),
        ("not-user default", ""),
        ("addr 10.0.0.2:5002", "2"),
        ("not-addr 10.0.0.2:5002", "1 3 4 5"),
        ("laddr 10.0.0.1:6379", "2 3 4 5"),
        ("not-laddr 10.0.0.1:6379", "1"),
        ("ip 10.0.0.2", "2"),
        ("ip 10.0.0", ""),
        ("ip ::1", "4"),
        ("ip /tmp/s", ""),
        ("not-ip ::1", "1 2 3 5"),
        ("name two", "2"),
        ("not-name two", "1 3 4 5"),
        ("flags e", "3"),
        ("flags Pe", "3"),
        ("flags PU", ""),
        ("flags N", "1 2"),
        ("not-flags N", "3 4 5"),
        ("lib-name lib", "3"),
        ("not-lib-name lib", "1 2 4 5"),
        ("lib-ver 1", "3"),
        ("not-lib-ver 1", "1 2 4 5"),
        ("db 2", "4"),
        ("not-db 0", "4"),
        ("capa r", "4"),
        ("not-capa r", "1 2 3 5"),
        ("skipme yes maxage 90", "3"),
        ("skipme yes idle 40", "3"),
        ("skipme yes", "2 3 4 5"),
        ("skipme yes skipme no id 1", "1"),
        ("type normal not-id 2 skipme yes", "5"),
    ] {
        let listed = client.run(&format!("client list {filter}"));
        let ids: Vec<&str> = listed
            .split(['|', '\n'])
            .filter_map(|line| line.strip_prefix("id=")?.split(' ').next())
            .collect();
        assert_eq!(ids.join(" "), expected, "{filter}");
    }
}

#[test]
fn filters_are_checked() {
    let mut client = Harness::new();
    check(
        &mut client,
        &[
            ("client list foo", "-ERR syntax error|"),
            ("client list type", "-ERR syntax error|"),
            ("client list type foo", "-ERR Unknown client type 'foo'|"),
            ("client list not-type foo", "-ERR Unknown client type 'foo'|"),
            ("client list id abc", "-ERR Invalid client ID|"),
            ("client list id 1 abc", "-ERR Invalid client ID|"),
            ("client list id 99999999999999999999", "-ERR Invalid client ID|"),
            ("client list id 0", "$0||"),
            ("client list not-id 0", "-ERR client-id should be greater than 0|"),
            ("client list not-id x", "-ERR syntax error|"),
            ("client list user foo", "-ERR No such user 'foo'|"),
            ("client list skipme foo", "-ERR syntax error|"),
            ("client list not-skipme yes", "-ERR syntax error|"),
            ("client list maxage x", "-ERR maxage is not an integer or out of range|"),
            ("client list maxage 0", "-ERR maxage should be greater than 0|"),
            ("client list idle x", "-ERR idle is not an integer or out of range|"),
            ("client list idle -1", "-ERR idle should be greater than 0|"),
            ("client list flags Q", "-ERR Unknown flags found in the provided filter: Q|"),
            ("client list not-flags Q", "-ERR Unknown flags found in the NOT-FLAGS filter: Q|"),
            ("client list capa q", "-ERR Unknown capa found in the provided filter: q|"),
            ("client list not-capa q", "-ERR Unknown capa found in the NOT-CAPA filter: q|"),
            ("client list db x", "-ERR DB is not an integer or out of range|"),
            ("client list db 99", "-ERR DB number should be between 0 and 15|"),
            ("client list not-db x", "-ERR NOT-DB is not an integer or out of range|"),
            ("client list not-db 99", "-ERR NOT-DB number should be between 0 and 15|"),
            ("client kill", "-ERR wrong number of arguments for 'client|kill' command|"),
            ("client kill foo", "-ERR No such client|"),
            ("client kill id", "-ERR No such client|"),
            ("client kill id abc", "-ERR client-id should be greater than 0|"),
            ("client kill id 0", "-ERR client-id should be greater than 0|"),
            ("client kill id 99 -1", "-ERR client-id should be greater than 0|"),
            ("client kill id 99 x", "-ERR syntax error|"),
            ("client kill id 99 id 98", ":0|"),
            ("client kill type foo", "-ERR Unknown client type 'foo'|"),
            ("client kill user default skipme foo", "-ERR syntax error|"),
            ("client kill foo bar", "-ERR syntax error|"),
            ("client", "-ERR wrong number of arguments for 'client' command|"),
            ("client foo", "-ERR unknown subcommand 'foo'. Try CLIENT HELP.|"),
            ("client id x", "-ERR wrong number of arguments for 'client|id' command|"),
        ],
    );
    assert_eq!(client.outcome, Outcome::Done);
    assert!(client.run("client help").contains("|+CLIENT <subcommand>"));
}

#[test]
fn the_killed_do_nothing_more() {
    let mut killer = Harness::new();
    let (mut a, mut b) = (another(&killer), another(&killer));
    let mailbox = Mailbox::on(&killer);
    check(&mut a, &[("multi", "+OK|"), ("set k 1", "+QUEUED|")]);
    check(&mut killer, &[("client kill id 2 3", ":2|"), ("client kill id 2 3", ":0|")]);
    let mailed = mailbox.take();
    assert!(matches!(mailed[..], [(0, Message::Kill(2)), (0, Message::Kill(3))]), "{mailed:?}");
    assert_eq!((a.run("exec"), a.outcome), (String::new(), Outcome::Close));
    assert_eq!((b.run("set k 1"), b.outcome), (String::new(), Outcome::Close));
    check(&mut killer, &[("get k", "$-1|"), ("client kill type normal", ":0|")]);
    assert_eq!(killer.outcome, Outcome::Done);
    check(&mut killer, &[("client kill type normal skipme no", ":1|")]);
    assert_eq!(killer.outcome, Outcome::Close);
    let mut c = Harness::new();
    check(&mut c, &[("multi", "+OK|"), ("client kill 127.0.0.1:1", "+QUEUED|"), ("ping", "+QUEUED|")]);
    check(&mut c, &[("exec", "*2|+OK|")]);
    assert_eq!(c.outcome, Outcome::Close);
}

#[test]
fn a_pause_holds_back_what_it_concerns() {
    let mut admin = Harness::new();
    let mut client = another(&admin);
    let mailbox = Mailbox::on(&admin);
    check(
        &mut admin,
        &[
            ("client pause x", "-ERR timeout is not an integer or out of range|"),
            ("client pause -1", "-ERR timeout is negative|"),
            ("client pause 9223372036854775807", "-ERR timeout is out of range|"),
            ("client pause x foo", "-ERR CLIENT PAUSE mode must be WRITE or ALL|"),
            (
                "client pause 10 write x",
                "-ERR unknown subcommand or wrong number of arguments for 'pause'. Try CLIENT HELP.|",
            ),
            ("client pause 0", "+OK|"),
            ("set k 0", "+OK|"),
        ],
    );
    check(&mut client, &[("multi", "+OK|"), ("set k 1", "+QUEUED|")]);
    check(&mut admin, &[("client pause 100000 write", "+OK|"), ("get k", "$1|0|")]);
    assert_eq!((client.run("exec"), client.outcome), (String::new(), Outcome::Postponed));
    assert_eq!((admin.run("set k 2"), admin.outcome), (String::new(), Outcome::Postponed));
    check(&mut admin, &[("client unpause", "+OK|")]);
    assert!(matches!(mailbox.take()[..], [(0, Message::Resume)]));
    check(&mut client, &[("exec", "*1|+OK|"), ("multi", "+OK|")]);
    check(&mut admin, &[("client pause 100000", "+OK|")]);
    assert_eq!((admin.run("ping"), admin.outcome), (String::new(), Outcome::Postponed));
    assert_eq!((client.run("get k"), client.outcome), (String::new(), Outcome::Postponed));
    admin.executor.engine.pause.stop();
    check(&mut client, &[("get k", "+QUEUED|"), ("exec", "*1|$1|1|")]);
}

#[test]
fn nothing_goes_of_its_own_accord_during_a_pause() {
    let mut admin = Harness::new();
    let engine = Arc::clone(&admin.executor.engine);
    for request in ["multi", "set k v px 1", "set other v", "client pause 100000 write", "exec"] {
        admin.run(request);
    }
    let later_ms = crate::engine::clock_ms() + 10;
    while crate::engine::clock_ms() < later_ms {
        std::thread::yield_now();
    }
    // It is gone for readers, yet there; and RANDOMKEY ends.
    check(&mut admin, &[("get k", "$-1|"), ("exists k", ":0|"), ("ttl k", ":-2|"), ("dbsize", ":2|")]);
    assert!(admin.run("randomkey").starts_with('$'));
    while !admin.executor.sweep(later_ms).round_ended {}
    engine.keyspace.settings.set_policy(Policy::AllKeysRandom);
    engine.keyspace.settings.maxmemory_bytes.store(1, Relaxed);
    admin.executor.relieve(later_ms);
    check(&mut admin, &[("dbsize", ":2|")]);
    engine.keyspace.settings.maxmemory_bytes.store(0, Relaxed);
    check(&mut admin, &[("client unpause", "+OK|"), ("get k", "$-1|"), ("dbsize", ":1|")]);
}

#[test]
fn a_wait_is_ended_once() {
    let mut admin = Harness::new();
    let mut waiting = another(&admin);
    let mailbox = Mailbox::on(&admin);
    check(
        &mut admin,
        &[
            ("client unblock x", "-ERR value is not an integer or out of range|"),
            ("client unblock x foo", "-ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR|"),
            (
                "client unblock 2 error x",
                "-ERR unknown subcommand or wrong number of arguments for 'unblock'. Try CLIENT HELP.|",
            ),
            ("client unblock 2", ":0|"),
            ("client unblock 99", ":0|"),
            ("client unblock -1", ":0|"),
        ],
    );
    waiting.client.block(BlockedOn::Completion, i64::MAX);
    check(&mut admin, &[("client unblock 2", ":0|")]);
    waiting.client.unblock();
    waiting.client.block(BlockedOn::Replicas, i64::MAX);
    assert!(admin.run("client list id 2").contains(" flags=b "));
    check(&mut admin, &[("client unblock 2 error", ":1|"), ("client unblock 2", ":0|")]);
    assert!(matches!(mailbox.take()[..], [(0, Message::Unblock { client: 2, with_error: true })]));
    assert!(waiting.client.shared.wait.is_claimed() && !waiting.client.shared.wait.end());
    waiting.client.unblock();
    waiting.client.block(BlockedOn::Replicas, i64::MAX);
    assert!(!waiting.client.shared.wait.is_claimed() && waiting.client.shared.wait.end());
    check(&mut admin, &[("client unblock 2", ":0|")]);
}

#[test]
fn secrets_stay_out_of_logs() {
    let mut client = Harness::new();
    let reader = another(&client);
    let mailbox = Mailbox::on(&client);
    monitor::add(&client.executor.engine, 0, reader.client.id());
    client.executor.engine.settings.slower_than_us.store(0, Relaxed);
    client.executor.engine.settings.slow_max_len.store(100, Relaxed);
    for request in ["auth top secret", "auth secret", "hello 2 auth top secret setname n", "ping"] {
        client.run(request);
    }
    let shown = mailbox.take_text();
    assert_eq!(shown.matches("\"(redacted)\"").count(), 5, "{shown}");
    assert!(
        shown.contains("\"hello\" \"2\" \"auth\" \"(redacted)\" \"(redacted)\" \"setname\" \"n\""),
        "{shown}"
    );
    assert!(!shown.contains("secret") && shown.contains("\"ping\""), "{shown}");
    let logged = format!("{:?}", client.executor.engine.logs.newest(LogKind::Slow, 100));
    assert!(!logged.contains(&format!("{:?}", b"secret".to_vec())), "{logged}");
}

#[test]
fn monitors_see_what_ran_and_touch_nothing() {
    let mut client = Harness::new();
    let mut reader = another(&client);
    let mailbox = Mailbox::on(&client);
    monitor::add(&client.executor.engine, 0, reader.client.id());
    reader.client.shared.set_flag(client_flags::MONITOR, true);
    for request in ["multi", "set k 1", "exec", "exec", "exec x", "nosuch", "client list", "select 3"] {
        client.run(request);
    }
    let shown = mailbox.take_text();
    let commands: Vec<&str> =
        shown.lines().filter_map(|line| line.split_once("] ")).map(|(_, c)| c).collect();
    assert_eq!(
        commands,
        ["\"multi\"", "\"set\" \"k\" \"1\"", "\"exec\"", "\"exec\"", "\"exec\" \"x\"", "\"select\" \"3\""]
    );
    assert!(shown.ends_with("[3 127.0.0.1:1] \"select\" \"3\"\r\n"), "{shown}");
    check(
        &mut reader,
        &[
            ("get k", "-ERR Replica can't interact with the keyspace|"),
            ("reset", "+RESET|"),
            ("get k", "$1|1|"),
        ],
    );
    assert_eq!(client.executor.engine.monitor_count.load(Relaxed), 0);
}

#[test]
fn transactions_end_as_they_must() {
    let aborted = "-EXECABORT Transaction discarded because of previous errors.|";
    let arity = "-EXECABORT Transaction discarded because of: wrong number of arguments for 'exec' command|";
    check(
        &mut Harness::new(),
        &[
            ("multi", "+OK|"),
            ("multi", "-ERR MULTI calls can not be nested|"),
            ("ping", "+QUEUED|"),
            ("watch x", "-ERR WATCH inside MULTI is not allowed|"),
            ("exec", "*1|+PONG|"),
            ("discard", "-ERR DISCARD without MULTI|"),
            ("exec", "-ERR EXEC without MULTI|"),
            ("exec x", arity),
            ("multi", "+OK|"),
            ("exec x", arity),
            ("exec", "-ERR EXEC without MULTI|"),
            ("multi", "+OK|"),
            ("ping", "+QUEUED|"),
            ("watch", "-ERR wrong number of arguments for 'watch' command|"),
            ("ping", "+QUEUED|"),
            ("exec", aborted),
            ("multi", "+OK|"),
            ("nosuch", "-ERR unknown command 'nosuch'|"),
            ("discard", "+OK|"),
            ("multi", "+OK|"),
            ("auth a b c", "+QUEUED|"),
            ("exec", "*1|-ERR syntax error|"),
            ("multi", "+OK|"),
            ("reset", "+RESET|"),
            ("exec", "-ERR EXEC without MULTI|"),
        ],
    );
}

#[test]
fn a_lost_watch_shows_and_queues_nothing() {
    let mut client = Harness::new();
    let mut other = another(&client);
    check(&mut client, &[("watch k", "+OK|"), ("exec", "-ERR EXEC without MULTI|")]);
    check(&mut other, &[("set k 1", "+OK|")]);
    assert!(client.run("client info").contains(" flags=d capa= db=0 sub=0 psub=0 ssub=0 multi=-1 watch=0 "));
    check(&mut client, &[("multi", "+OK|"), ("get k", "+QUEUED|")]);
    assert!(
        other.run("client list id 1").contains(" flags=xd capa= db=0 sub=0 psub=0 ssub=0 multi=0 watch=0 ")
    );
    check(&mut client, &[("exec", "*-1|"), ("multi", "+OK|"), ("get k", "+QUEUED|"), ("exec", "*1|$1|1|")]);
    assert!(client.run("client info").contains(" flags=N "));
}
