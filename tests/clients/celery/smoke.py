"""Ochre as Celery's broker and store of results: BRPOP over several queues, what is unacknowledged in sorted sets, results by
messages, orders to workers by a fan-out.

The server's port is the only argument. A worker of two processes is there all the time; one test has more, and kills one.
The last line is `N passed, N failed`; the exit status is 1 if something failed.
"""

import os
import sys
import time
from pathlib import Path

os.environ["OCHRE_PORT"] = sys.argv[1]

from celery import chain, chord, group  # noqa: E402
from celery.exceptions import TaskRevokedError, TimeoutError  # noqa: E402

import tasks  # noqa: E402
from harness import PATIENCE_S, kill, raises, run, started, test, until  # noqa: E402

app = tasks.app


def worker(name, *queues, processes=2):
    words = [sys.executable, "-W", "ignore", "-m", "celery", "--app", "tasks", "--quiet", "worker", "--without-mingle"]
    words += ["--hostname", f"{name}@here", "--queues", ",".join(queues), "--concurrency", str(processes)]
    words += ["--loglevel", "CRITICAL"]
    return started(words, cwd=Path(__file__).parent)


def is_there(name):
    return bool(app.control.ping(destination=[f"{name}@here"], timeout=0.5))


def result(promise):
    return promise.get(timeout=PATIENCE_S, interval=0.02)


@test
def tasks_and_their_results():
    promises = [tasks.add.delay(number, 1) for number in range(30)]
    assert [result(promise) for promise in promises] == [number + 1 for number in range(30)]
    assert promises[0].state == "SUCCESS" and promises[0].args == [0, 1]
    promises[0].forget()
    assert app.AsyncResult(promises[0].id).state == "PENDING"
    raises(ValueError, "it is broken", lambda: result(tasks.broken.delay()))
    endless = tasks.hang.apply_async(queue="nobody")
    raises(TimeoutError, "", lambda: endless.get(timeout=0.2))
    endless.forget()
    assert app.backend.client.ttl(app.backend.get_key_for_task(promises[1].id)) > 3000


@test
def retries():
    assert result(tasks.lucky_at.delay(3)) == 3
    promise = tasks.lucky_at.delay(9)
    raises(ValueError, "try 4", lambda: result(promise))
    assert promise.state == "FAILURE"


@test
def countdowns_are_not_early():
    since = time.time()
    soon, later = tasks.when.apply_async(countdown=0.5), tasks.when.apply_async(countdown=1.2)
    assert result(soon) - since >= 0.5
    assert result(later) - since >= 1.2


@test
def canvases():
    assert result(chain(tasks.add.s(1, 2), tasks.add.s(10), tasks.add.s(100)).delay()) == 113
    assert result(group(tasks.add.s(number, number) for number in range(10)).delay()) == list(range(0, 20, 2))
    assert result(chord((tasks.add.s(number, 1) for number in range(12)), tasks.total.s()).delay()) == 78
    nested = chain(group(tasks.add.s(1, 1), tasks.add.s(2, 2)), tasks.total.s(), tasks.add.s(4))
    assert result(nested.delay()) == 10
    failing = chord([tasks.add.s(1, 1), tasks.broken.s()], tasks.total.s()).delay()
    raises(Exception, "it is broken", lambda: result(failing))


@test
def states_are_seen():
    promise = tasks.progress.delay()
    until(lambda: promise.state == "PROGRESS")
    assert promise.info == {"done": 50}
    tasks.notes.rpush("go", 1)
    assert result(promise) == "done"


@test
def tasks_are_revoked():
    waiting = tasks.note.apply_async(("never",), countdown=3600)
    until(lambda: any(task["request"]["id"] == waiting.id for task in scheduled()))
    waiting.revoke()
    raises(TaskRevokedError, "revoked", lambda: result(waiting))
    running = tasks.hang.delay()
    assert tasks.notes.blpop("hangs", timeout=PATIENCE_S)
    running.revoke(terminate=True, signal="SIGKILL")
    raises(TaskRevokedError, "terminated", lambda: result(running))
    assert tasks.notes.lrange("notes", 0, -1) == []


def scheduled():
    return (app.control.inspect(timeout=0.5).scheduled() or {}).get("first@here", [])


@test
def priorities():
    """A number that is lower is a list that is looked at earlier."""
    for priority, word in ((9, "last"), (3, "middle"), (0, "first")):
        tasks.note.apply_async((word,), queue="ordered", priority=priority)
    with worker("orderly", "ordered", processes=1):
        until(lambda: tasks.notes.llen("notes") == 3)
    assert tasks.notes.lrange("notes", 0, -1) == [b"first", b"middle", b"last"]


@test
def queues_are_counted_and_purged():
    for _ in range(5):
        tasks.note.apply_async(("never",), queue="nobody")
    assert app.backend.client.connection_pool.connection_kwargs["db"] == 1
    assert tasks.redis.Redis(port=tasks.PORT).llen("nobody") >= 5
    with app.connection_for_write() as connection:
        assert connection.default_channel.queue_purge("nobody") >= 5
    assert tasks.redis.Redis(port=tasks.PORT).llen("nobody") == 0


@test
def what_a_killed_worker_had_is_delivered_again():
    broker = tasks.redis.Redis(port=tasks.PORT)
    with worker("killed", "fragile") as first:
        promise = tasks.hang_once.apply_async(queue="fragile")
        assert tasks.notes.blpop("runs", timeout=PATIENCE_S)
        kill(first)
    assert broker.zcard("unacked_index") >= 1 and broker.llen("fragile") == 0
    # Who starts looks for what was not acknowledged in time, and later hardly ever. Others may not be acknowledged, either.
    newest = broker.zrange("unacked_index", -1, -1, withscores=True)[0][1]
    until(lambda: time.time() > newest + tasks.VISIBLE_S)
    with worker("heir", "fragile"):
        assert result(promise) is True
    assert tasks.notes.get(f"run:{promise.id}") == b"2"


def call(function):
    tasks.notes.flushdb()
    function()


def main():
    tasks.notes.flushall()
    with worker("first", "celery"):
        until(lambda: is_there("first"))
        run(("", call))


main()
