//! Between the values of files and those of keys: for loading, DUMP and RESTORE.

use ochre_keyspace::{INLINE_BYTES_MAX, NewValue, Policy, ValueRef, access};
use ochre_persist::rdb::{self, Access, Limits, Text, Value};
use ochre_types::Object;
use ochre_types::stream::IdempotencyLimits;

use crate::engine::Engine;
use crate::family::{list_limits, new_string};

/// When values have which encoding, as configured at this moment.
pub(crate) fn limits(engine: &Engine) -> Limits {
    Limits {
        list: list_limits(engine),
        set: engine.settings.set_limits(),
        zset: engine.settings.zset_limits(),
        hash: engine.settings.hash_limits(),
        idempotency: IdempotencyLimits::default(),
    }
}

/// Hands a value that was read over in the form that a table takes in. Long strings are moved, not copied.
pub(crate) fn hand_over<R>(value: Value<'_>, key_len: usize, taker: impl FnOnce(NewValue<'_>) -> R) -> R {
    match value {
        Value::Object(object) => taker(NewValue::Object(object)),
        Value::String(Text::Int(number)) => taker(NewValue::Int(number)),
        Value::String(Text::Owned(bytes)) if bytes.len() > INLINE_BYTES_MAX => {
            taker(NewValue::Object(Object::String(bytes.into())))
        }
        Value::String(text) => text.with_bytes(|bytes| taker(new_string(key_len, bytes))),
    }
}

/// A key's value as files see it.
pub(crate) fn as_written(value: ValueRef<'_>) -> rdb::ValueRef<'_> {
    match value {
        ValueRef::Int(number) => rdb::ValueRef::Int(number),
        ValueRef::Bytes { bytes, .. } => rdb::ValueRef::String(bytes),
        ValueRef::Object(object) => rdb::ValueRef::Object(object),
    }
}

/// The access clock at `now_ms` of what was used so, if the policy keeps a clock of that kind.
pub(crate) fn access_clock(used: Access, policy: Policy, now_ms: i64) -> Option<u32> {
    match used {
        Access::Idle(seconds) if !policy.is_lfu() => {
            let idle_ms = i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1000);
            Some(access::from_idle_ms(idle_ms, now_ms))
        }
        Access::Frequency(counter) if policy.is_lfu() => Some(access::from_frequency(counter, now_ms)),
        Access::Idle(_) | Access::Frequency(_) => None,
    }
}
