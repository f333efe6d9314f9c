//! A selector: commands, and the keys, channels and databases they may be used on.

use ochre_resp::split_args;

use crate::catalog::Catalog;
use crate::channels::ChannelPatterns;
use crate::commands::CommandRules;
use crate::databases::Databases;
use crate::error::RuleError;
use crate::keys::{Access, KeyPatterns};
use crate::request::{Denial, Reason, Request};
use crate::until_nul;

/// What may be done, all of it together.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Selector {
    /// Which commands.
    pub commands: CommandRules,
    /// On which keys.
    pub keys: KeyPatterns,
    /// On which channels.
    pub channels: ChannelPatterns,
    /// In which databases.
    pub databases: Databases,
}

impl Selector {
    /// Permits nothing, but that in all databases.
    pub fn new(catalog: &Catalog) -> Selector {
        Selector {
            commands: CommandRules::none(catalog),
            keys: KeyPatterns::default(),
            channels: ChannelPatterns::default(),
            databases: Databases::ALL,
        }
    }

    /// The selector of rules with blanks between: what stands in parentheses.
    ///
    /// # Errors
    /// The first rule that is wrong.
    pub fn parse(rules: &[u8], catalog: &Catalog) -> Result<Selector, RuleError> {
        let mut selector = Selector::new(catalog);
        // As with the peers, quotes that are not closed leave no rules.
        for rule in split_args(rules).unwrap_or_default() {
            selector.apply(&rule, catalog)?;
        }
        Ok(selector)
    }

    /// Applies a rule.
    ///
    /// # Errors
    /// It is wrong; nothing has changed.
    pub fn apply(&mut self, rule: &[u8], catalog: &Catalog) -> Result<(), RuleError> {
        let word = until_nul(rule);
        match word.to_ascii_lowercase().as_slice() {
            b"allkeys" | b"~*" => self.keys.permit_all(),
            b"resetkeys" => self.keys.clear(),
            b"allchannels" | b"&*" => self.channels.permit_all(),
            b"resetchannels" => self.channels.clear(),
            b"alldbs" => self.databases = Databases::ALL,
            b"resetdbs" => self.databases = Databases::NONE,
            b"allcommands" => self.commands.start_from(true, catalog),
            b"nocommands" => self.commands.start_from(false, catalog),
            lower => match lower.first() {
                Some(b'~' | b'%') => return self.keys.add(rule),
                Some(b'&') => return self.channels.add(&rule[1..]),
                Some(sign @ (b'+' | b'-')) => {
                    return self.commands.apply(*sign == b'+', &word[1..], catalog);
                }
                _ => {
                    let list = lower.strip_prefix(b"db=").ok_or(RuleError::Syntax)?;
                    self.databases = Databases::parse(list)?;
                }
            },
        }
        Ok(())
    }

    /// Whether everything may be done.
    pub fn is_all(&self, catalog: &Catalog) -> bool {
        self.keys.is_all()
            && self.channels.is_all()
            && self.databases.is_all()
            && self.commands.is_all(catalog)
    }

    /// Decides on a request.
    ///
    /// # Errors
    /// What is missing.
    pub fn check(&self, request: &Request<'_>) -> Result<(), Denial> {
        let deny = |reason, index| Err(Denial { reason, index });
        if let Some((index, _)) = request.databases.iter().find(|(_, db)| !self.databases.permits(*db)) {
            return deny(Reason::Database, *index);
        }
        if !request.is_exempt && !self.commands.permits(request.command, request.first_arg) {
            return deny(Reason::Command, 0);
        }
        if let Some(key) = request.keys.iter().find(|key| !self.keys.permits(key.name, key.access)) {
            return deny(Reason::Key, key.index);
        }
        let is_denied = |name: &[u8], is_pattern| !self.channels.permits(name, is_pattern);
        match request.channels.iter().find(|channel| is_denied(channel.name, channel.is_pattern)) {
            Some(channel) => deny(Reason::Channel, channel.index),
            None => Ok(()),
        }
    }

    /// Whether a request may be made by who may also use every other key like this.
    pub fn check_with_every_key(&self, request: &Request<'_>, access: Access) -> bool {
        self.keys.permits_every_key(access) && self.check(request).is_ok()
    }

    /// Rules that make this selector out of a new one.
    pub fn rules(&self) -> Vec<Vec<u8>> {
        let mut rules = self.keys.rules();
        if !self.channels.is_all() {
            rules.push(b"resetchannels".to_vec());
        }
        rules.extend(self.channels.rules());
        if !self.databases.is_all() {
            let list = self.databases.list();
            rules.push(list.map_or_else(|| b"resetdbs".to_vec(), String::into_bytes));
        }
        rules.extend(self.commands.rules());
        rules
    }

    /// The selector as a single rule, in parentheses.
    pub fn nested_rule(&self) -> Vec<u8> {
        let rules: Vec<Vec<u8>> = self.rules().into_iter().map(quoted).collect();
        [b"(", rules.join(&b' ').as_slice(), b")"].concat()
    }
}

/// A rule as it has to be written within parentheses. Peers write all as it is, and so what they save of `(~a) +get)`, which
/// they accept as one argument, are other rules.
fn quoted(rule: Vec<u8>) -> Vec<u8> {
    let is_quote = |byte: &u8| matches!(byte, b'"' | b'\'');
    if !rule.ends_with(b")") && !rule.iter().any(is_quote) {
        return rule;
    }
    let mut text = b"\"".to_vec();
    for byte in rule {
        if matches!(byte, b'"' | b'\\') {
            text.push(b'\\');
        }
        text.push(byte);
    }
    text.push(b'"');
    text
}
