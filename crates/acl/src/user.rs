//! A user: who it is, and what it may do.

use crate::arguments::join_selectors;
use crate::catalog::Catalog;
use crate::channels::ChannelPatterns;
use crate::error::{RuleError, SetError};
use crate::keys::Access;
use crate::passwords::{PasswordHash, Passwords};
use crate::request::{Denial, Reason, Request};
use crate::selector::Selector;
use crate::until_nul;

/// What a new user has beyond nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Defaults {
    /// All channels (`acl-pubsub-default allchannels`).
    pub all_channels: bool,
}

/// A user.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct User {
    /// Its name.
    pub name: Vec<u8>,
    /// Whether one can authenticate as this user.
    pub is_enabled: bool,
    /// Whether any password will do.
    pub needs_no_password: bool,
    /// A flag of old versions, which is only shown: whether its RESTORE is looked at closely.
    sanitizes_payload: bool,
    passwords: Passwords,
    root: Selector,
    others: Vec<Selector>,
    is_unrestricted: bool,
}

impl User {
    /// A new user, who can do nothing.
    pub fn new(name: &[u8], defaults: Defaults, catalog: &Catalog) -> User {
        let mut root = Selector::new(catalog);
        if defaults.all_channels {
            root.channels.permit_all();
        }
        User {
            name: name.to_vec(),
            is_enabled: false,
            needs_no_password: false,
            sanitizes_payload: true,
            passwords: Passwords::default(),
            root,
            others: Vec::new(),
            is_unrestricted: false,
        }
    }

    /// The default user as it is at first: all-powerful, without a password.
    pub fn all_powerful(catalog: &Catalog) -> User {
        let mut user = User::new(crate::DEFAULT_USER, Defaults { all_channels: true }, catalog);
        user.root.commands.start_from(true, catalog);
        user.root.keys.permit_all();
        (user.is_enabled, user.needs_no_password, user.is_unrestricted) = (true, true, true);
        user
    }

    /// Applies rules, the words of ACL SETUSER, to a copy.
    ///
    /// # Errors
    /// The first that is wrong.
    pub fn with_rules(
        &self,
        words: &[&[u8]],
        defaults: Defaults,
        catalog: &Catalog,
    ) -> Result<User, SetError> {
        let mut user = self.clone();
        for rule in join_selectors(words)? {
            user.apply(&rule, defaults, catalog).map_err(|error| SetError::Rule(rule, error))?;
        }
        Ok(user)
    }

    /// Applies one rule. An empty one is none.
    ///
    /// # Errors
    /// It is wrong; nothing has changed.
    pub fn apply(&mut self, rule: &[u8], defaults: Defaults, catalog: &Catalog) -> Result<(), RuleError> {
        match until_nul(rule).to_ascii_lowercase().as_slice() {
            b"" => {}
            b"on" => self.is_enabled = true,
            b"off" => self.is_enabled = false,
            b"nopass" => self.set_password(None),
            b"resetpass" => {
                self.needs_no_password = false;
                self.passwords.clear();
            }
            b"sanitize-payload" => self.sanitizes_payload = true,
            b"skip-sanitize-payload" => self.sanitizes_payload = false,
            b"clearselectors" => self.others.clear(),
            b"reset" => *self = User::new(&self.name, defaults, catalog),
            _ => self.apply_value(rule, catalog)?,
        }
        let is_unrestricted = self.selectors().any(|selector| selector.is_all(catalog));
        self.is_unrestricted = is_unrestricted;
        Ok(())
    }

    /// Applies a rule that is more than a word.
    fn apply_value(&mut self, rule: &[u8], catalog: &Catalog) -> Result<(), RuleError> {
        match rule {
            [b'>', password @ ..] => self.add_password(PasswordHash::of(password)),
            [b'#', hash @ ..] => self.add_password(PasswordHash::parse(hash)?),
            [b'<', password @ ..] => self.passwords.remove(&PasswordHash::of(password))?,
            [b'!', hash @ ..] => self.passwords.remove(&PasswordHash::parse(hash)?)?,
            [b'(', rules @ .., b')'] => self.others.push(Selector::parse(rules, catalog)?),
            _ => self.root.apply(rule, catalog)?,
        }
        Ok(())
    }

    fn add_password(&mut self, hash: PasswordHash) {
        self.passwords.add(hash);
        self.needs_no_password = false;
    }

    /// Replaces all passwords by one, or has any do (`requirepass`).
    pub fn set_password(&mut self, password: Option<&[u8]>) {
        self.passwords.clear();
        self.needs_no_password = password.is_none();
        password.into_iter().for_each(|password| self.passwords.add(PasswordHash::of(password)));
    }

    /// Whether one becomes this user with a password.
    pub fn accepts(&self, password: &PasswordHash) -> bool {
        self.is_enabled && (self.needs_no_password || self.passwords.contains(password))
    }

    /// Its passwords.
    pub fn passwords(&self) -> &Passwords {
        &self.passwords
    }

    /// The selector that rules outside parentheses change.
    pub fn root(&self) -> &Selector {
        &self.root
    }

    /// The selectors in parentheses.
    pub fn other_selectors(&self) -> &[Selector] {
        &self.others
    }

    fn selectors(&self) -> impl Iterator<Item = &Selector> {
        std::iter::once(&self.root).chain(&self.others)
    }

    /// Whether it may do everything: then there is nothing to check.
    #[inline]
    pub fn is_unrestricted(&self) -> bool {
        self.is_unrestricted
    }

    /// Whether each of its selectors reaches all keys: then a request need not tell them.
    pub fn reaches_all_keys(&self) -> bool {
        self.selectors().all(|selector| selector.keys.is_all())
    }

    /// The same of channels.
    pub fn reaches_all_channels(&self) -> bool {
        self.selectors().all(|selector| selector.channels.is_all())
    }

    /// The same of databases.
    pub fn reaches_all_databases(&self) -> bool {
        self.selectors().all(|selector| selector.databases.is_all())
    }

    /// Decides on a request: one selector has to permit all of it.
    ///
    /// # Errors
    /// What is missing, by the selectors that were closest (see [`Denial`]).
    pub fn check(&self, request: &Request<'_>) -> Result<(), Denial> {
        let mut worst = Denial { reason: Reason::Database, index: 0 };
        for selector in self.selectors() {
            match selector.check(request) {
                Ok(()) => return Ok(()),
                Err(denial) => worst = worst.max(denial),
            }
        }
        Err(worst)
    }

    /// Whether one selector permits a request and every other key besides (the patterns of SORT).
    pub fn check_with_every_key(&self, request: &Request<'_>, access: Access) -> bool {
        self.is_unrestricted
            || self.selectors().any(|selector| selector.check_with_every_key(request, access))
    }

    /// Whether some selector permits a key.
    pub fn check_key(&self, key: &[u8], access: Access) -> bool {
        self.selectors().any(|selector| selector.keys.permits(key, access))
    }

    /// Whether some selector permits a channel, or a pattern of channels to subscribe to.
    pub fn check_channel(&self, channel: &[u8], is_pattern: bool) -> bool {
        self.selectors().any(|selector| selector.channels.permits(channel, is_pattern))
    }

    /// The channels that are left if this user replaces an `earlier` form of itself; `None` if none were lost. Who is
    /// subscribed to others has to go.
    pub fn channels_left(&self, earlier: &User) -> Option<ChannelPatterns> {
        let all_of = |user: &User| {
            let mut channels = ChannelPatterns::default();
            user.selectors().for_each(|selector| channels.extend(&selector.channels));
            channels
        };
        let left = all_of(self);
        (!all_of(earlier).is_within(&left)).then_some(left)
    }

    /// The words that ACL GETUSER shows as flags.
    pub fn flags(&self) -> impl Iterator<Item = &'static str> {
        let enabled = if self.is_enabled { "on" } else { "off" };
        let payload = if self.sanitizes_payload { "sanitize-payload" } else { "skip-sanitize-payload" };
        [Some(enabled), self.needs_no_password.then_some("nopass"), Some(payload)].into_iter().flatten()
    }

    /// Rules that make this user out of a new one.
    pub fn rules(&self) -> Vec<Vec<u8>> {
        let mut rules: Vec<Vec<u8>> = self.flags().map(|flag| flag.as_bytes().to_vec()).collect();
        rules.extend(self.passwords.iter().map(|hash| [b"#", hash.text()].concat()));
        rules.extend(self.root.rules());
        rules.extend(self.others.iter().map(Selector::nested_rule));
        rules
    }

    /// The rules, with blanks between.
    pub fn text(&self) -> Vec<u8> {
        self.rules().join(&b' ')
    }

    /// The user's line of ACL LIST, without the word `user`.
    pub fn line(&self) -> Vec<u8> {
        [self.name.as_slice(), b" ", &self.text()].concat()
    }
}
