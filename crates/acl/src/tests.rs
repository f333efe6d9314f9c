//! Rules, texts and decisions, as the peers have them, on a small catalog.

use super::*;

const CATEGORIES: [&str; 4] = ["read", "write", "connection", "admin"];
const READ: u32 = 1;
const WRITE: u32 = 2;
const CONNECTION: u32 = 4;
const ADMIN: u32 = 8;

pub(crate) fn catalog() -> Catalog {
    let facts = |full_name: &str, parent, categories| CommandFacts {
        full_name: full_name.to_owned(),
        parent,
        categories,
    };
    let commands = vec![
        facts("get", None, READ),
        facts("set", None, WRITE),
        facts("select", None, CONNECTION),
        facts("config", None, 0),
        facts("config|get", Some(3), ADMIN),
        facts("config|set", Some(3), ADMIN),
        facts("client", None, 0),
        facts("client|id", Some(6), CONNECTION),
        facts("auth", None, CONNECTION),
    ];
    let absent = ["psync", "cluster", "cluster|slots"].map(str::to_owned);
    Catalog::new(commands, &CATEGORIES).with_absent(absent.into_iter())
}

fn user(rules: &str) -> User {
    let catalog = catalog();
    let words: Vec<&[u8]> = rules.split(' ').map(str::as_bytes).collect();
    User::new(b"u", Defaults::default(), &catalog)
        .with_rules(&words, Defaults::default(), &catalog)
        .unwrap_or_else(|error| panic!("{rules}: {}", String::from_utf8_lossy(&error.text())))
}

fn shown(text: Vec<u8>) -> String {
    String::from_utf8(text).unwrap()
}

#[test]
fn users_are_shown_as_rules() {
    const NEW: &str = "off sanitize-payload resetchannels -@all";
    let hash = "148de9c5a7a44d19e56cd9ae1a554bf67847afb0c58f6e12fa29ac7ddfca9940";
    let with_password = format!("off sanitize-payload #{hash} resetchannels -@all");
    let cases = [
        ("", NEW),
        ("on nopass", "on nopass sanitize-payload resetchannels -@all"),
        ("skip-sanitize-payload", "off skip-sanitize-payload resetchannels -@all"),
        (">p", &with_password),
        (">p >p >q <q", &with_password),
        (">p nopass resetpass", NEW),
        ("nopass >p", &with_password),
        ("~a %R~b %WR~c %w~d", "off sanitize-payload ~a %R~b ~c %W~d resetchannels -@all"),
        ("%R~a %W~a ~b ~b", "off sanitize-payload ~a ~b resetchannels -@all"),
        ("~a allkeys", "off sanitize-payload ~* resetchannels -@all"),
        ("%R~* resetkeys %W", "off sanitize-payload %W~ resetchannels -@all"),
        ("&a &b* &a", "off sanitize-payload resetchannels &a &b* -@all"),
        ("&a allchannels", "off sanitize-payload &* -@all"),
        ("db=3,0,3", "off sanitize-payload resetchannels db=0,3 -@all"),
        ("db=1 resetdbs", "off sanitize-payload resetchannels resetdbs -@all"),
        ("db=1 alldbs", NEW),
        (
            "+@all (~a +get) (&* -@all db=1)",
            "off sanitize-payload resetchannels +@all (~a resetchannels -@all +get) (&* db=1 -@all)",
        ),
        ("( +get ~a )", "off sanitize-payload resetchannels -@all (~a resetchannels -@all +get)"),
        ("(+get) clearselectors", NEW),
        ("on >p ~a &a db=1 +@all (+get) reset", NEW),
    ];
    for (rules, text) in cases {
        assert_eq!(shown(user(rules).text()), text, "{rules}");
    }
    let catalog = catalog();
    let mut open = User::new(b"u", Defaults { all_channels: true }, &catalog);
    open.apply(b"(+get)", Defaults::default(), &catalog).unwrap();
    assert_eq!(shown(open.text()), "off sanitize-payload &* -@all (resetchannels -@all +get)");
    open.apply(b"reset", Defaults { all_channels: true }, &catalog).unwrap();
    assert_eq!(shown(open.text()), "off sanitize-payload &* -@all");
    let users = Users::new(&catalog);
    assert_eq!(shown(users.default_user().line()), "default on nopass sanitize-payload ~* &* +@all");
}

#[test]
fn command_rules_keep_their_order() {
    let cases = [
        ("+@all", "+@all"),
        ("allcommands nocommands", "-@all"),
        ("+get +GET", "-@all +get"),
        ("+get +set -get", "-@all +set -get"),
        ("+@READ +@write +@read", "-@all +@write +@read"),
        ("-@all -@admin", "-@all -@admin"),
        ("+config|get +config|set +config", "-@all +config"),
        ("+config +config|get -config|set", "-@all +config +config|get -config|set"),
        ("+config -config|set +config", "-@all +config"),
        ("+select|0 +SELECT|1 +select|0", "-@all +select|1 +select|0"),
        ("+select|0 +select", "-@all +select"),
        ("+PSYNC -cluster +cluster|slots +get", "-@all +psync -cluster +cluster|slots +get"),
        ("+cluster|slots -psync +Cluster", "-@all -psync +cluster"),
        ("+psync|x", "-@all +psync|x"),
        ("+@all -get +@all +client|id", "+@all +client|id"),
    ];
    for (rules, text) in cases {
        assert_eq!(shown(user(rules).root().commands.text()), text, "{rules}");
    }
}

#[test]
fn rules_that_are_wrong() {
    use RuleError as E;
    let cases: &[(&str, E)] = &[
        ("foo", E::Syntax),
        (")", E::Syntax),
        ("+foo", E::Unknown),
        ("+", E::Unknown),
        ("-", E::Unknown),
        ("+@foo", E::Unknown),
        ("+@", E::Unknown),
        ("-foo|bar", E::Unknown),
        ("-get|x", E::Unknown),
        ("+config|foo", E::Unknown),
        ("+get|a|b", E::Unknown),
        ("+config|get|x", E::ArgumentOfSubcommand),
        ("+get|", E::Syntax),
        ("+psync|", E::Syntax),
        ("-psync|x", E::Unknown),
        ("+cluster|foo", E::Unknown),
        ("+cluster|slots|x", E::ArgumentOfSubcommand),
        ("%~x", E::Syntax),
        ("%", E::Syntax),
        ("%RR~x", E::Syntax),
        ("%RX~x", E::Syntax),
        ("~a\0b", E::Syntax),
        ("~a\u{b}", E::Syntax),
        ("&a\t", E::Syntax),
        ("#bad", E::PasswordHash),
        ("!bad", E::PasswordHash),
        ("<x", E::NoSuchPassword),
        ("(+foo)", E::Unknown),
        ("(foo)", E::Syntax),
        ("(~* ~a)", E::KeyPatternNextToAll),
        ("db=", E::Syntax),
        ("db=,1", E::Syntax),
        ("db=1,", E::Syntax),
        ("db=1,,2", E::Syntax),
        ("db=x", E::Syntax),
        ("db=-1", E::DatabaseRange),
        ("db=2147483648", E::DatabaseRange),
        ("db=99999999999999999999", E::DatabaseRange),
    ];
    let catalog = catalog();
    for (rule, error) in cases {
        let mut user = User::new(b"u", Defaults::default(), &catalog);
        assert_eq!(user.apply(rule.as_bytes(), Defaults::default(), &catalog), Err(*error), "{rule}");
    }
    let mut all = user("allkeys allchannels");
    assert_eq!(all.apply(b"~a", Defaults::default(), &catalog), Err(E::KeyPatternNextToAll));
    assert_eq!(all.apply(b"%R~a", Defaults::default(), &catalog), Err(E::KeyPatternNextToAll));
    assert_eq!(all.apply(b"&a", Defaults::default(), &catalog), Err(E::ChannelPatternNextToAll));
}

#[test]
fn all_rules_are_applied_or_none() {
    let catalog = catalog();
    let mut users = Users::new(&catalog);
    let mut set = |name: &[u8], rules: &[&[u8]]| {
        let result = users.set(name, rules, Defaults::default(), &catalog);
        let text = users.get(name).map(|user| shown(user.text()));
        (result.map_err(|error| shown(error.text())), text)
    };
    let wrong = Err("Error in ACL SETUSER modifier 'foo': Syntax error".to_owned());
    assert_eq!(set(b"a", &[b"on", b"foo"]), (wrong.clone(), None));
    let is_on = Some("on sanitize-payload resetchannels -@all".to_owned());
    assert_eq!(set(b"a", &[b"on"]), (Ok(()), is_on.clone()));
    assert_eq!(set(b"a", &[b"off", b"foo", b"+get"]), (wrong, is_on.clone()));
    let open = Err("Unmatched parenthesis in acl selector starting at '(+get'.".to_owned());
    assert_eq!(set(b"a", &[b"off", b"(+get", b"~a"]), (open, is_on));
    let nested = Err("Error in ACL SETUSER modifier '(+get (~x)': Syntax error".to_owned());
    assert_eq!(set(b"b", &[b"(+get", b"(~x)", b")"]), (nested, None));
    assert!(!users.remove(DEFAULT_USER) && !users.remove(b"b") && users.remove(b"a"));
}

/// A request of a command with these keys, as `name=access`.
fn decide(
    user: &User,
    command: &str,
    keys: &[(&str, Access)],
    first_arg: Option<&str>,
) -> Result<(), Denial> {
    let keys: Vec<KeyUse<'_>> = keys
        .iter()
        .enumerate()
        .map(|(index, (name, access))| KeyUse { index: index + 1, name: name.as_bytes(), access: *access })
        .collect();
    user.check(&Request {
        command: catalog().find(command.as_bytes()).unwrap(),
        is_exempt: command == "auth",
        first_arg: first_arg.map(str::as_bytes),
        databases: &[],
        keys: &keys,
        channels: &[],
    })
}

const NO_COMMAND: Result<(), Denial> = Err(Denial { reason: Reason::Command, index: 0 });

fn no_key(index: usize) -> Result<(), Denial> {
    Err(Denial { reason: Reason::Key, index })
}

#[test]
fn commands_are_permitted_by_what_was_said_last() {
    let cases = [
        ("+get", "get", None, true),
        ("+get", "set", None, false),
        ("-@all", "auth", None, true),
        ("+@read -get", "get", None, false),
        ("+@all -@admin", "config|get", None, false),
        ("+@all -@admin", "config", None, true),
        ("+config", "config|set", None, true),
        ("+config -config|set", "config|set", None, false),
        ("+config -config|set", "config|get", None, true),
        ("+config|get", "config", None, false),
        ("+@all -client", "client|id", None, false),
        ("+select|0", "select", Some("0"), true),
        ("+select|0", "select", Some("1"), false),
        ("+select|0", "select", None, false),
        ("+select|zero", "select", Some("ZERO"), true),
        ("+select|0 -select", "select", Some("0"), false),
        ("+select|0 -@connection", "select", Some("0"), false),
        ("+select|0 -@all", "select", Some("0"), false),
        ("+@all -cluster -psync", "get", None, true),
        ("+psync +cluster|slots", "get", None, false),
        ("-@all (+get)", "get", None, true),
    ];
    for (rules, command, first_arg, is_permitted) in cases {
        let expected = if is_permitted { Ok(()) } else { NO_COMMAND };
        assert_eq!(decide(&user(rules), command, &[], first_arg), expected, "{rules}: {command}");
    }
}

#[test]
fn one_pattern_of_one_selector_must_permit_all_of_it() {
    let (read, write, both, none) = (Access::READ, Access::WRITE, Access::BOTH, Access::NONE);
    type Case<'a> = (&'a str, &'a [(&'a str, Access)], Result<(), Denial>);
    let cases: &[Case<'_>] = &[
        ("+@all", &[("a", none)], no_key(1)),
        ("+@all ~a*", &[("a", both), ("ab", both), ("b", none)], no_key(3)),
        ("+@all %R~a", &[("a", read), ("a", none)], Ok(())),
        ("+@all %R~a", &[("a", write)], no_key(1)),
        ("+@all %R~a* %W~*a", &[("aa", read), ("aa", write)], Ok(())),
        ("+@all %R~a* %W~*a", &[("aa", both)], no_key(1)),
        ("+@all %RW~a", &[("a", both)], Ok(())),
        ("+@all %R~a (+@all %W~a)", &[("a", both)], no_key(1)),
        ("+@all %R~a (+@all %W~b)", &[("a", read), ("b", write)], no_key(2)),
        ("+set ~a (+get ~b)", &[("b", read)], Ok(())),
        ("+set ~b (+get ~a)", &[("b", read)], no_key(1)),
        ("+get ~a (+get ~b)", &[("a", read), ("b", read)], no_key(2)),
        ("+set ~a (+set ~b)", &[("a", read)], NO_COMMAND),
    ];
    for (rules, keys, decision) in cases {
        assert_eq!(decide(&user(rules), "get", keys, None), *decision, "{rules} {keys:?}");
    }
}

#[test]
fn databases_and_channels() {
    let catalog = catalog();
    let check = |rules: &str, databases: &[(usize, u32)], channels: &[(&str, bool)]| {
        let channels: Vec<ChannelUse<'_>> = channels
            .iter()
            .map(|(name, is_pattern)| ChannelUse { index: 1, name: name.as_bytes(), is_pattern: *is_pattern })
            .collect();
        let command = catalog.find(b"get").unwrap();
        let request =
            Request { command, is_exempt: false, first_arg: None, databases, keys: &[], channels: &channels };
        user(rules).check(&request)
    };
    let deny = |reason, index| Err(Denial { reason, index });
    assert_eq!(check("+get db=0,2", &[(0, 2)], &[]), Ok(()));
    assert_eq!(check("+get db=0,2", &[(2, 0), (3, 1)], &[]), deny(Reason::Database, 3));
    assert_eq!(check("+get resetdbs", &[(0, 0)], &[]), deny(Reason::Database, 0));
    // The command is what a selector that reaches the database lacks: that is told.
    assert_eq!(check("db=0 (+get db=1)", &[(0, 0)], &[]), deny(Reason::Command, 0));
    assert_eq!(check("+get db=0 (+get db=1)", &[(0, 1)], &[]), Ok(()));
    assert_eq!(check("+get &a*", &[], &[("ab", false)]), Ok(()));
    assert_eq!(check("+get &a*", &[], &[("ab", true)]), deny(Reason::Channel, 1));
    assert_eq!(check("+get &a*", &[], &[("a*", true)]), Ok(()));
    assert_eq!(check("+get", &[], &[("a", false)]), deny(Reason::Channel, 1));
    assert_eq!(check("+get &*", &[], &[("a", true)]), Ok(()));
}

#[test]
fn channels_that_are_lost() {
    let lost = |before: &str, after: &str| user(after).channels_left(&user(before)).is_some();
    assert!(!lost("&a", "&a &b") && !lost("&a", "&*") && !lost("", "") && !lost("&a (&b)", "&b &a"));
    assert!(lost("&a", "") && lost("&*", "&a") && lost("&a &b", "&b") && !lost("&*", "+get (&*)"));
    let left = user("&b* (&c)").channels_left(&user("&*")).unwrap();
    assert!(left.permits(b"bx", false) && left.permits(b"c", false) && !left.permits(b"a", false));
}

#[test]
fn who_may_do_everything() {
    let is = |rules: &str| user(rules).is_unrestricted();
    assert!(is("+@all ~* &*") && is("+@all -get +get ~* &*") && is("(+@all ~* &*)"));
    assert!(!is("+@all ~*") && !is("+@all %RW~* &*") && !is("+@all ~* &* db=0") && !is("+@all -get ~* &*"));
    assert!(!is("+@all (~* &*)") && !is("+@all ~* &* reset") && !is("+select|0 ~* &*"));
}

#[test]
fn every_other_key() {
    let catalog = catalog();
    let may = |rules: &str| {
        let key = KeyUse { index: 1, name: b"l", access: Access::READ };
        let command = catalog.find(b"get").unwrap();
        let request = Request {
            command,
            is_exempt: false,
            first_arg: None,
            databases: &[],
            keys: &[key],
            channels: &[],
        };
        user(rules).check_with_every_key(&request, Access::READ)
    };
    assert!(may("+get ~*") && may("+get %R~*") && may("~l (+get %R~*)") && may("+@all ~* &*"));
    assert!(!may("+get ~l*") && !may("+get %W~* ~l") && !may("+get ~l (%R~*)") && !may("%R~*"));
}

#[test]
fn passwords() {
    let hash = PasswordHash::of;
    let both = user("on >a >b");
    assert!(both.accepts(&hash(b"a")) && both.accepts(&hash(b"b")) && !both.accepts(&hash(b"c")));
    assert!(!user(">a").accepts(&hash(b"a")) && user("on nopass").accepts(&hash(b"x")));
    assert!(!user("on").accepts(&hash(b"")) && user("on >").accepts(&hash(b"")));
    let empty = "#e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert!(user(&format!("on {empty}")).accepts(&hash(b"")));
    assert!(!user(&format!("on {empty} <")).accepts(&hash(b"")));
}

#[test]
fn what_is_in_parentheses_stays_there() {
    let catalog = catalog();
    for rules in ["(~a) +get)", "(~'\"' &a')", "(~a\\) &\\ +select|x))", "(+get ~( %R~)) )"] {
        let mut user = User::new(b"u", Defaults::default(), &catalog);
        user.apply(rules.as_bytes(), Defaults::default(), &catalog).unwrap();
        let text = user.text();
        let words: Vec<&[u8]> = text.split(|byte| *byte == b' ').collect();
        let again = User::new(b"u", Defaults::default(), &catalog);
        let again = again.with_rules(&words, Defaults::default(), &catalog).unwrap();
        assert_eq!(again, user, "{rules} {}", shown(text));
    }
    let mut user = user("on");
    let blank = user.apply(b"+select|a b", Defaults::default(), &catalog);
    assert_eq!(blank, Err(RuleError::Syntax));
}

#[test]
fn words_end_at_a_nul() {
    assert_eq!(shown(user("on\0x +get\0y").text()), "on sanitize-payload resetchannels -@all +get");
    assert_eq!(shown(user("()").text()), "off sanitize-payload resetchannels -@all (resetchannels -@all)");
}

#[test]
fn files() {
    let catalog = catalog();
    let load = |text: &str| {
        load_file(text.as_bytes(), "f", Defaults::default(), &catalog)
            .map(|users| shown(file_text(&users)))
            .map_err(shown)
    };
    let default = "user default on nopass sanitize-payload ~* &* +@all\n";
    let a = "user a on sanitize-payload ~k resetchannels -@all +get\n";
    assert_eq!(load("\n  \r\n"), Ok(default.to_owned()));
    assert_eq!(load("\tuser a on  +get ~k\r\n"), Ok(format!("{a}{default}")));
    assert_eq!(load(&format!("{a}{default}")), Ok(format!("{a}{default}")));
    let off = "user default off sanitize-payload resetchannels -@all\n";
    assert_eq!(load("user default"), Ok(off.to_owned()));
    let cases = [
        ("# x", "f:1 should start with user keyword followed by the username. "),
        ("\nuser", "f:2 should start with user keyword followed by the username. "),
        ("User a", "f:1 should start with user keyword followed by the username. "),
        ("user a\tb", "'f:1: username 'a\tb' contains invalid characters. "),
        ("user a\nuser a", "WARNING: Duplicate user 'a' found on line 2. "),
        ("user a (+get", "f:1: Unmatched parenthesis in selector definition."),
        (
            "user a foo +x bar +y",
            "f:1: Syntax error. f:1: Error in applying operation '+x': Unknown command or category name in ACL. f:1: \
             Error in applying operation '+y': Unknown command or category name in ACL. ",
        ),
    ];
    const END: &str =
        "WARNING: ACL errors detected, no change to the previously active ACL rules was performed";
    for (text, error) in cases {
        assert_eq!(load(text), Err(format!("{error}{END}")), "{text}");
    }
}

fn event(object: &str) -> Event<'_> {
    let (reason, context) = (Reason::Key, Context::TopLevel);
    Event { reason, context, object: object.as_bytes(), user: b"u", client: b"id=1".to_vec() }
}

#[test]
fn alike_refusals_are_one_entry() {
    let mut log = Log::default();
    log.add(event("a"), 1_000, 128);
    log.add(event("b"), 1_001, 128);
    log.add(Event { client: b"id=2".to_vec(), ..event("a") }, 61_000, 128);
    log.add(Event { context: Context::Multi, ..event("a") }, 61_001, 128);
    log.add(event("b"), 61_002, 128);
    let shown: Vec<_> =
        log.entries().map(|entry| (entry.id, entry.count, entry.created_ms, entry.updated_ms)).collect();
    assert_eq!(
        shown,
        [(3, 1, 61_002, 61_002), (2, 1, 61_001, 61_001), (0, 2, 1_000, 61_000), (1, 1, 1_001, 1_001)]
    );
    assert_eq!(log.entries().nth(2).unwrap().client, b"id=2");
}

#[test]
fn the_log_is_bounded() {
    let mut log = Log::default();
    (0..20).for_each(|number| log.add(event(&number.to_string()), 0, 5));
    assert_eq!(log.entries().map(|entry| entry.id).collect::<Vec<_>>(), [19, 18, 17, 16, 15]);
    // Only the newest ten are looked at.
    let mut wide = Log::default();
    (0..11).for_each(|number| wide.add(event(&number.to_string()), 0, 128));
    wide.add(event("0"), 0, 128);
    wide.add(event("2"), 0, 128);
    assert_eq!((wide.entries().len(), wide.entries().next().unwrap().count), (12, 2));
    let long = "x".repeat(1 << 20);
    wide.add(event(&long), 0, 128);
    wide.add(event(&long), 0, 128);
    let entry = wide.entries().next().unwrap();
    assert_eq!((entry.object.len(), entry.count), (16 * 1024, 2));
    wide.clear();
    wide.add(event("x"), 0, 0);
    assert_eq!(wide.entries().len(), 0);
    wide.add(event("x"), 0, 1);
    assert_eq!(wide.entries().next().unwrap().id, 13);
}

#[test]
fn texts_of_refusals() {
    let deny = |reason| Denial { reason, index: 1 };
    let short = |reason| shown(deny(reason).text(b"u", "config|get"));
    let long = |reason| shown(deny(reason).long_text(b"u", "config|get", b"k"));
    assert_eq!(short(Reason::Command), "User u has no permissions to run the 'config|get' command");
    assert_eq!(short(Reason::Key), "No permissions to access a key");
    assert_eq!(short(Reason::Channel), "No permissions to access a channel");
    assert_eq!(short(Reason::Database), "No permissions to access database");
    assert_eq!(long(Reason::Command), short(Reason::Command));
    assert_eq!(long(Reason::Key), "User u has no permissions to access the 'k' key");
    assert_eq!(long(Reason::Channel), "User u has no permissions to access the 'k' channel");
    assert_eq!(long(Reason::Database), "User u has no permissions to access database k");
}
