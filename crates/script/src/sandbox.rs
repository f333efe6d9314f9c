//! What scripts see: three tables of globals, and no way to change anything that another script will see.
//!
//! Redis marks tables as read-only in its own copy of Lua. Lua itself knows nothing of the kind, so a script gets an empty
//! table in place of each: its metatable reads from the real one (`__index`) and refuses to write (`__newindex`). The
//! real tables can be reached by no script: `getmetatable` shows something else (see `library::base`), `debug` is
//! not there, and what walks or changes tables without asking metatables (`next`, `rawset`, `table.insert`, ...) is guarded.
//! A name read through such a table costs one more look-up.
//!
//! | globals of | what is there |
//! |---|---|
//! | EVAL | libraries, `redis`, KEYS, ARGV |
//! | functions that run | libraries, `redis` without what is for EVAL only |
//! | libraries that are loaded | `redis` with what registers functions, nothing else |
//!
//! A library's functions have the globals that its text was loaded with, so the last two are one table for scripts, that
//! reads from either.

use crate::api;
use crate::library::{
    self, ARRAY_MARK, JsonSettings, error_handler, functions, no_such_global, push_getmetatable, readonly,
};
use crate::lua::{Frame, Kind, Raise, Reference};
use crate::state::Name;
use crate::version::Versions;

/// The libraries that scripts see.
const LIBRARIES: [&str; 9] =
    ["string", "table", "math", "os", "coroutine", "bit", "struct", "cmsgpack", "cjson"];

/// The tables that runs need.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sandbox {
    /// The globals that scripts of EVAL see.
    pub(crate) eval: Reference,
    /// Where KEYS and ARGV are set.
    pub(crate) eval_originals: Reference,
    /// The globals that functions see.
    pub(crate) functions: Reference,
    /// The metatable of that, which says where they are read.
    functions_metatable: Reference,
    /// Where a function that runs reads them.
    running: Reference,
    /// Where a library that is loaded does.
    loading: Reference,
    /// What makes tables of errors.
    pub(crate) handler: Reference,
    json_settings: Reference,
}

impl Sandbox {
    /// Fills an interpreter that has Lua's libraries.
    ///
    /// # Errors
    /// There is no memory.
    pub(crate) fn build(frame: &mut Frame<'_>, versions: &Versions) -> Result<Sandbox, Raise> {
        frame.reserve(20)?;
        frame.push_globals()?;
        let globals = frame.top();
        library::replace_functions(frame, globals)?;
        frame.push_table(0, 4)?;
        let shown = frame.top();
        let json_settings = add_libraries(frame, globals, shown)?;
        shield_libraries(frame, globals)?;
        show_strings(frame, globals, shown)?;
        push_reader(frame)?;
        frame.push_function(error_handler, 0)?;
        let handler = frame.keep();

        push_copy(frame, globals)?;
        let running = frame.top();
        add_api(frame, running, versions, false)?;
        add_api(frame, globals, versions, true)?;
        frame.push_reference(handler)?;
        frame.set_field(globals, "__redis__err__handler")?;
        frame.push_reference(handler)?;
        frame.set_field(globals, "__server__err__handler")?;
        for table in [globals, running] {
            refuse_missing(frame, table)?;
        }

        let eval = push_globals_shield(frame, globals, shown)?;
        let functions = push_globals_shield(frame, running, shown)?;
        frame.push_reference(functions)?;
        frame.push_metatable(-1)?;
        let functions_metatable = frame.keep();
        frame.pop(1);
        push_loading(frame, versions)?;
        let loading = frame.keep();
        frame.push_value(running)?;
        let running = frame.keep();
        frame.push_value(globals)?;
        let eval_originals = frame.keep();
        Ok(Sandbox {
            eval,
            eval_originals,
            functions,
            functions_metatable,
            running,
            loading,
            handler,
            json_settings,
        })
    }

    /// Has libraries see what they see while they are loaded, or what functions see that run.
    ///
    /// # Errors
    /// There is no memory.
    pub(crate) fn set_loading(&self, frame: &mut Frame<'_>, is_loading: bool) -> Result<(), Raise> {
        frame.push_reference(self.functions_metatable)?;
        frame.push_reference(if is_loading { self.loading } else { self.running })?;
        frame.set_name(-2, Name::Index)?;
        frame.pop(1);
        Ok(())
    }

    /// Undoes what a script changed of cjson's settings.
    ///
    /// # Errors
    /// There is no memory.
    pub(crate) fn reset_json(&self, frame: &mut Frame<'_>) -> Result<(), Raise> {
        frame.push_reference(self.json_settings)?;
        let table = frame.top();
        JsonSettings::reset(frame, table)?;
        frame.pop(1);
        Ok(())
    }
}

/// Adds the libraries that Lua does not have.
fn add_libraries(frame: &mut Frame<'_>, globals: i32, shown: i32) -> Result<Reference, Raise> {
    library::push_bit(frame)?;
    frame.set_field(globals, "bit")?;
    library::push_struct(frame)?;
    frame.set_field(globals, "struct")?;
    library::push_msgpack(frame)?;
    frame.set_field(globals, "cmsgpack")?;

    frame.push_table(10, 0)?;
    let settings = frame.top();
    JsonSettings::reset(frame, settings)?;
    frame.push_table(0, 1)?;
    let metatable = frame.top();
    frame.push_boolean(true)?;
    frame.set_field(metatable, ARRAY_MARK)?;
    frame.push_value(metatable)?;
    push_shield(frame, metatable)?;
    frame.set(shown);
    library::push_json(frame, settings, metatable)?;
    frame.set_field(globals, "cjson")?;
    frame.pop(1);
    Ok(frame.keep())
}

/// Pushes an empty table that reads from another, and that scripts cannot change.
fn push_shield(frame: &mut Frame<'_>, table: i32) -> Result<(), Raise> {
    frame.push_table(0, 0)?;
    frame.push_table(0, 2)?;
    frame.push_value(table)?;
    frame.set_name(-2, Name::Index)?;
    functions!(frame, { "__newindex" => readonly });
    frame.set_metatable(-2);
    frame.protect(-1);
    Ok(())
}

/// Puts a shield in place of each library.
fn shield_libraries(frame: &mut Frame<'_>, globals: i32) -> Result<(), Raise> {
    for name in LIBRARIES {
        if frame.get_field(globals, name)? == Kind::Table {
            push_shield(frame, frame.top())?;
            frame.set_field(globals, name)?;
        }
        frame.pop(1);
    }
    Ok(())
}

/// Sets `getmetatable`: strings show a table like their own, protected tables what `shown` has for them.
fn show_strings(frame: &mut Frame<'_>, globals: i32, shown: i32) -> Result<(), Raise> {
    frame.push_table(0, 1)?;
    frame.get_field(globals, "string")?;
    frame.set_name(-2, Name::Index)?;
    push_shield(frame, frame.top())?;
    frame.push_value(shown)?;
    push_getmetatable(frame)?;
    frame.set_field(globals, "getmetatable")?;
    frame.pop(1);
    Ok(())
}

/// Keeps a function of Lua that reads a field with all that metatables do.
fn push_reader(frame: &mut Frame<'_>) -> Result<(), Raise> {
    frame.compile(b"local table, key = ... return table[key]", c"=reader")?;
    let reader = frame.keep();
    frame.shared().reader.set(Some(reader));
    Ok(())
}

/// Pushes a table with all that another has.
fn push_copy(frame: &mut Frame<'_>, table: i32) -> Result<(), Raise> {
    frame.push_table(0, 64)?;
    let copy = frame.top();
    frame.push_nil()?;
    while frame.next(table)? {
        frame.push_value(-2)?;
        frame.swap();
        frame.set(copy);
    }
    Ok(())
}

/// Adds `redis` and `server`.
fn add_api(frame: &mut Frame<'_>, globals: i32, versions: &Versions, is_eval: bool) -> Result<(), Raise> {
    api::push_table(frame, versions, is_eval)?;
    push_shield(frame, frame.top())?;
    frame.push_value(-1)?;
    frame.set_field(globals, "redis")?;
    frame.set_field(globals, "server")?;
    frame.pop(1);
    Ok(())
}

/// Has reading what is not in a table raise an error.
fn refuse_missing(frame: &mut Frame<'_>, table: i32) -> Result<(), Raise> {
    frame.push_table(0, 1)?;
    functions!(frame, { "__index" => no_such_global });
    frame.set_metatable(table);
    Ok(())
}

/// Makes a table of globals that scripts see: one that is its own `_G`, with a metatable that can be shown.
fn push_globals_shield(frame: &mut Frame<'_>, globals: i32, shown: i32) -> Result<Reference, Raise> {
    push_shield(frame, globals)?;
    let shield = frame.top();
    frame.push_value(shield)?;
    frame.set_field(globals, "_G")?;

    frame.push_value(shield)?;
    frame.push_table(0, 2)?;
    functions!(frame, { "__index" => no_such_global, "__newindex" => readonly });
    push_shield(frame, frame.top())?;
    frame.swap();
    frame.pop(1);
    frame.set(shown);
    Ok(frame.keep())
}

/// Pushes what libraries read while they are loaded.
fn push_loading(frame: &mut Frame<'_>, versions: &Versions) -> Result<(), Raise> {
    frame.push_table(0, 2)?;
    let loading = frame.top();
    api::push_load_table(frame, versions)?;
    let table = frame.top();
    refuse_missing(frame, table)?;
    push_shield(frame, table)?;
    frame.push_value(-1)?;
    frame.set_field(loading, "redis")?;
    frame.set_field(loading, "server")?;
    frame.pop(1);
    refuse_missing(frame, loading)
}
