"""Ochre under the locks of Python: redis-py's own (scripts), pottery's Redlock (scripts on several connections) and
python-redis-lock (a list on which those who wait block).

The server's port is the only argument. Every test runs with each library. The last line is `N passed, N failed`; the exit
status is 1 if something failed.
"""

import logging
import sys
import threading
import time

import pottery
import redis
import redis_lock

from harness import raises, run, test, until

# One of the libraries warns of what the tests want.
logging.disable(logging.CRITICAL)

THREADS = 6
ROUNDS = 15


def connect():
    return redis.Redis(port=int(sys.argv[1]), socket_timeout=30)


class OfRedisPy:
    refused = redis.exceptions.LockError

    def __init__(self, name, ttl_s=10):
        self.lock = connect().lock(name, timeout=ttl_s, sleep=0.005)

    def take(self, wait_s=30):
        return self.lock.acquire(blocking_timeout=wait_s)

    def prolong(self):
        return self.lock.extend(30, replace_ttl=True)

    def give_back(self):
        self.lock.release()


class OfPottery:
    refused = pottery.ReleaseUnlockedLock

    def __init__(self, name, ttl_s=10):
        self.lock = pottery.Redlock(key=name, masters={connect()}, auto_release_time=ttl_s)

    def take(self, wait_s=30):
        return self.lock.acquire(blocking=wait_s > 0, timeout=wait_s or -1)

    def prolong(self):
        return self.lock.extend() is None

    def give_back(self):
        self.lock.release()


class OfRedisLock:
    refused = redis_lock.NotAcquired

    def __init__(self, name, ttl_s=10):
        self.ttl_s = ttl_s
        self.lock = redis_lock.Lock(connect(), name, expire=ttl_s)

    def take(self, wait_s=30):
        # It does not wait longer than a lock lasts.
        return self.lock.acquire(blocking=wait_s > 0, timeout=min(wait_s, self.ttl_s) or None)

    def prolong(self):
        return self.lock.extend(30) is None

    def give_back(self):
        self.lock.release()


@test
def one_at_a_time(lock):
    """A counter that is read and written in two steps counts right only if nobody comes between."""
    connection = connect()
    connection.set("count", 0)
    failures = []

    def work():
        try:
            mine, own = lock("counted"), connect()
            for _ in range(ROUNDS):
                assert mine.take()
                own.set("count", int(own.get("count")) + 1)
                mine.give_back()
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures
    assert int(connection.get("count")) == THREADS * ROUNDS


@test
def a_lock_refuses_others(lock):
    mine, other = lock("refused"), lock("refused")
    assert mine.take() and not other.take(0)
    mine.give_back()
    assert other.take(0)
    other.give_back()
    raises(lock.refused, "", other.give_back)


@test
def a_lock_expires(lock):
    mine, other = lock("expired", 1), lock("expired")
    since = time.monotonic()
    assert mine.take()
    until(lambda: other.take(0))
    assert time.monotonic() - since >= 0.9
    raises(lock.refused, "", mine.give_back)
    other.give_back()


@test
def a_lock_is_prolonged(lock):
    mine, other = lock("longer", 3), lock("longer")
    assert mine.take()
    # Far from both ends, for machines that are busy.
    time.sleep(1.6)
    assert mine.prolong()
    time.sleep(1.6)
    assert not other.take(0)
    mine.give_back()
    assert other.take(0)


def with_lock(lock):
    def call(function):
        connect().flushall()
        function(lock)

    return call


run(*((f"({lock.__name__})", with_lock(lock)) for lock in (OfRedisPy, OfPottery, OfRedisLock)))
