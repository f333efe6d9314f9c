//! Tests over the whole table, and against what the peers say about themselves.
#![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]

mod common;

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use common::get;
use ochre_config::{Config, Directive, Effect, Kind, Mutability, SetContext, TABLE};

const REDIS: &str = include_str!("peers/redis_8_6_3.txt");
const VALKEY: &str = include_str!("peers/valkey_9_1_2.txt");

/// Directives whose default is our own.
const OURS: [&str; 3] = ["disable-thp", "io-threads", "syslog-ident"];

fn peer(text: &'static str) -> BTreeMap<&'static str, &'static str> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| line.split_once(' ').unwrap_or((line, ""))).collect()
}

#[test]
fn every_directive_of_a_peer_is_known() {
    for name in peer(REDIS).keys().chain(peer(VALKEY).keys()) {
        assert!(Directive::find(name.as_bytes()).is_some(), "{name}");
    }
}

/// All sources but the tables and those that name every directive anyway.
fn sources(folder: &Path, text: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let is_left_out = ["config/src/table", "config/src/directive.rs", "tests", "target"];
        if is_left_out.iter().any(|end| path.ends_with(end)) {
            continue;
        }
        if path.is_dir() {
            sources(&path, text);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            *text += &std::fs::read_to_string(&path).unwrap();
        }
    }
}

/// Nothing is accepted and does nothing without anybody being told.
#[test]
fn a_directive_is_used_or_marked() {
    let mut text = String::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join(".."), &mut text);
    let named = |after: &str| -> HashSet<String> {
        let names = text.split(after).skip(1);
        names.map(|rest| rest.split(|c: char| !c.is_alphanumeric()).next().unwrap().to_owned()).collect()
    };
    let used: HashSet<String> = named("Directive::").union(&named("D::")).cloned().collect();
    for record in &TABLE {
        let is_used = used.contains(&format!("{:?}", record.id));
        assert!(
            is_used || record.effect != Effect::Used,
            "{} does nothing: later, or meaningless?",
            record.name
        );
    }
}

/// What no peer has.
const OWN: [&str; 2] = ["aof-checksum", "aof-buffer-limit"];

#[test]
fn every_name_is_one_of_a_peer() {
    let (redis, valkey) = (peer(REDIS), peer(VALKEY));
    for record in &TABLE {
        for name in std::iter::once(record.name).chain(record.aliases.iter().copied()) {
            let is_known = redis.contains_key(name) || valkey.contains_key(name) || OWN.contains(&name);
            assert!(is_known, "{name}");
        }
    }
}

#[test]
fn defaults_are_those_of_redis_or_else_of_valkey() {
    let (redis, valkey) = (peer(REDIS), peer(VALKEY));
    let config = Config::new();
    for (name, default) in valkey.iter().filter(|(name, _)| !redis.contains_key(*name)).chain(&redis) {
        if !OURS.contains(name) {
            assert_eq!(get(&config, name), *default, "{name}");
        }
    }
}

#[test]
fn where_the_peers_differ_redis_is_followed() {
    let (redis, valkey) = (peer(REDIS), peer(VALKEY));
    let differing: Vec<&str> = redis
        .iter()
        .filter(|(name, value)| valkey.get(*name).is_some_and(|other| other != *value))
        .map(|(name, _)| *name)
        .collect();
    let expected = [
        "hide-user-data-from-log",
        "lazyfree-lazy-eviction",
        "lazyfree-lazy-expire",
        "lazyfree-lazy-server-del",
        "lazyfree-lazy-user-del",
        "lazyfree-lazy-user-flush",
        "loading-process-events-interval-bytes",
        "repl-backlog-size",
        "replica-lazy-flush",
        "slave-lazy-flush",
        "syslog-ident",
    ];
    assert_eq!(differing, expected);
}

#[test]
fn the_array_is_in_the_order_of_the_identities() {
    for (at, record) in TABLE.iter().enumerate() {
        assert_eq!(record.id as usize, at, "{}", record.name);
        assert_eq!(Directive::ALL[at], record.id);
    }
    assert_eq!(TABLE.len(), Directive::COUNT);
}

#[test]
fn an_identity_is_spelt_like_its_name() {
    for record in &TABLE {
        let capital = |part: &str| part[..1].to_ascii_uppercase() + &part[1..];
        let spelt: String = record.name.split('-').map(capital).collect();
        assert_eq!(format!("{:?}", record.id), spelt);
    }
}

#[test]
fn names_are_unique_and_lower_case() {
    let mut seen = HashSet::new();
    for record in &TABLE {
        for name in std::iter::once(record.name).chain(record.aliases.iter().copied()) {
            assert!(seen.insert(name), "{name}");
            assert_eq!(name, name.to_ascii_lowercase());
            assert_eq!(Directive::find(name.as_bytes()), Some(record.id));
            assert_eq!(Directive::find(name.to_ascii_uppercase().as_bytes()), Some(record.id));
        }
    }
    assert_eq!(Directive::find(b"no-such-directive"), None);
}

#[test]
fn every_summary_is_one_line() {
    for record in &TABLE {
        let summary = record.summary;
        assert!(summary.len() > 10 && summary.len() < 120, "{}: {summary}", record.name);
        assert!(!summary.ends_with('.') && !summary.contains('\n'), "{}", record.name);
    }
}

#[test]
fn numbers_and_words_have_sensible_defaults() {
    for record in &TABLE {
        match record.kind {
            Kind::Integer(integer) => {
                assert!((integer.min..=integer.max).contains(&integer.default), "{}", record.name);
                assert!(integer.clamp.is_none_or(|(min, max)| (min..=max).contains(&integer.default)));
            }
            Kind::Choice(words, default) | Kind::Flags(words, default) => {
                assert!(words.iter().any(|word| word.code == default && word.listed), "{}", record.name);
            }
            _ => {}
        }
    }
}

#[test]
fn every_default_reads_back_as_itself() {
    let defaults = Config::new();
    for id in Directive::ALL {
        let shown = defaults.shown(*id);
        let words: Vec<&[u8]> = if !id.record().takes_many() {
            vec![&shown]
        } else if shown.is_empty() {
            vec![]
        } else {
            shown.split(|byte| *byte == b' ').collect()
        };
        if matches!(id.record().kind, Kind::ReplicaOf) {
            continue;
        }
        let mut config = Config::new();
        config.assign(*id, &words).unwrap_or_else(|reason| panic!("{}: {reason}", id.name()));
        assert_eq!(config, defaults, "{}", id.name());
    }
}

/// Another value than the default, or `None` if there is only one.
fn another(id: Directive) -> Option<String> {
    Some(match id.record().kind {
        Kind::Bool(default) => if default { "no" } else { "yes" }.into(),
        Kind::Integer(integer) => {
            (if integer.default == integer.max { integer.min } else { integer.default + 1 }).to_string()
        }
        Kind::Text(_) | Kind::Dir => match id {
            Directive::ClusterAnnounceIp | Directive::ClusterAnnounceClientIpv4 => "10.0.0.1".into(),
            Directive::ClusterAnnounceClientIpv6 => "::1".into(),
            _ => "other".into(),
        },
        Kind::Choice(words, default) | Kind::Flags(words, default) => {
            words.iter().find(|word| word.code != default)?.text.into()
        }
        Kind::Save => "900 1 300 10".into(),
        Kind::OutputBufferLimits => "normal 1 2 3 slave 4 5 6 pubsub 7 8 9".into(),
        Kind::OomScoreAdjValues => "-10 0 10".into(),
        Kind::Percentiles => "25 75.5".into(),
        Kind::Addresses(_) => "127.0.0.1 ::1".into(),
        Kind::ReplicaOf => "10.0.0.1 6379".into(),
        Kind::KeyspaceEvents => "lxKE".into(),
    })
}

#[test]
fn every_other_value_survives_a_rewrite() {
    let mut changed = Config::new();
    for id in Directive::ALL {
        let value = another(*id).unwrap();
        let words: Vec<&[u8]> = match id.record().takes_many() {
            true => value.split(' ').map(str::as_bytes).collect(),
            false => vec![value.as_bytes()],
        };
        // These two exclude each other, and this one names a directory that must exist.
        if !matches!(id, Directive::ClusterEnabled | Directive::Dir | Directive::Logfile) {
            changed.assign(*id, &words).unwrap_or_else(|reason| panic!("{}: {reason}", id.name()));
            assert!(!changed.is_default(*id), "{}", id.name());
        }
    }
    changed.assign(Directive::Dir, &[b"/start"]).unwrap();
    let text = changed.rewrite(b"", &Default::default());
    let mut read = Config::new();
    read.load_text(&text, false, &common::MemoryFiles::new(&[])).unwrap();
    for id in Directive::ALL {
        assert_eq!(read.value(*id), changed.value(*id), "{}", id.name());
    }
    let again = read.rewrite(&text, &Default::default());
    assert_eq!(String::from_utf8(again).unwrap(), String::from_utf8(text).unwrap() + "\n");
}

#[test]
fn every_directive_can_be_set_by_any_name_or_says_why_not() {
    let allow = "enable-protected-configs yes";
    let (permissive, _) = common::load(allow).unwrap();
    for record in &TABLE {
        let value = another(record.id).unwrap();
        for name in std::iter::once(record.name).chain(record.aliases.iter().copied()) {
            let mut config = permissive.clone();
            let result = config.set(&[(name, &value)], SetContext::default());
            if record.mutability == Mutability::Immutable {
                let text = format!(
                    "CONFIG SET failed (possibly related to argument '{name}') - can't set immutable config"
                );
                assert_eq!(result.unwrap_err().to_string(), text);
            } else if record.live_check.is_none() {
                let changes = result.unwrap();
                assert!(changes.contains(record.id) || record.effect == Effect::Meaningless, "{name}");
                assert_ne!(config.value(record.id), permissive.value(record.id), "{name}");
            }
        }
    }
}

#[test]
fn passwords_are_sensitive() {
    let sensitive: Vec<&str> =
        TABLE.iter().filter(|record| record.sensitive).map(|record| record.name).collect();
    let mut expected =
        vec!["masterauth", "masteruser", "requirepass", "tls-client-key-file-pass", "tls-key-file-pass"];
    expected.sort_by_key(|name| Directive::find(name.as_bytes()));
    assert_eq!(sensitive, expected);
    assert!(
        Config::is_sensitive(b"PrimaryAuth") && !Config::is_sensitive(b"port") && !Config::is_sensitive(b"x")
    );
}
