//! Hashes: texts, one run of bytes, either of them with times, or the values of a template.

use ochre_types::hash::{Hash, HashLimits, NewExpiry, SetOutcome};
use ochre_types::listpack::{Item, Listpack};

use super::super::cursor::Cursor;
use super::super::error::RdbError;
use super::super::format::{ValueType, code};
use super::super::template::{self, Templates};
use super::{Left, Progress, Step, is_of_valkey, ziplist, zipmap};

/// The latest time at which a field may expire, as in Redis.
const EXPIRE_MS_MAX: u64 = (1 << 48) - 1;

const BAD_LISTPACK: RdbError = RdbError::Corrupt("Hash listpack integrity check failed.");
const DUPLICATE: RdbError = RdbError::Corrupt("Duplicate hash fields detected");
const BAD_TIME: RdbError = RdbError::Corrupt("Hash field with an invalid expiry time");
const BAD_TEMPLATE: RdbError = RdbError::Corrupt("Hash template and values do not match");

/// How fields follow each other.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Names and values.
    Pairs,
    /// Names, values and times.
    PairsAndTimes,
    /// Times, names and values.
    TimesAndPairs,
    /// The same, where a time counts from an earliest one that stands in front of all.
    RelativeTimesAndPairs,
    /// Everything in one text.
    Flat,
    /// Everything as a template has it.
    Template,
}

/// A hash that is being read.
pub(crate) struct HashDecoder<'c> {
    code: u8,
    form: Form,
    left: Left,
    hash: Hash,
    /// Fields of a small hash, which is made of all of them at once.
    collected: Option<Pairs>,
    earliest_ms: u64,
    limits: &'c HashLimits,
    templates: &'c Templates,
}

fn form_of(kind: ValueType) -> Option<Form> {
    Some(match kind.code {
        code::HASH => Form::Pairs,
        code::HASH_2 if is_of_valkey(kind, code::HASH_2) => Form::PairsAndTimes,
        code::HASH_METADATA_PRE_RELEASE => Form::TimesAndPairs,
        code::HASH_METADATA => Form::RelativeTimesAndPairs,
        code::HASH_ZIPMAP
        | code::HASH_ZIPLIST
        | code::HASH_LISTPACK
        | code::HASH_LISTPACK_EX_PRE_RELEASE
        | code::HASH_LISTPACK_EX => Form::Flat,
        code::HASH_TEMPLATE_LISTPACK..=code::HASH_TEMPLATE_ARRAY_REF => Form::Template,
        _ => return None,
    })
}

impl<'c> HashDecoder<'c> {
    /// `None` if the type is no hash.
    pub(crate) fn new(
        kind: ValueType,
        limits: &'c HashLimits,
        templates: &'c Templates,
    ) -> Option<HashDecoder<'c>> {
        let form = form_of(kind)?;
        let left = if matches!(form, Form::Flat | Form::Template) { Left::of(1) } else { Left::unknown() };
        let (hash, code) = (Hash::new(), kind.code);
        Some(HashDecoder { code, form, left, hash, collected: None, earliest_ms: 0, limits, templates })
    }

    pub(super) fn step(&mut self, cursor: &mut Cursor<'_>) -> Step {
        match self.left {
            Left(None) => self.read_head(cursor)?,
            Left(Some(0)) => return Ok(Progress::Done),
            Left(Some(_)) => {
                match self.form {
                    Form::Pairs => self.read_pair(cursor)?,
                    Form::Flat => self.read_flat(cursor)?,
                    Form::Template => self.read_template(cursor)?,
                    _ => self.read_expiring(cursor)?,
                }
                return self.left.take_one();
            }
        }
        Ok(Progress::More)
    }

    fn read_head(&mut self, cursor: &mut Cursor<'_>) -> Result<(), RdbError> {
        if self.form == Form::RelativeTimesAndPairs {
            self.earliest_ms = u64::from_le_bytes(cursor.array()?);
        }
        let count = cursor.length()?;
        self.left = Left::of(count);
        match self.form {
            Form::Pairs if count <= self.limits.entries_max as u64 => self.collected = Some(Pairs::default()),
            Form::TimesAndPairs | Form::RelativeTimesAndPairs => self.hash.make_expiring(),
            _ => {}
        }
        Ok(())
    }

    fn read_pair(&mut self, cursor: &mut Cursor<'_>) -> Result<(), RdbError> {
        let (name, value) = (cursor.text()?, cursor.text()?);
        if let Some(pairs) = &mut self.collected {
            name.with_bytes(|name| pairs.push(name));
            value.with_bytes(|value| pairs.push(value));
            return Ok(());
        }
        let is_new =
            name.with_bytes(|name| value.with_bytes(|value| self.hash.set(name, value, self.limits)));
        if is_new { Ok(()) } else { Err(DUPLICATE) }
    }

    fn read_expiring(&mut self, cursor: &mut Cursor<'_>) -> Result<(), RdbError> {
        let (name, value, expire_ms) = if self.form == Form::PairsAndTimes {
            let (name, value) = (cursor.text()?, cursor.text()?);
            let expire_ms = match cursor.ms()? {
                -1 => None,
                ms => Some(u64::try_from(ms).map_err(|_| BAD_TIME)?),
            };
            (name, value, expire_ms)
        } else {
            let time = Some(cursor.length()?).filter(|time| *time != 0);
            let absolute_ms = |time: u64| match self.form {
                Form::RelativeTimesAndPairs => time.checked_add(self.earliest_ms).map(|ms| ms - 1),
                _ => Some(time),
            };
            let expire_ms = time.map(|time| absolute_ms(time).ok_or(BAD_TIME)).transpose()?;
            (cursor.text()?, cursor.text()?, expire_ms)
        };
        name.with_bytes(|name| {
            value.with_bytes(|value| add_expiring(&mut self.hash, name, value, expire_ms, self.limits))
        })
    }

    fn read_flat(&mut self, cursor: &mut Cursor<'_>) -> Result<(), RdbError> {
        if self.code == code::HASH_LISTPACK_EX {
            cursor.ms()?;
        }
        let text = cursor.text()?;
        if self.code == code::HASH_ZIPMAP {
            let mut pairs = Pairs::default();
            text.with_bytes(|bytes| {
                zipmap::read(bytes, |name, value| {
                    pairs.push(name);
                    pairs.push(value);
                })
            })?;
            self.collected = Some(pairs);
            return Ok(());
        }
        let listpack = match self.code {
            code::HASH_ZIPLIST => {
                text.with_bytes(|bytes| ziplist::to_listpack(bytes, "Hash ziplist integrity check failed."))?
            }
            _ => text.with_bytes(Listpack::from_bytes).map_err(|_| BAD_LISTPACK)?,
        };
        if listpack.is_empty() {
            return Err(RdbError::EmptyValue);
        }
        let has_times = matches!(self.code, code::HASH_LISTPACK_EX | code::HASH_LISTPACK_EX_PRE_RELEASE);
        self.hash = match Hash::from_listpack(&listpack, has_times) {
            Ok(hash) => hash,
            Err(_) if has_times => self.sort(&listpack)?,
            Err(_) => return Err(BAD_LISTPACK),
        };
        self.hash.loaded(self.limits);
        Ok(())
    }

    /// Puts fields in the order of their times that are not: Redis does not look at that when it loads.
    fn sort(&self, listpack: &Listpack) -> Result<Hash, RdbError> {
        let mut hash = Hash::new();
        hash.make_expiring();
        let mut items = listpack.iter();
        while let Some(name) = items.next() {
            let (value, time) = (items.next().ok_or(BAD_LISTPACK)?, items.next().ok_or(BAD_LISTPACK)?);
            let ms = time.as_int().and_then(|ms| u64::try_from(ms).ok()).ok_or(BAD_TIME)?;
            let expire_ms = Some(ms).filter(|ms| *ms != 0);
            name.with_bytes(|name| {
                value.with_bytes(|value| add_expiring(&mut hash, name, value, expire_ms, self.limits))
            })?;
        }
        Ok(hash)
    }

    fn read_template(&mut self, cursor: &mut Cursor<'_>) -> Result<(), RdbError> {
        let own_names;
        let (mut names, mut pairs) = (None, Pairs::default());
        if matches!(self.code, code::HASH_TEMPLATE_LISTPACK | code::HASH_TEMPLATE_ARRAY) {
            own_names = template::read_names(cursor)?;
            names = Some(&own_names);
        }
        if matches!(self.code, code::HASH_TEMPLATE_ARRAY | code::HASH_TEMPLATE_ARRAY_REF) {
            let names = match names {
                Some(names) => names,
                None => self.templates.get(cursor.length()?)?,
            };
            for name in names {
                pairs.push(name);
                cursor.text()?.with_bytes(|value| pairs.push(value));
            }
        } else {
            let listpack = cursor.text()?.with_bytes(Listpack::from_bytes).map_err(|_| BAD_LISTPACK)?;
            let mut items = listpack.iter();
            // The number stands here also where the names are in front, and means nothing then.
            let number = items.next().and_then(|item| item.as_int()).ok_or(BAD_TEMPLATE)?;
            let names = match names {
                Some(names) => names,
                None => self.templates.get(u64::try_from(number).map_err(|_| BAD_TEMPLATE)?)?,
            };
            let values: Vec<Item<'_>> = items.collect();
            if values.len() != names.len() {
                return Err(BAD_TEMPLATE);
            }
            for (name, value) in names.iter().zip(values) {
                pairs.push(name);
                value.with_bytes(|value| pairs.push(value));
            }
        }
        self.collected = Some(pairs);
        Ok(())
    }

    pub(crate) fn finish(mut self) -> Result<Hash, RdbError> {
        if let Some(pairs) = self.collected
            && self.hash.set_all(pairs.iter(), self.limits) != pairs.len()
        {
            return Err(DUPLICATE);
        }
        if self.hash.is_empty() { Err(RdbError::EmptyValue) } else { Ok(self.hash) }
    }
}

/// Adds a field that must not be there, and whose time may have passed.
fn add_expiring(
    hash: &mut Hash,
    name: &[u8],
    value: &[u8],
    expire_ms: Option<u64>,
    limits: &HashLimits,
) -> Result<(), RdbError> {
    let expiry = match expire_ms {
        None => NewExpiry::Never,
        // One run of bytes has 0 for fields that do not expire; both have long passed.
        Some(ms @ 0..=EXPIRE_MS_MAX) => NewExpiry::At(ms.max(1) as i64),
        Some(_) => return Err(BAD_TIME),
    };
    match hash.set_expiring(name, value, expiry, i64::MIN, limits) {
        SetOutcome::Created => Ok(()),
        SetOutcome::Updated | SetOutcome::Expired => Err(DUPLICATE),
    }
}

/// Names and values in turn, in one run of bytes.
#[derive(Default)]
struct Pairs {
    bytes: Vec<u8>,
    /// Where each of them ends.
    ends: Vec<usize>,
}

impl Pairs {
    fn push(&mut self, text: &[u8]) {
        self.bytes.extend_from_slice(text);
        self.ends.push(self.bytes.len());
    }

    fn len(&self) -> usize {
        self.ends.len() / 2
    }

    fn text(&self, index: usize) -> &[u8] {
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.bytes[start..self.ends[index]]
    }

    fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> + Clone {
        (0..self.len()).map(|pair| (self.text(2 * pair), self.text(2 * pair + 1)))
    }
}
