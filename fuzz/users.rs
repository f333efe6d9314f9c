//! The property of the target `acl`.

use ochre_acl::{Access, Catalog, ChannelUse, CommandFacts, Defaults, Denial, KeyUse, Request, User};

/// Rules, one on each line, are refused and change nothing, or the user they make is shown in rules that make the same user
/// again, who may do the same.
pub fn acl(input: &[u8]) {
    let (catalog, defaults) = (catalog(), Defaults::default());
    let mut user = User::new(b"u", defaults, &catalog);
    for rule in input.split(|byte| *byte == b'\n').take(64) {
        let before = user.clone();
        if user.apply(rule, defaults, &catalog).is_err() {
            assert_eq!(user, before, "a rule that is wrong changes nothing");
        }
        let made_of = |text: &[u8]| {
            let words: Vec<&[u8]> = text.split(|byte| *byte == b' ').collect();
            let made = User::new(b"u", defaults, &catalog).with_rules(&words, defaults, &catalog);
            made.unwrap_or_else(|error| panic!("{}", String::from_utf8_lossy(&error.text())))
        };
        let text = user.text();
        let again = made_of(&text);
        // `%RW~*` is shown as `~*`, as in Redis, which forgets the patterns before it; nothing else changes.
        assert_eq!(made_of(&again.text()).text(), again.text());
        assert!(
            again.text() == text || text.windows(3).any(|part| part == b" ~*"),
            "{}",
            text.escape_ascii()
        );
        assert_eq!(again.is_unrestricted(), user.is_unrestricted());
        for request in 0..requests().count() {
            let decide = |user: &User| requests().nth(request).map(|ask| ask(user));
            assert_eq!(decide(&again), decide(&user), "request {request} of {}", text.escape_ascii());
        }
    }
}

const CATEGORIES: [&str; 3] = ["read", "write", "admin"];

fn catalog() -> Catalog {
    let commands = [("get", None, 1), ("set", None, 2), ("config", None, 0), ("config|get", Some(2), 5)];
    let facts = commands.map(|(full_name, parent, categories)| CommandFacts {
        full_name: full_name.to_owned(),
        parent,
        categories,
    });
    Catalog::new(facts.into(), &CATEGORIES)
}

type Question = Box<dyn Fn(&User) -> Result<(), Denial>>;

/// Questions to ask of a user: each command with a first argument, each key for each access, each channel and database.
fn requests() -> impl Iterator<Item = Question> {
    let names: [&[u8]; 4] = [b"a", b"ab", b"b", b"*"];
    let accesses = [Access::NONE, Access::READ, Access::WRITE, Access::BOTH];
    (0..4_u16).flat_map(move |command| {
        names.into_iter().enumerate().map(move |(index, name)| {
            Box::new(move |user: &User| {
                user.check(&Request {
                    command,
                    is_exempt: false,
                    first_arg: Some(name),
                    databases: &[(0, index as u32)],
                    keys: &[KeyUse { index, name, access: accesses[usize::from(command)] }],
                    channels: &[ChannelUse { index, name, is_pattern: index == 3 }],
                })
            }) as Question
        })
    })
}
