//! Which clients CLIENT LIST and CLIENT KILL mean.
//!
//! The grammar is Valkey's, a superset of Redis's: any options in any order, most of them also as `NOT-...`. A client is
//! meant if it fulfils everything that is wanted and nothing that is not. An option given again replaces the first; Redis's
//! LIST knows no second `ID`, so there it adds to the first, as in Valkey. Where the two peers differ on the same words,
//! it is as in Redis: numbers of LIST are taken as they come and in that order, those of KILL are above 0.

use std::collections::BTreeSet;
use std::mem::discriminant;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use super::describe::{capability_letters, flag_letters, seconds_since};
use crate::call::{Call, Cursor};
use crate::client::{ClientShared, Registry, client_flags};
use crate::error::{Error, SYNTAX};

/// Whose habits the numbers after `ID` follow.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum IdGrammar {
    List,
    Kill,
}

/// What kind of client one is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Normal,
    Replica,
    Primary,
    PubSub,
}

impl Kind {
    fn from_name(name: &[u8]) -> Option<Kind> {
        match name.to_ascii_lowercase().as_slice() {
            b"normal" => Some(Kind::Normal),
            b"replica" | b"slave" => Some(Kind::Replica),
            b"primary" | b"master" => Some(Kind::Primary),
            b"pubsub" => Some(Kind::PubSub),
            _ => None,
        }
    }

    fn of(client: &ClientShared) -> Kind {
        if client.has(client_flags::PRIMARY) {
            Kind::Primary
        } else if client.has(client_flags::REPLICA) {
            Kind::Replica
        } else if client.has(client_flags::PUBSUB) {
            Kind::PubSub
        } else {
            Kind::Normal
        }
    }
}

/// One thing that a client may or may not be.
enum Criterion<'a> {
    Ids(BTreeSet<u64>),
    Kind(Kind),
    Address(&'a [u8]),
    LocalAddress(&'a [u8]),
    User(&'a [u8]),
    Flags(&'a [u8]),
    Name(&'a [u8]),
    Library(&'a [u8]),
    LibraryVersion(&'a [u8]),
    Db(u32),
    Capabilities(&'a [u8]),
    Ip(&'a [u8]),
    AgeMin(i64),
    IdleMin(i64),
}

impl Criterion<'_> {
    fn fits(&self, client: &ClientShared, now_ms: i64) -> bool {
        match self {
            Criterion::Ids(ids) => ids.contains(&client.id),
            Criterion::Kind(kind) => Kind::of(client) == *kind,
            Criterion::Address(address) => client.address.as_bytes() == *address,
            Criterion::LocalAddress(address) => client.local_address.as_bytes() == *address,
            Criterion::User(user) => client.names.lock().user() == *user,
            Criterion::Flags(letters) => {
                let has = flag_letters(client);
                letters.iter().all(|letter| has.contains(letter))
            }
            Criterion::Name(name) => client.names.lock().name.as_deref() == Some(*name),
            Criterion::Library(name) => is_set_to(&client.names.lock().library, name),
            Criterion::LibraryVersion(version) => is_set_to(&client.names.lock().library_version, version),
            Criterion::Db(db) => client.db.load(Relaxed) == *db,
            Criterion::Capabilities(letters) => {
                let has = capability_letters(client);
                letters.iter().all(|letter| has.contains(letter))
            }
            Criterion::Ip(ip) => ip_of(&client.address) == Some(*ip),
            Criterion::AgeMin(seconds) => seconds_since(client.created_ms, now_ms) >= *seconds,
            Criterion::IdleMin(seconds) => {
                seconds_since(client.last_interaction_ms.load(Relaxed), now_ms) >= *seconds
            }
        }
    }
}

fn is_set_to(value: &[u8], wanted: &[u8]) -> bool {
    !value.is_empty() && value == wanted
}

/// The address without its port, which for a Unix socket is 0: then there is none.
fn ip_of(address: &str) -> Option<&[u8]> {
    let (ip, port) = address.rsplit_once(':')?;
    let bare = ip.strip_prefix('[').and_then(|ip| ip.strip_suffix(']')).unwrap_or(ip);
    (!port.starts_with('0')).then_some(bare.as_bytes())
}

/// Which clients are meant.
#[derive(Default)]
pub(super) struct Filter<'a> {
    wanted: Vec<Criterion<'a>>,
    unwanted: Vec<Criterion<'a>>,
    /// The numbers after `ID` as they came.
    listed: Option<Vec<u64>>,
    skip_me: bool,
}

impl<'a> Filter<'a> {
    /// Everybody who connects from an address, oneself included.
    pub(super) fn of_address(address: &'a [u8]) -> Filter<'a> {
        Filter { wanted: vec![Criterion::Address(address)], ..Filter::default() }
    }

    /// The filter that a request describes from its third argument on.
    ///
    /// # Errors
    /// The texts of the peers, for the first thing that does not fit.
    pub(super) fn parse(call: &Call<'a, '_>, grammar: IdGrammar) -> Result<Filter<'a>, Error> {
        let mut filter = Filter { skip_me: grammar == IdGrammar::Kill, ..Filter::default() };
        let mut cursor = call.args.cursor(2);
        while !cursor.is_at_end() {
            filter.parse_option(call, grammar, &mut cursor)?;
        }
        Ok(filter)
    }

    fn parse_option(
        &mut self,
        call: &Call<'a, '_>,
        grammar: IdGrammar,
        cursor: &mut Cursor<'a>,
    ) -> Result<(), Error> {
        if cursor.eat("ID") {
            let ids = ids(grammar, cursor)?;
            match (grammar, &mut self.listed) {
                (IdGrammar::List, Some(listed)) => listed.extend(ids),
                (_, listed) => *listed = Some(ids),
            }
        } else if cursor.eat("NOT-ID") {
            let ids = later_ids(BTreeSet::new(), cursor)?;
            set(&mut self.unwanted, Criterion::Ids(ids));
        } else if cursor.eat_with_value("SKIPME") {
            self.skip_me = match cursor.next_arg()? {
                word if word.eq_ignore_ascii_case(b"yes") => true,
                word if word.eq_ignore_ascii_case(b"no") => false,
                _ => return Err(SYNTAX),
            };
        } else if cursor.eat_with_value("MAXAGE") {
            set(&mut self.wanted, Criterion::AgeMin(seconds("maxage", cursor.next_arg()?)?));
        } else if cursor.eat_with_value("IDLE") {
            set(&mut self.wanted, Criterion::IdleMin(seconds("idle", cursor.next_arg()?)?));
        } else {
            let (option, value) = (cursor.next_arg()?, cursor.next_arg()?);
            match strip_not(option) {
                Some(option) => set(&mut self.unwanted, criterion(call, option, value, true)?),
                None => set(&mut self.wanted, criterion(call, option, value, false)?),
            }
        }
        Ok(())
    }

    /// The clients among whom to look: those listed by number, or all, oldest first.
    pub(super) fn candidates(&self, registry: &Registry) -> Vec<Arc<ClientShared>> {
        match &self.listed {
            None => registry.list(),
            Some(ids) => {
                ids.iter().filter_map(|id| registry.get(*id)).filter(|client| !client.is_killed()).collect()
            }
        }
    }

    /// Whether a candidate is meant; `me` asks.
    pub(super) fn matches(&self, client: &ClientShared, me: u64, now_ms: i64) -> bool {
        !(self.skip_me && client.id == me)
            && self.wanted.iter().all(|criterion| criterion.fits(client, now_ms))
            && !self.unwanted.iter().any(|criterion| criterion.fits(client, now_ms))
    }
}

fn set<'a>(criteria: &mut Vec<Criterion<'a>>, new: Criterion<'a>) {
    criteria.retain(|old| discriminant(old) != discriminant(&new));
    criteria.push(new);
}

/// What follows `NOT-`.
fn strip_not(option: &[u8]) -> Option<&[u8]> {
    option.split_at_checked(4).filter(|(not, _)| not.eq_ignore_ascii_case(b"NOT-")).map(|(_, rest)| rest)
}

fn criterion<'a>(
    call: &Call<'_, '_>,
    option: &[u8],
    value: &'a [u8],
    negated: bool,
) -> Result<Criterion<'a>, Error> {
    Ok(match option.to_ascii_lowercase().as_slice() {
        b"type" => Criterion::Kind(
            Kind::from_name(value).ok_or_else(|| Error::quoting("ERR Unknown client type '", value, "'"))?,
        ),
        b"addr" => Criterion::Address(value),
        b"laddr" => Criterion::LocalAddress(value),
        b"user" if call.engine.access.knows(value) => Criterion::User(value),
        b"user" => return Err(Error::quoting("ERR No such user '", value, "'")),
        b"flags" => Criterion::Flags(letters(value, FLAG_LETTERS, "flags", negated)?),
        b"name" => Criterion::Name(value),
        b"lib-name" => Criterion::Library(value),
        b"lib-ver" => Criterion::LibraryVersion(value),
        b"db" => Criterion::Db(db(call, value, if negated { "NOT-DB" } else { "DB" })?),
        b"capa" => Criterion::Capabilities(letters(value, b"r", "capa", negated)?),
        b"ip" => Criterion::Ip(value),
        _ => return Err(SYNTAX),
    })
}

/// Every letter that any client may show.
const FLAG_LETTERS: &[u8] = b"OSMPxbtRBdcuAUreTIiEN";

fn letters<'a>(value: &'a [u8], known: &[u8], what: &str, negated: bool) -> Result<&'a [u8], Error> {
    if value.iter().all(|letter| known.contains(letter)) {
        return Ok(value);
    }
    let place = if negated { format!("NOT-{}", what.to_ascii_uppercase()) } else { "provided".to_owned() };
    Err(Error::quoting(&format!("ERR Unknown {what} found in the {place} filter: "), value, ""))
}

fn db(call: &Call<'_, '_>, value: &[u8], option: &str) -> Result<u32, Error> {
    let number = ochre_types::parse_i64(value)
        .and_then(|number| i32::try_from(number).ok())
        .ok_or_else(|| Error::owned(format!("ERR {option} is not an integer or out of range")))?;
    let count = call.engine.keyspace.databases();
    let in_range = u32::try_from(number).ok().filter(|number| (*number as usize) < count);
    in_range.ok_or_else(|| Error::owned(format!("ERR {option} number should be between 0 and {}", count - 1)))
}

fn seconds(option: &str, value: &[u8]) -> Result<i64, Error> {
    let number = ochre_types::parse_i64(value)
        .ok_or_else(|| Error::owned(format!("ERR {option} is not an integer or out of range")))?;
    if number > 0 {
        return Ok(number);
    }
    Err(Error::owned(format!("ERR {option} should be greater than 0")))
}

const ID_NOT_POSITIVE: Error = Error::new("ERR client-id should be greater than 0");

fn ids(grammar: IdGrammar, cursor: &mut Cursor<'_>) -> Result<Vec<u64>, Error> {
    match grammar {
        IdGrammar::List => listed_ids(cursor),
        IdGrammar::Kill => {
            if cursor.is_at_end() {
                return Err(SYNTAX);
            }
            let first =
                ochre_types::parse_i64(cursor.next_arg()?).and_then(positive).ok_or(ID_NOT_POSITIVE)?;
            Ok(later_ids(BTreeSet::from([first]), cursor)?.into_iter().collect())
        }
    }
}

/// Numbers up to the next option; numbers that no client can have are no error.
fn listed_ids(cursor: &mut Cursor<'_>) -> Result<Vec<u64>, Error> {
    let mut ids = Vec::new();
    while let Some(arg) = cursor.peek() {
        match ochre_types::parse_i64(arg) {
            Some(id) => ids.extend(u64::try_from(id).ok()),
            None if is_option(arg) => break,
            None => return Err(Error::new("ERR Invalid client ID")),
        }
        cursor.next_arg()?;
    }
    Ok(ids)
}

/// More numbers, up to the first word that is none.
fn later_ids(mut ids: BTreeSet<u64>, cursor: &mut Cursor<'_>) -> Result<BTreeSet<u64>, Error> {
    while let Some(id) = cursor.peek().and_then(ochre_types::parse_i64) {
        ids.insert(positive(id).ok_or(ID_NOT_POSITIVE)?);
        cursor.next_arg()?;
    }
    Ok(ids)
}

fn positive(id: i64) -> Option<u64> {
    u64::try_from(id).ok().filter(|id| *id > 0)
}

fn is_option(word: &[u8]) -> bool {
    const OPTIONS: [&[u8]; 15] = [
        b"id",
        b"type",
        b"addr",
        b"laddr",
        b"user",
        b"skipme",
        b"maxage",
        b"idle",
        b"flags",
        b"name",
        b"lib-name",
        b"lib-ver",
        b"db",
        b"capa",
        b"ip",
    ];
    let bare = strip_not(word).unwrap_or(word);
    OPTIONS.iter().any(|option| bare.eq_ignore_ascii_case(option))
}
