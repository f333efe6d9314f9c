//! Any plain value: which writer it takes.
//!
//! What is one run of bytes is written at once; so is a string.

use ochre_types::hash::Hash;
use ochre_types::listpack::{ForwardPack, Item, Listpack};
use ochre_types::set::Set;
use ochre_types::zset::ZSet;
use ochre_types::{Object, ObjectRef};

use super::super::format::code;
use super::super::version::Version;
use super::collection::{HashWriter, ListWriter, SetWriter, ZSetWriter};
use super::encoder::Encoder;
use super::parts::ValueParts;
use super::plain::{PlainFields, PlainMembers, PlainNodes, PlainScored, PlainStream};
use super::plan::{CannotHold, Target};
use super::stream::StreamWriter;

/// A value that is to be written.
#[derive(Clone, Copy, Debug)]
pub enum ValueRef<'a> {
    /// A string.
    String(&'a [u8]),
    /// The text of an integer.
    Int(i64),
    /// Anything else, or a long string.
    Object(ObjectRef<'a>),
}

impl<'a> From<&'a Object> for ValueRef<'a> {
    fn from(object: &'a Object) -> ValueRef<'a> {
        ValueRef::Object(object.as_ref())
    }
}

/// Writes any plain value in parts, while nobody changes it.
pub struct ValueWriter<'a>(Kind<'a>);

enum Kind<'a> {
    Text(Item<'a>),
    Intset(Vec<u8>, (u8, Version)),
    /// What becomes a listpack, with its type and its earliest time.
    Pack(&'a ForwardPack, (u8, Version), Option<i64>),
    /// A listpack that was made for this.
    Made(Listpack, (u8, Version)),
    Parts(Box<dyn ValueParts + 'a>),
}

impl<'a> ValueWriter<'a> {
    /// One that has written nothing.
    ///
    /// # Errors
    /// When the target cannot hold the value.
    pub fn new(value: ValueRef<'a>, target: Target) -> Result<ValueWriter<'a>, CannotHold> {
        let kind = match value {
            ValueRef::String(text) => Kind::Text(Item::Bytes(text)),
            ValueRef::Int(int) => Kind::Text(Item::Int(int)),
            ValueRef::Object(ObjectRef::String(string)) => Kind::Text(Item::Bytes(string)),
            ValueRef::Object(ObjectRef::List(list)) => {
                Kind::Parts(Box::new(ListWriter::new(PlainNodes::new(list))))
            }
            ValueRef::Object(ObjectRef::Set(set)) => set_writer(set, target),
            ValueRef::Object(ObjectRef::Hash(hash)) => hash_writer(hash, target)?,
            ValueRef::Object(ObjectRef::ZSet(zset)) => zset_writer(zset, target),
            ValueRef::Object(ObjectRef::Stream(stream)) => {
                Kind::Parts(Box::new(StreamWriter::new(PlainStream::new(stream))))
            }
        };
        Ok(ValueWriter(kind))
    }
}

impl ValueParts for ValueWriter<'_> {
    fn plan(&mut self, target: Target) -> Result<(u8, Version), CannotHold> {
        match &mut self.0 {
            Kind::Text(_) => Ok((code::STRING, Version::V9)),
            Kind::Intset(_, plan) | Kind::Pack(_, plan, _) | Kind::Made(_, plan) => Ok(*plan),
            Kind::Parts(parts) => parts.plan(target),
        }
    }

    fn write_part(&mut self, out: &mut Encoder, bytes: usize) -> bool {
        match &mut self.0 {
            Kind::Text(item) => out.push_item(*item),
            Kind::Made(listpack, _) => out.push_text(listpack.as_bytes()),
            Kind::Intset(bytes, _) => out.push_text(bytes),
            Kind::Pack(pack, (code, _), earliest_ms) => {
                if *code == code::HASH_LISTPACK_EX {
                    out.push_raw(&earliest_ms.unwrap_or(NO_TIME).to_le_bytes());
                }
                out.push_listpack(pack);
            }
            Kind::Parts(parts) => return parts.write_part(out, bytes),
        }
        true
    }
}

/// The earliest time of a hash none of whose fields expires, as Redis writes it.
const NO_TIME: i64 = 1 << 48;

fn set_writer<'a>(set: &'a Set, target: Target) -> Kind<'a> {
    let plan = target.set(set.encoding_name());
    match (plan.0, set.to_intset_bytes(), set.as_pack()) {
        (code::SET_INTSET, Some(bytes), _) => Kind::Intset(bytes, plan),
        (code::SET_LISTPACK, _, Some(pack)) => Kind::Pack(pack, plan, None),
        _ => Kind::Parts(Box::new(SetWriter::new(PlainMembers::new(set)))),
    }
}

fn hash_writer<'a>(hash: &'a Hash, target: Target) -> Result<Kind<'a>, CannotHold> {
    let earliest_ms = hash.next_expiry_ms();
    let plan = target.hash(hash.encoding_name(), earliest_ms.is_some())?;
    Ok(match (plan.0, hash.as_pack()) {
        (code::HASH_LISTPACK, Some((pack, false))) | (code::HASH_LISTPACK_EX, Some((pack, true))) => {
            Kind::Pack(pack, plan, earliest_ms)
        }
        (code::HASH_LISTPACK, _) => {
            let mut listpack = Listpack::new();
            for field in hash.iter() {
                listpack.push_back_item(field.name);
                listpack.push_back_item(field.value);
            }
            Kind::Made(listpack, plan)
        }
        _ => Kind::Parts(Box::new(HashWriter::new(PlainFields::new(hash)))),
    })
}

fn zset_writer<'a>(zset: &'a ZSet, target: Target) -> Kind<'a> {
    let plan = target.zset(zset.encoding_name());
    match zset.as_pack() {
        Some(pack) if plan.0 == code::ZSET_LISTPACK => Kind::Pack(pack, plan, None),
        _ => Kind::Parts(Box::new(ZSetWriter::new(PlainScored::new(zset)))),
    }
}
