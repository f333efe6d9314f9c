//! `redis.register_function`, which libraries call while they are loaded.

use crate::flags::ScriptFlags;
use crate::lua::{Frame, Kind, Outcome, Raise, Reference, Returned};
use crate::registered::{FunctionRecord, INVALID_NAME, is_valid_name};

/// What the arguments said.
#[derive(Default)]
struct Arguments {
    name: Option<Vec<u8>>,
    description: Option<Vec<u8>>,
    callback: Option<Reference>,
    flags: ScriptFlags,
}

/// `redis.register_function`: a name and a function, or a table with both and more.
pub(crate) fn register_function(frame: &mut Frame<'_>) -> Outcome {
    let mut arguments = Arguments::default();
    let registered = read(frame, &mut arguments).and_then(|()| register(frame, &mut arguments));
    // What was kept for a function that came to nothing goes.
    if let Some(callback) = arguments.callback.take() {
        frame.forget(callback);
    }
    match registered {
        Ok(()) => Ok(Returned::Values(0)),
        Err(Problem::Text(text)) => Err(frame.error_table(format!("ERR {text}").as_bytes(), false)),
        Err(Problem::Raise(raise)) => Err(raise),
    }
}

/// Why a function is not registered.
enum Problem {
    Text(&'static str),
    Raise(Raise),
}

impl From<&'static str> for Problem {
    fn from(text: &'static str) -> Problem {
        Problem::Text(text)
    }
}

impl From<Raise> for Problem {
    fn from(raise: Raise) -> Problem {
        Problem::Raise(raise)
    }
}

fn read(frame: &mut Frame<'_>, arguments: &mut Arguments) -> Result<(), Problem> {
    match frame.args() {
        1 => read_table(frame, arguments),
        2 => read_pair(frame, arguments),
        _ => Err("wrong number of arguments to redis.register_function".into()),
    }
}

fn read_pair(frame: &mut Frame<'_>, arguments: &mut Arguments) -> Result<(), Problem> {
    let name = frame.arg_string(1).ok_or("first argument to redis.register_function must be a string")?;
    if frame.kind(2) != Kind::Function {
        return Err("second argument to redis.register_function must be a function".into());
    }
    arguments.name = Some(name.to_vec());
    frame.push_value(2)?;
    arguments.callback = Some(frame.keep());
    Ok(())
}

fn read_table(frame: &mut Frame<'_>, arguments: &mut Arguments) -> Result<(), Problem> {
    if frame.kind(1) != Kind::Table {
        return Err(
            "calling redis.register_function with a single argument is only applicable to Lua table \
                    (representing named arguments)."
                .into(),
        );
    }
    frame.push_nil()?;
    while frame.next(1)? {
        let key = match frame.kind(-2) {
            Kind::String => frame.string(-2).unwrap_or_default().to_ascii_lowercase(),
            Kind::Number => Vec::new(),
            _ => return Err("named argument key given to redis.register_function is not a string".into()),
        };
        read_field(frame, &key, arguments)?;
    }
    if arguments.name.is_none() {
        return Err("redis.register_function must get a function name argument".into());
    }
    if arguments.callback.is_none() {
        return Err("redis.register_function must get a callback argument".into());
    }
    Ok(())
}

/// Reads a named argument, whose value is the last one; it is popped.
fn read_field(frame: &mut Frame<'_>, key: &[u8], arguments: &mut Arguments) -> Result<(), Problem> {
    let is_text = matches!(frame.kind(-1), Kind::String | Kind::Number);
    match key {
        b"function_name" if !is_text => {
            return Err("function_name argument given to redis.register_function must be a string".into());
        }
        b"function_name" => arguments.name = Some(frame.text_of_last()?),
        b"description" if !is_text => {
            return Err("description argument given to redis.register_function must be a string".into());
        }
        b"description" => arguments.description = Some(frame.text_of_last()?),
        b"callback" if frame.kind(-1) != Kind::Function => {
            return Err("callback argument given to redis.register_function must be a function".into());
        }
        b"callback" => {
            let callback = frame.keep();
            if let Some(earlier) = arguments.callback.replace(callback) {
                frame.forget(earlier);
            }
            return Ok(());
        }
        b"flags" if frame.kind(-1) != Kind::Table => {
            return Err(
                "flags argument to redis.register_function must be a table representing function flags"
                    .into(),
            );
        }
        b"flags" => arguments.flags = read_flags(frame)?,
        _ => return Err("unknown argument given to redis.register_function".into()),
    }
    frame.pop(1);
    Ok(())
}

/// The flags in the last value, a table.
fn read_flags(frame: &mut Frame<'_>) -> Result<ScriptFlags, Problem> {
    let table = frame.top();
    let mut flags = ScriptFlags::default();
    for number in 1.. {
        frame.spend(1)?;
        if frame.get_element(table, number)? == Kind::Nil {
            break;
        }
        let word = frame.string(-1).map(<[u8]>::to_ascii_lowercase);
        let flag = word.and_then(|word| ScriptFlags::parse(&word)).ok_or("unknown flag given")?;
        flags = flags.with(flag);
        frame.pop(1);
    }
    frame.pop(1);
    Ok(flags)
}

fn register(frame: &mut Frame<'_>, arguments: &mut Arguments) -> Result<(), Problem> {
    let mut registration = frame.shared().registration.borrow_mut();
    let Some(registration) = registration.as_mut() else {
        return Err("redis.register_function can only be called on FUNCTION LOAD command".into());
    };
    frame.spend(registration.functions.len())?;
    let (Some(name), Some(callback)) = (arguments.name.take(), arguments.callback) else {
        return Err("redis.register_function must get a function name argument".into());
    };
    if !is_valid_name(&name) {
        return Err(INVALID_NAME.into());
    }
    if registration.functions.iter().any(|(function, _)| function.name == name) {
        return Err("Function already exists in the library".into());
    }
    let record = FunctionRecord { name, description: arguments.description.take(), flags: arguments.flags };
    registration.functions.push((record, callback));
    arguments.callback = None;
    Ok(())
}
