//! A set and its three encodings, which change as Redis changes them:
//!
//! - *intset*: integers only, at most `intset_entries` of them.
//! - *listpack*: at most `listpack_entries` members of at most `listpack_value` bytes each, in the order they came.
//! - *hashtable*: everything else.
//!
//! A listpack it is to clients, and in files; here it is a pack without backlens, which holds less than 2 MiB.
//!
//! An intset that gets something else becomes a listpack if it may, else a table. A listpack or an intset that gets too
//! large becomes a table, at once if a command brings more than fit. No removal changes the encoding back, except that
//! taking out nearly all members (see `random`) starts again with a small one.

use ochre_table::{Map, hasher};

use super::batch::{Batch, bits};
use super::intset::Intset;
use super::member::Member;
use super::word::{Repr, ReprMut, Word};
use crate::listpack::{Corrupt, ForwardPack, Item, Listpack, are_distinct};
use crate::object::sum_estimate;
use crate::parse_i64;

/// The largest intset, whatever the limits say; one more fits, too.
const INTSET_ENTRIES_MAX: usize = 1 << 28;
/// More bytes than any integer takes in a pack.
const PACK_INT_BYTES_MAX: usize = 11;

/// When a set changes its encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetLimits {
    /// Integers in an intset: `set-max-intset-entries`.
    pub intset_entries: usize,
    /// Members in a listpack: `set-max-listpack-entries`.
    pub listpack_entries: usize,
    /// Bytes of a member in a listpack: `set-max-listpack-value`.
    pub listpack_value: usize,
}

impl Default for SetLimits {
    fn default() -> SetLimits {
        SetLimits { intset_entries: 512, listpack_entries: 128, listpack_value: 64 }
    }
}

impl SetLimits {
    pub(super) fn intset_entries(&self) -> usize {
        self.intset_entries.min(INTSET_ENTRIES_MAX)
    }
}

/// Members without order, each of them once, in eight bytes.
pub struct Set(pub(super) Word);

impl Default for Set {
    fn default() -> Set {
        Set::new()
    }
}

impl Set {
    /// An empty set, an intset until something else comes.
    pub fn new() -> Set {
        Set(Word::intset(Intset::new()))
    }

    /// An empty set in the encoding that suits a first member and about `count` in all.
    pub fn for_members(first: &[u8], count: usize, limits: &SetLimits) -> Set {
        if count <= limits.intset_entries && parse_i64(first).is_some() {
            return Set::new();
        }
        if count <= limits.listpack_entries { Set::new_pack() } else { Set::new_table(count) }
    }

    pub(super) fn new_pack() -> Set {
        Set(Word::pack(ForwardPack::new()))
    }

    pub(super) fn new_table(count: usize) -> Set {
        Set(Word::table(Map::with_capacity(count)))
    }

    /// What the bytes of an intset hold. Errors unless they are well-formed.
    pub fn from_intset_bytes(bytes: &[u8]) -> Result<Set, Corrupt> {
        Ok(Set(Word::intset(Intset::from_bytes(bytes)?)))
    }

    /// A set of the elements of a listpack, a table if they are too long for one run of bytes here. Errors if one of them is
    /// there twice or there is none.
    pub fn from_listpack(listpack: &Listpack) -> Result<Set, Corrupt> {
        if listpack.is_empty() || !are_distinct(listpack.iter()) {
            return Err(Corrupt);
        }
        Ok(match ForwardPack::from_listpack(listpack) {
            Some(pack) => Set(Word::pack(pack)),
            None => Set::table_of(listpack.len(), listpack.iter()),
        })
    }

    /// The bytes of the intset that the set is, if it is one: for files and DUMP.
    pub fn to_intset_bytes(&self) -> Option<Vec<u8>> {
        if let Repr::Intset(intset) = self.0.get() { Some(intset.to_bytes()) } else { None }
    }

    /// The pack of members that the set is, if it is one.
    pub fn as_pack(&self) -> Option<&ForwardPack> {
        if let Repr::Pack(pack) = self.0.get() { Some(pack) } else { None }
    }

    /// Number of members.
    #[inline]
    pub fn len(&self) -> usize {
        match self.0.get() {
            Repr::Intset(intset) => intset.len(),
            Repr::Pack(pack) => pack.len(),
            Repr::Table(map) => map.len(),
        }
    }

    /// Whether there is no member.
    #[inline]
    pub fn is_empty(&self) -> bool {
        if let Repr::Pack(pack) = self.0.get() { pack.is_empty() } else { self.len() == 0 }
    }

    /// The name that OBJECT ENCODING answers.
    pub fn encoding_name(&self) -> &'static str {
        match self.0.get() {
            Repr::Intset(_) => "intset",
            Repr::Pack(_) => "listpack",
            Repr::Table(_) => "hashtable",
        }
    }

    /// The slots of its hash table, if it has one.
    pub fn table_slots(&self) -> Option<usize> {
        if let Repr::Table(map) = self.0.get() { Some(map.slots()) } else { None }
    }

    /// How many allocations freeing the set takes, roughly.
    pub fn free_effort(&self) -> usize {
        match self.0.get() {
            Repr::Table(map) => map.len(),
            _ => 1,
        }
    }

    /// Bytes allocated behind the set. O(1) for the flat encodings, else every member is looked at.
    pub fn heap_bytes(&self) -> usize {
        self.heap_bytes_estimate(usize::MAX)
    }

    /// The same, estimated by no more than so many members.
    pub fn heap_bytes_estimate(&self, samples: usize) -> usize {
        match self.0.get() {
            Repr::Intset(intset) => intset.heap_bytes(),
            Repr::Pack(pack) => pack.heap_bytes(),
            Repr::Table(map) => {
                let members = sum_estimate(map.iter().map(|member| member.heap_bytes()), map.len(), samples);
                size_of::<Map<Member>>() + map.memory_bytes() + members
            }
        }
    }

    /// Whether `member` is in the set. O(1); O(n) for a listpack and O(log n) for an intset.
    #[inline]
    pub fn contains(&self, member: &[u8]) -> bool {
        match self.0.get() {
            Repr::Table(map) => map.contains(member, hasher()),
            Repr::Intset(intset) => parse_i64(member).is_some_and(|int| intset.contains(int)),
            Repr::Pack(pack) => pack.first().is_some_and(|first| pack.find(first, member, 0).is_some()),
        }
    }

    /// Calls `answer` with whether each of the members is in the set, in their order. Faster than one by one.
    pub fn contains_each<'m>(
        &self,
        members: impl IntoIterator<Item = &'m [u8]>,
        mut answer: impl FnMut(bool),
    ) {
        let (mut batch, mut members) = (Batch::new(), members.into_iter().map(Item::Bytes));
        while batch.fill(&mut members) {
            let found = batch.contained(self, batch.all());
            bits(batch.all()).for_each(|index| answer(found >> index & 1 == 1));
        }
    }

    /// Makes the set a table if `count` members, about to be added, would not fit into what it is.
    #[inline]
    pub fn expect(&mut self, count: usize, limits: &SetLimits) {
        let limit = match self.0.get() {
            Repr::Intset(_) => limits.intset_entries,
            Repr::Pack(_) => limits.listpack_entries,
            Repr::Table(_) => return,
        };
        if count > limit {
            self.become_table(count);
        }
    }

    /// Adds `member`; whether it was not there.
    #[inline]
    pub fn add(&mut self, member: &[u8], limits: &SetLimits) -> bool {
        if let ReprMut::Table(map) = self.0.get_mut() {
            return map.insert_with(member, hasher(), || Member::new(member));
        }
        self.add_to_flat(member, limits)
    }

    fn add_to_flat(&mut self, member: &[u8], limits: &SetLimits) -> bool {
        if let ReprMut::Intset(_) = self.0.get_mut()
            && let Some(int) = parse_i64(member)
        {
            return self.push(Item::Int(int), limits);
        }
        let is_new = !self.contains(member);
        if is_new {
            self.push(Item::Bytes(member), limits);
        }
        is_new
    }

    /// Adds a member of another set; whether it was not there.
    pub(super) fn add_item(&mut self, item: Item<'_>, limits: &SetLimits) -> bool {
        match (self.0.get_mut(), item) {
            (ReprMut::Intset(_), Item::Int(_)) => self.push(item, limits),
            _ => item.with_bytes(|member| self.add(member, limits)),
        }
    }

    /// Adds what the set does not have (an integer may be in an intset already); whether it was added.
    pub(super) fn push(&mut self, item: Item<'_>, limits: &SetLimits) -> bool {
        self.push_to(self.len(), item, limits)
    }

    /// The same, told how many members there are: a pack of thousands does not know, and would have to count them for each.
    pub(super) fn push_to(&mut self, len: usize, item: Item<'_>, limits: &SetLimits) -> bool {
        match (self.0.get_mut(), item) {
            (ReprMut::Table(_), _) => return self.push_to_table(item),
            (ReprMut::Intset(intset), Item::Int(int)) => {
                let is_new = intset.add(int);
                if intset.len() > limits.intset_entries() {
                    self.become_table(self.len());
                }
                return is_new;
            }
            (ReprMut::Pack(pack), _) if len < limits.listpack_entries && fits(pack, item, limits) => {
                pack.push_back_item(item);
                return true;
            }
            (ReprMut::Pack(_), _) => {}
            (ReprMut::Intset(_), Item::Bytes(_)) => {
                if self.becomes_pack(item, limits) {
                    return self.push_to(len, item, limits);
                }
            }
        }
        self.become_table(len + 1);
        self.push_to_table(item)
    }

    /// Adds to a set that is a table; whether the member was not there.
    pub(super) fn push_to_table(&mut self, item: Item<'_>) -> bool {
        let ReprMut::Table(map) = self.0.get_mut() else { return false };
        item.with_bytes(|member| map.insert_with(member, hasher(), || Member::new(member)))
    }

    /// Makes an intset a pack if it may be one with `item` in it.
    fn becomes_pack(&mut self, item: Item<'_>, limits: &SetLimits) -> bool {
        let Repr::Intset(intset) = self.0.get() else { return false };
        let (len, last) = (intset.len(), intset.len().saturating_sub(1));
        let longest = [0, last].into_iter().filter_map(|at| intset.get(at)).map(|int| Item::Int(int).len());
        let longest = longest.max().unwrap_or(0).max(item.len());
        let bytes = len.saturating_mul(PACK_INT_BYTES_MAX).saturating_add(item.len());
        let mut pack = ForwardPack::new();
        if len >= limits.listpack_entries || longest > limits.listpack_value || !pack.fits(bytes) {
            return false;
        }
        intset.iter().for_each(|int| pack.push_back_int(int));
        self.0 = Word::pack(pack);
        true
    }

    /// Makes the set a table with room for `count` members.
    pub(super) fn become_table(&mut self, count: usize) {
        *self = Set::table_of(count.max(self.len()), self.iter());
    }

    /// A table of these members, with room for `count`.
    fn table_of<'a>(count: usize, items: impl Iterator<Item = Item<'a>>) -> Set {
        let mut table = Set::new_table(count);
        items.for_each(|item| {
            table.push_to_table(item);
        });
        table
    }

    /// Makes a set of integers only an intset, if it is not too large for one.
    pub(super) fn become_intset(&mut self, limits: &SetLimits) {
        if matches!(self.0.get(), Repr::Intset(_)) || self.len() > limits.intset_entries() {
            return;
        }
        let int_of = |item: Item<'_>| item.as_int().or_else(|| item.with_bytes(parse_i64));
        let mut ints: Vec<i64> = self.iter().filter_map(int_of).collect();
        ints.sort_unstable();
        let mut intset = Intset::new();
        ints.into_iter().for_each(|int| {
            intset.add(int);
        });
        if intset.len() == self.len() {
            self.0 = Word::intset(intset);
        }
    }

    /// Removes `member`; whether it was there.
    pub fn remove(&mut self, member: &[u8]) -> bool {
        match self.0.get_mut() {
            ReprMut::Table(map) => map.remove(member, hasher()),
            ReprMut::Intset(intset) => parse_i64(member).is_some_and(|int| intset.remove(int)),
            ReprMut::Pack(pack) => {
                let found = pack.first().and_then(|first| pack.find(first, member, 0));
                found.map(|at| pack.remove(at)).is_some()
            }
        }
    }
}

fn fits(pack: &ForwardPack, item: Item<'_>, limits: &SetLimits) -> bool {
    let bytes = item.len();
    bytes <= limits.listpack_value && pack.fits(bytes)
}

impl Clone for Set {
    fn clone(&self) -> Set {
        Set(match self.0.get() {
            Repr::Intset(intset) => Word::intset(intset.clone()),
            Repr::Pack(pack) => Word::pack(pack.clone()),
            Repr::Table(map) => Word::table(map.clone_with(|member| Member::new(member.bytes()))),
        })
    }
}

impl PartialEq for Set {
    /// Whether both have the same members, in whatever encoding.
    fn eq(&self, other: &Set) -> bool {
        self.len() == other.len() && self.iter().all(|item| item.with_bytes(|member| other.contains(member)))
    }
}

impl Eq for Set {}

impl std::fmt::Debug for Set {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_set().entries(self.iter()).finish()
    }
}
