//! Users as the lines of a file: `user name rules...`, each user once. Empty lines are allowed, comments are not, because
//! saving would lose them.

use std::collections::HashSet;

use crate::arguments::join_selectors;
use crate::catalog::Catalog;
use crate::error::RuleError;
use crate::has_blanks;
use crate::user::{Defaults, User};
use crate::users::Users;

/// The users of a file, which is called `name` in errors. Who is not named there is not there, except for the default user,
/// who is all-powerful then.
///
/// # Errors
/// All that is wrong, as one line of text.
pub fn load_file(text: &[u8], name: &str, defaults: Defaults, catalog: &Catalog) -> Result<Users, Vec<u8>> {
    let mut loader = Loader {
        name,
        defaults,
        catalog,
        users: Users::new(catalog),
        seen: HashSet::new(),
        errors: Vec::new(),
    };
    for (index, line) in text.split(|byte| *byte == b'\n').enumerate() {
        loader.line(trim(line), index + 1);
    }
    if loader.errors.is_empty() {
        return Ok(loader.users);
    }
    loader.errors.extend_from_slice(
        b"WARNING: ACL errors detected, no change to the previously active ACL rules was performed",
    );
    Err(loader.errors)
}

/// The text of a file with these users.
pub fn file_text(users: &Users) -> Vec<u8> {
    let lines: Vec<Vec<u8>> =
        users.iter().map(|user| [b"user ", user.line().as_slice(), b"\n"].concat()).collect();
    lines.concat()
}

fn trim(line: &[u8]) -> &[u8] {
    let is_blank = |byte: &u8| b" \t\r\n".contains(byte);
    let start = line.iter().position(|byte| !is_blank(byte)).unwrap_or(line.len());
    let end = line.iter().rposition(|byte| !is_blank(byte)).map_or(start, |last| last + 1);
    &line[start..end]
}

struct Loader<'a> {
    name: &'a str,
    defaults: Defaults,
    catalog: &'a Catalog,
    users: Users,
    seen: HashSet<Vec<u8>>,
    errors: Vec<u8>,
}

impl Loader<'_> {
    fn line(&mut self, line: &[u8], number: usize) {
        if line.is_empty() {
            return;
        }
        let words: Vec<&[u8]> = line.split(|byte| *byte == b' ').collect();
        let [b"user", name, rules @ ..] = words.as_slice() else {
            let text =
                format!("{}:{number} should start with user keyword followed by the username. ", self.name);
            return self.errors.extend_from_slice(text.as_bytes());
        };
        if has_blanks(name) {
            let before = format!("'{}:{number}: username '", self.name);
            return self.error(&before, name, "' contains invalid characters. ");
        }
        if !self.seen.insert(name.to_vec()) {
            let after = format!("' found on line {number}. ");
            return self.error("WARNING: Duplicate user '", name, &after);
        }
        self.user(name, rules, number);
    }

    /// Applies all rules, also after one that is wrong: all that is unknown is told, of other errors the first.
    fn user(&mut self, name: &[u8], rules: &[&[u8]], number: usize) {
        let place = format!("{}:{number}: ", self.name);
        let Ok(rules) = join_selectors(rules) else {
            let text = format!("{place}Unmatched parenthesis in selector definition.");
            return self.errors.extend_from_slice(text.as_bytes());
        };
        let mut user = User::new(name, self.defaults, self.catalog);
        let mut is_told = false;
        for rule in &rules {
            let rule = trim(rule);
            match user.apply(rule, self.defaults, self.catalog) {
                Ok(()) => {}
                Err(RuleError::Unknown) => {
                    let after = format!("': {}. ", RuleError::Unknown.text());
                    self.error(&format!("{place}Error in applying operation '"), rule, &after);
                }
                Err(_) if is_told => {}
                Err(error) => {
                    self.errors.extend_from_slice(format!("{place}{}. ", error.text()).as_bytes());
                    is_told = true;
                }
            }
        }
        self.users.put(user);
    }

    fn error(&mut self, before: &str, quoted: &[u8], after: &str) {
        self.errors.extend_from_slice(&[before.as_bytes(), quoted, after.as_bytes()].concat());
    }
}
