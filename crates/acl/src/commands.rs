//! Which commands a selector may run.
//!
//! Two forms of the same thing. The decision wants a bit for each command. People want their rules back, in their order:
//! categories may get more commands with the next version, so `+@all -@string` is more than the bits that it sets. So
//! rules are kept as they came, behind the last `+@all` or `-@all`, which is where they start from; a rule replaces an
//! earlier one of the same words, and one about a command replaces those about its subcommands. Playing them back gives
//! the bits again: what a rule that was replaced did to other commands than its own, none.

use crate::catalog::{Catalog, CommandId};
use crate::error::RuleError;
use crate::has_blanks;

/// The commands of a selector.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CommandRules {
    bits: Vec<u64>,
    /// Whether it starts from `+@all`, and so will have commands that do not exist yet.
    starts_with_all: bool,
    /// Commands that may run with these first arguments although their bits are not set.
    first_args: Vec<(CommandId, Vec<u8>)>,
    rules: Vec<CommandRule>,
}

/// `+word` or `-word`, in lower case.
#[derive(Clone, PartialEq, Eq, Debug)]
struct CommandRule {
    allow: bool,
    word: Vec<u8>,
}

impl CommandRule {
    fn rule(&self) -> Vec<u8> {
        let sign: &[u8] = if self.allow { b"+" } else { b"-" };
        [sign, &self.word].concat()
    }
}

impl CommandRules {
    /// No command.
    pub fn none(catalog: &Catalog) -> CommandRules {
        CommandRules {
            bits: vec![0; catalog.len().div_ceil(64)],
            starts_with_all: false,
            first_args: Vec::new(),
            rules: Vec::new(),
        }
    }

    /// Starts anew, with all commands or with none.
    pub fn start_from(&mut self, all: bool, catalog: &Catalog) {
        *self = CommandRules { starts_with_all: all, ..CommandRules::none(catalog) };
        if all {
            (0..catalog.len() as CommandId).for_each(|id| self.set(id, true));
        }
    }

    /// Applies `+word` or `-word`: a command, a subcommand, a category with its `@`, or a command with a first argument.
    ///
    /// # Errors
    /// There is no such thing.
    pub fn apply(&mut self, allow: bool, word: &[u8], catalog: &Catalog) -> Result<(), RuleError> {
        if let Some(category) = word.strip_prefix(b"@") {
            return self.apply_category(allow, category, catalog);
        }
        if let Some(id) = catalog.find(word) {
            self.change(id, allow, catalog);
            self.note(allow, catalog.name(id).as_bytes());
            return Ok(());
        }
        if catalog.is_absent(word) {
            self.note(allow, word);
            return Ok(());
        }
        let bar = word.iter().rposition(|byte| *byte == b'|').filter(|_| allow).ok_or(RuleError::Unknown)?;
        self.apply_first_arg(word, (&word[..bar], &word[bar + 1..]), catalog)
    }

    fn apply_category(&mut self, allow: bool, name: &[u8], catalog: &Catalog) -> Result<(), RuleError> {
        if name.eq_ignore_ascii_case(b"all") {
            self.start_from(allow, catalog);
            return Ok(());
        }
        let category = catalog.category(name).ok_or(RuleError::Unknown)?;
        for id in catalog.commands_of(category) {
            self.change(id, allow, catalog);
        }
        self.note(allow, &[b"@", name].concat());
        Ok(())
    }

    /// `+command|argument`, where that is no subcommand.
    fn apply_first_arg(
        &mut self,
        word: &[u8],
        (command, argument): (&[u8], &[u8]),
        catalog: &Catalog,
    ) -> Result<(), RuleError> {
        let id = catalog.find(command);
        if id.is_none() && !catalog.is_absent(command) {
            return Err(RuleError::Unknown);
        }
        let is_subcommand = id.map_or(command.contains(&b'|'), |id| catalog.facts(id).parent.is_some());
        if is_subcommand {
            return Err(RuleError::ArgumentOfSubcommand);
        }
        // With blanks in it, what ACL LIST shows would be two rules: peers end there, as their own text is none they accept.
        if argument.is_empty() || has_blanks(argument) {
            return Err(RuleError::Syntax);
        }
        let is_container = match id {
            Some(id) => !catalog.subcommands(id).is_empty(),
            None => catalog.is_absent_container(command),
        };
        if is_container {
            return Err(RuleError::Unknown);
        }
        if let Some(id) = id {
            self.permit_first_arg(id, argument);
        }
        self.note(true, word);
        Ok(())
    }

    fn permit_first_arg(&mut self, id: CommandId, argument: &[u8]) {
        let is_there = |(of, old): &(CommandId, Vec<u8>)| *of == id && old.eq_ignore_ascii_case(argument);
        if !self.first_args.iter().any(is_there) {
            self.first_args.push((id, argument.to_vec()));
        }
    }

    /// Changes a command with all its subcommands; the first arguments it had are forgotten.
    fn change(&mut self, id: CommandId, allow: bool, catalog: &Catalog) {
        self.set(id, allow);
        catalog.subcommands(id).iter().for_each(|sub| self.set(*sub, allow));
        self.first_args.retain(|(of, _)| *of != id);
    }

    fn set(&mut self, id: CommandId, allow: bool) {
        let (word, bit) = (usize::from(id) / 64, 1 << (id % 64));
        match allow {
            true => self.bits[word] |= bit,
            false => self.bits[word] &= !bit,
        }
    }

    /// Keeps a rule, in place of those it replaces.
    fn note(&mut self, allow: bool, word: &[u8]) {
        let word = word.to_ascii_lowercase();
        let is_replaced = |old: &CommandRule| {
            old.word.strip_prefix(word.as_slice()).is_some_and(|rest| rest.is_empty() || rest[0] == b'|')
        };
        self.rules.retain(|old| !is_replaced(old));
        self.rules.push(CommandRule { allow, word });
    }

    /// Whether a command may run with this first argument.
    #[inline]
    pub fn permits(&self, id: CommandId, first_arg: Option<&[u8]>) -> bool {
        self.bits[usize::from(id) / 64] & 1 << (id % 64) != 0 || self.permits_with(id, first_arg)
    }

    fn permits_with(&self, id: CommandId, first_arg: Option<&[u8]>) -> bool {
        let Some(given) = first_arg else { return false };
        self.first_args.iter().any(|(of, permitted)| *of == id && permitted.eq_ignore_ascii_case(given))
    }

    /// Whether every command may run.
    pub fn is_all(&self, catalog: &Catalog) -> bool {
        self.bits.iter().map(|word| word.count_ones() as usize).sum::<usize>() == catalog.len()
    }

    /// The rules.
    pub fn rules(&self) -> Vec<Vec<u8>> {
        let start = CommandRule { allow: self.starts_with_all, word: b"@all".to_vec() };
        std::iter::once(&start).chain(&self.rules).map(CommandRule::rule).collect()
    }

    /// The rules, with blanks between.
    pub fn text(&self) -> Vec<u8> {
        self.rules().join(&b' ')
    }
}
