//! The numbers of the format: what the first byte of a record can be.
//!
//! ```text
//! "REDIS" version: 4 digits | "VALKEY" version: 3 digits
//! { opcode, its arguments | [expiry] [access] [metadata] type, key, value } ...
//! EOF, checksum: u64 little-endian (from version 5 on)
//! ```
//!
//! Types count up from 0 and opcodes down from 255. Redis and Valkey went separate ways after version 11: what is
//! between type 22 and opcode 243 means what the file's dialect says. Nothing else in this folder names a number.

use super::version::Dialect;

/// Opcodes: records that are no key.
pub(super) mod opcode {
    pub(crate) const HASH_TEMPLATE: u8 = 242;
    /// Of Valkey: slots that were being imported.
    pub(crate) const SLOT_IMPORT: u8 = 243;
    /// Of Redis: what modules keep beside the key that follows.
    pub(crate) const KEY_META: u8 = 243;
    pub(crate) const SLOT_INFO: u8 = 244;
    pub(crate) const FUNCTION: u8 = 245;
    pub(crate) const FUNCTION_PRE_RELEASE: u8 = 246;
    pub(crate) const MODULE_AUX: u8 = 247;
    pub(crate) const IDLE: u8 = 248;
    pub(crate) const FREQ: u8 = 249;
    pub(crate) const AUX: u8 = 250;
    pub(crate) const RESIZE_DB: u8 = 251;
    pub(crate) const EXPIRE_MS: u8 = 252;
    pub(crate) const EXPIRE_S: u8 = 253;
    pub(crate) const SELECT_DB: u8 = 254;
    pub(crate) const EOF: u8 = 255;
}

/// Types of values.
pub(super) mod code {
    pub(crate) const STRING: u8 = 0;
    pub(crate) const LIST: u8 = 1;
    pub(crate) const SET: u8 = 2;
    pub(crate) const ZSET: u8 = 3;
    pub(crate) const HASH: u8 = 4;
    pub(crate) const ZSET_2: u8 = 5;
    pub(crate) const MODULE_PRE_RELEASE: u8 = 6;
    pub(crate) const MODULE_2: u8 = 7;
    pub(crate) const HASH_ZIPMAP: u8 = 9;
    pub(crate) const LIST_ZIPLIST: u8 = 10;
    pub(crate) const SET_INTSET: u8 = 11;
    pub(crate) const ZSET_ZIPLIST: u8 = 12;
    pub(crate) const HASH_ZIPLIST: u8 = 13;
    pub(crate) const LIST_QUICKLIST: u8 = 14;
    pub(crate) const STREAM: u8 = 15;
    pub(crate) const HASH_LISTPACK: u8 = 16;
    pub(crate) const ZSET_LISTPACK: u8 = 17;
    pub(crate) const LIST_QUICKLIST_2: u8 = 18;
    pub(crate) const STREAM_2: u8 = 19;
    pub(crate) const SET_LISTPACK: u8 = 20;
    pub(crate) const STREAM_3: u8 = 21;
    /// Of Valkey: fields with times.
    pub(crate) const HASH_2: u8 = 22;
    /// Of Redis, as the next three: fields with times.
    pub(crate) const HASH_METADATA_PRE_RELEASE: u8 = 22;
    pub(crate) const HASH_LISTPACK_EX_PRE_RELEASE: u8 = 23;
    pub(crate) const HASH_METADATA: u8 = 24;
    pub(crate) const HASH_LISTPACK_EX: u8 = 25;
    pub(crate) const STREAM_4: u8 = 26;
    pub(crate) const STREAM_5: u8 = 27;
    pub(crate) const ARRAY: u8 = 28;
    pub(crate) const HASH_TEMPLATE_LISTPACK: u8 = 29;
    pub(crate) const HASH_TEMPLATE_LISTPACK_REF: u8 = 30;
    pub(crate) const HASH_TEMPLATE_ARRAY: u8 = 31;
    pub(crate) const HASH_TEMPLATE_ARRAY_REF: u8 = 32;
}

/// The type of a value in a file: a number, and whose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ValueType {
    pub(super) code: u8,
    pub(super) dialect: Dialect,
}

/// The names of the types that both dialects have, as the checking tools print them.
const NAMES: [&str; 22] = [
    "string",
    "list-linked",
    "set-hashtable",
    "zset-v1",
    "hash-hashtable",
    "zset-v2",
    "module-pre-release",
    "module-value",
    "",
    "hash-zipmap",
    "list-ziplist",
    "set-intset",
    "zset-ziplist",
    "hash-ziplist",
    "quicklist",
    "stream",
    "hash-listpack",
    "zset-listpack",
    "quicklist-v2",
    "stream-v2",
    "set-listpack",
    "stream-v3",
];

/// Those of Redis from 22 on.
const NAMES_OF_REDIS: [&str; 11] = [
    "hash-hashtable-md-pre-release",
    "hash-listpack-md-pre-release",
    "hash-hashtable-md",
    "hash-listpack-md",
    "stream-v4",
    "stream-v5",
    "array",
    "hash-template-listpack",
    "hash-template-listpack-ref",
    "hash-template-array",
    "hash-template-array-ref",
];

impl ValueType {
    /// The type that a byte is in a file of a dialect; `None` if there is no such type.
    pub fn new(code: u8, dialect: Dialect) -> Option<ValueType> {
        let last = if dialect == Dialect::Valkey { code::HASH_2 } else { code::HASH_TEMPLATE_ARRAY_REF };
        (code <= last && code != 8).then_some(ValueType { code, dialect })
    }

    /// Its number.
    pub fn code(self) -> u8 {
        self.code
    }

    /// What is looked at when such a value is loaded, as logs name it.
    pub fn structure(self) -> &'static str {
        match self.code {
            code::HASH_ZIPMAP => "Zipmap",
            code::HASH_ZIPLIST => "Hash ziplist",
            code::ZSET_ZIPLIST => "Zset ziplist",
            code::LIST_ZIPLIST | code::LIST_QUICKLIST => "List ziplist",
            code::LIST_QUICKLIST_2 => "List listpack",
            code::SET_INTSET => "Intset",
            code::SET_LISTPACK => "Set listpack",
            code::ZSET_LISTPACK => "Zset listpack",
            code::STREAM | code::STREAM_2 | code::STREAM_3 | code::STREAM_4 | code::STREAM_5 => {
                "Stream listpack"
            }
            code::LIST => "List",
            code::SET => "Set",
            code::ZSET | code::ZSET_2 => "Zset",
            code::STRING => "String",
            _ => "Hash",
        }
    }

    /// Its name, as the checking tools print it.
    pub fn name(self) -> &'static str {
        let code = usize::from(self.code);
        match (NAMES.get(code), self.dialect) {
            (Some(name), _) => name,
            (None, Dialect::Valkey) => "hash-volatile-items",
            (None, Dialect::Redis) => NAMES_OF_REDIS.get(code - NAMES.len()).unwrap_or(&"unknown"),
        }
    }
}
