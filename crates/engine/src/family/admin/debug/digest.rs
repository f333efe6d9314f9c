//! DEBUG DIGEST and DIGEST-VALUE: signatures by which two servers can tell that they hold the same data.
//!
//! The construction is that of Redis and Valkey, so that digests compare across servers. Two operations on 20 bytes:
//! *adding* some data is the exclusive-or with their SHA-1, which forgets the order; *mixing* them in is adding them and
//! then taking the SHA-1 of the result, which keeps it. A value is its type's number (32 bits, big-endian) mixed in, its
//! content, and a mark if it expires. A key is its name mixed in and then its value. The data set: for each database
//! that is not empty, its number mixed in and each key's digest added.

use ochre_keyspace::{EntryRef, ValueRef};
use ochre_types::ObjectRef;
use ochre_types::hash::HashEntry;
use ochre_types::stream::{Entry, StreamId};
use sha1::{Digest as _, Sha1};

use crate::call::Call;
use crate::error::Error;

/// The number of the type `string`.
const STRING: u32 = 0;
/// The number of the type `list`.
const LIST: u32 = 1;
/// The number of the type `set`.
const SET: u32 = 2;
/// The number of the type `zset`.
const ZSET: u32 = 3;
/// The number of the type `hash`.
const HASH: u32 = 4;
/// The number of the type `stream`.
const STREAM: u32 = 6;
/// Added for a field that expires, at whatever time.
const FIELD_EXPIRES: &[u8] = b"!!hexpire!!";
/// Added for a value that expires, at whatever time.
const EXPIRES: &[u8] = b"!!expire!!";

/// A digest in the making.
#[derive(Clone, Copy, Default)]
struct Digest([u8; 20]);

impl Digest {
    /// Adds data: the order does not matter.
    fn add(&mut self, data: &[u8]) {
        let hash = Sha1::digest(data);
        self.0.iter_mut().zip(hash).for_each(|(byte, other)| *byte ^= other);
    }

    /// Mixes data in: the order matters.
    fn mix(&mut self, data: &[u8]) {
        self.add(data);
        self.0 = Sha1::digest(self.0).into();
    }

    fn mix_value(&mut self, entry: EntryRef<'_>) {
        match entry.value() {
            ValueRef::Int(number) => self.mix_string(itoa::Buffer::new().format(number).as_bytes()),
            ValueRef::Bytes { bytes, .. } => self.mix_string(bytes),
            ValueRef::Object(object) => self.mix_object(object),
        }
        if entry.expire_ms().is_some() {
            self.add(EXPIRES);
        }
    }

    fn mix_object(&mut self, object: ObjectRef<'_>) {
        match object {
            ObjectRef::String(bytes) => self.mix_string(bytes),
            ObjectRef::List(list) => {
                self.mix(&LIST.to_be_bytes());
                list.range(0, list.len(), |item| item.with_bytes(|bytes| self.mix(bytes)));
            }
            ObjectRef::Set(set) => {
                self.mix(&SET.to_be_bytes());
                set.iter().for_each(|member| member.with_bytes(|bytes| self.add(bytes)));
            }
            ObjectRef::Hash(hash) => {
                self.mix(&HASH.to_be_bytes());
                hash.iter().for_each(|field| self.add_field(field));
            }
            ObjectRef::ZSet(zset) => {
                self.mix(&ZSET.to_be_bytes());
                for (member, score) in zset.iter() {
                    let mut digest = Digest::default();
                    member.with_bytes(|bytes| digest.mix(bytes));
                    let mut text = Vec::with_capacity(26);
                    ochre_types::push_f64_digits(&mut text, score);
                    digest.mix(&text);
                    self.add(&digest.0);
                }
            }
            ObjectRef::Stream(stream) => {
                self.mix(&STREAM.to_be_bytes());
                stream.range(StreamId::MIN, StreamId::MAX).for_each(|entry| self.mix_entry(&entry));
            }
        }
    }

    /// Adds a field of a hash, its parts in their order, those of the hash in none.
    fn add_field(&mut self, field: HashEntry<'_>) {
        let mut digest = Digest::default();
        field.name.with_bytes(|bytes| digest.mix(bytes));
        field.value.with_bytes(|bytes| digest.mix(bytes));
        if field.expire_ms.is_some() {
            digest.add(FIELD_EXPIRES);
        }
        self.add(&digest.0);
    }

    /// Mixes an entry of a stream in: its ID, with a dot in between, and its names and values.
    fn mix_entry(&mut self, entry: &Entry<'_>) {
        self.mix(format!("{}.{}", entry.id().ms, entry.id().seq).as_bytes());
        for (name, value) in entry.fields() {
            name.with_bytes(|bytes| self.mix(bytes));
            value.with_bytes(|bytes| self.mix(bytes));
        }
    }

    fn mix_string(&mut self, bytes: &[u8]) {
        self.mix(&STRING.to_be_bytes());
        self.mix(bytes);
    }

    fn hex(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// The digest of everything.
pub(super) fn whole(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let mut sum = Digest::default();
    for db in 0..call.engine.keyspace.databases() as u32 {
        if call.view.len(db) == 0 {
            continue;
        }
        sum.mix(&db.to_be_bytes());
        call.view.visit_all(db, &mut |entry| {
            let mut one = Digest::default();
            one.mix(entry.key());
            one.mix_value(entry);
            sum.add(&one.0);
        });
    }
    call.reply.simple(&sum.hex());
    Ok(())
}

/// The digests of the values of some keys; zeros for one that does not exist.
pub(super) fn values(call: &mut Call<'_, '_>) -> Result<(), Error> {
    let db = call.db();
    call.reply.array(call.args.len() - 2);
    for name in call.args.from(2) {
        let mut digest = Digest::default();
        let key = call.view.key(name);
        if let Some(entry) = call.view.peek(db, key) {
            digest.mix_value(entry);
        }
        call.reply.simple(&digest.hex());
    }
    Ok(())
}
