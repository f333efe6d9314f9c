//! Libraries of functions: loading, calling, and what they see.

#![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]

mod support;

use std::sync::Arc;

use ochre_resp::{Protocol, ReplyWriter};
use ochre_script::{FunctionRegistry, Interpreter, Library, LibraryMetadata, ScriptFlags};
use support::{Small, eval, interpreter};

fn load(interpreter: &mut Interpreter, code: &str) -> Result<Arc<Library>, String> {
    load_with(interpreter, &mut Small::default(), code)
}

fn load_with(interpreter: &mut Interpreter, host: &mut Small, code: &str) -> Result<Arc<Library>, String> {
    let text = |error: Vec<u8>| String::from_utf8_lossy(&error).into_owned();
    let metadata = LibraryMetadata::parse(code.as_bytes()).map_err(text)?;
    let functions = interpreter.load_library(&code.as_bytes()[metadata.len..], host).map_err(text)?;
    Ok(Library::new(metadata, code.as_bytes(), functions))
}

fn call(
    interpreter: &mut Interpreter,
    library: &Library,
    name: &str,
    keys: &[&[u8]],
    args: &[&[u8]],
) -> String {
    let mut out = Vec::new();
    let mut reply = ReplyWriter::new(&mut out, Protocol::Resp2);
    let (keys, args) = (keys.iter().copied(), args.iter().copied());
    interpreter.call_function(library, name.as_bytes(), keys, args, &mut Small::default(), &mut reply);
    String::from_utf8_lossy(&out).into_owned()
}

#[test]
fn functions_are_registered_and_called() {
    let code = "#!lua name=lib\n\
                local function both(keys, args) return {keys, args} end\n\
                redis.register_function('plain', both)\n\
                server.register_function{function_name = 'full', callback = both, description = 'does it', \
                flags = {'no-writes', 'ALLOW-STALE'}}\n\
                redis.register_function('fails', function() return redis.call('nope') end)";
    let mut interpreter = interpreter(64 << 20);
    let library = load(&mut interpreter, code).unwrap();
    let names: Vec<_> = library.functions().iter().map(|function| function.name.as_slice()).collect();
    assert_eq!(names, [&b"plain"[..], b"full", b"fails"]);
    let full = &library.functions()[1];
    assert_eq!(full.description.as_deref(), Some(&b"does it"[..]));
    assert_eq!(full.flags, ScriptFlags::NO_WRITES.with(ScriptFlags::ALLOW_STALE));
    let reply = call(&mut interpreter, &library, "plain", &[b"k"], &[b"a", b"b"]);
    assert_eq!(reply, "*2\r\n*1\r\n$1\r\nk\r\n*2\r\n$1\r\na\r\n$1\r\nb\r\n");
    let reply = call(&mut interpreter, &library, "fails", &[], &[]);
    assert_eq!(
        reply,
        "-ERR Unknown Redis command called from script script: fails, on @user_function:5.\r\n"
    );
    // Another worker's interpreter, which has never seen the library.
    let mut other = support::interpreter(64 << 20);
    assert_eq!(call(&mut other, &library, "full", &[], &[]), "*2\r\n*0\r\n*0\r\n");
    assert_eq!(call(&mut other, &library, "none", &[], &[]), "-ERR Function not found\r\n");
    let mut registry = FunctionRegistry::new();
    registry.add(library).unwrap();
    assert_eq!(registry.function(b"FULL").unwrap().record().name, b"full");
}

#[test]
fn errors_of_loading_are_those_of_redis() {
    const REGISTERING: &str = "Error registering functions: ERR ";
    let callback = "callback = function() end";
    let named = |rest: &str| format!("redis.register_function({{function_name = 'f', {callback}, {rest}}})");
    for (body, text) in [
        (
            "local a = string.rep('a', 2)",
            "user_function:2: Script attempted to access nonexistent global variable 'string'",
        ),
        (
            "local a = redis.call",
            "user_function:2: Script attempted to access nonexistent global variable 'call'",
        ),
        ("y = 1", "user_function:2: Attempt to modify a readonly table"),
        ("redis.y = 1", "user_function:2: Attempt to modify a readonly table"),
        ("redis.register_function()", "wrong number of arguments to redis.register_function"),
        ("redis.register_function('a', 1, 2)", "wrong number of arguments to redis.register_function"),
        (
            "redis.register_function(1)",
            "calling redis.register_function with a single argument is only applicable to Lua table (representing named \
             arguments).",
        ),
        ("redis.register_function({})", "redis.register_function must get a function name argument"),
        (
            "redis.register_function({function_name = 'f'})",
            "redis.register_function must get a callback argument",
        ),
        (
            "redis.register_function({callback = 1})",
            "callback argument given to redis.register_function must be a function",
        ),
        (&named("flags = {'q'}"), "unknown flag given"),
        (&named("flags = {1}"), "unknown flag given"),
        (
            &named("flags = 1"),
            "flags argument to redis.register_function must be a table representing function flags",
        ),
        (&named("x = 1"), "unknown argument given to redis.register_function"),
        (
            &named("description = {}"),
            "description argument given to redis.register_function must be a string",
        ),
        (
            "redis.register_function({function_name = {}})",
            "function_name argument given to redis.register_function must be a string",
        ),
        ("redis.register_function({1})", "unknown argument given to redis.register_function"),
        (
            "redis.register_function({[{}] = 1})",
            "named argument key given to redis.register_function is not a string",
        ),
        ("redis.register_function({}, 1)", "first argument to redis.register_function must be a string"),
        ("redis.register_function('a', 1)", "second argument to redis.register_function must be a function"),
        (
            "redis.register_function('a b', function() end)",
            "Library names can only contain letters, numbers, or underscores(_) and must be at least one character long",
        ),
        (
            "redis.register_function('a', function() end) redis.register_function('a', function() end)",
            "Function already exists in the library",
        ),
        ("error('q')", "user_function:2: Script attempted to access nonexistent global variable 'error'"),
    ] {
        let mut interpreter = interpreter(64 << 20);
        let error = load(&mut interpreter, &format!("#!lua name=x\n{body}")).unwrap_err();
        assert_eq!(error, format!("{REGISTERING}{text}"), "{body}");
        assert!(load(&mut interpreter, "#!lua name=x\nredis.register_function('f', function() end)").is_ok());
    }
    let mut interpreter = interpreter(64 << 20);
    let error = load(&mut interpreter, "#!lua name=x\nlocal x = ").unwrap_err();
    assert_eq!(error, "Error compiling function: user_function:2: unexpected symbol near '<eof>'");
    let empty = load(&mut interpreter, "#!lua name=x\n").unwrap();
    assert_eq!(FunctionRegistry::new().add(empty), Err(b"No functions registered".to_vec()));
}

#[test]
fn functions_see_what_functions_may() {
    let code = "#!lua name=lib\n\
                local calls = 0\n\
                redis.register_function('eval', function(keys, args)\n\
                return loadstring(args[1])() end)\n\
                redis.register_function('count', function() calls = calls + 1 return calls end)";
    let mut interpreter = interpreter(64 << 20);
    let library = load(&mut interpreter, code).unwrap();
    for (body, expected) in [
        ("return string.rep('a', 2)", "$2\r\naa\r\n"),
        ("return tostring(redis.register_function)", "$3\r\nnil\r\n"),
        ("return tostring(redis.breakpoint)", "$3\r\nnil\r\n"),
        ("return redis.call('echo', 'x')", "$1\r\nx\r\n"),
        ("return cjson.encode({1})", "$3\r\n[1]\r\n"),
        ("return tostring(redis.nope)", "$3\r\nnil\r\n"),
        ("return #redis.sha1hex('')", ":40\r\n"),
    ] {
        assert_eq!(call(&mut interpreter, &library, "eval", &[], &[body.as_bytes()]), expected, "{body}");
    }
    for (body, expected) in [
        ("return KEYS", "Script attempted to access nonexistent global variable 'KEYS'"),
        ("x = 1", "Attempt to modify a readonly table"),
        ("redis.x = 1", "Attempt to modify a readonly table"),
        ("_G.x = 1", "Attempt to modify a readonly table"),
        ("return debug", "Script attempted to access nonexistent global variable 'debug'"),
    ] {
        let reply = call(&mut interpreter, &library, "eval", &[], &[body.as_bytes()]);
        assert!(reply.contains(expected) && reply.contains("script: eval, on "), "{body}: {reply}");
    }
    // A library keeps its own state, until it is forgotten.
    assert_eq!(call(&mut interpreter, &library, "count", &[], &[]), ":1\r\n");
    assert_eq!(call(&mut interpreter, &library, "count", &[], &[]), ":2\r\n");
    interpreter.forget_libraries();
    assert_eq!(call(&mut interpreter, &library, "count", &[], &[]), ":1\r\n");
    let reply = eval(&mut interpreter, &mut Small::default(), b"return KEYS", Protocol::Resp2);
    assert_eq!(reply, b"*0\r\n", "scripts have their own globals");
}

#[test]
fn loading_can_be_stopped() {
    let mut interpreter = interpreter(64 << 20);
    for body in ["while true do end", "local f f = function() return f() end f()"] {
        let mut host = Small { interrupts_max: Some(3), ..Small::default() };
        let error = load_with(&mut interpreter, &mut host, &format!("#!lua name=x\n{body}")).unwrap_err();
        assert_eq!(error, "Error registering functions: ERR Script killed by user with SCRIPT KILL.");
    }
    assert!(load(&mut interpreter, "#!lua name=x\nredis.register_function('f', function() end)").is_ok());
}

#[test]
fn libraries_that_keep_too_much_are_begun_anew() {
    let code = "#!lua name=lib\n\
                local kept = {}\n\
                redis.register_function('keep', function() for i = 1, 1e5 do kept[#kept + 1] = {i} end return #kept end)";
    let mut interpreter = interpreter(64 << 20);
    let library = load(&mut interpreter, code).unwrap();
    let mut highest = 0;
    for _ in 0..40 {
        let reply = call(&mut interpreter, &library, "keep", &[], &[]);
        assert!(reply.starts_with(':'), "{reply}");
        highest = highest.max(interpreter.memory_bytes());
    }
    assert!(highest < 64 << 20, "{highest} bytes");
}

#[test]
fn keys_and_arguments_are_those_of_the_run() {
    let mut interpreter = interpreter(64 << 20);
    let mut run = |body: &str, keys: &[&[u8]], args: &[&[u8]]| {
        let mut host = Small::default();
        let reply =
            support::eval_with(&mut interpreter, &mut host, body.as_bytes(), keys, args, Protocol::Resp2);
        String::from_utf8_lossy(&reply).into_owned()
    };
    let shown = "local n = 0 for k, v in pairs(KEYS) do n = n + 1 end return {n, KEYS[1], tostring(KEYS[2]), \
                 tostring(KEYS.x), tostring(getmetatable(KEYS)), #ARGV}";
    let fresh = "*6\r\n:1\r\n$1\r\na\r\n$3\r\nnil\r\n$3\r\nnil\r\n$3\r\nnil\r\n:1\r\n";
    for before in [
        "return 1",
        "KEYS[1] = nil",
        "KEYS[2] = 'left'",
        "KEYS[1.5] = 'left'",
        "KEYS[-1] = 'left'",
        "KEYS.x = 'left'",
        "KEYS[true] = 1 ARGV[5] = 1",
        "setmetatable(KEYS, {__index = function() return 'left' end})",
        "for i = 1, 100 do KEYS[i] = i end",
        "local t = KEYS coroutine.wrap(function() coroutine.yield(t) end)() t.x = 1",
        "ARGV[1] = KEYS KEYS[1] = ARGV",
    ] {
        run(before, &[b"k"], &[b"v"]);
        assert_eq!(run(shown, &[b"a"], &[b"b"]), fresh, "{before}");
        run(before, &[b"k", b"l", b"m"], &[]);
        assert_eq!(run(shown, &[b"a"], &[b"b"]), fresh, "{before}, with three keys");
    }
}

#[test]
fn callbacks_reach_the_host() {
    let mut interpreter = interpreter(64 << 20);
    let mut host = Small::default();
    let body = b"redis.log(redis.LOG_NOTICE, 'a', 5, {}, 'b') redis.set_repl(redis.REPL_AOF) return redis.acl_check_cmd('get', 'x')";
    assert_eq!(eval(&mut interpreter, &mut host, body, Protocol::Resp2), b":1\r\n");
    assert_eq!(host.log, [(ochre_script::LogLevel::Notice, b"a 5 b".to_vec())]);
    assert_eq!(host.replication, Some(ochre_script::Replication { to_file: true, to_replicas: false }));
    let body = b"return server.VALKEY_VERSION .. server.SERVER_NAME .. tostring(server == redis)";
    assert_eq!(eval(&mut interpreter, &mut host, body, Protocol::Resp2), b"$14\r\n9.1.2ochretrue\r\n");
}
