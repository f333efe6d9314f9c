//! Ways out of the sandbox that were found in the last ten years, by their numbers, and those that Lua 5.1 is known for.
//!
//! Built with a sanitizer these also show that no memory is misused on the way.

#![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]

mod support;

use ochre_resp::Protocol;
use support::{Small, eval, eval_with, interpreter};

/// The reply to a script, as text.
fn run(body: &str) -> String {
    let (mut interpreter, mut host) = (interpreter(64 << 20), Small::default());
    let reply = eval(&mut interpreter, &mut host, body.as_bytes(), Protocol::Resp2);
    let alive = eval(&mut interpreter, &mut host, b"return 'alive'", Protocol::Resp2);
    assert_eq!(alive, b"$5\r\nalive\r\n", "after {body}");
    String::from_utf8_lossy(&reply).into_owned()
}

/// Bytes as Lua's escapes.
fn quoted(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("\\{byte:03}")).collect()
}

#[test]
fn cve_2015_4335_compiled_code_is_not_loaded() {
    // What loadstring makes of string.dump's result would be trusted by the virtual machine.
    for body in [
        "local f = loadstring(string.dump(function() return 1 end)) return f and 'loaded' or 'refused'",
        "local n = 0 local f = load(function() n = n + 1 if n == 1 then return string.dump(function() end) end end) \
         return f and 'loaded' or 'refused'",
        "return loadstring('\\27') and 'loaded' or 'refused'",
    ] {
        assert_eq!(run(body), "$7\r\nrefused\r\n", "{body}");
    }
    let (mut interpreter, mut host) = (interpreter(64 << 20), Small::default());
    let reply = eval(&mut interpreter, &mut host, b"\x1bLuaQ\0\x01\x04\x08\x04\x08\0", Protocol::Resp2);
    assert!(reply.starts_with(b"-ERR Error compiling script"), "{}", reply.escape_ascii());
}

#[test]
fn cve_2015_8080_and_cve_2020_14147_sizes_in_struct_formats_do_not_overflow() {
    for size in ["2147483647", "2147483648", "4294967295", "4294967297", "99999999999999999999"] {
        for body in [
            format!("return struct.pack('>I{size}', '10')"),
            format!("return struct.pack('i{size}', 1)"),
            format!("return struct.unpack('I{size}', 'x')"),
            format!("return struct.size('i{size}')"),
        ] {
            let reply = run(&body);
            let is_refused =
                reply.contains("integral size overflow") || reply.contains("is larger than limit of 32");
            assert!(is_refused, "{body}: {reply}");
        }
    }
}

#[test]
fn cve_2018_11219_lengths_in_struct_formats_do_not_overflow() {
    for body in [
        "return struct.unpack('c2147483647', 'abc')",
        "return struct.unpack('Bc0', '\\255abc')",
        "return struct.unpack('dc0', struct.pack('d', -1))",
        "return struct.unpack('dc0', struct.pack('d', 2^63))",
        "return struct.unpack('dc0', struct.pack('d', 0/0))",
        "return struct.unpack('i', 'abcd', 2^31)",
        "return struct.unpack('i', 'abcd', 2^63)",
        "return struct.unpack('i', 'abcd', -1)",
        "return struct.unpack('c2147483647c2147483647c2147483647', 'abc')",
    ] {
        assert!(run(body).contains("data string too short"), "{body}: {}", run(body));
    }
    assert!(run("return struct.pack('c2147483647', 'abc')").starts_with("-ERR"));
}

#[test]
fn cve_2018_11218_cmsgpack_takes_no_length_at_its_word() {
    for bytes in [
        &b"\xdb\xff\xff\xff\xff"[..],
        b"\xdd\xff\xff\xff\xff",
        b"\xdf\xff\xff\xff\xff\x01\x01",
        b"\xdc\xff\xff",
        b"\xdf\x00\x00\x00\x01",
        b"\xda\x00",
    ] {
        let reply = run(&format!("return cmsgpack.unpack('{}')", quoted(bytes)));
        assert!(reply.contains("Missing bytes in input."), "{bytes:x?}: {reply}");
    }
    // As many values as the stack cannot have, and as deep as it cannot go.
    for body in [
        "return {cmsgpack.unpack(string.rep('\\1', 100000))}",
        "return {cmsgpack.unpack(string.rep('\\145', 100000))}",
        "return {cmsgpack.unpack(string.rep('\\129\\1', 100000))}",
    ] {
        assert!(run(body).contains("too many return values at once"), "{body}: {}", run(body));
    }
    assert!(
        run("local t = {} for i = 1, 1000 do t = {t, t} end return #cmsgpack.pack(t) > 0 and 1")
            .starts_with(':')
    );
}

#[test]
fn cve_2021_32626_replies_are_not_deeper_than_the_stack() {
    let nested = "local t = {} for i = 1, 50000 do t = {t} end return t";
    assert!(run(nested).contains("reached lua stack limit"));
    assert!(run("local t = {} t[1] = t return t").contains("reached lua stack limit"));
    assert!(run("local t = {} t.map = t return t").contains("reached lua stack limit"));
    assert!(run("local t = {} t.set = {[t] = true} return t").contains("reached lua stack limit"));
    let many: Vec<&[u8]> = vec![b"x"; 100_000];
    let (mut interpreter, mut host) = (interpreter(64 << 20), Small::default());
    let body = b"return {#KEYS, #ARGV, (pcall(unpack, ARGV))}";
    let reply = eval_with(&mut interpreter, &mut host, body, &many, &many, Protocol::Resp2);
    assert_eq!(reply, b"*3\r\n:100000\r\n:100000\r\n$-1\r\n");
}

#[test]
fn cve_2022_0543_nothing_is_loaded_from_outside() {
    for name in [
        "package", "require", "module", "io", "debug", "dofile", "loadfile", "loadlib", "newproxy", "getfenv",
    ] {
        let reply = run(&format!("return {name}"));
        assert!(reply.contains(&format!("nonexistent global variable '{name}'")), "{reply}");
    }
    for name in [
        "os.execute",
        "os.exit",
        "os.getenv",
        "os.remove",
        "os.rename",
        "os.tmpname",
        "os.setlocale",
        "os.date",
    ] {
        assert_eq!(run(&format!("return {name}")), "$-1\r\n", "{name}");
    }
}

#[test]
fn cve_2022_24735_no_script_leaves_code_for_another() {
    for attack in [
        "redis.call = function() return 'mine' end",
        "rawset(redis, 'call', function() return 'mine' end)",
        "rawset(_G, 'redis', {call = function() return 'mine' end})",
        "_G.redis = {}",
        "getmetatable(_G).__index = function() return 'mine' end",
        "getmetatable(redis).__index = {}",
        "setmetatable(_G, {__index = {}})",
        "table.insert(_G, 'x')",
        "local t = {} for k, v in pairs(_G) do t[k] = v end t._G.redis = nil",
        "for k, v in pairs(_G) do _G[k] = nil end",
        "string.rep = function() return 'mine' end",
        "math.random = nil",
        "cjson.encode = nil",
        "__redis__err__handler = nil",
        "loadstring('redis = nil')()",
        "load(function() end)() redis = nil",
        "coroutine.wrap(function() redis = nil end)()",
        "string.gsub('x', 'x', function() redis = nil end)",
    ] {
        let (mut interpreter, mut host) = (interpreter(64 << 20), Small::default());
        let reply = eval(&mut interpreter, &mut host, attack.as_bytes(), Protocol::Resp2);
        assert!(reply.starts_with(b"-"), "{attack}: {}", reply.escape_ascii());
        let check = b"return redis.call('echo', string.rep('a', 2) .. cjson.encode({1}) .. type(math.random()) .. #_G)";
        let reply = eval(&mut interpreter, &mut host, check, Protocol::Resp2);
        assert_eq!(reply, b"$12\r\naa[1]number0\r\n", "{attack}: {}", reply.escape_ascii());
    }
}

#[test]
fn cve_2022_24736_calls_without_what_they_need_are_errors() {
    for body in [
        "return redis.call()",
        "return redis.pcall(nil)",
        "return cjson.decode()",
        "return cmsgpack.unpack()",
        "return struct.unpack()",
        "return bit.tohex()",
        "return redis.sha1hex()",
        "return redis.error_reply()",
        "return redis.status_reply({})",
        "return getmetatable(_G).__index()",
        "return getmetatable(_G).__newindex()",
        "return __redis__err__handler()",
        "return xpcall()",
        "return pcall()",
        "return setmetatable()",
        "return loadstring()",
        "return load()",
        "return string.gsub()",
        "return table.sort()",
        "return unpack()",
        "local _, e = xpcall(function() error() end, __redis__err__handler) return e",
        "local ok, e = xpcall(function() error(redis) end, __redis__err__handler) return tostring(e == redis)",
    ] {
        assert!(!run(body).is_empty(), "{body}");
    }
}

#[test]
fn cve_2022_24834_long_texts_do_not_overflow_buffers() {
    for body in [
        "local s = string.rep('\\0', 3e6) return #cjson.encode(s)",
        "local s = string.rep('a', 1e6) return #cjson.encode({s, s, s})",
        "local s = string.rep('a', 1e6) return #cmsgpack.pack(s, s, s)",
        "return #cjson.decode('\"' .. string.rep('a', 1e6) .. '\"')",
    ] {
        assert!(run(body).starts_with(':'), "{body}: {}", run(body));
    }
    assert!(run("local s = string.rep('\\0', 2e7) return #cjson.encode(s)").contains("not enough memory"));
}

#[test]
fn cve_2024_31449_tohex_writes_eight_digits_at_most() {
    for (digits, len) in
        [("-2147483648", 8), ("2147483648", 8), ("2147483647", 8), ("-1", 1), ("0", 0), ("100", 8)]
    {
        assert_eq!(run(&format!("return #bit.tohex(65535, {digits})")), format!(":{len}\r\n"), "{digits}");
    }
}

#[test]
fn cve_2024_46981_nothing_runs_when_something_is_collected() {
    // Finalizers belong to userdata, which scripts cannot make; tables do not have them in Lua 5.1.
    for body in [
        "return newproxy(true)",
        "local t = setmetatable({}, {__gc = function() redis.call('set', 'gc', 'ran') end}) t = nil collectgarbage() \
         return redis.call('get', 'gc')",
        "local c = coroutine.wrap(function() local t = setmetatable({}, {__gc = error}) coroutine.yield() end) c() \
         collectgarbage('collect') return nil",
        "getmetatable(cjson.null).__gc = print",
    ] {
        let reply = run(body);
        assert!(reply == "$-1\r\n" || reply.starts_with('-'), "{body}: {reply}");
    }
    let (mut interpreter, mut host) = (interpreter(64 << 20), Small::default());
    let body = b"collectgarbage('stop') collectgarbage('setpause', 1000000) return 1";
    eval(&mut interpreter, &mut host, body, Protocol::Resp2);
    let body = b"for i = 1, 1e6 do local t = {i, {}} end return collectgarbage('count') < 40000 and 1";
    assert_eq!(
        eval(&mut interpreter, &mut host, body, Protocol::Resp2),
        b":1\r\n",
        "the collector works again"
    );
    drop(interpreter);
}

#[test]
fn cve_2025_46817_unpack_does_not_overflow() {
    for range in [
        "0, 2147483647",
        "-2147483648, 2147483647",
        "1, 2147483647",
        "-2147483647, 1",
        "-1, 2147483647",
        "2147483640, 2147483647 + 1e6",
        "1, 8001",
    ] {
        let reply = run(&format!("return {{pcall(unpack, {{1, 2}}, {range})}}"));
        let is_right = reply.contains("too many results to unpack") || reply.starts_with("*1\r\n:1\r\n");
        assert!(is_right || reply.starts_with("*1"), "{range}: {reply}");
    }
    assert_eq!(run("return {unpack({1, 2}, 2147483647, 2147483647)}"), "*0\r\n");
    assert_eq!(run("return select('#', unpack({}, -5, 5))"), ":11\r\n");
}

#[test]
fn cve_2025_46818_metatables_of_plain_values_cannot_be_changed() {
    for body in [
        "getmetatable('').__index = function() return 'mine' end",
        "getmetatable('').__add = function() return 'mine' end",
        "rawset(getmetatable(''), '__index', {})",
        "setmetatable(getmetatable(''), {})",
        "getmetatable('').__index.upper = nil",
        "table.insert(getmetatable(''), 1)",
        "setmetatable('', {})",
        "setmetatable(1, {})",
        "setmetatable(nil, {})",
        "setmetatable(print, {})",
    ] {
        let (mut interpreter, mut host) = (interpreter(64 << 20), Small::default());
        let reply = eval(&mut interpreter, &mut host, body.as_bytes(), Protocol::Resp2);
        assert!(reply.starts_with(b"-"), "{body}: {}", reply.escape_ascii());
        let reply = eval(&mut interpreter, &mut host, b"return ('x'):upper()", Protocol::Resp2);
        assert_eq!(reply, b"$1\r\nX\r\n", "{body}");
    }
}

#[test]
fn cve_2025_46819_long_brackets_are_counted() {
    // The count overflows at 2^31; texts end before.
    const { assert!(ochre_script::SOURCE_LEN_MAX < 1 << 30) };
    assert_eq!(run(&format!("return #[{0}[x]{0}]", "=".repeat(1 << 20))), ":1\r\n");
    assert!(run(&format!("return [{}", "=".repeat(1 << 20))).contains("invalid long string delimiter"));
    assert!(run(&format!("return [{0}[x]{0}=]", "=".repeat(1000))).contains("unfinished long string"));
    assert!(run("return loadstring('return [' .. string.rep('=', 1e6)) and 1").starts_with('$'));
}

#[test]
fn cve_2025_49844_nothing_is_collected_while_the_parser_runs() {
    for body in [
        // Garbage and small steps of the collector, so that a collection would fall into the parsing.
        "collectgarbage('setpause', 1) collectgarbage('setstepmul', 1000000) local n = 0 for i = 1, 2000 do \
         local f = loadstring('local a' .. i .. ' = {' .. string.rep('\"x' .. i .. '\",', 50) .. '} return #a' .. i) \
         n = n + f() end return n",
        // A reader that collects, and that fails.
        "local n = 0 local f = load(function() n = n + 1 collectgarbage() local s = ({'return ', '{', '1', ',2}'})[n] \
         return s end) return #f()",
        "local f, e = load(function() collectgarbage() error('reader') end) return e",
        "local c = coroutine.wrap(function() return load(function() collectgarbage() return nil end) end) c() return 1",
        "return (pcall(load, function() coroutine.yield('x') end)) and 1",
    ] {
        assert!(!run(body).is_empty(), "{body}");
    }
    assert_eq!(
        run("local n = 0 for i = 1, 200 do n = n + loadstring('return ' .. i)() end return n"),
        ":20100\r\n"
    );
}

#[test]
fn cve_2025_67733_replies_are_one_line() {
    for (body, reply) in [
        ("return redis.error_reply('A x\\r\\n+OK')", "-A x  +OK\r\n"),
        ("return {err = 'A x\\r\\n+OK\\r\\n'}", "-A x  +OK\r\n"),
        ("return {ok = 'x\\r\\n-ERR y'}", "+x  -ERR y\r\n"),
    ] {
        assert_eq!(run(body), reply, "{body}");
    }
    for body in [
        "error('x\\r\\n+OK')",
        "return redis.call('nope\\r\\n+OK')",
        "return redis.error_reply('A\\0b\\r\\n+OK x')",
    ] {
        let reply = run(body);
        assert_eq!(reply.matches("\r\n").count(), 1, "{body}: {reply:?}");
    }
    let reply = run("#!lua \"flags=a\\r\\n+OK\"\nreturn 1");
    assert_eq!(reply.matches("\r\n").count(), 1, "{reply:?}");
    let mut interpreter = interpreter(64 << 20);
    let body = b"return {big_number = '1\\r\\n+OK'}";
    let reply = eval(&mut interpreter, &mut Small::default(), body, Protocol::Resp3);
    assert_eq!(reply, b"(1  +OK\r\n");
}

#[test]
fn cve_2014_5461_functions_of_many_parameters_have_room() {
    let names: Vec<String> = (0..198).map(|number| format!("a{number}")).collect();
    let names = names.join(", ");
    let body = format!("local function f({names}, ...) return a0, a197, select('#', ...) end return {{f()}}");
    assert_eq!(run(&body), "*0\r\n");
    let body = format!(
        "local function f({names}, ...) return select('#', ...) end local function g(n) if n == 0 then return f() end \
         return (g(n - 1)) end return g(150)"
    );
    assert_eq!(run(&body), ":0\r\n");
}

#[test]
fn threads_share_no_way_around_the_limits() {
    let body = "local c = coroutine.create(function() x = 1 end) local ok, e = coroutine.resume(c) return e";
    assert!(run(body).contains("Attempt to modify a readonly table"));
    let body = "local c = coroutine.create(function() return loadstring('x = 1')() end) return {coroutine.resume(c)}";
    assert!(run(body).contains("Attempt to modify a readonly table"));
    assert!(run("return coroutine.wrap(function() return redis.call('echo', 'x') end)()").contains("x"));
}
