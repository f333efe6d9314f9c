//! Which libraries and functions there are, and who may take whose name.
//!
//! A library takes the place of another of its name if that is asked for. A function's name, whatever the case of its
//! letters, belongs to one library. Every change happens as a whole or not at all.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::library::{Library, LibraryMetadata};
use crate::registered::FunctionRecord;

/// What FUNCTION RESTORE does with libraries that are there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RestorePolicy {
    /// They stay; one of the same name is an error.
    Append,
    /// Those of the same names are replaced.
    Replace,
    /// They go.
    Flush,
}

impl RestorePolicy {
    /// The policy of a word, whatever its case.
    ///
    /// # Errors
    /// It is none; the error text, without `ERR`.
    pub fn parse(word: &[u8]) -> Result<RestorePolicy, &'static str> {
        match word.to_ascii_lowercase().as_slice() {
            b"append" => Ok(RestorePolicy::Append),
            b"replace" => Ok(RestorePolicy::Replace),
            b"flush" => Ok(RestorePolicy::Flush),
            _ => Err("Wrong restore policy given, value should be either FLUSH, APPEND or REPLACE."),
        }
    }
}

/// A function and the library that it belongs to.
#[derive(Clone, Debug)]
pub struct FunctionEntry {
    library: Arc<Library>,
    index: usize,
}

impl FunctionEntry {
    /// The library.
    pub fn library(&self) -> &Arc<Library> {
        &self.library
    }

    /// What it registered.
    pub fn record(&self) -> &FunctionRecord {
        &self.library.functions()[self.index]
    }
}

/// All libraries, by name.
#[derive(Clone, Debug, Default)]
pub struct FunctionRegistry {
    libraries: BTreeMap<Vec<u8>, Arc<Library>>,
    /// By names in small letters.
    functions: HashMap<Vec<u8>, FunctionEntry>,
}

impl FunctionRegistry {
    /// A registry without libraries.
    pub fn new() -> FunctionRegistry {
        FunctionRegistry::default()
    }

    /// The libraries, by name.
    pub fn libraries(&self) -> impl ExactSizeIterator<Item = &Arc<Library>> {
        self.libraries.values()
    }

    /// The number of functions.
    pub fn function_count(&self) -> usize {
        self.functions.len()
    }

    /// A function by its name, whatever the case of its letters.
    pub fn function(&self, name: &[u8]) -> Option<&FunctionEntry> {
        self.functions.get(&name.to_ascii_lowercase())
    }

    /// Whether FUNCTION LOAD may go on with a library of this name, before its text is run.
    ///
    /// # Errors
    /// There is one, which is not to be replaced; the error text, without `ERR`.
    pub fn check_name(&self, metadata: &LibraryMetadata, replaces: bool) -> Result<(), Vec<u8>> {
        if !replaces && self.libraries.contains_key(&metadata.name) {
            return Err([b"Library '", metadata.name.as_slice(), b"' already exists"].concat());
        }
        Ok(())
    }

    /// Adds a library, in place of one of its name.
    ///
    /// # Errors
    /// It has no functions, or one whose name another library has; the error text, without `ERR`.
    pub fn add(&mut self, library: Arc<Library>) -> Result<(), Vec<u8>> {
        if library.functions().is_empty() {
            return Err(b"No functions registered".to_vec());
        }
        let replaced = self.libraries.get(library.name()).cloned();
        let taken = library.functions().iter().find(|function| {
            self.function(&function.name).is_some_and(|entry| entry.library.name() != library.name())
        });
        if let Some(taken) = taken {
            return Err([b"Function ", taken.name.as_slice(), b" already exists"].concat());
        }
        if let Some(replaced) = replaced {
            self.unlink(&replaced);
        }
        self.link(library);
        Ok(())
    }

    /// Removes a library.
    ///
    /// # Errors
    /// There is none of that name; the error text, without `ERR`.
    pub fn delete(&mut self, name: &[u8]) -> Result<Arc<Library>, &'static str> {
        let library = self.libraries.get(name).cloned().ok_or("Library not found")?;
        self.unlink(&library);
        Ok(library)
    }

    /// Removes all.
    pub fn flush(&mut self) {
        self.libraries.clear();
        self.functions.clear();
    }

    /// Adds all libraries of a dump, or none.
    ///
    /// # Errors
    /// Names are taken; the error text, without `ERR`.
    pub fn restore(&mut self, libraries: Vec<Arc<Library>>, policy: RestorePolicy) -> Result<(), Vec<u8>> {
        let mut restored = FunctionRegistry::new();
        for library in libraries {
            if restored.libraries.contains_key(library.name()) {
                return Err([b"Library '", library.name(), b"' already exists"].concat());
            }
            restored.add(library)?;
        }
        if policy == RestorePolicy::Flush {
            *self = restored;
            return Ok(());
        }
        let mut joined = self.clone();
        for library in restored.libraries.values() {
            match joined.libraries.get(library.name()).cloned() {
                Some(_) if policy == RestorePolicy::Append => {
                    return Err([b"Library ", library.name(), b" already exists"].concat());
                }
                Some(replaced) => joined.unlink(&replaced),
                None => {}
            }
        }
        for library in restored.libraries.into_values() {
            joined.add(library)?;
        }
        *self = joined;
        Ok(())
    }

    fn link(&mut self, library: Arc<Library>) {
        for (index, function) in library.functions().iter().enumerate() {
            let entry = FunctionEntry { library: Arc::clone(&library), index };
            self.functions.insert(function.name.to_ascii_lowercase(), entry);
        }
        self.libraries.insert(library.name().to_vec(), library);
    }

    fn unlink(&mut self, library: &Library) {
        for function in library.functions() {
            self.functions.remove(&function.name.to_ascii_lowercase());
        }
        self.libraries.remove(library.name());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn library(name: &str, functions: &[&str]) -> Arc<Library> {
        let code = format!("#!lua name={name}\n");
        let metadata = LibraryMetadata::parse(code.as_bytes()).unwrap();
        let record = |name: &&str| FunctionRecord {
            name: name.as_bytes().to_vec(),
            description: None,
            flags: Default::default(),
        };
        Library::new(metadata, code.as_bytes(), functions.iter().map(record).collect())
    }

    fn names(registry: &FunctionRegistry) -> Vec<String> {
        let names = registry.libraries().flat_map(|library| {
            library.functions().iter().map(|function| {
                format!(
                    "{}.{}",
                    String::from_utf8_lossy(library.name()),
                    String::from_utf8_lossy(&function.name)
                )
            })
        });
        let names: Vec<String> = names.collect();
        assert_eq!(names.len(), registry.function_count());
        names
    }

    #[test]
    fn names_belong_to_one_library() {
        let mut registry = FunctionRegistry::new();
        registry.add(library("a", &["f", "g"])).unwrap();
        assert_eq!(registry.add(library("b", &["h", "F"])), Err(b"Function F already exists".to_vec()));
        assert_eq!(registry.add(library("b", &[])), Err(b"No functions registered".to_vec()));
        registry.add(library("b", &["h"])).unwrap();
        let again = LibraryMetadata { name: b"a".to_vec(), len: 0 };
        assert_eq!(registry.check_name(&again, false), Err(b"Library 'a' already exists".to_vec()));
        assert_eq!(registry.check_name(&again, true), Ok(()));
        registry.add(library("a", &["g", "i"])).unwrap();
        assert_eq!(names(&registry), ["a.g", "a.i", "b.h"]);
        assert_eq!(registry.add(library("a", &["h"])), Err(b"Function h already exists".to_vec()));
        assert_eq!(names(&registry), ["a.g", "a.i", "b.h"]);
        assert_eq!(registry.function(b"I").unwrap().record().name, b"i");
        assert_eq!(registry.delete(b"A").unwrap_err(), "Library not found");
        registry.delete(b"a").unwrap();
        assert_eq!(names(&registry), ["b.h"]);
        registry.flush();
        assert!(names(&registry).is_empty() && registry.function(b"h").is_none());
    }

    #[test]
    fn restoring_is_whole_or_not_at_all() {
        let start = || {
            let mut registry = FunctionRegistry::new();
            registry.add(library("a", &["f"])).unwrap();
            registry.add(library("b", &["g"])).unwrap();
            registry
        };
        let dump = || vec![library("c", &["h"]), library("a", &["i"])];
        for (policy, libraries, expected) in [
            (RestorePolicy::Append, dump(), Err("Library a already exists")),
            (RestorePolicy::Append, vec![library("c", &["g"])], Err("Function g already exists")),
            (RestorePolicy::Append, vec![library("c", &["h"])], Ok(vec!["a.f", "b.g", "c.h"])),
            (RestorePolicy::Replace, dump(), Ok(vec!["a.i", "b.g", "c.h"])),
            (RestorePolicy::Replace, vec![library("a", &["g"])], Err("Function g already exists")),
            (
                RestorePolicy::Replace,
                vec![library("a", &["g"]), library("b", &["f"])],
                Ok(vec!["a.g", "b.f"]),
            ),
            (RestorePolicy::Flush, dump(), Ok(vec!["a.i", "c.h"])),
            (RestorePolicy::Flush, vec![], Ok(vec![])),
        ] {
            let mut registry = start();
            let restored = registry.restore(libraries, policy);
            match expected {
                Ok(expected) => assert_eq!(
                    (restored, names(&registry)),
                    (Ok(()), expected.iter().map(|name| (*name).to_owned()).collect())
                ),
                Err(text) => {
                    assert_eq!(restored, Err(text.as_bytes().to_vec()), "{policy:?}");
                    assert_eq!(names(&registry), ["a.f", "b.g"]);
                }
            }
        }
        assert!(RestorePolicy::parse(b"FLUSH").is_ok() && RestorePolicy::parse(b"x").is_err());
    }
}
