//! A library: a text whose first line says what it is called, and the functions that it registers.

use std::sync::Arc;

use ochre_resp::split_args;

use crate::registered::{FunctionRecord, INVALID_NAME, is_valid_name};
use crate::script::next_id;

/// What the first line of a library says: `#!lua name=mylib`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LibraryMetadata {
    /// The library's name.
    pub name: Vec<u8>,
    /// The bytes before the end of the line.
    pub len: usize,
}

impl LibraryMetadata {
    /// Reads the first line.
    ///
    /// # Errors
    /// It is none, its name cannot be one, or the engine is another than Lua; the error text, without `ERR`.
    pub fn parse(code: &[u8]) -> Result<LibraryMetadata, Vec<u8>> {
        let error = |text: &str| text.as_bytes().to_vec();
        // Texts of C end at a zero.
        let text = code.split(|&byte| byte == 0).next().unwrap_or_default();
        if !text.starts_with(b"#!") {
            return Err(error("Missing library metadata"));
        }
        let len = text.iter().position(|&byte| byte == b'\n');
        let len = len.ok_or_else(|| error("Invalid library metadata"))?;
        let parts = split_args(&text[..len]).unwrap_or_default();
        let Some((engine, options)) = parts.split_first() else {
            return Err(error("Invalid library metadata"));
        };
        let name = library_name(options)?.ok_or_else(|| error("Library name was not given"))?;
        if !is_valid_name(&name) {
            return Err(error(INVALID_NAME));
        }
        let engine = engine.get(2..).unwrap_or_default();
        if !engine.eq_ignore_ascii_case(b"lua") {
            return Err([b"Engine '", engine, b"' not found"].concat());
        }
        Ok(LibraryMetadata { name, len })
    }
}

fn library_name(options: &[Vec<u8>]) -> Result<Option<Vec<u8>>, Vec<u8>> {
    let mut name = None;
    for option in options {
        let is_name = option.get(..5).is_some_and(|start| start.eq_ignore_ascii_case(b"name="));
        if !is_name {
            return Err([b"Invalid metadata value given: ", option.as_slice()].concat());
        }
        if name.replace(option[5..].to_vec()).is_some() {
            return Err(b"Invalid metadata value, name argument was given multiple times".to_vec());
        }
    }
    Ok(name)
}

/// A library that has been loaded once: what it registered is known.
#[derive(Debug)]
pub struct Library {
    /// A number that no other script or library of the process has.
    pub(crate) id: u64,
    name: Vec<u8>,
    code: Box<[u8]>,
    code_start: usize,
    functions: Vec<FunctionRecord>,
}

impl Library {
    /// A library of this text, which registered these functions
    /// ([`Interpreter::load_library`](crate::Interpreter::load_library)).
    pub fn new(metadata: LibraryMetadata, code: &[u8], functions: Vec<FunctionRecord>) -> Arc<Library> {
        let code_start = metadata.len.min(code.len());
        Arc::new(Library { id: next_id(), name: metadata.name, code: code.into(), code_start, functions })
    }

    /// Its name.
    pub fn name(&self) -> &[u8] {
        &self.name
    }

    /// Its whole text, which FUNCTION DUMP saves.
    pub fn code(&self) -> &[u8] {
        &self.code
    }

    /// Its functions, in the order that they were registered in.
    pub fn functions(&self) -> &[FunctionRecord] {
        &self.functions
    }

    /// The text from the end of the first line on, so that lines keep their numbers.
    pub(crate) fn body(&self) -> &[u8] {
        &self.code[self.code_start..]
    }

    /// Bytes that it takes.
    pub fn memory_bytes(&self) -> usize {
        let functions = self.functions.iter().map(|function| {
            size_of::<FunctionRecord>()
                + function.name.len()
                + function.description.as_ref().map_or(0, Vec::len)
        });
        self.code.len() + self.name.len() + size_of::<Library>() + functions.sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_lines_are_read() {
        let name = |text: &str| Ok(text.as_bytes().to_vec());
        for (code, expected) in [
            ("#!lua name=x\n", name("x")),
            ("#!LUA NAME=x_1\nreturn", name("x_1")),
            ("#!lua name=\"x\"\n", name("x")),
            ("#!lua name=x", Err("Invalid library metadata")),
            ("#!lua\n", Err("Library name was not given")),
            ("lua\n", Err("Missing library metadata")),
            ("#!js name=x\n", Err("Engine 'js' not found")),
            ("#! name=x\n", Err("Engine '' not found")),
            ("#!lua name=x name=y\n", Err("Invalid metadata value, name argument was given multiple times")),
            ("#!lua foo=x\n", Err("Invalid metadata value given: foo=x")),
            ("#!lua name=a-b\n", Err(INVALID_NAME)),
            ("#!lua name=\n", Err(INVALID_NAME)),
            ("#!lua name=\"a\n", Err("Invalid library metadata")),
        ] {
            let parsed = LibraryMetadata::parse(code.as_bytes()).map(|metadata| metadata.name);
            assert_eq!(parsed, expected.map_err(|text: &str| text.as_bytes().to_vec()), "{code}");
        }
    }
}
