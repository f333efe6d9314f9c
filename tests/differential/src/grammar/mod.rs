//! The commands, family by family. A new family is one file with one table of rules.
//!
//! A rule says how a command is written, how often it is drawn, which peers know it, and how far two right replies may
//! differ. Everything else (invalid forms, case, pipelines, transactions) is made from the rules by the generator.

mod acl;
mod bitmap;
mod connection;
mod expiry;
mod geo;
mod hashes;
mod hyperloglog;
mod keys;
mod lists;
mod pubsub;
mod scripting;
mod server;
mod sets;
mod sort;
mod sorted_sets;
mod streams;
mod strings;
mod transactions;
mod wrong_type;

pub use server::CONFIG_PARAMETERS;

use crate::compare::Tolerance;
use crate::syntax::{Node, parse};

/// The peer that says what is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Oracle {
    /// Redis: the union of commands minus what only Valkey has.
    Redis,
    /// Valkey: the union of commands minus what only Redis has.
    Valkey,
}

/// Which peers know a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// Both peers.
    Both,
    /// Redis alone.
    Redis,
    /// Valkey alone.
    Valkey,
}

/// A rule as a family declares it.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// The notation of module `syntax`.
    pub syntax: &'static str,
    /// How often it is drawn, relative to the other rules.
    pub weight: u32,
    /// Which peers can judge it.
    pub known: Known,
    /// How far right replies may differ.
    pub tolerance: Tolerance,
}

impl Rule {
    const fn new(syntax: &'static str) -> Self {
        Self { syntax, weight: 10, known: Known::Both, tolerance: Tolerance::Exact }
    }

    const fn weight(self, weight: u32) -> Self {
        Self { weight, ..self }
    }

    const fn only(self, known: Known) -> Self {
        Self { known, ..self }
    }

    const fn tolerance(self, tolerance: Tolerance) -> Self {
        Self { tolerance, ..self }
    }
}

/// A family of commands, chosen by name on the command line.
#[derive(Clone, Copy, Debug)]
pub struct Family {
    /// Its name on the command line.
    pub name: &'static str,
    /// Its rules.
    pub rules: &'static [Rule],
}

/// Every family.
pub const FAMILIES: &[Family] = &[
    Family { name: "acl", rules: acl::RULES },
    Family { name: "connection", rules: connection::RULES },
    Family { name: "strings", rules: strings::RULES },
    Family { name: "streams", rules: streams::RULES },
    Family { name: "hashes", rules: hashes::RULES },
    Family { name: "bitmap", rules: bitmap::RULES },
    Family { name: "hyperloglog", rules: hyperloglog::RULES },
    Family { name: "sets", rules: sets::RULES },
    Family { name: "sort", rules: sort::RULES },
    Family { name: "keys", rules: keys::RULES },
    Family { name: "lists", rules: lists::RULES },
    Family { name: "pubsub", rules: pubsub::RULES },
    Family { name: "expiry", rules: expiry::RULES },
    Family { name: "transactions", rules: transactions::RULES },
    Family { name: "scripting", rules: scripting::RULES },
    Family { name: "server", rules: server::RULES },
    Family { name: "sorted-sets", rules: sorted_sets::RULES },
    Family { name: "geo", rules: geo::RULES },
    Family { name: "wrong-type", rules: wrong_type::RULES },
];

/// The rules of a run, parsed.
#[derive(Clone, Debug)]
pub struct Grammar {
    rules: Vec<(Node, Rule)>,
    keywords: Vec<&'static str>,
    oracle: Oracle,
}

impl Grammar {
    /// The rules of `families` that `oracle` can judge. Errors with the first name that is no family.
    pub fn new(oracle: Oracle, families: &[String]) -> Result<Self, String> {
        if let Some(name) = families.iter().find(|name| FAMILIES.iter().all(|family| family.name != **name)) {
            return Err(format!("no family {name}"));
        }
        let chosen = FAMILIES.iter().filter(|family| families.iter().any(|name| name == family.name));
        let judged = |rule: &&Rule| match rule.known {
            Known::Both => true,
            Known::Redis => oracle == Oracle::Redis,
            Known::Valkey => oracle == Oracle::Valkey,
        };
        let rules: Vec<_> = chosen
            .flat_map(|family| family.rules)
            .filter(judged)
            .map(|rule| (parse(rule.syntax), *rule))
            .collect();
        let mut keywords = Vec::new();
        rules.iter().for_each(|(node, _)| collect_keywords(node, &mut keywords));
        keywords.sort_unstable();
        keywords.dedup();
        Ok(Self { rules, keywords, oracle })
    }

    /// The parsed rules.
    pub fn rules(&self) -> &[(Node, Rule)] {
        &self.rules
    }

    /// The peer that judges.
    pub fn oracle(&self) -> Oracle {
        self.oracle
    }

    /// Every keyword of the rules, for option parsers to stumble over.
    pub fn keywords(&self) -> &[&'static str] {
        &self.keywords
    }
}

fn collect_keywords(node: &Node, keywords: &mut Vec<&'static str>) {
    match node {
        Node::Keyword(word) => keywords.push(word),
        Node::Class(_) => {}
        Node::Sequence(nodes) | Node::Choice(nodes) => {
            nodes.iter().for_each(|node| collect_keywords(node, keywords))
        }
        Node::Optional(node) | Node::Repeated(node) => collect_keywords(node, keywords),
    }
}

/// How far two right replies to `command` may differ, from the rule that names it; one that names its subcommand
/// goes before one that only names the container.
pub fn tolerance(command: &[Vec<u8>]) -> Tolerance {
    let is = |index: usize, word: &str| {
        command.get(index).is_some_and(|given| word.as_bytes().eq_ignore_ascii_case(given))
    };
    let rules = FAMILIES.iter().flat_map(|family| family.rules);
    let fitting = rules.filter_map(|rule| {
        let mut words = leading_keywords(rule);
        let name = words.next().is_some_and(|word| is(0, word));
        let subcommand = words.next();
        (name && subcommand.is_none_or(|word| is(1, word))).then_some((
            subcommand.is_some(),
            rule.tolerance != Tolerance::Exact,
            rule.tolerance,
        ))
    });
    fitting
        .max_by_key(|(specific, lenient, _)| (*specific, *lenient))
        .map_or(Tolerance::Exact, |(_, _, tolerance)| tolerance)
}

/// The name and, for a container, the subcommand. A keyword after an argument is an option, not a subcommand.
fn leading_keywords(rule: &Rule) -> impl Iterator<Item = &'static str> {
    rule.syntax
        .split(' ')
        .take_while(|word| word.bytes().all(|byte| byte.is_ascii_uppercase() || matches!(byte, b'-' | b'_')))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    fn classes(node: &Node, out: &mut Vec<&'static str>) {
        match node {
            Node::Class(class) => out.push(class),
            Node::Keyword(_) => {}
            Node::Sequence(nodes) | Node::Choice(nodes) => nodes.iter().for_each(|node| classes(node, out)),
            Node::Optional(node) | Node::Repeated(node) => classes(node, out),
        }
    }

    #[test]
    fn every_rule_can_be_drawn() {
        for rule in FAMILIES.iter().flat_map(|family| family.rules) {
            let mut named = Vec::new();
            classes(&parse(rule.syntax), &mut named);
            for class in named {
                let mut random = Random::new(1);
                (0..100).for_each(|_| crate::vocabulary::argument(class, &mut random, &mut Vec::new()));
            }
            assert!(rule.weight > 0, "{}", rule.syntax);
            assert!(leading_keywords(rule).next().is_some(), "{} begins with no name", rule.syntax);
        }
    }

    #[test]
    fn the_oracle_selects() {
        let names = |oracle| {
            let families = ["strings".to_owned()];
            Grammar::new(oracle, &families).unwrap().keywords().to_vec()
        };
        assert!(names(Oracle::Redis).contains(&"DELEX") && !names(Oracle::Redis).contains(&"DELIFEQ"));
        assert!(names(Oracle::Valkey).contains(&"DELIFEQ") && !names(Oracle::Valkey).contains(&"DELEX"));
        assert!(Grammar::new(Oracle::Redis, &["nosuch".to_owned()]).is_err());
    }

    #[test]
    fn tolerance_follows_name_and_subcommand() {
        let of = |text: &str| tolerance(&crate::text::parse(text).unwrap());
        assert_eq!(of("pttl a"), Tolerance::Near(5000));
        assert_eq!(of("GET a"), Tolerance::Exact);
        assert_eq!(of("object encoding a"), Tolerance::Exact);
        assert_eq!(of("object idletime a"), Tolerance::Near(5));
        assert_eq!(of("object"), Tolerance::Exact);
        assert_eq!(of("command"), Tolerance::Kind);
        assert_eq!(of("command getkeys get a"), Tolerance::Exact);
        assert_eq!(of("nosuch"), Tolerance::Exact);
    }
}
