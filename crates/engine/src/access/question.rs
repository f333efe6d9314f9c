//! A command with its arguments as a request that users can be asked about.
//!
//! Its keys are those that its handler gets (`command::key_uses` goes by the same specifications as the locks): no handler
//! reaches another, as it cannot name one whose stripe is not locked. SORT, which can, asks by itself. Where arguments do not
//! fit their specification there are no keys, neither here nor for the handler, who says what is wrong.

use ochre_acl::{Access, ChannelUse, KeyUse, Request, User};
use smallvec::SmallVec;

use crate::call::Args;
use crate::command::{CommandEntry, acl, flags, key_flags, key_uses};

/// A request with what it is made of.
pub(super) struct Question<'a> {
    entry: &'a CommandEntry,
    args: Args<'a>,
    databases: SmallVec<[(usize, u32); 2]>,
    keys: SmallVec<[KeyUse<'a>; 4]>,
    channels: SmallVec<[ChannelUse<'a>; 4]>,
}

impl<'a> Question<'a> {
    /// The question that a command is to a user, in a database of so many.
    pub(super) fn new(
        user: &User,
        entry: &'a CommandEntry,
        args: Args<'a>,
        (db, databases): (u32, usize),
    ) -> Question<'a> {
        let (databases_of_it, keys, channels) = Default::default();
        let mut question = Question { entry, args, databases: databases_of_it, keys, channels };
        if !user.reaches_all_databases() {
            question.databases = databases_of(entry, args, db, databases as u32);
        }
        if !user.reaches_all_keys() {
            question.keys = keys_of(entry, args);
        }
        if entry.command.is(flags::PUBSUB) && !user.reaches_all_channels() {
            question.channels = channels_of(entry, args);
        }
        question
    }

    /// As a request.
    pub(super) fn request(&self) -> Request<'_> {
        Request {
            command: self.entry.id,
            is_exempt: self.entry.command.is(flags::NO_AUTH),
            first_arg: self.args.get(1),
            databases: &self.databases,
            keys: &self.keys,
            channels: &self.channels,
        }
    }
}

fn keys_of<'a>(entry: &CommandEntry, args: Args<'a>) -> SmallVec<[KeyUse<'a>; 4]> {
    let uses = key_uses(entry.command, args).unwrap_or_default();
    let uses = uses.into_iter();
    uses.map(|(index, bits)| KeyUse { index, name: args.at(index), access: access(bits) }).collect()
}

/// The channels that a command publishes or subscribes to; leaving one is nobody's business.
fn channels_of<'a>(entry: &CommandEntry, args: Args<'a>) -> SmallVec<[ChannelUse<'a>; 4]> {
    let (count, is_pattern) = match entry.full_name.as_str() {
        "publish" | "spublish" => (1, false),
        "subscribe" | "ssubscribe" => (usize::MAX, false),
        "psubscribe" => (usize::MAX, true),
        _ => (0, false),
    };
    let names = (1..).zip(args.from(1)).take(count);
    names.map(|(index, name)| ChannelUse { index, name, is_pattern }).collect()
}

/// What a command that does this to a key has to be permitted.
fn access(bits: u32) -> Access {
    let reads = bits & key_flags::ACCESS != 0;
    let writes = bits & (key_flags::INSERT | key_flags::DELETE | key_flags::UPDATE) != 0;
    match (reads, writes) {
        (false, false) => Access::NONE,
        (true, false) => Access::READ,
        (false, true) => Access::WRITE,
        (true, true) => Access::BOTH,
    }
}

/// The databases that a request works on: those that it names, all of them, or the client's. Who only talks to the server
/// works on none.
fn databases_of(entry: &CommandEntry, args: Args<'_>, db: u32, count: u32) -> SmallVec<[(usize, u32); 2]> {
    let has_keys = entry.command.keys.iter().any(|spec| spec.flags & key_flags::NOT_KEY == 0);
    if let Some(mut named) = named_databases(entry, args, count) {
        if has_keys {
            // They are moved from there.
            named.push((0, db));
        }
        return named;
    }
    if entry.full_name == "flushall" {
        return (0..count).map(|db| (0, db)).collect();
    }
    let on_data = acl::KEYSPACE | acl::READ | acl::WRITE;
    let works_on_data = has_keys || entry.command.categories() & on_data != 0;
    works_on_data.then_some((0, db)).into_iter().collect()
}

/// The databases that arguments name, of a command where they do. None of them if one is wrong: it will not run.
fn named_databases(entry: &CommandEntry, args: Args<'_>, count: u32) -> Option<SmallVec<[(usize, u32); 2]>> {
    let indexes: SmallVec<[usize; 2]> = match entry.full_name.as_str() {
        "select" => SmallVec::from_slice(&[1]),
        "swapdb" => SmallVec::from_slice(&[1, 2]),
        "move" => SmallVec::from_slice(&[2]),
        "copy" => destinations_of_copy(args),
        _ => return None,
    };
    let named: Option<_> =
        indexes.into_iter().map(|index| Some((index, database(args.get(index)?, count)?))).collect();
    Some(named.unwrap_or_default())
}

/// The values of all `DB` of a COPY: which of them counts is not for a check to know.
fn destinations_of_copy(args: Args<'_>) -> SmallVec<[usize; 2]> {
    let (mut index, mut found) = (3, SmallVec::new());
    while index < args.len() {
        if args.is(index, "db") && index + 1 < args.len() {
            index += 1;
            found.push(index);
        }
        index += 1;
    }
    found
}

/// A database by its number, if there is one.
pub(super) fn database(arg: &[u8], count: u32) -> Option<u32> {
    let number = ochre_types::parse_i64(arg)?;
    u32::try_from(number).ok().filter(|number| *number < count)
}
