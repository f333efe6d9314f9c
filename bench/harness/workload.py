"""The tests as rows of data: a name, what has to exist before, and the command.

To add a test, add a row. Keys are 16 bytes (`key:` and twelve digits); `__data__` is a value of the size that the
command line gives; `__rand_int__` is a number below the row's keyspace, drawn for each request.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Setup:
    """Commands that make a test's data: one, sent once for each number of the keyspace, or several."""

    command: tuple[str, ...] = ()
    keyspace: int | None = None
    """How many; by default as many as the test's keyspace."""
    listed: Callable[[], Iterable[tuple[str, ...]]] | None = None
    """Tells commands that follow no such rule, in place of the one."""


@dataclass(frozen=True)
class Test:
    """One row."""

    name: str
    command: tuple[str, ...]
    setup: tuple[Setup, ...] = ()
    keyspace: int | None = None
    """How many different numbers; by default as many as the command line says."""
    before: tuple[Setup, ...] = ()
    """What is done again before each run, and is no part of it."""
    requests: int | None = None
    """So many requests are a run, where each uses something up; by default a run has a length in time."""
    subscribers: int = 0
    """So many connections listen to `CHANNEL`. Then each delivery is an operation, and `requests` must be given."""


def words(text: str, times: int = 1, repeated: str = "") -> tuple[str, ...]:
    """The words of `text`, then those of `repeated` so many times."""
    return tuple(text.split() + repeated.split() * times)


def _members(command: str, form: str, count: int) -> tuple[str, ...]:
    return tuple(command.split() + " ".join(form.format(number) for number in range(count)).split())


def _once(*commands: str) -> tuple[Setup, ...]:
    return (Setup(listed=lambda: [words(command) for command in commands]),)


def _places() -> Iterator[tuple[str, ...]]:
    """Places on a square of four degrees, some 450 km wide."""
    chance = random.Random(5)
    for first in range(0, SOME, 1000):
        command = ["GEOADD", "places"]
        for number in range(first, first + 1000):
            command += [f"{chance.uniform(10, 14):.6f}", f"{chance.uniform(-2, 2):.6f}", f"place:{number:012}"]
        yield tuple(command)


def _sketches() -> Iterator[tuple[str, ...]]:
    """HyperLogLogs that have seen so much that they are no longer sparse."""
    for number in range(100):
        yield _members(f"PFADD pfc:{number:012}", f"element:{number}:{{}}", 5000)


# Collections are fewer than plain keys, so that a run's data stay below a gigabyte.
FEW = 10_000
SOME = 100_000
MANY = 200_000

STRINGS = (Setup(words("SET key:__rand_int__ __data__")),)
COUNTERS = (Setup(words("SET cnt:__rand_int__ 1000000")),)
LISTS = (Setup(_members("RPUSH lst:__rand_int__", "element:{:04}", 100), FEW),)
LISTS_600 = (Setup(_members("RPUSH lsm:__rand_int__", "element:{:04}", 600), 1000),)
HASHES = (Setup(_members("HSET hsh:__rand_int__", "field:{0} value:{0}", 10), SOME),)
HASHES_20 = (Setup(_members("HSET hsm:__rand_int__", "field:{0} value:{0}", 20), SOME),)
SETS = (Setup(_members("SADD set:__rand_int__", "member:{}", 10), SOME),)
ZSETS = (Setup(_members("ZADD zst:__rand_int__", "{0} member:{0}", 10), SOME),)
ZSETS_100 = (Setup(_members("ZADD zsm:__rand_int__", "{0} member:{0}", 100), FEW),)
ZSETS_1000 = (Setup(_members("ZADD zsl:__rand_int__", "{0} member:{0}", 1000), 1000),)
SKETCHES = (Setup(listed=_sketches),)
BIG_SET = (Setup(words("SADD bigset member:__rand_int__")),)
BIG_ZSET = (Setup(words("ZADD bigzset __rand_int__ member:__rand_1st__")),)
# Half of the members of either are in the other one as well.
TWO_SETS = (
    Setup(words("SADD seta member:__rand_int__"), FEW),
    Setup(words("SADD setb member:__rand_int__"), FEW // 2),
    Setup(words("SADD setb other:__rand_int__"), FEW // 2),
)
BITMAP = (Setup(listed=lambda: [("SET", "bitmap", "x5aQ" * (1 << 18))]),)
PLACES = (Setup(listed=_places),)
CHANNEL = "channel"
SCRIPT = "redis.call('SET', KEYS[1], ARGV[1]) redis.call('INCR', KEYS[2]) return redis.call('GET', KEYS[1])"
SCRIPT_LOADED = (Setup(listed=lambda: [("SCRIPT", "LOAD", SCRIPT)]),)
# What pops finish and what is added to from nothing.
LIST_TO_POP = (*_once("DEL poplist"), Setup(_members("RPUSH poplist", "element:__rand_int__:{}", 100), MANY // 100))
SET_TO_POP = (*_once("DEL popset"), Setup(_members("SADD popset", "member:__rand_1st__:{}", 10), MANY // 10))
ZSET_TO_POP = (
    *_once("DEL popzset"),
    Setup(_members("ZADD popzset", "__rand_int__{0} member:__rand_1st__:{0}", 10), MANY // 10),
)
STREAM = (*_once("DEL stream"), Setup(words("XADD stream * field __data__"), MANY))
GROUP_AT_START = (*_once("XGROUP DESTROY stream group", "XGROUP CREATE stream group 0"),)

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
    Test("lpush", words("LPUSH newlist __data__"), before=_once("DEL newlist"), requests=MANY),
    Test("rpush", words("RPUSH newlist __data__"), before=_once("DEL newlist"), requests=MANY),
    Test("lpop", words("LPOP poplist"), before=LIST_TO_POP, requests=MANY),
    Test("rpop", words("RPOP poplist"), before=LIST_TO_POP, requests=MANY),
    Test("lpush_rpop", words("LPUSH lst:__rand_int__ element:0000 ; RPOP lst:__rand_int__"), LISTS, FEW),
    Test("lrange100", words("LRANGE lst:__rand_int__ 0 99"), LISTS, FEW),
    Test("lrange600", words("LRANGE lsm:__rand_int__ 0 599"), LISTS_600, 1000),
    Test("hset", words("HSET newhash field:__rand_int__ __data__"), before=_once("DEL newhash"), requests=MANY),
    Test("hset_same", words("HSET hsh:__rand_int__ field:3 value:3"), HASHES, SOME),
    Test("hget", words("HGET hsh:__rand_int__ field:3"), HASHES, SOME),
    Test("hgetall10", words("HGETALL hsh:__rand_int__"), HASHES, SOME),
    Test("hgetall20", words("HGETALL hsm:__rand_int__"), HASHES_20, SOME),
    Test("hincrby", words("HINCRBY hsh:__rand_int__ count 1"), HASHES, SOME),
    Test("sadd", words("SADD newset member:__rand_int__"), before=_once("DEL newset"), requests=MANY),
    Test("sadd_same", words("SADD set:__rand_int__ member:3"), SETS, SOME),
    Test("spop", words("SPOP popset"), before=SET_TO_POP, requests=MANY),
    Test("sismember", words("SISMEMBER set:__rand_int__ member:3"), SETS, SOME),
    Test("sismember_big", words("SISMEMBER bigset member:__rand_int__"), BIG_SET),
    Test("sinter10k", words("SINTER seta setb"), TWO_SETS),
    Test(
        "zadd", words("ZADD newzset __rand_int__ member:__rand_int__"), before=_once("DEL newzset"), requests=MANY
    ),
    Test("zadd_same", words("ZADD zst:__rand_int__ 5 member:3"), ZSETS, SOME),
    Test("zpopmin", words("ZPOPMIN popzset"), before=ZSET_TO_POP, requests=MANY),
    Test("zrange10", words("ZRANGE zst:__rand_int__ 0 9"), ZSETS, SOME),
    Test("zrange100", words("ZRANGE zsm:__rand_int__ 0 99"), ZSETS_100, FEW),
    Test("zrange100_of_1000", words("ZRANGE zsl:__rand_int__ 500 599"), ZSETS_1000, 1000),
    Test("zadd_big", words("ZADD bigzset __rand_int__ member:__rand_1st__"), BIG_ZSET),
    Test("zscore_big", words("ZSCORE bigzset member:__rand_int__"), BIG_ZSET),
    Test("zrank_big", words("ZRANK bigzset member:__rand_int__"), BIG_ZSET),
    Test("zrangebyscore_big", words("ZRANGEBYSCORE bigzset __rand_int__ +inf LIMIT 0 10"), BIG_ZSET),
    Test("xadd", words("XADD newstream * field __data__"), before=_once("DEL newstream"), requests=MANY),
    Test("xadd_trimmed", words("XADD str:__rand_int__ MAXLEN ~ 100 * field __data__"), (), FEW),
    Test(
        "xreadgroup10",
        words("XREADGROUP GROUP group consumer COUNT 10 STREAMS stream >"),
        STREAM,
        before=GROUP_AT_START,
        requests=MANY // 10,
    ),
    Test("setbit", words("SETBIT bit:__rand_int__ 77 1"), (), SOME),
    Test("bitcount1mb", words("BITCOUNT bitmap"), BITMAP),
    Test("pfadd", words("PFADD hll:__rand_int__ element:__rand_1st__"), (), FEW),
    Test("pfcount10", words("PFCOUNT", 10, "pfc:__rand_int__"), SKETCHES, 100),
    Test("geosearch5km", words("GEOSEARCH places FROMMEMBER place:__rand_int__ BYRADIUS 5 km"), PLACES, SOME),
    Test("multi_exec", words("MULTI ; INCR cnt:__rand_int__ ; INCR cnt:__rand_int__ ; EXEC"), COUNTERS),
    Test(
        "evalsha3",
        ("EVALSHA", hashlib.sha1(SCRIPT.encode()).hexdigest(), *words("2 key:__rand_int__ cnt:__rand_int__ __data__")),
        (*STRINGS, *COUNTERS, *SCRIPT_LOADED),
    ),
    Test("publish50", words(f"PUBLISH {CHANNEL} __data__"), requests=20_000, subscribers=50),
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
