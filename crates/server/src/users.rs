//! Users that the configuration declares: in `user` lines or in the `aclfile`, not in both.
//!
//! What is wrong with a `user` line is told like any other error of the configuration, with its number. Unlike in the
//! peers, that goes for unknown commands, too: there are no modules that could bring them later.

use std::collections::HashSet;

use ochre_acl::{SetError, User, Users, has_blanks};
use ochre_config::{Config, ConfigError, Statement};
use ochre_engine::{AccessControl, CommandTable};

/// Looks at the `user` lines of a configuration.
///
/// # Errors
/// The first line that is wrong.
pub fn check(commands: &CommandTable, config: &Config, lines: &[Statement]) -> Result<(), ConfigError> {
    if lines.is_empty() {
        return Ok(());
    }
    declared(&AccessControl::new(commands, b""), config, lines).map(drop)
}

/// Has the server know the users of its configuration.
///
/// # Errors
/// What is wrong, for the log.
pub fn load(access: &AccessControl, config: &Config, lines: &[Statement]) -> Result<(), String> {
    let path = AccessControl::path(config);
    if path.is_some() && !lines.is_empty() {
        return Err("Users are declared in the configuration file, and there is an ACL file (aclfile) as well: which of \
                    the two holds cannot be told. Declare users in one place only."
            .to_owned());
    }
    if let Some(path) = path {
        let loaded = access.load(&path, AccessControl::defaults(config)).map_err(|errors| {
            let errors = String::from_utf8_lossy(&errors).into_owned();
            format!("Aborting Ochre startup because of ACL errors: {errors}")
        })?;
        access.install(loaded);
    } else if !lines.is_empty() {
        let users = declared(access, config, lines).map_err(|error| error.to_string())?;
        access.install(users);
    }
    Ok(())
}

/// The users of `user` lines.
fn declared(access: &AccessControl, config: &Config, lines: &[Statement]) -> Result<Users, ConfigError> {
    let mut users = access.users().clone();
    let mut seen = HashSet::new();
    for line in lines {
        let Some((name, rules)) = line.args.split_first() else { continue };
        let wrong = |what: &[u8], why: &str| {
            let what = String::from_utf8_lossy(what);
            line.origin.error(format!("Error in user declaration '{what}': {why}"))
        };
        if !seen.insert(name) {
            let why = "Duplicate user found. A user can only be defined once in config files";
            return Err(wrong(name, why));
        }
        if has_blanks(name) {
            return Err(wrong(name, "Spaces not allowed in ACL usernames"));
        }
        let user = declared_user(access, config, name, rules).map_err(|error| match error {
            SetError::Unmatched(word) => wrong(&word, "Unmatched parenthesis in selector definition"),
            SetError::Rule(rule, error) => wrong(&shown(rule), error.text()),
        })?;
        if !user.is_enabled {
            log::info!(
                "The user '{}' is disabled (there is no 'on' among its rules). Make sure that this is meant.",
                String::from_utf8_lossy(name)
            );
        }
        users.put(user);
    }
    Ok(users)
}

fn declared_user(
    access: &AccessControl,
    config: &Config,
    name: &[u8],
    rules: &[Vec<u8>],
) -> Result<User, SetError> {
    let defaults = AccessControl::defaults(config);
    let rules: Vec<&[u8]> = rules.iter().map(Vec::as_slice).collect();
    User::new(name, defaults, access.catalog()).with_rules(&rules, defaults, access.catalog())
}

/// A rule as errors may show it: not if it is a password.
fn shown(rule: Vec<u8>) -> Vec<u8> {
    match rule.first() {
        Some(sign @ (b'>' | b'<')) => vec![*sign],
        _ => rule,
    }
}
