//! The documented configuration file: it loads, it changes nothing, and it tells about everything that has an effect.
#![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]

use std::collections::HashSet;

use ochre_config::{Config, Directive, Effect, NoFiles, TABLE};

const SAMPLE: &str = include_str!("../../../ochre.conf");

/// Lines like `#port 6379`: a directive at its default. Text for people has a blank after the `#`.
fn defaults() -> Vec<&'static str> {
    let commented = SAMPLE.lines().filter_map(|line| line.strip_prefix('#'));
    commented.filter(|line| line.starts_with(|first: char| first.is_ascii_lowercase())).collect()
}

fn load(text: &str) -> Config {
    let mut config = Config::new();
    let loaded = config.load_text(text.as_bytes(), false, &NoFiles).unwrap();
    assert!(loaded.ignored.is_empty() && loaded.withdrawn.is_empty(), "{loaded:?}");
    config
}

/// The working directory of [`NoFiles`] is the root.
fn expected() -> Config {
    let mut config = Config::new();
    config.assign(Directive::Dir, &[b"/"]).unwrap();
    config
}

#[test]
fn it_loads_and_equals_the_defaults() {
    assert_eq!(load(SAMPLE), expected());
}

#[test]
fn its_commented_lines_are_the_defaults() {
    let lines = defaults();
    assert!(lines.len() > 190, "{}", lines.len());
    for line in &lines {
        let config = load(line);
        for id in Directive::ALL {
            // "/." is the root as well.
            if *id != Directive::Dir {
                assert_eq!(config.value(*id), expected().value(*id), "{line}");
            }
        }
    }
    load(&lines.join("\n"));
}

#[test]
fn it_names_every_directive_that_has_an_effect_once() {
    let documented: Vec<&str> = defaults().iter().filter_map(|line| line.split(' ').next()).collect();
    let names: HashSet<&str> = documented.iter().copied().collect();
    for record in &TABLE {
        let expected = record.effect != Effect::Meaningless && !record.hidden;
        assert_eq!(names.contains(record.name), expected, "{}", record.name);
    }
    let several_lines = documented.iter().filter(|name| **name == "client-output-buffer-limit").count();
    assert_eq!(documented.len() - several_lines + 1, names.len());
}

/// What is not there yet says so, where it stands or where its section begins.
#[test]
fn it_promises_nothing() {
    for section in SAMPLE.split("\n# ------") {
        let paragraphs = section.split("\n\n");
        let says_so = |text: &str| text.contains("not there yet") || text.contains("Not there yet");
        let begins_so = paragraphs.clone().nth(1).is_some_and(says_so);
        for paragraph in paragraphs {
            for line in paragraph.lines().filter_map(|line| line.strip_prefix('#')) {
                let name = line.split(' ').next().unwrap_or_default();
                let Some(id) = Directive::find(name.as_bytes()) else { continue };
                let is_later = id.record().effect == Effect::StoredForLater;
                assert!(!is_later || begins_so || says_so(paragraph), "{name}");
            }
        }
    }
}

#[test]
fn it_fits_the_width_of_the_source() {
    for line in SAMPLE.lines() {
        assert!(line.len() <= 120 && line.trim_end() == line && line.is_ascii(), "{line}");
    }
}
