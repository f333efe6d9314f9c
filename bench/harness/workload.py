"""The tests as rows of data: a name, what has to exist before, and the command.

To add a test, add a row. Keys are 16 bytes (`key:` and twelve digits); `__data__` is a value of the size that the
command line gives; `__rand_int__` is a number below the row's keyspace, drawn for each request.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Setup:
    """Commands that make a test's data, sent once for each number of the keyspace."""

    command: tuple[str, ...]
    keyspace: int | None = None
    """How many; by default as many as the test's keyspace."""


@dataclass(frozen=True)
class Test:
    """One row."""

    name: str
    command: tuple[str, ...]
    setup: tuple[Setup, ...] = ()
    keyspace: int | None = None
    """How many different numbers; by default as many as the command line says."""


def words(text: str, times: int = 1, repeated: str = "") -> tuple[str, ...]:
    """The words of `text`, then those of `repeated` so many times."""
    return tuple(text.split() + repeated.split() * times)


def _members(command: str, form: str, count: int) -> tuple[str, ...]:
    return tuple(command.split() + " ".join(form.format(number) for number in range(count)).split())


# Collections are fewer than plain keys, so that a run's data stay below a gigabyte.
FEW = 10_000
SOME = 100_000

STRINGS = (Setup(words("SET key:__rand_int__ __data__")),)
COUNTERS = (Setup(words("SET cnt:__rand_int__ 1000000")),)
LISTS = (Setup(_members("RPUSH lst:__rand_int__", "element:{:04}", 100), FEW),)
HASHES = (Setup(_members("HSET hsh:__rand_int__", "field:{0} value:{0}", 10), SOME),)
SETS = (Setup(_members("SADD set:__rand_int__", "member:{}", 10), SOME),)
ZSETS = (Setup(_members("ZADD zst:__rand_int__", "{0} member:{0}", 10), SOME),)
BIG_SET = (Setup(words("SADD bigset member:__rand_int__")),)
BIG_ZSET = (Setup(words("ZADD bigzset __rand_int__ member:__rand_1st__")),)

TESTS: tuple[Test, ...] = (
    Test("ping", words("PING")),
    Test("get", words("GET key:__rand_int__"), STRINGS),
    Test("set", words("SET key:__rand_int__ __data__"), STRINGS),
    Test("incr", words("INCR cnt:__rand_int__"), COUNTERS),
    Test("mset10", words("MSET", 10, "key:__rand_int__ __data__"), STRINGS),
    Test("mget10", words("MGET", 10, "key:__rand_int__"), STRINGS),
    Test("get_missing", words("GET non:__rand_int__"), STRINGS),
    Test("set_ex", words("SET ttl:__rand_int__ __data__ EX 100000")),
    Test("expire", words("EXPIRE key:__rand_int__ 100000"), STRINGS),
    Test("exists", words("EXISTS key:__rand_int__"), STRINGS),
    Test("set_del", words("SET tmp:__rand_1st__ __data__ ; DEL tmp:__rand_1st__")),
    Test("lpush_rpop", words("LPUSH lst:__rand_int__ element:0000 ; RPOP lst:__rand_int__"), LISTS, FEW),
    Test("lrange100", words("LRANGE lst:__rand_int__ 0 99"), LISTS, FEW),
    Test("hset", words("HSET hsh:__rand_int__ field:3 value:3"), HASHES, SOME),
    Test("hget", words("HGET hsh:__rand_int__ field:3"), HASHES, SOME),
    Test("hgetall10", words("HGETALL hsh:__rand_int__"), HASHES, SOME),
    Test("hincrby", words("HINCRBY hsh:__rand_int__ count 1"), HASHES, SOME),
    Test("sadd", words("SADD set:__rand_int__ member:3"), SETS, SOME),
    Test("sismember", words("SISMEMBER set:__rand_int__ member:3"), SETS, SOME),
    Test("sismember_big", words("SISMEMBER bigset member:__rand_int__"), BIG_SET),
    Test("zadd", words("ZADD zst:__rand_int__ 5 member:3"), ZSETS, SOME),
    Test("zrange10", words("ZRANGE zst:__rand_int__ 0 9"), ZSETS, SOME),
    Test("zadd_big", words("ZADD bigzset __rand_int__ member:__rand_1st__"), BIG_ZSET),
    Test("zscore_big", words("ZSCORE bigzset member:__rand_int__"), BIG_ZSET),
    Test("zrank_big", words("ZRANK bigzset member:__rand_int__"), BIG_ZSET),
    Test("xadd", words("XADD str:__rand_int__ MAXLEN ~ 100 * field __data__"), (), FEW),
    Test("setbit", words("SETBIT bit:__rand_int__ 77 1"), (), SOME),
    Test("pfadd", words("PFADD hll:__rand_int__ element:__rand_1st__"), (), FEW),
    Test("multi_exec", words("MULTI ; INCR cnt:__rand_int__ ; INCR cnt:__rand_int__ ; EXEC"), COUNTERS),
    Test("eval", ("EVAL", "return redis.call('GET', KEYS[1])", "1", "key:__rand_int__"), STRINGS),
)
DEFAULT = "get,set,incr,mset10,mget10"


def select(names: str) -> list[Test]:
    """The rows named in a list with commas, in that order; `all` names every row."""
    by_name = {test.name: test for test in TESTS}
    if names == "all":
        return list(TESTS)
    unknown = [name for name in names.split(",") if name not in by_name]
    if unknown:
        raise SystemExit(f"unknown tests: {', '.join(unknown)}; there are {', '.join(by_name)}")
    return [by_name[name] for name in names.split(",")]


@dataclass(frozen=True)
class MemoryCase:
    """Keys whose memory is weighed: a name, the command that makes one, and its value's size."""

    name: str
    command: tuple[str, ...]
    value_bytes: int = 8


MEMORY: tuple[MemoryCase, ...] = (
    MemoryCase("16-byte keys, 8-byte values", words("SET key:__rand_int__ __data__")),
    MemoryCase("16-byte keys, 64-byte values", words("SET key:__rand_int__ __data__"), 64),
    MemoryCase("integer counters", words("INCRBY key:__rand_int__ 1000000")),
    MemoryCase("8-byte values with a TTL", words("SET key:__rand_int__ __data__ EX 100000")),
)


def describe(tests: Iterable[Test]) -> str:
    """A list of names for help texts."""
    return ", ".join(test.name for test in tests)
