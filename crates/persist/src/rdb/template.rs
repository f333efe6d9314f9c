//! Templates of hashes, as Redis 8.10 writes them: field names that many hashes have in common, written once.
//!
//! A file has its templates in front of all keys, each with a number; hashes then name a number and give the values
//! only, in the order of the names. A DUMP payload has the names in itself instead. Names are in the order of their lengths,
//! then of their bytes, and none comes twice.

use std::collections::HashMap;
use std::sync::Arc;

use ochre_types::listpack::{Item, Listpack};

use super::cursor::Cursor;
use super::error::RdbError;

/// Names in a listpack, or one by one.
const AS_LISTPACK: u64 = 0;
const AS_TEXTS: u64 = 1;

/// The names of a template.
pub(super) type Names = Vec<Vec<u8>>;

/// The templates of a file, shared by all that read its records.
#[derive(Clone, Debug, Default)]
pub(super) struct Templates(Arc<HashMap<u64, Names>>);

impl Templates {
    /// The names of a template.
    pub(super) fn get(&self, number: u64) -> Result<&Names, RdbError> {
        self.0.get(&number).ok_or(RdbError::Corrupt("Invalid hash template ID"))
    }

    /// Reads a template's record: its number, and its names one by one.
    pub(super) fn add(&mut self, cursor: &mut Cursor<'_>) -> Result<(), RdbError> {
        let number = cursor.length()?;
        let names = read_texts(cursor)?;
        match Arc::make_mut(&mut self.0).insert(number, names) {
            Some(_) => Err(RdbError::Corrupt("Duplicate hash template ID")),
            None => Ok(()),
        }
    }
}

/// Reads the names in front of a hash that has them in itself.
pub(super) fn read_names(cursor: &mut Cursor<'_>) -> Result<Names, RdbError> {
    match cursor.length()? {
        AS_LISTPACK => {
            let listpack = cursor.text()?.with_bytes(Listpack::from_bytes);
            let listpack =
                listpack.map_err(|_| RdbError::Corrupt("Hash template integrity check failed."))?;
            checked(listpack.iter().map(|name: Item<'_>| name.to_vec()).collect())
        }
        AS_TEXTS => read_texts(cursor),
        _ => Err(RdbError::Corrupt("Unknown form of a hash template")),
    }
}

fn read_texts(cursor: &mut Cursor<'_>) -> Result<Names, RdbError> {
    let count = cursor.length()?;
    let names: Result<Names, RdbError> = (0..count).map(|_| Ok(cursor.text()?.into_vec())).collect();
    checked(names?)
}

fn checked(names: Names) -> Result<Names, RdbError> {
    let in_order = names.is_sorted_by(|one, next| (one.len(), one) < (next.len(), next));
    if names.is_empty() || !in_order {
        return Err(RdbError::Corrupt("Hash template fields not strictly sorted"));
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_both_forms() {
        let names = vec![b"field1".to_vec(), b"field2".to_vec()];
        let listpack = b"\x00\x17\x17\0\0\0\x02\0\x86field1\x07\x86field2\x07\xff";
        for bytes in [&listpack[..], b"\x01\x02\x06field1\x06field2"] {
            let mut cursor = Cursor::new(bytes);
            assert_eq!((read_names(&mut cursor), cursor.remaining()), (Ok(names.clone()), 0));
        }
        for bytes in
            [&b"\x01\x00"[..], b"\x01\x02\x01b\x01a", b"\x01\x02\x01a\x01a", b"\x01\x02\x02aa\x01b", b"\x02"]
        {
            assert!(matches!(read_names(&mut Cursor::new(bytes)), Err(RdbError::Corrupt(_))), "{bytes:?}");
        }
    }

    #[test]
    fn numbers_are_given_once() {
        let mut templates = Templates::default();
        let record = b"\x07\x01\x01a";
        assert_eq!(templates.add(&mut Cursor::new(record)), Ok(()));
        assert!(templates.add(&mut Cursor::new(record)).is_err());
        assert_eq!(templates.get(7).map(Vec::len), Ok(1));
        assert!(templates.get(8).is_err());
    }
}
