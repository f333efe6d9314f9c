//! The users and the log that all workers share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use ochre_acl::{Catalog, CommandFacts, DEFAULT_USER, Log, PasswordHash, User, Users};
use parking_lot::{Mutex, RwLock, RwLockReadGuard};

use crate::client::{Client, ClientShared, Registry};
use crate::command::{CommandTable, absent_names, acl};

/// All users. Their lock comes before those of clients.
pub struct AccessControl {
    catalog: Catalog,
    users: RwLock<Users>,
    /// Whether the default user has a password.
    has_password: AtomicBool,
    /// Whether nobody is the default user without having authenticated.
    requires_authentication: AtomicBool,
    pub(super) log: Mutex<Log>,
    /// Held while the users are written into their file.
    pub(super) saving: Mutex<()>,
}

impl AccessControl {
    /// The default user alone, all-powerful and with this password, if it is one.
    pub fn new(commands: &CommandTable, password: &[u8]) -> AccessControl {
        let catalog = catalog(commands);
        let users = RwLock::new(Users::new(&catalog));
        let control = AccessControl {
            catalog,
            users,
            has_password: AtomicBool::new(false),
            requires_authentication: AtomicBool::new(false),
            log: Mutex::default(),
            saving: Mutex::default(),
        };
        control.set_default_password(password, &Registry::default());
        control
    }

    /// What rules can name.
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// All users as they are now.
    pub fn users(&self) -> RwLockReadGuard<'_, Users> {
        self.users.read()
    }

    /// A user by name.
    pub fn user(&self, name: &[u8]) -> Option<Arc<User>> {
        self.users.read().get(name).cloned()
    }

    /// The user of connections that have not authenticated.
    pub fn default_user(&self) -> Arc<User> {
        Arc::clone(self.users.read().default_user())
    }

    /// A user who may do everything and is not among the others: the server itself.
    pub fn internal_user(&self) -> Arc<User> {
        Arc::new(User::all_powerful(&self.catalog))
    }

    /// Whether the default user has a password.
    pub fn has_password(&self) -> bool {
        self.has_password.load(Relaxed)
    }

    /// Whether who has not authenticated may do nothing but that.
    pub fn requires_authentication(&self) -> bool {
        self.requires_authentication.load(Relaxed)
    }

    /// Changes users. Before this returns, every client is told to look its user up again. Returns, too, the clients whose users
    /// are gone, who are to be killed.
    pub fn change<R>(
        &self,
        clients: &Registry,
        change: impl FnOnce(&mut Users) -> R,
    ) -> (R, Vec<Arc<ClientShared>>) {
        let mut users = self.users.write();
        let result = change(&mut users);
        let default = users.default_user();
        self.has_password.store(!default.needs_no_password, Relaxed);
        self.requires_authentication.store(!default.needs_no_password || !default.is_enabled, Relaxed);
        let mut orphans = Vec::new();
        for client in clients.list() {
            client.summon();
            if users.get(client.names.lock().user()).is_none() {
                orphans.push(client);
            }
        }
        (result, orphans)
    }

    /// Gives the default user a password, or none if that is empty (`requirepass`).
    pub fn set_default_password(&self, password: &[u8], clients: &Registry) {
        self.change(clients, |users| {
            let mut user = User::clone(users.default_user());
            user.set_password((!password.is_empty()).then_some(password));
            users.put(user);
        });
    }

    /// Replaces all users; to be called before there are clients.
    pub fn install(&self, users: Users) {
        self.change(&Registry::default(), |old| *old = users);
    }

    /// Makes a client a user's, if the password is right; whether it is.
    pub fn log_in(&self, client: &mut Client, name: &[u8], password: &PasswordHash) -> bool {
        // Until the client has its new name: who removes a user must find all its clients.
        let users = self.users.read();
        let Some(user) = users.get(name).filter(|user| user.accepts(password)) else { return false };
        client.shared.names.lock().user = name.to_vec();
        client.was_authenticated = true;
        client.become_user(Arc::clone(user), true, self);
        true
    }

    /// Makes a client one that has just connected.
    pub fn log_out(&self, client: &mut Client) {
        let users = self.users.read();
        client.shared.names.lock().user.clear();
        client.become_user(Arc::clone(users.default_user()), !self.requires_authentication(), self);
    }

    /// Has a client obey what has become of its user.
    #[cold]
    pub fn refresh(&self, client: &mut Client) {
        client.shared.heed_summons();
        let users = self.users.read();
        let name = client.shared.names.lock().user().to_vec();
        match users.get(&name) {
            Some(user) => client.become_user(Arc::clone(user), client.authenticated, self),
            // It is about to be killed.
            None => client.become_user(self.nobody(&name), false, self),
        }
    }

    /// A user who may do nothing.
    pub(crate) fn nobody(&self, name: &[u8]) -> Arc<User> {
        Arc::new(User::new(name, ochre_acl::Defaults::default(), &self.catalog))
    }

    /// Whether a user may do everything on a connection.
    pub(crate) fn is_unrestricted(&self, user: &User, authenticated: bool) -> bool {
        user.is_unrestricted() && (authenticated || !self.requires_authentication())
    }

    /// Whether there is a user of this name.
    pub fn knows(&self, name: &[u8]) -> bool {
        name == DEFAULT_USER || self.users.read().get(name).is_some()
    }
}

fn catalog(commands: &CommandTable) -> Catalog {
    let facts = commands.all().iter().map(|entry| CommandFacts {
        full_name: entry.full_name.clone(),
        parent: entry.parent.and_then(|parent| commands.entry_of(parent)).map(|parent| parent.id),
        categories: entry.command.categories(),
    });
    Catalog::new(facts.collect(), &acl::NAMES).with_absent(absent_names())
}
