//! From a name to a command: one table over the records of all families.

use std::collections::{HashMap, HashSet};

use super::absent;
use super::record::{Begin, Command, Find, KeySpec, flags};
use crate::call::{Args, Handler};

/// The number of a command or subcommand in the table: what statistics are indexed by.
pub type CommandId = u16;

/// A command as the table knows it.
pub struct CommandEntry {
    /// The record.
    pub command: &'static Command,
    /// Its number.
    pub id: CommandId,
    /// `get`, `config|get`.
    pub full_name: String,
    /// The container of a subcommand.
    pub parent: Option<&'static Command>,
    /// The fewest arguments it takes, its name among them.
    args_min: u32,
    /// How many more it takes at most.
    args_spread: u32,
    /// The flags of its record: here and below is what every request needs, in one cache line.
    pub flags: u64,
    /// What runs it.
    pub handler: Handler,
    /// See [`CommandEntry::is_sequential`].
    is_sequential: bool,
    /// See [`CommandEntry::opens_transaction`].
    opens_transaction: bool,
    /// The index of its one key, 0 if its keys are to be found in another way.
    single_key: u8,
    subcommands: Vec<CommandId>,
}

impl CommandEntry {
    /// Whether a request of `len` arguments, the name among them, has the right number. As [`Command::accepts`], in
    /// one comparison.
    #[inline]
    pub fn accepts(&self, len: usize) -> bool {
        (len as u32).wrapping_sub(self.args_min) <= self.args_spread
    }

    /// Whether it reads or writes one key and leaves the state of its client alone, and nothing but that state and the
    /// number of its arguments can keep it from running.
    #[inline]
    pub fn is_sequential(&self) -> bool {
        self.is_sequential
    }

    /// Whether it is MULTI.
    #[inline]
    pub fn opens_transaction(&self) -> bool {
        self.opens_transaction
    }

    /// Whether it is EXEC.
    #[inline]
    pub fn runs_queue(&self) -> bool {
        self.flags & flags::RUNS_QUEUE != 0
    }

    /// Whether a request needs every stripe locked.
    #[inline]
    pub fn needs_all(&self, args: Args<'_>) -> bool {
        let flags = self.flags & (flags::WHOLE_KEYSPACE | flags::MAY_REACH_ALL);
        flags != 0 && (flags & flags::WHOLE_KEYSPACE != 0 || (self.command.reaches_all)(args))
    }

    /// The index of its key, if it has one at a fixed place and no other.
    #[inline]
    pub fn single_key(&self) -> Option<usize> {
        (self.single_key != 0).then_some(usize::from(self.single_key))
    }
}

fn is_sequential(command: &Command) -> bool {
    let special = flags::PROTECTED
        | flags::NO_AUTH
        | flags::NO_MULTI
        | flags::NOT_QUEUED
        | flags::ADMIN
        | flags::BLOCKING
        | flags::SENSITIVE
        | flags::WHOLE_KEYSPACE
        | flags::WALKS_KEYSPACE
        | flags::MAY_REACH_ALL;
    let on_data = command.flags & (flags::READONLY | flags::WRITE) != 0;
    on_data && command.flags & special == 0 && command.subcommands.is_empty() && single_key(command) != 0
}

fn single_key(command: &Command) -> u8 {
    match command.keys {
        [KeySpec { begin: Begin::Index(index), find: Find::Range { last: 0, .. }, .. }] => *index as u8,
        _ => 0,
    }
}

/// Names up to this length are found without comparing strings.
const WORDS: usize = 3;
type Packed = [u64; WORDS];

/// The command that was looked up last, and the number of the head that its request had: a client's requests are seldom of
/// many kinds.
#[derive(Debug, Default)]
pub struct Latest {
    /// 0 if it is not known.
    head: u32,
    id: CommandId,
}

/// All commands.
pub struct CommandTable {
    entries: Vec<CommandEntry>,
    slots: Vec<(Packed, CommandId)>,
    multiplier: u64,
    shift: u32,
    by_record: HashMap<usize, CommandId>,
    top_level: Vec<CommandId>,
    /// The names of the top level, in lower case: those of the records unless `rename-command` changed them.
    names: HashMap<Vec<u8>, CommandId>,
    /// The names of commands that only peers have: they are renamed like others, which changes nothing.
    absent: HashSet<Vec<u8>>,
    /// Whether a name is too long to be packed.
    has_long_names: bool,
}

/// Why a command could not get another name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RenameError {
    /// There is no command of the old name.
    NoSuchCommand,
    /// There is one of the new name already.
    Taken,
}

const NONE: CommandId = CommandId::MAX;
/// So many multipliers are tried for a table of one size. With 2^13 slots, one in a hundred fits 270 names.
const TRIES: usize = 1_000;

impl CommandTable {
    /// A table of the commands of all families.
    pub fn new(families: &[&'static [Command]]) -> CommandTable {
        let mut table = CommandTable {
            entries: Vec::new(),
            slots: Vec::new(),
            multiplier: 1,
            shift: 64,
            by_record: HashMap::new(),
            top_level: Vec::new(),
            names: HashMap::new(),
            absent: absent::names().map(|name| name.as_bytes().to_vec()).collect(),
            has_long_names: false,
        };
        for command in families.iter().flat_map(|family| family.iter()) {
            let id = table.add(command, None);
            table.top_level.push(id);
            table.names.insert(command.name.as_bytes().to_vec(), id);
        }
        table.arrange();
        table
    }

    fn add(&mut self, command: &'static Command, parent: Option<&'static Command>) -> CommandId {
        let id = self.entries.len() as CommandId;
        let full_name = match parent {
            Some(parent) => format!("{}|{}", parent.name, command.name),
            None => command.name.to_owned(),
        };
        let args_min = u32::from(command.arity.unsigned_abs());
        let args_spread = if command.arity < 0 { u32::MAX - args_min } else { 0 };
        let subcommands = Vec::new();
        self.entries.push(CommandEntry {
            command,
            id,
            full_name,
            parent,
            args_min,
            args_spread,
            flags: command.flags,
            handler: command.handler,
            is_sequential: is_sequential(command),
            opens_transaction: parent.is_none() && command.name == "multi",
            single_key: single_key(command),
            subcommands,
        });
        self.by_record.insert(std::ptr::from_ref(command) as usize, id);
        let subcommands: Vec<CommandId> =
            command.subcommands.iter().map(|sub| self.add(sub, Some(command))).collect();
        self.entries[usize::from(id)].subcommands = subcommands;
        id
    }

    /// Gives a command another name, or none at all if that is empty (`rename-command`). The record, and with it what
    /// COMMAND shows, keeps its own name. To be called before anybody uses the table.
    ///
    /// # Errors
    /// One name does not exist, or the other does; nothing has changed.
    pub fn rename(&mut self, old: &[u8], new: &[u8]) -> Result<(), RenameError> {
        let (old, new) = (old.to_ascii_lowercase(), new.to_ascii_lowercase());
        if self.absent.contains(&old) {
            return self.rename_absent(&old, new);
        }
        let id = self.names.get(&old).copied().ok_or(RenameError::NoSuchCommand)?;
        if new.is_empty() {
            self.top_level.retain(|other| *other != id);
        } else if self.is_taken(&new) {
            return Err(RenameError::Taken);
        } else {
            self.has_long_names |= new.len() > WORDS * 8;
            self.names.insert(new, id);
        }
        self.names.remove(&old);
        self.arrange();
        Ok(())
    }

    fn rename_absent(&mut self, old: &[u8], new: Vec<u8>) -> Result<(), RenameError> {
        if self.is_taken(&new) {
            return Err(RenameError::Taken);
        }
        self.absent.remove(old);
        if !new.is_empty() {
            self.absent.insert(new);
        }
        Ok(())
    }

    fn is_taken(&self, name: &[u8]) -> bool {
        self.names.contains_key(name) || self.absent.contains(name)
    }

    /// Looks for a multiplier that gives every name a slot of its own: the smaller the table, the longer the search, so that is
    /// given up before it takes longer than making a larger one. Most multipliers are refused after a third of the names.
    fn arrange(&mut self) {
        let names: Vec<(Packed, CommandId)> = self
            .names
            .iter()
            .filter(|(name, _)| name.len() <= WORDS * 8)
            .map(|(name, id)| (pack(name), *id))
            .collect();
        let mut bits = 12;
        let mut taken = Vec::new();
        loop {
            let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
            for _ in 0..TRIES {
                seed = seed.wrapping_mul(0xd134_2543_de82_ef95).wrapping_add(1);
                if separates(&names, seed | 1, bits, &mut taken) {
                    (self.multiplier, self.shift) = (seed | 1, 64 - bits);
                    self.slots = vec![([0; WORDS], NONE); 1 << bits];
                    for (packed, id) in names {
                        self.slots[slot(packed, self.multiplier, self.shift)] = (packed, id);
                    }
                    return;
                }
            }
            bits += 1;
        }
    }

    /// The command of a name, whatever its case.
    #[inline]
    pub fn find(&self, name: &[u8]) -> Option<&CommandEntry> {
        if name.len() > WORDS * 8 {
            return self.find_long(name);
        }
        let packed = pack(name);
        let (of, id) = &self.slots[slot(packed, self.multiplier, self.shift)];
        (*id != NONE && *of == packed).then(|| &self.entries[usize::from(*id)])
    }

    #[cold]
    fn find_long(&self, name: &[u8]) -> Option<&CommandEntry> {
        let id = self.has_long_names.then(|| self.names.get(&name.to_ascii_lowercase()))??;
        Some(self.entry(*id))
    }

    /// The command that a request runs: the subcommand, if its container has it; otherwise the container. Requests of one
    /// `head` have the same name; 0 says nothing.
    #[inline]
    pub fn resolve(&self, args: Args<'_>, head: u32, latest: &mut Latest) -> Option<&CommandEntry> {
        if latest.head == head && head != 0 {
            return self.entries.get(usize::from(latest.id));
        }
        self.resolve_anew(args, head, latest)
    }

    #[inline(never)]
    fn resolve_anew(&self, args: Args<'_>, head: u32, latest: &mut Latest) -> Option<&CommandEntry> {
        let entry = self.find(args.get(0)?)?;
        if entry.subcommands.is_empty() {
            *latest = Latest { head, id: entry.id };
            return Some(entry);
        }
        let sub = args.get(1).and_then(|word| self.find_sub(entry, word));
        Some(sub.unwrap_or(entry))
    }

    /// A subcommand by its word, whatever its case.
    pub fn find_sub(&self, container: &CommandEntry, word: &[u8]) -> Option<&CommandEntry> {
        let is_it = |id: &&CommandId| {
            self.entries[usize::from(**id)].command.name.as_bytes().eq_ignore_ascii_case(word)
        };
        container.subcommands.iter().find(is_it).map(|id| &self.entries[usize::from(*id)])
    }

    /// A command by its full name, whatever its case: `get`, `config|get`.
    pub fn find_full(&self, name: &[u8]) -> Option<&CommandEntry> {
        let mut words = name.split(|byte| *byte == b'|');
        let entry = self.find(words.next()?)?;
        match (words.next(), words.next()) {
            (None, _) => Some(entry),
            (Some(word), None) => self.find_sub(entry, word),
            (Some(_), Some(_)) => None,
        }
    }

    /// A command by its number, if there is one.
    #[inline]
    pub fn get(&self, id: CommandId) -> Option<&CommandEntry> {
        self.entries.get(usize::from(id))
    }

    /// A command by its number.
    pub fn entry(&self, id: CommandId) -> &CommandEntry {
        &self.entries[usize::from(id)]
    }

    /// The entry of a record.
    pub fn entry_of(&self, command: &'static Command) -> Option<&CommandEntry> {
        self.by_record.get(&(std::ptr::from_ref(command) as usize)).map(|id| self.entry(*id))
    }

    /// `get`, `config|get`.
    pub fn full_name(&self, command: &'static Command) -> String {
        self.entry_of(command).map_or_else(|| command.name.to_owned(), |entry| entry.full_name.clone())
    }

    /// All commands and subcommands, by number.
    pub fn all(&self) -> &[CommandEntry] {
        &self.entries
    }

    /// All commands that are not subcommands.
    pub fn top_level(&self) -> impl ExactSizeIterator<Item = &CommandEntry> {
        self.top_level.iter().map(|id| self.entry(*id))
    }

    /// The subcommands of a container.
    pub fn subcommands_of<'t>(
        &'t self,
        entry: &'t CommandEntry,
    ) -> impl ExactSizeIterator<Item = &'t CommandEntry> {
        entry.subcommands.iter().map(|id| self.entry(*id))
    }
}

/// Whether a multiplier gives every name a slot of its own. `taken` has a bit for each slot; it is kept between calls.
fn separates(names: &[(Packed, CommandId)], multiplier: u64, bits: u32, taken: &mut Vec<u64>) -> bool {
    taken.clear();
    taken.resize(1 << (bits - 6), 0);
    names.iter().all(|(packed, _)| {
        let slot = slot(*packed, multiplier, 64 - bits);
        let (word, bit) = (&mut taken[slot >> 6], 1 << (slot & 63));
        let is_free = *word & bit == 0;
        *word |= bit;
        is_free
    })
}

#[inline]
fn slot(packed: Packed, multiplier: u64, shift: u32) -> usize {
    let mixed = packed[0] ^ packed[1].rotate_left(17) ^ packed[2].rotate_left(41);
    (mixed.wrapping_mul(multiplier) >> shift) as usize
}

/// A name in upper case, in words. No copy of variable length: that would stall the loads after it.
#[inline]
fn pack(name: &[u8]) -> Packed {
    let word = |bytes: &[u8]| upper(load(bytes));
    match name.len() {
        0..=8 => [word(name), 0, 0],
        9..=16 => [word(&name[..8]), word(&name[8..]), 0],
        _ => [word(&name[..8]), word(&name[8..16]), word(&name[16..])],
    }
}

#[inline]
fn load(bytes: &[u8]) -> u64 {
    let word = |from: usize| {
        u64::from(u32::from_le_bytes([bytes[from], bytes[from + 1], bytes[from + 2], bytes[from + 3]]))
    };
    match bytes.len() {
        8.. => word(0) | word(4) << 32,
        4.. => word(0) | word(bytes.len() - 4) << ((bytes.len() - 4) * 8),
        2.. => {
            let pair = |from: usize| u64::from(u16::from_le_bytes([bytes[from], bytes[from + 1]]));
            pair(0) | pair(bytes.len() - 2) << ((bytes.len() - 2) * 8)
        }
        1 => u64::from(bytes[0]),
        0 => 0,
    }
}

/// Clears bit 5 of every byte that is a lower-case letter.
#[inline]
fn upper(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let low = word & (ONES * 0x7f);
    let from_a = low + ONES * (0x80 - b'a' as u64);
    let past_z = low + ONES * (0x80 - b'z' as u64 - 1);
    let letters = from_a & !past_z & !word & (ONES * 0x80);
    word & !(letters >> 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packing_ignores_case_of_letters_only() {
        for text in
            ["a", "ab", "abc", "abcd", "abcde", "zunionstore", "georadiusbymember_ro", "{}~@[`", "x-y"]
        {
            assert_eq!(pack(text.as_bytes()), pack(text.to_uppercase().as_bytes()), "{text}");
        }
        assert_ne!(pack(b"{"), pack(b"["));
        assert_ne!(pack(b"@"), pack(b"`"));
        let mut seen = std::collections::HashSet::new();
        for len in 0..=24 {
            assert!(seen.insert(pack(&b"abcdefghijklmnopqrstuvwx"[..len])), "{len}");
        }
    }

    /// The later of two records of one name would hide the other, and COMMAND COUNT would count both.
    #[test]
    fn no_two_records_have_one_name() {
        let table = CommandTable::new(crate::family::ALL);
        let mut names: Vec<&str> = table.all().iter().map(|entry| entry.full_name.as_str()).collect();
        names.sort_unstable();
        let twice: Vec<_> = names.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]).collect();
        assert!(twice.is_empty(), "{twice:?}");
    }

    #[test]
    fn renaming() {
        let mut table = CommandTable::new(crate::family::ALL);
        let long = b"a-name-that-is-longer-than-any-record-has";
        assert!(table.find(long).is_none());
        assert_eq!(table.rename(b"nosuch", b"x"), Err(RenameError::NoSuchCommand));
        assert_eq!(table.rename(b"GET", b"Set"), Err(RenameError::Taken));
        assert_eq!(table.rename(b"Get", b"fetch"), Ok(()));
        assert_eq!(table.rename(b"ping", long), Ok(()));
        assert_eq!(table.rename(b"config", b""), Ok(()));
        assert_eq!(table.rename(b"config", b"x"), Err(RenameError::NoSuchCommand));
        assert_eq!(table.rename(b"set", b"ReplicaOf"), Err(RenameError::Taken));
        assert_eq!(table.rename(b"SlaveOf", b""), Ok(()));
        assert_eq!(table.rename(b"slaveof", b""), Err(RenameError::NoSuchCommand));
        assert_eq!(table.rename(b"cluster", b"SET"), Err(RenameError::Taken));
        assert_eq!(table.rename(b"cluster", b"nodes"), Ok(()));
        assert_eq!(table.rename(b"cluster|slots", b""), Err(RenameError::NoSuchCommand));
        assert!(table.find(b"cluster").is_none() && table.find(b"nodes").is_none());
        let name = |of: &[u8]| table.find(of).map(|entry| entry.full_name.as_str());
        assert_eq!((name(b"get"), name(b"FETCH"), name(b"set")), (None, Some("get"), Some("set")));
        assert_eq!(
            (name(b"ping"), name(&long.to_ascii_uppercase()), name(b"config")),
            (None, Some("ping"), None)
        );
        let listed = |of: &str| table.top_level().any(|entry| entry.full_name == of);
        assert!(listed("get") && !listed("config"));
    }
}
