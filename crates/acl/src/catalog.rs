//! The commands and categories that rules can name.

use std::collections::{HashMap, HashSet};

/// The number of a command or subcommand.
pub type CommandId = u16;

/// What rules need to know of a command.
#[derive(Clone, Debug)]
pub struct CommandFacts {
    /// `get`, `config|get`; in lower case.
    pub full_name: String,
    /// The container of a subcommand.
    pub parent: Option<CommandId>,
    /// Its categories: bits by their place in the catalog's list.
    pub categories: u32,
}

/// All commands, under their own names: what `rename-command` makes of them does not concern rules.
#[derive(Debug)]
pub struct Catalog {
    commands: Vec<CommandFacts>,
    subcommands: Vec<Vec<CommandId>>,
    by_name: HashMap<Vec<u8>, CommandId>,
    categories: &'static [&'static str],
    absent: HashSet<Vec<u8>>,
}

impl Catalog {
    /// A catalog of commands, whose places are their numbers.
    pub fn new(commands: Vec<CommandFacts>, categories: &'static [&'static str]) -> Catalog {
        let mut subcommands = vec![Vec::new(); commands.len()];
        let mut by_name = HashMap::new();
        for (id, facts) in commands.iter().enumerate() {
            by_name.insert(facts.full_name.clone().into_bytes(), id as CommandId);
            if let Some(parent) = facts.parent {
                subcommands[usize::from(parent)].push(id as CommandId);
            }
        }
        Catalog { commands, subcommands, by_name, categories, absent: HashSet::new() }
    }

    /// The same with the full names of commands that only others have: rules may name them, which allows and denies nothing.
    pub fn with_absent(mut self, full_names: impl Iterator<Item = String>) -> Catalog {
        self.absent.extend(full_names.map(|name| name.to_ascii_lowercase().into_bytes()));
        self
    }

    /// The number of commands.
    pub fn len(&self) -> usize {
        self.commands.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.commands.is_empty()
    }

    /// A command by its full name, whatever its case.
    pub fn find(&self, full_name: &[u8]) -> Option<CommandId> {
        self.by_name.get(&full_name.to_ascii_lowercase()).copied()
    }

    /// Whether only others have a command of this full name, whatever its case.
    pub fn is_absent(&self, full_name: &[u8]) -> bool {
        self.absent.contains(&full_name.to_ascii_lowercase())
    }

    /// Whether such a command has subcommands.
    pub(crate) fn is_absent_container(&self, name: &[u8]) -> bool {
        let prefix = [&name.to_ascii_lowercase(), b"|".as_slice()].concat();
        self.absent.iter().any(|full_name| full_name.starts_with(&prefix))
    }

    /// `get`, `config|get`.
    pub fn name(&self, id: CommandId) -> &str {
        &self.facts(id).full_name
    }

    /// What is known of a command.
    pub fn facts(&self, id: CommandId) -> &CommandFacts {
        &self.commands[usize::from(id)]
    }

    /// The subcommands of a command.
    pub fn subcommands(&self, id: CommandId) -> &[CommandId] {
        &self.subcommands[usize::from(id)]
    }

    /// The bit of a category, whatever the case of its name.
    pub fn category(&self, name: &[u8]) -> Option<u32> {
        let is_it = |category: &&str| category.as_bytes().eq_ignore_ascii_case(name);
        self.categories.iter().position(is_it).map(|bit| 1 << bit)
    }

    /// The names of all categories.
    pub fn categories(&self) -> &'static [&'static str] {
        self.categories
    }

    /// The commands and subcommands of a category.
    pub fn commands_of(&self, category: u32) -> impl Iterator<Item = CommandId> {
        let is_member = move |(_, facts): &(usize, &CommandFacts)| facts.categories & category != 0;
        self.commands.iter().enumerate().filter(is_member).map(|(id, _)| id as CommandId)
    }
}
