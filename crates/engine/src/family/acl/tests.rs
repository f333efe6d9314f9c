//! What users may do and may not, in the engine without sockets.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use ochre_config::Directive;

use crate::testing::Harness;
use crate::{Engine, Outcome};

const NO_KEY: &str = "-NOPERM No permissions to access a key|";
const NO_DB: &str = "-NOPERM No permissions to access database|";
const LATE: &str = "-NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC call. This \
                    command is no longer allowed for the following reason: ";

fn no_command(command: &str) -> String {
    format!("-NOPERM User u has no permissions to run the '{command}' command|")
}

/// What DRYRUN replies.
fn refusal(what: &str) -> String {
    let text = format!("User u has no permissions {what}");
    format!("${}|{text}|", text.len())
}

fn another(client: &Harness) -> Harness {
    Harness::on(Arc::clone(&client.executor.engine))
}

/// An administrator, and a client of a user `u` with these rules.
fn with_user(rules: &str) -> (Harness, Harness) {
    let mut admin = Harness::new();
    assert_eq!(admin.run(&format!("acl setuser u on nopass {rules}")), "+OK|", "{rules}");
    let mut user = another(&admin);
    assert_eq!(user.run("auth u x"), "+OK|");
    (admin, user)
}

fn engine(client: &Harness) -> &Engine {
    &client.executor.engine
}

/// Ways around rules that were found in Redis and Valkey, each with what it must come to here.
#[test]
fn ways_around_rules_are_closed() {
    // The rules, what there is (by the administrator), the request, the reply.
    let cases: &[(&str, &str, &str, &str)] = &[
        // SORT_RO without key specification (CVE-2023-41053).
        ("+@all ~a", "rpush b 1", "sort_ro b", NO_KEY),
        ("+@all ~a", "rpush b 1", "sort_ro a", "*0|"),
        // SORT: patterns lead to keys that no argument names (Redis 7.0).
        (
            "+@all ~a",
            "rpush a 1",
            "sort a get b*",
            "-ERR GET option of SORT denied due to insufficient ACL permissions.|",
        ),
        (
            "+@all ~a",
            "rpush a 1",
            "sort a by b*",
            "-ERR BY option of SORT denied due to insufficient ACL permissions.|",
        ),
        (
            "+@all ~a %W~*",
            "rpush a 1",
            "sort a get b*",
            "-ERR GET option of SORT denied due to insufficient ACL permissions.|",
        ),
        (
            "+@all ~a (+get %R~*)",
            "rpush a 1",
            "sort a get #",
            "-ERR GET option of SORT denied due to insufficient ACL permissions.|",
        ),
        ("+@all ~a %R~*", "rpush a 1", "sort a get #", "*1|$1|1|"),
        // SORT: the last STORE counts, and words before it may look like options.
        ("+@all ~a ~c", "rpush a 1", "sort a store c store b", NO_KEY),
        ("+@all ~a ~by ~c", "rpush a 1", "sort a store by store b", NO_KEY),
        ("+@all ~a ~get ~c", "rpush a 1", "sort a store get store b", NO_KEY),
        ("+@all ~a ~limit ~c", "rpush a 1", "sort a store limit store b", NO_KEY),
        ("+@all ~a ~store", "rpush a 1", "sort a store store store b", NO_KEY),
        ("+@all %R~a %W~b", "rpush a 1", "sort a store b", ":1|"),
        ("+@all %R~a %R~b", "rpush a 1", "sort a store b", NO_KEY),
        // GEORADIUS: the last of STORE and STOREDIST counts (Valkey 9.1.2).
        ("+@all ~a ~c", "ping", "georadius a 1 1 1 m store c store b", NO_KEY),
        ("+@all ~a ~c", "ping", "georadius a 1 1 1 m store c storedist b", NO_KEY),
        ("+@all ~a ~c", "ping", "georadiusbymember a m 1 m storedist c store b", NO_KEY),
        ("+@all %R~a %R~b", "ping", "georadius a 1 1 1 m store b", NO_KEY),
        ("+@all ~a ~b", "ping", "georadius a 1 1 1 m store b", ":0|"),
        // XREAD and XREADGROUP: names may be those of options.
        ("+@all ~streams", "xadd b 1-1 f v", "xread streams streams b 0 0", NO_KEY),
        ("+@all ~0", "xadd b 1-1 f v", "xread count 1 streams b 0", NO_KEY),
        ("+@all ~b ~0", "xadd c 1-1 f v", "xreadgroup group streams streams streams c >", NO_KEY),
        ("+@all ~g", "xadd b 1-1 f v", "xreadgroup group streams g streams b >", NO_KEY),
        // BITFIELD: only GET is reading (Redis 7.0.5).
        ("+@all %R~a", "set a x", "bitfield a get u8 0", "*1|:120|"),
        ("+@all %R~a", "set a x", "bitfield a set u8 0 1", NO_KEY),
        ("+@all %R~a", "set a x", "bitfield a get u8 0 set u8 0 1", NO_KEY),
        ("+@all %R~a", "set a x", "bitfield a get u8 0 incrby u8 0 1", NO_KEY),
        ("+@all %R~a", "set a x", "bitfield a overflow wrap incrby u8 0 1", NO_KEY),
        ("+@all %W~a", "set a x", "bitfield a get u8 0", NO_KEY),
        // SET: GET is reading, and so is what is compared.
        ("+@all %W~a", "set a x", "set a y", "+OK|"),
        ("+@all %W~a", "set a x", "set a y get", NO_KEY),
        ("+@all %W~a", "set a x", "set a y xx GET", NO_KEY),
        ("+@all %R~a", "set a x", "set a y", NO_KEY),
        // HGETEX changes lifetimes and removes fields (Valkey 9.1.2).
        ("+@all %R~a", "hset a f v", "hgetex a persist fields 1 f", NO_KEY),
        ("+@all %R~a", "hset a f v", "hgetex a pxat 1 fields 1 f", NO_KEY),
        ("+@all %W~a", "hset a f v", "hgetdel a fields 1 f", NO_KEY),
        ("+@all %R~a", "set a x", "getex a px 1", NO_KEY),
        ("+@all %R~a", "set a x", "getdel a", NO_KEY),
        // COPY, RENAME and their like read one key and write another.
        ("+@all %R~a %W~b", "set a x", "copy a b", ":1|"),
        ("+@all %R~a %W~b", "set a x", "copy b a", NO_KEY),
        ("+@all %R~a %W~b", "set a x", "rename a b", NO_KEY),
        ("+@all ~a (+@all ~b)", "set a x", "copy a b", NO_KEY),
        ("+@all ~a ~b", "rpush a 1", "lmove a c left left", NO_KEY),
        ("+@all ~a", "sadd a 1", "sinterstore b a", NO_KEY),
        ("+@all ~a", "sadd b 1", "sintercard 2 a b", NO_KEY),
        ("+@all ~a", "zadd b 1 m", "zunion 2 a b", NO_KEY),
        ("+@all ~a", "zadd b 1 m", "zunionstore a 1 b", NO_KEY),
        ("+@all ~a", "rpush b 1", "lmpop 2 a b left", NO_KEY),
        ("+@all ~a", "set b x", "lcs a b", NO_KEY),
        ("+@all ~a", "set b x", "bitop not a b", NO_KEY),
        ("+@all %W~a", "pfadd a x", "pfcount a", NO_KEY),
        // Commands with several keys, where the last one is forbidden.
        ("+@all ~a*", "set b x", "mget a1 a2 b", NO_KEY),
        ("+@all ~a*", "set b x", "mset a1 1 b 2", NO_KEY),
        // MSETEX looked at the first one only (Redis 8.4).
        ("+@all ~a*", "set b x", "msetex 2 a1 1 b 2", NO_KEY),
        ("+@all ~a*", "set b x", "msetex 3 a1 1 a2 2 b 3 xx ex 10", NO_KEY),
        ("+@all ~a*", "set b x", "del a1 a2 b", NO_KEY),
        ("+@all ~a*", "set b x", "exists a1 b", NO_KEY),
        ("+@all ~a*", "set b x", "watch a1 b", NO_KEY),
        ("+@all ~a", "set b x", "object encoding b", NO_KEY),
        ("+@all ~a", "set b x", "memory usage b", NO_KEY),
        // DB of COPY counts wherever it stands (Valkey 9.1.1); the source's database counts as well (Valkey 9.1.2).
        ("+@all ~* db=0,1", "set a x", "copy a b db 1 db 2", NO_DB),
        ("+@all ~* db=0,1", "set a x", "copy a b db 2 db 1", NO_DB),
        ("+@all ~* db=0,1", "set a x", "copy a b replace db 2 db 1 replace", NO_DB),
        ("+@all ~* db=1", "set a x", "copy a b db 1", NO_DB),
        ("+@all ~* db=1", "set a x", "move a 1", NO_DB),
        ("+@all ~* db=0,1", "set a x", "copy a b db 1", ":1|"),
        ("+@all ~* db=0,1", "set a x", "swapdb 0 2", NO_DB),
        ("+@all ~* db=0,1", "set a x", "flushall", NO_DB),
        ("+@all ~* db=1", "set a x", "flushdb", NO_DB),
        ("+@all ~* db=1", "set a x", "keys *", NO_DB),
        ("+@all ~* db=1", "set a x", "get a", NO_DB),
        ("+@all ~* db=1", "set a x", "select 2", NO_DB),
        ("+@all ~* db=1", "set a x", "ping", "+PONG|"),
        ("+@all ~* (+@all ~* db=1) db=2", "set a x", "get a", NO_DB),
    ];
    for (rules, before, request, reply) in cases {
        let (mut admin, mut user) = with_user(rules);
        admin.run(before);
        assert_eq!(user.run(request), *reply, "{rules}: {request}");
    }
}

#[test]
fn commands_are_checked_by_their_own_names() {
    let (mut admin, mut user) = with_user("~* -@all +config +select|0 -config|set");
    let cases = [
        ("config get hz", "*2|$2|hz|$2|10|".to_owned()),
        ("config set hz 10", no_command("config|set")),
        ("CONFIG sEt hz 10", no_command("config|set")),
        ("select 0", "+OK|".to_owned()),
        ("select 1", no_command("select")),
        ("select 00", no_command("select")),
        ("ping", no_command("ping")),
        ("acl whoami", no_command("acl|whoami")),
        // What is wrong with a request comes first, as with the peers.
        ("nosuch", "-ERR unknown command 'nosuch'|".to_owned()),
        ("get", "-ERR wrong number of arguments for 'get' command|".to_owned()),
        ("config nosuch", "-ERR unknown subcommand 'nosuch'. Try CONFIG HELP.|".to_owned()),
        // Everybody may try to be somebody else.
        ("auth u y", "+OK|".to_owned()),
        ("reset", "+RESET|".to_owned()),
        ("acl whoami", "$7|default|".to_owned()),
    ];
    for (request, reply) in cases {
        assert_eq!(user.run(request), reply, "{request}");
    }
    assert_eq!(
        admin.run("acl setuser v +nosuch"),
        "-ERR Error in ACL SETUSER modifier '+nosuch': Unknown command or category name in ACL|"
    );
}

#[test]
fn rules_act_on_the_next_command() {
    let (mut admin, mut user) = with_user("+@all ~* &*");
    assert!(user.client.unrestricted);
    assert_eq!(user.run("set a x"), "+OK|");
    admin.run("acl setuser u resetkeys ~b");
    assert_eq!((user.run("get a"), user.run("get b")), (NO_KEY.to_owned(), "$-1|".to_owned()));
    assert!(!user.client.unrestricted);
    admin.run("acl setuser u -get");
    assert_eq!(user.run("get b"), no_command("get"));
    admin.run("acl setuser u +@all allkeys");
    assert_eq!((user.run("get a"), user.client.unrestricted), ("$1|x|".to_owned(), true));
    // Who is off stays.
    admin.run("acl setuser u off");
    assert_eq!(user.run("get a"), "$1|x|");
    assert_eq!(
        another(&admin).run("auth u x"),
        "-WRONGPASS invalid username-password pair or user is disabled.|"
    );
    // A user changes itself.
    assert_eq!(user.run("acl setuser u -ping"), "+OK|");
    assert_eq!(user.run("ping"), no_command("ping"));
}

/// Redis before 8.10.2 let what was queued reach keys that were taken away meanwhile.
#[test]
fn queued_commands_are_checked_twice() {
    let (mut admin, mut user) = with_user("+@all ~*");
    admin.run("set a x");
    for request in ["multi", "get a", "acl whoami", "incr n"] {
        user.run(request);
    }
    admin.run("acl setuser u -incr resetkeys");
    let late = format!(
        "*3|{LATE}no permission to touch the specified keys|$1|u|{LATE}no permission to execute the \
                        command or subcommand|"
    );
    assert_eq!(user.run("exec"), late);
    // What is refused when it is queued spoils the transaction.
    user.run("multi");
    assert_eq!(user.run("get a"), NO_KEY);
    assert_eq!(user.run("exec"), "-EXECABORT Transaction discarded because of previous errors.|");
    // A command of the queue takes away what a later one needs.
    admin.run("acl setuser u +@all ~*");
    for request in ["multi", "acl setuser u -get", "get a"] {
        user.run(request);
    }
    let refusal = format!("*2|+OK|{LATE}no permission to execute the command or subcommand|");
    assert_eq!(user.run("exec"), refusal);
    admin.run("acl setuser u +@all -exec");
    user.run("multi");
    let text = "-EXECABORT Transaction discarded because of: NOPERM User u has no permissions to run the 'exec' command|";
    assert_eq!(user.run("exec"), text);
    assert_eq!(engine(&admin).stats.acl_denied_command.load(Relaxed), 3);
    assert_eq!(engine(&admin).stats.acl_denied_key.load(Relaxed), 2);
}

#[test]
fn a_transaction_is_in_the_database_it_selects() {
    let (mut admin, mut user) = with_user("+@all ~* db=0,1");
    for (request, reply) in [
        ("multi", "+OK|"),
        ("select 1", "+QUEUED|"),
        ("set a x", "+QUEUED|"),
        ("select 2", NO_DB),
        ("discard", "+OK|"),
        ("get a", "$-1|"),
        ("multi", "+OK|"),
        ("set a 0", "+QUEUED|"),
        ("select 1", "+QUEUED|"),
        ("set a 1", "+QUEUED|"),
    ] {
        assert_eq!(user.run(request), reply, "{request}");
    }
    admin.run("acl setuser u db=0");
    assert_eq!(user.run("exec"), format!("*3|+OK|{LATE}no permission|+OK|"));
    assert_eq!(user.run("get a"), "$1|1|");
}

#[test]
fn who_waits_is_checked_again() {
    let (mut admin, mut user) = with_user("+@all ~*");
    user.run("blpop l 0");
    assert_eq!(user.outcome, Outcome::Blocked);
    admin.run("acl setuser u resetkeys");
    assert_eq!(admin.run("rpush l a"), ":1|");
    // It is answered, and takes nothing.
    assert!(user.client.shared.wait.is_served());
    assert_eq!(admin.run("llen l"), ":1|");
    let stats = &engine(&admin).stats;
    assert_eq!(stats.acl_denied_key.load(Relaxed), 1);
    let log = admin.run("acl log 1");
    assert!(log.contains("|$6|object|$1|l|$8|username|$1|u|"), "{log}");
    // Whose rules are the same, or wider, is served.
    let (mut admin, mut user) = with_user("+@all ~l*");
    user.run("blpop l 0");
    admin.run("acl setuser u ~k +ping");
    assert_eq!((admin.run("rpush l a"), admin.run("llen l")), (":1|".to_owned(), ":0|".to_owned()));
}

#[test]
fn removed_users_are_closed() {
    let (mut admin, user) = with_user("+@all ~*");
    let mut other = another(&admin);
    assert_eq!(admin.run("acl deluser nosuch u u"), ":1|");
    assert!(user.client.shared.is_killed() && !other.client.shared.is_killed());
    assert_eq!(other.run("ping"), "+PONG|");
    assert_eq!(other.run("auth u x"), "-WRONGPASS invalid username-password pair or user is disabled.|");
    assert_eq!(admin.run("acl deluser default"), "-ERR The 'default' user cannot be removed|");
    // One's own connection takes the reply and ends.
    admin.run("acl setuser u on nopass +@all");
    other.run("auth u x");
    assert_eq!((other.run("acl deluser u"), other.outcome), (":1|".to_owned(), Outcome::Close));
}

#[test]
fn the_password_of_the_default_user() {
    let mut admin = Harness::new();
    let mut user = another(&admin);
    let password = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae";
    assert_eq!(admin.run("config set requirepass foo"), "+OK|");
    assert!(
        admin.run("acl list").contains(&format!("user default on sanitize-payload #{password} ~* &* +@all"))
    );
    assert_eq!(user.run("auth bar"), "-WRONGPASS invalid username-password pair or user is disabled.|");
    assert_eq!(admin.run("acl setuser default >bar"), "+OK|");
    assert_eq!((user.run("auth bar"), user.run("auth default foo")), ("+OK|".into(), "+OK|".into()));
    // The directive is what it was set to.
    assert_eq!(admin.run("config get requirepass"), "*2|$11|requirepass|$3|foo|");
    assert_eq!(admin.run("config set requirepass zip"), "+OK|");
    assert_eq!(user.run("auth bar"), "-WRONGPASS invalid username-password pair or user is disabled.|");
    assert!(user.run("ping") == "+PONG|" && engine(&user).access.requires_authentication());
    // Who must authenticate anew may do nothing, until nobody has to.
    assert_eq!(user.run("reset"), "+RESET|");
    assert_eq!(user.run("ping"), "-NOAUTH Authentication required.|");
    admin.run("acl setuser default nopass off");
    assert_eq!(user.run("ping"), "-NOAUTH Authentication required.|");
    assert_eq!(
        user.run("auth x"),
        "-ERR AUTH <password> called without any password configured for the default user. Are you \
                                    sure your configuration is correct?|"
    );
    admin.run("acl setuser default on");
    assert_eq!(user.run("ping"), "+PONG|");
}

#[test]
fn secrets_are_kept_out_of_logs() {
    let mut admin = Harness::new();
    admin.run("config set slowlog-log-slower-than 0");
    admin.run("slowlog reset");
    for request in [
        "acl setuser secretname on >secretword",
        "acl setuser secretname wrong",
        "acl getuser secretname",
        "auth secretname secretword",
        "hello 3 auth secretname secretword",
        "hello 2",
        "auth default x",
        "acl deluser secretname",
        "config set requirepass secretword",
    ] {
        admin.run(request);
    }
    let log = admin.run("slowlog get -1");
    assert!(log.contains("|$7|setuser|$10|(redacted)|$10|(redacted)|$10|(redacted)|"), "{log}");
    assert!(!log.contains("secret"), "{log}");
}

#[test]
fn refusals_are_logged() {
    let (mut admin, mut user) = with_user("+get +multi ~a");
    user.run("get b");
    user.run("get b");
    user.run("set a 1");
    user.run("multi");
    user.run("get b");
    assert_eq!(user.run("auth u2 x"), "+QUEUED|");
    let mut stranger = another(&admin);
    stranger.run("auth u2 x");
    stranger.run("HELLO 3 auth u2 x");
    let log = admin.run("acl log");
    let entries: Vec<&str> = log.split("|*20|").skip(1).collect();
    let beginnings = [
        "$5|count|:1|$6|reason|$4|auth|$7|context|$8|toplevel|$6|object|$5|HELLO|$8|username|$2|u2|$11|age-seconds|",
        "$5|count|:1|$6|reason|$4|auth|$7|context|$8|toplevel|$6|object|$4|auth|$8|username|$2|u2|$11|age-seconds|",
        "$5|count|:1|$6|reason|$3|key|$7|context|$5|multi|$6|object|$1|b|$8|username|$1|u|$11|age-seconds|",
        "$5|count|:1|$6|reason|$7|command|$7|context|$8|toplevel|$6|object|$3|set|$8|username|$1|u|$11|age-seconds|",
        "$5|count|:2|$6|reason|$3|key|$7|context|$8|toplevel|$6|object|$1|b|$8|username|$1|u|$11|age-seconds|",
    ];
    assert_eq!(entries.len(), beginnings.len(), "{log}");
    for (entry, beginning) in entries.iter().zip(beginnings) {
        assert!(entry.starts_with(beginning), "{entry}");
    }
    let client = format!("id={} addr=127.0.0.1:1 ", user.client.id());
    assert!(entries[4].contains(&client) && entries[4].contains(" cmd=get user=u "), "{log}");
    assert!(entries[4].contains("|$8|entry-id|:0|$17|timestamp-created|:"), "{log}");
    assert_eq!(admin.run("acl log 2").matches("|*20|").count(), 2);
    let info = admin.run("info stats");
    for field in ["auth:2", "cmd:1", "key:3", "channel:0", "db:0"] {
        assert!(info.contains(&format!("|acl_access_denied_{field}|")), "{field}: {info}");
    }
    assert_eq!((admin.run("acl log reset"), admin.run("acl log")), ("+OK|".into(), "*0|".into()));
    admin.run("config set acllog-max-len 0");
    stranger.run("auth u2 x");
    assert_eq!(admin.run("acl log"), "*0|");
}

#[test]
fn passwords_are_made_up() {
    let mut client = Harness::new();
    let one = client.run("acl genpass");
    assert_ne!(one, client.run("acl genpass"));
    for (bits, digits) in [("1", 1), ("4", 1), ("5", 2), ("256", 64), ("4096", 1024)] {
        let reply = client.run(&format!("acl genpass {bits}"));
        let (len, password) = reply.trim_end_matches('|').split_once('|').expect("a bulk string");
        assert_eq!((len, password.len()), (format!("${digits}").as_str(), digits));
        assert!(password.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')), "{password}");
    }
    // All digits come up.
    let many = client.run("acl genpass 4096");
    assert!(b"0123456789abcdef".iter().all(|digit| many.as_bytes().contains(digit)), "{many}");
}

#[test]
fn files_are_loaded_whole_or_not_at_all() {
    let path = std::env::temp_dir().join(format!("ochre-users-{}.acl", std::process::id()));
    let (mut admin, mut user) = with_user("+@all ~*");
    let text = "-ERR This Redis instance is not configured to use an ACL file. ";
    assert!(admin.run("acl load").starts_with(text) && admin.run("acl save").starts_with(text));
    let name = path.display().to_string();
    engine(&admin).config.write().assign(Directive::Aclfile, &[name.as_bytes()]).expect("a file");
    let missing = format!("-ERR Error loading ACLs, opening file '{name}': No such file or directory|");
    assert_eq!(admin.run("acl load"), missing);
    assert_eq!(admin.run("acl save"), "+OK|");
    let saved = std::fs::read_to_string(&path).expect("a file");
    assert_eq!(
        saved,
        "user default on nopass sanitize-payload ~* &* +@all\nuser u on nopass sanitize-payload ~* resetchannels +@all\n"
    );
    std::fs::write(&path, "user u on nopass +get\nuser v on\nuser v off\nuser w +x\n").expect("written");
    let wrong = format!(
        "-ERR WARNING: Duplicate user 'v' found on line 3. {name}:4: Error in applying operation '+x': Unknown command or \
         category name in ACL. WARNING: ACL errors detected, no change to the previously active ACL rules was performed|"
    );
    assert_eq!((admin.run("acl load"), user.run("set a x")), (wrong, "+OK|".into()));
    let mut gone = another(&admin);
    admin.run("acl setuser gone on nopass +@all");
    gone.run("auth gone x");
    std::fs::write(&path, "user u on nopass +get ~a\n").expect("written");
    assert_eq!((admin.run("acl load"), user.run("set a x")), ("+OK|".into(), no_command("set")));
    assert!(gone.client.shared.is_killed() && !user.client.shared.is_killed());
    assert_eq!(admin.run("acl users"), "*2|$7|default|$1|u|");
    std::fs::remove_file(&path).expect("removed");
    let folder = path.join("nosuch").display().to_string();
    engine(&admin).config.write().assign(Directive::Aclfile, &[folder.as_bytes()]).expect("a file");
    let failed =
        "-ERR There was an error trying to save the ACLs. Please check the server logs for more information|";
    assert_eq!(admin.run("acl save"), failed);
}

#[test]
fn new_users_may_have_all_channels() {
    let mut admin = Harness::new();
    admin.run("config set acl-pubsub-default allchannels");
    admin.run("acl setuser a (+get)");
    admin.run("acl setuser b resetchannels reset");
    let list = admin.run("acl list");
    assert!(list.contains("user a off sanitize-payload &* -@all (resetchannels -@all +get)"), "{list}");
    assert!(list.contains("user b off sanitize-payload &* -@all"), "{list}");
}

#[test]
fn dry_runs() {
    let (mut admin, _user) = with_user("+@all -@admin %R~a* db=0");
    let cases = [
        ("u get a1", "+OK|".to_owned()),
        ("u get b", refusal("to access the 'b' key")),
        ("u set a1 x", refusal("to access the 'a1' key")),
        ("u config get x", refusal("to run the 'config|get' command")),
        ("u select 3", refusal("to access database 3")),
        ("u keys *", "+OK|".to_owned()),
        ("u flushall", refusal("to access database flushall")),
        // The number of keys is wrong: none are found, and it would not run.
        ("u zunion 99 a b", "+OK|".to_owned()),
        ("u nosuch", "-ERR Command 'nosuch' not found|".to_owned()),
        ("u config nosuch x", "-ERR Command 'config' not found|".to_owned()),
        ("u config", "-ERR wrong number of arguments for 'config' command|".to_owned()),
        ("u get", "-ERR wrong number of arguments for 'get' command|".to_owned()),
        ("nosuch get a", "-ERR User 'nosuch' not found|".to_owned()),
    ];
    for (request, reply) in cases {
        assert_eq!(admin.run(&format!("acl dryrun {request}")), reply, "{request}");
    }
}

#[test]
fn users_are_known_by_name() {
    let (mut admin, user) = with_user("+@all");
    assert!(admin.run("client list").contains(" user=u "));
    assert_eq!(admin.run("client kill user nosuch"), "-ERR No such user 'nosuch'|");
    assert_eq!(admin.run("client kill user u"), ":1|");
    assert!(user.client.shared.is_killed());
}
