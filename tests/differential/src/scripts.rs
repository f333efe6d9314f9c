//! Scripts and libraries that commands are drawn with.
//!
//! Nothing in them depends on the time, on chance, or on the order of a hash, and nothing runs for long.

use crate::random::Random;

/// Texts of EVAL.
const SCRIPTS: &[&str] = &[
    "return 1",
    "return redis.call('GET', KEYS[1])",
    "return redis.call('SET', KEYS[1], ARGV[1])",
    "return redis.pcall('INCR', KEYS[1])",
    "return redis.call('INCR', KEYS[1])",
    "return redis.call('APPEND', KEYS[1], ARGV[1])",
    "return redis.call('DEL', KEYS[1], KEYS[2] or 'a')",
    "return redis.call('MGET', 'a', 'b', 'key:1', 'nosuch')",
    "return redis.call('TYPE', KEYS[1])",
    "return redis.call('RPUSH', KEYS[1], ARGV[1], 'x')",
    "return redis.call('LRANGE', KEYS[1], 0, -1)",
    "return redis.pcall('ZADD', KEYS[1], 1.5, ARGV[1])",
    "return redis.pcall('HSET', KEYS[1], 'f1', ARGV[1])",
    "return redis.pcall('SORT', KEYS[1], 'ALPHA')",
    "redis.call('SELECT', 1) return redis.call('SET', KEYS[1], 'in 1')",
    "redis.setresp(3) return redis.pcall('ZSCORE', KEYS[1], ARGV[1])",
    "redis.setresp(3) return redis.call('GET', 'nosuch')",
    "redis.setresp(3) return {true, false}",
    "return {KEYS, ARGV, #KEYS, #ARGV}",
    "return {1, 2.9, 'three', {4, nil, 5}, false, true}",
    "return {ok=ARGV[1]}",
    "return {err=ARGV[1]}",
    "return {double=0.1}",
    "return {map={one=1}}",
    "return {big_number='123'}",
    "return redis.status_reply(ARGV[1])",
    "return redis.error_reply('CODE ' .. ARGV[1])",
    "return tostring(tonumber(ARGV[1]))",
    "return tonumber(ARGV[1])",
    "return redis.sha1hex(ARGV[1])",
    "return cjson.encode({ARGV[1], #ARGV})",
    "return cjson.encode(cjson.decode('[1, 2.5, null, {\"a\": true}]'))",
    "return cmsgpack.unpack(cmsgpack.pack({ARGV[1], 1}))[1]",
    "return bit.tohex(#ARGV[1])",
    "local replies = {} for i = 1, 3 do replies[i] = redis.pcall('INCR', KEYS[i] or 'key:1') end return replies",
    "redis.call('SET', KEYS[1], 'before') redis.call('nosuch')",
    "redis.call('SET', KEYS[1], 'before') error('mine')",
    "redis.call('SET', KEYS[1], 'before') error({err='MINE too'})",
    "return redis.call('GET')",
    "return redis.call('MULTI')",
    "return redis.call('BLPOP', KEYS[1], 0)",
    "return redis.call(ARGV[1], KEYS[1])",
    "return KEYS[1] .. ARGV[2]",
    "return nosuch",
    "nosuch = 1",
    "retur",
    "",
    "#!lua\nreturn redis.call('SET', KEYS[1], ARGV[1])",
    "#!lua flags=no-writes\nreturn redis.call('GET', KEYS[1])",
    "#!lua flags=no-writes\nreturn redis.call('SET', KEYS[1], ARGV[1])",
    "#!lua flags=allow-oom,allow-stale\nreturn 1",
    "#!lua flags=nosuch\nreturn 1",
    "return redis.call('EXPIRE', KEYS[1], 1000000)",
    "local text = redis.call('GET', KEYS[1]) if text then return #text end",
    "return redis.call('OBJECT', 'ENCODING', KEYS[1])",
    "redis.replicate_commands() return redis.call('DBSIZE')",
];

/// Their digests, some of them, and what is none.
const DIGESTS: &[&str] = &[
    "e0e1f9fabfc9d4800c877a703b823ac0578ff8db",
    "E0E1F9FABFC9D4800C877A703B823AC0578FF8DB",
    "d3c21d0c2b9ca22f82737626a27bcaf5d288f99f",
    "0000000000000000000000000000000000000000",
    "short",
    "",
];

const LIBRARIES: &[&str] = &[
    "#!lua name=one\nredis.register_function('f', function(keys, args) return redis.call('SET', keys[1], args[1]) end)",
    "#!lua name=one\nredis.register_function('f', function(keys, args) return #keys + #args end)",
    "#!lua name=two\nredis.register_function{function_name='g', callback=function(keys, args) return redis.call('GET', keys[1]) end, flags={'no-writes'}, description='reads'}",
    "#!lua name=two\nlocal calls = 'constant'\nlocal function g(keys, args) return {calls, args[1]} end\nredis.register_function('g', g)\nredis.register_function('h', function() return redis.call('nosuch') end)",
    "#!lua name=three\nredis.register_function('F', function() return 1 end)",
    "#!lua name=three\nreturn 1",
    "#!lua name=three\nredis.register_function('a-b', function() end)",
    "#!lua name=three\nredis.call('PING')",
    "#!js name=three\nreturn 1",
    "#!lua\nreturn 1",
    "return 1",
    "",
];

/// The text of a script.
pub(crate) fn script(random: &mut Random) -> Vec<u8> {
    random.pick(SCRIPTS).as_bytes().to_vec()
}

/// The digest of a script.
pub(crate) fn digest(random: &mut Random) -> Vec<u8> {
    random.pick(DIGESTS).as_bytes().to_vec()
}

/// The text of a library.
pub(crate) fn library(random: &mut Random) -> Vec<u8> {
    random.pick(LIBRARIES).as_bytes().to_vec()
}
