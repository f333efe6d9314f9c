//! Scripts that would take all memory, all time or all of the stack: each is an error, and the next script runs.

#![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]

mod support;

use ochre_resp::Protocol;
use ochre_script::Interpreter;
use support::{Small, eval, interpreter};

const LIMIT: usize = 16 << 20;

fn assert_alive(interpreter: &mut Interpreter, after: &str) {
    let reply =
        eval(interpreter, &mut Small::default(), b"return redis.call('echo', 'alive')", Protocol::Resp2);
    assert_eq!(reply, b"$5\r\nalive\r\n", "after {after}");
}

#[test]
fn memory_is_bounded() {
    let mut interpreter = interpreter(LIMIT);
    let start = interpreter.memory_bytes();
    for body in [
        "local t = {} while true do t[#t + 1] = {} end",
        "local t = {} while true do t[#t + 1] = ('x'):rep(1000) .. #t end",
        "local s = 'x' while true do s = s .. s end",
        "return ('x'):rep(1e9)",
        "return ('x'):rep(2147483647)",
        "return ('x'):rep(1e6):rep(1e6)",
        "local t = {} for i = 1, 1e9 do t[i] = i end",
        "local t = {} for i = 1, 1e9 do t['k' .. i] = i end",
        "return table.concat({('x'):rep(4e6), ('x'):rep(4e6), ('x'):rep(4e6), ('x'):rep(4e6), ('x'):rep(4e6)})",
        "local s = ('x'):rep(4e6) return (s:gsub('x', s))",
        "local s = ('x'):rep(1e6) return (s:gsub('x', function() return s end))",
        "local s = ('x'):rep(1e6) local t = {} for i = 1, 100 do t[i] = s .. i end return cjson.encode(t)",
        "local s = ('x'):rep(1e6) local t = {} for i = 1, 100 do t[i] = s end return cmsgpack.pack(t)",
        "local s = ('x'):rep(1e6) local t = {} for i = 1, 100 do t[i] = s end return cjson.encode(t)",
        "local s = ('x'):rep(4e6) return struct.pack(('c0'):rep(8), s, s, s, s, s, s, s, s)",
        "return cjson.decode('[' .. ('[],'):rep(1e6) .. '1]')",
        "return cmsgpack.unpack('\\221\\0\\16\\0\\0' .. ('\\144'):rep(1048576))",
        "local c = {} while true do c[#c + 1] = coroutine.wrap(function() coroutine.yield() end) c[#c]() end",
        "local f = {} for i = 1, 1e9 do f[i] = loadstring('return ' .. i) end",
        "return string.format(('%s'):rep(100), unpack((function() local t = {} for i = 1, 100 do t[i] = ('x'):rep(1e6) \
         end return t end)()))",
        "local t = {} for i = 1, 1e5 do t[i] = 'x' end local n = 0 return load(function() n = n + 1 return \
         ('local x = 1 '):rep(1e5) end)",
        "local s, t = ('x'):rep(2e6), {} while true do t = {t, redis.call('echo', s .. tostring(t))} end",
        "local t = {} while true do t = {t, redis.call('echo', ('x'):rep(1e5))} end",
    ] {
        let reply = eval(&mut interpreter, &mut Small::default(), body.as_bytes(), Protocol::Resp2);
        let text = String::from_utf8_lossy(&reply);
        let text = text.get(..100).unwrap_or(&text);
        assert!(text.starts_with('-') && text.contains("not enough memory"), "{body}: {text}");
        assert_alive(&mut interpreter, body);
        assert!(
            interpreter.memory_bytes() < start + (8 << 20),
            "{body} keeps {}",
            interpreter.memory_bytes()
        );
    }
}

#[test]
fn a_script_can_catch_the_end_of_memory_but_gets_no_more() {
    let mut interpreter = interpreter(LIMIT);
    let body = "local ok, e = pcall(function() local t = {} while true do t[#t + 1] = ('x'):rep(1000) .. #t end end) \
                collectgarbage() local t = {} for i = 1, 1000 do t[i] = {} end return {tostring(ok), e, #t}";
    let reply = eval(&mut interpreter, &mut Small::default(), body.as_bytes(), Protocol::Resp2);
    assert_eq!(reply, b"*3\r\n$5\r\nfalse\r\n$17\r\nnot enough memory\r\n:1000\r\n");
}

#[test]
fn time_is_bounded_whatever_the_script_catches() {
    for body in [
        "while true do end",
        "repeat until false",
        "for i = 1, 1e300 do end",
        "while true do pcall(function() while true do end end) end",
        "while true do pcall(error) end",
        "local function f() return f() end f()",
        "local function f() pcall(f) f() end while true do pcall(f) end",
        "while true do xpcall(function() while true do end end, function() while true do end end) end",
        "while true do coroutine.wrap(function() while true do end end)() end",
        "while true do pcall(coroutine.wrap(function() while true do end end)) end",
        "local c = coroutine.wrap(function() while true do coroutine.yield() end end) while true do c() end",
        "while true do coroutine.resume(coroutine.create(function() while true do pcall(error) end end)) end",
        "while true do redis.pcall('nope') end",
        "while true do loadstring('x')  end",
        "local t = setmetatable({}, {__index = function(t, k) return t[k + 1] end}) while true do pcall(function() return t[1] end) end",
        "table.sort({1, 2, 3}, function() while true do end end)",
        "string.gsub('x', 'x', function() while true do end end)",
        "string.gsub(('x'):rep(100), 'x', function() pcall(function() while true do end end) end)",
        "load(function() while true do end end)",
        "return string.find(('a'):rep(40), ('a*'):rep(20) .. 'b')",
        "return string.find(('a'):rep(100000), '.-.-.-.-b')",
        "return string.match(('a'):rep(1e5), ('.*'):rep(10) .. 'x')",
        "for _ in string.gmatch(('a'):rep(1e5), '.-.-.-b') do end",
        "return string.gsub(('a'):rep(1e5), '.-.-.-b', '')",
        "return string.find(('('):rep(3e5), '%b()') or string.find(('a'):rep(3e5), ('a'):rep(3e4) .. 'b', 1, true)",
        "local s, p = ('a'):rep(2e6), ('a'):rep(1e6) .. 'b' while true do string.find(s, p, 1, true) end",
        "local t = {} table.insert(t, -2147483648, 1)",
        "local t = {} while true do table.insert(t, 1, 1) if #t > 1000 then t = {} end end",
    ] {
        let mut interpreter = interpreter(LIMIT);
        let mut host = Small { interrupts_max: Some(20), ..Small::default() };
        let reply = eval(&mut interpreter, &mut host, body.as_bytes(), Protocol::Resp2);
        let text = String::from_utf8_lossy(&reply);
        assert!(text.starts_with("-ERR Script killed by user with SCRIPT KILL."), "{body}: {text}");
        assert!(host.interrupts <= 21, "{body}: asked {} times", host.interrupts);
        assert_alive(&mut interpreter, body);
    }
}

#[test]
fn a_quadratic_order_is_sorted_quickly() {
    // Sawtooth orders make Lua's own quicksort quadratic.
    let body = "local t = {} for i = 1, 200000 do t[i] = i % 2 == 0 and i or -i end table.sort(t) \
                for i = 2, #t do if t[i] < t[i - 1] then return i end end \
                local s = {} for i = 1, 50000 do s[i] = 'k' .. (i * 7919 % 50000) end table.sort(s) \
                for i = 2, #s do if s[i] < s[i - 1] then return -i end end return #t + #s";
    let (mut interpreter, mut host) = (interpreter(256 << 20), Small::default());
    assert_eq!(eval(&mut interpreter, &mut host, body.as_bytes(), Protocol::Resp2), b":250000\r\n");
}

#[test]
fn depth_is_bounded() {
    for (body, expected) in [
        ("local function f() return 1 + f() end f()", "stack overflow"),
        ("local function f() return f() .. 'x' end f()", "stack overflow"),
        (
            "local t = setmetatable({}, {}) getmetatable(t).__index = function(t, k) return t[k] end return t.x",
            "C stack overflow",
        ),
        ("local t = setmetatable({}, {}) getmetatable(t).__index = t return t.x", "loop in gettable"),
        (
            "local t = setmetatable({}, {__tostring = function(t) return tostring(t) end}) return tostring(t)",
            "C stack overflow",
        ),
        ("local function f() string.gsub('x', 'x', f) end f()", "C stack overflow"),
        ("local function f() table.sort({1, 2}, f) end f()", "C stack overflow"),
        ("local function f() return coroutine.wrap(f)() end f()", "C stack overflow"),
        ("local function f() load(f)() end f()", "attempt to call a nil value"),
        (
            "local function f() local ok, e = pcall(f) if not ok then error(e, 0) end end f()",
            "C stack overflow",
        ),
        ("return loadstring(('('):rep(1e5) .. '1' .. (')'):rep(1e5))()", "attempt to call a nil value"),
        ("return string.find(('a'):rep(2e5), ('a?'):rep(2e5))", "pattern too complex"),
        ("return string.find(('a'):rep(2e5), ('a-'):rep(2e5))", "pattern too complex"),
        ("return string.find(('a'):rep(100), ('(a'):rep(2e5))", "too many captures"),
        (
            "cjson.encode_max_depth(2147483647) local t = {} for i = 1, 1e5 do t = {t} end return cjson.encode(t)",
            "excessive nesting",
        ),
        (
            "cjson.decode_max_depth(2147483647) return cjson.decode(('['):rep(1e5))",
            "too many nested data structures",
        ),
    ] {
        let mut interpreter = interpreter(64 << 20);
        let reply = eval(&mut interpreter, &mut Small::default(), body.as_bytes(), Protocol::Resp2);
        let text = String::from_utf8_lossy(&reply);
        assert!(text.starts_with('-') && text.contains(expected), "{body}: {text}");
        assert_alive(&mut interpreter, body);
    }
}

#[test]
fn compiled_scripts_are_bounded() {
    let mut interpreter = interpreter(64 << 20);
    let mut highest = 0;
    for number in 0..4 * ochre_script::COMPILED_MAX {
        let body = format!("local t = {{'some', 'constants', {number}}} return {number}");
        let reply = eval(&mut interpreter, &mut Small::default(), body.as_bytes(), Protocol::Resp2);
        assert_eq!(reply, format!(":{number}\r\n").as_bytes());
        highest = highest.max(interpreter.memory_bytes());
    }
    assert!(highest < 8 << 20, "{highest} bytes");
    interpreter.forget_scripts();
    assert!(interpreter.memory_bytes() < 1 << 20, "{} bytes", interpreter.memory_bytes());
}

#[test]
fn what_is_left_behind_is_given_back() {
    let mut interpreter = interpreter(256 << 20);
    let start = interpreter.memory_bytes();
    for body in
        ["local t = {} for i = 1, 1e6 do t[i] = {} end return 1", "return #('x'):rep(5e7)", "ARGV = 1"]
    {
        eval(&mut interpreter, &mut Small::default(), body.as_bytes(), Protocol::Resp2);
        let used = interpreter.memory_bytes();
        assert!(used < start + (5 << 20), "{body}: {used} bytes");
    }
}
