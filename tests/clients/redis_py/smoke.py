"""Ochre through redis-py: what applications do with the part of Redis that is there.

The server's port is the only argument. Every test runs in RESP2 and in RESP3 and begins with an empty server.
The last line is `N passed, N failed`; the exit status is 1 if something failed.
"""

import sys
import threading

import redis
from redis.backoff import NoBackoff
from redis.exceptions import ResponseError, WatchError
from redis.retry import Retry

from harness import raises, run, test, until


@test
def strings(r):
    assert r.set("k", "v") is True
    assert r.get("k") == b"v"
    assert r.get("missing") is None
    assert r.set("k", "w", nx=True) is None
    assert r.set("k", "w", xx=True, get=True) == b"v"
    assert r.append("k", "xyz") == 4
    assert r.getrange("k", 1, 2) == b"xy"
    assert r.setrange("k", 1, "--") == 4
    assert r.strlen("k") == 4
    assert r.getdel("k") == b"w--z"
    assert r.getset("k", "n") is None
    assert r.mset({"a": 1, "b": 2}) is True
    assert r.mget("a", "b", "c") == [b"1", b"2", None]
    assert r.msetnx({"c": 3, "a": 9}) is False
    assert bytes(range(256)) == (r.set("k", bytes(range(256))), r.get("k"))[1]


@test
def numbers(r):
    assert r.incr("n") == 1
    assert r.incrby("n", 41) == 42
    assert r.decr("n", 2) == 40
    assert r.incrbyfloat("f", 1.5) == 1.5
    r.set("s", "abc")
    raises(ResponseError, "value is not an integer or out of range", lambda: r.incr("s"))


@test
def lifetimes(r):
    r.set("k", "v", ex=100)
    assert 90 <= r.ttl("k") <= 100
    assert r.persist("k") is True
    assert r.ttl("k") == -1 and r.ttl("missing") == -2
    assert r.expire("k", 50, nx=True) is True
    assert r.expire("k", 10, gt=True) is False
    assert r.expireat("k", 33177117420) is True
    assert r.expiretime("k") == 33177117420
    assert r.getex("k", px=30) == b"v"
    until(lambda: not r.exists("k"))


@test
def keys(r):
    r.mset({f"key:{number}": number for number in range(500)})
    assert r.dbsize() == 500
    assert sorted(r.keys("key:1?")) == [b"key:%d" % number for number in range(10, 20)]
    assert set(r.scan_iter(count=50)) == {b"key:%d" % number for number in range(500)}
    assert len(list(r.scan_iter(match="key:4*", count=1000))) == 111
    assert r.rename("key:1", "other") is True
    assert r.renamenx("other", "key:2") is False
    assert r.copy("other", "copied") is True
    assert r.type("other") == b"string"
    assert r.touch("other", "missing") == 1
    assert r.unlink("other", "copied", "missing") == 2
    assert r.randomkey().startswith(b"key:")
    raises(ResponseError, "no such key", lambda: r.rename("missing", "x"))
    assert r.object("encoding", "key:3") == b"int"


@test
def pipelines(r):
    with r.pipeline(transaction=False) as pipe:
        for number in range(1000):
            pipe.set(f"k{number}", number)
        for number in range(1000):
            pipe.get(f"k{number}")
        replies = pipe.execute()
    assert replies == [True] * 1000 + [b"%d" % number for number in range(1000)]


@test
def transactions(r):
    with r.pipeline() as pipe:
        assert pipe.incr("n").set("k", "v").get("k").execute() == [1, True, b"v"]
    with r.pipeline() as pipe:
        pipe.set("k", "abc").incr("k").set("after", 1)
        replies = pipe.execute(raise_on_error=False)
    assert replies[0] is True and isinstance(replies[1], ResponseError) and replies[2] is True


@test
def watching(r):
    with r.pipeline() as pipe:
        pipe.watch("k")
        r.set("k", "changed")
        pipe.multi()
        pipe.get("k")
        raises(WatchError, "", pipe.execute)

    def change(pipe):
        value = pipe.get("k")
        pipe.multi()
        pipe.set("k", value + b"!")

    assert r.transaction(change, "k") == [True]
    assert r.get("k") == b"changed!"


@test
def threads_share_a_pool(r):
    def add():
        for _ in range(200):
            r.incr("n")

    threads = [threading.Thread(target=add) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert r.get("n") == b"1600"


@test
def the_server_about_itself(r):
    assert r.ping() is True
    assert r.echo("hi") == b"hi"
    info = r.info()
    assert info["redis_mode"] == "standalone" and info["role"] == "master"
    assert info["connected_clients"] >= 1 and info["loading"] == 0
    assert tuple(int(part) for part in info["redis_version"].split(".")) >= (7, 0, 0)
    assert r.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
    assert r.config_set("maxmemory-samples", 7) is True
    assert r.config_get("maxmemory-samples") == {"maxmemory-samples": "7"}
    r.config_set("maxmemory-samples", 5)
    assert r.command_count() > 60
    assert "get" in {name.lower() for name in r.command()}
    assert isinstance(r.time()[0], int)
    assert r.memory_usage("missing") is None
    assert isinstance(r.slowlog_get(), list)
    assert r.latency_latest() == []


@test
def clients(r):
    with r.client() as one:
        one.client_setname("smoke")
        assert one.client_getname() in ("smoke", b"smoke")
        number = one.client_id()
        mine = [client for client in r.client_list() if int(client["id"]) == number]
        assert len(mine) == 1 and mine[0]["name"] == "smoke" and mine[0]["lib-name"].startswith("redis-py")
        assert one.client_info()["id"] == number


@test
def a_killed_connection_is_replaced(r):
    with r.client() as one:
        number = one.client_id()
        assert r.client_kill_filter(_id=number) == 1
        until(lambda: all(int(client["id"]) != number for client in r.client_list()))
        assert one.ping() is True
        assert one.client_id() != number


@test
def databases(r):
    r.set("k", "zero")
    other = redis.Redis(port=r.connection_pool.connection_kwargs["port"], db=5)
    assert other.get("k") is None
    other.set("k", "five")
    assert r.get("k") == b"zero" and other.get("k") == b"five"
    other.close()


def with_protocol(protocol):
    def call(function):
        r = redis.Redis(port=int(sys.argv[1]), protocol=protocol, retry=Retry(NoBackoff(), 1), socket_timeout=30)
        try:
            r.flushall()
            function(r)
        finally:
            r.close()

    return call


run(("in RESP2", with_protocol(2)), ("in RESP3", with_protocol(3)))
