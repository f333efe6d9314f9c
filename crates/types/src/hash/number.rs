//! Counters: fields whose values are numbers.

use super::Hash;
use super::read::Found;
use super::value::{HashLimits, NewExpiry, is_expired};
use crate::{LongDouble, increment, parse_i64};

/// Why a field was not incremented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IncrementError {
    /// The value is no integer ("hash value is not an integer").
    NotAnInteger,
    /// The value is no number ("hash value is not a float").
    NotANumber,
    /// The sum does not fit 64 bits ("increment or decrement would overflow").
    Overflow,
    /// The sum is infinite or not a number ("increment would produce NaN or Infinity").
    NotFinite,
}

impl Hash {
    /// Adds `by` to the integer in a field, 0 if there is none or it expired. The field's time stays, unless it was past.
    /// Returns the sum.
    pub fn increment(
        &mut self,
        name: &[u8],
        by: i64,
        now_ms: i64,
        limits: &HashLimits,
    ) -> Result<i64, IncrementError> {
        let live = self.find_live(name, now_ms);
        let expiry = kept(&live);
        let old = match live {
            None => 0,
            Some(found) => match found.value.as_int() {
                Some(int) => int,
                None => found.value.with_bytes(parse_i64).ok_or(IncrementError::NotAnInteger)?,
            },
        };
        let sum = increment(old, by).ok_or(IncrementError::Overflow)?;
        self.put(name, itoa::Buffer::new().format(sum).as_bytes(), expiry, limits);
        Ok(sum)
    }

    /// Adds `by` to the number in a field, 0 if there is none or it expired. The field's time stays, unless it was past.
    /// Returns the sum as it is stored.
    pub fn increment_float(
        &mut self,
        name: &[u8],
        by: LongDouble,
        now_ms: i64,
        limits: &HashLimits,
    ) -> Result<String, IncrementError> {
        let live = self.find_live(name, now_ms);
        let expiry = kept(&live);
        let old = match live {
            None => LongDouble::ZERO,
            Some(found) => found.value.with_bytes(LongDouble::parse).ok_or(IncrementError::NotANumber)?,
        };
        let sum = old + by;
        if sum.is_nan() || sum.is_infinite() {
            return Err(IncrementError::NotFinite);
        }
        let text = sum.to_human_string();
        self.put(name, text.as_bytes(), expiry, limits);
        Ok(text)
    }

    fn find_live(&self, name: &[u8], now_ms: i64) -> Option<Found<'_>> {
        self.find(name).filter(|found| !is_expired(found.expire_ms, now_ms))
    }
}

/// What becomes of the time of a field that counts on, or anew.
fn kept(live: &Option<Found<'_>>) -> NewExpiry {
    if live.is_some() { NewExpiry::Keep } else { NewExpiry::Never }
}
