//! All users.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::DEFAULT_USER;
use crate::catalog::Catalog;
use crate::error::SetError;
use crate::user::{Defaults, User};

/// All users, by name. The default user is always among them.
#[derive(Clone, Debug)]
pub struct Users {
    by_name: BTreeMap<Vec<u8>, Arc<User>>,
    default: Arc<User>,
}

impl Users {
    /// The default user, all-powerful, alone.
    pub fn new(catalog: &Catalog) -> Users {
        let default = Arc::new(User::all_powerful(catalog));
        Users { by_name: BTreeMap::from([(DEFAULT_USER.to_vec(), Arc::clone(&default))]), default }
    }

    /// A user by name.
    pub fn get(&self, name: &[u8]) -> Option<&Arc<User>> {
        self.by_name.get(name)
    }

    /// The default user.
    pub fn default_user(&self) -> &Arc<User> {
        &self.default
    }

    /// Puts a user in place of the one with its name, if there is one.
    pub fn put(&mut self, user: User) {
        let user = Arc::new(user);
        if user.name == DEFAULT_USER {
            self.default = Arc::clone(&user);
        }
        self.by_name.insert(user.name.clone(), user);
    }

    /// Applies rules to a user, who may be a new one. All of them, or none.
    ///
    /// # Errors
    /// The first that is wrong.
    pub fn set(
        &mut self,
        name: &[u8],
        rules: &[&[u8]],
        defaults: Defaults,
        catalog: &Catalog,
    ) -> Result<(), SetError> {
        let user = match self.get(name) {
            Some(user) => user.with_rules(rules, defaults, catalog)?,
            None => User::new(name, defaults, catalog).with_rules(rules, defaults, catalog)?,
        };
        self.put(user);
        Ok(())
    }

    /// Removes a user; whether there was one. The default user stays.
    pub fn remove(&mut self, name: &[u8]) -> bool {
        name != DEFAULT_USER && self.by_name.remove(name).is_some()
    }

    /// All of them, in order of their names' bytes.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Arc<User>> {
        self.by_name.values()
    }
}
