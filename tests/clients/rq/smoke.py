"""Ochre under RQ: jobs as hashes, queues as lists that workers block on, registries as sorted sets, commands by messages.

The server's port is the only argument. Two workers in processes of their own serve the queues `high` and `low` all the time.
The last line is `N passed, N failed`; the exit status is 1 if something failed.
"""

import contextlib
import datetime
import os
import signal
import sys
import time
from pathlib import Path

import redis
from rq import Callback, Queue, Repeat, Retry, Worker
from rq.command import send_stop_job_command
from rq.exceptions import DuplicateJobError
from rq.group import Group
from rq.job import Job
from rq.registry import FinishedJobRegistry, ScheduledJobRegistry
from rq.suspension import resume, suspend

import tasks
from harness import kill, raises, run, started, test, until

PORT = int(sys.argv[1])
WORKER = [sys.executable, str(Path(__file__).with_name("tasks.py")), str(PORT)]
HUNG = []
connection = redis.Redis(port=PORT)
high, low = (Queue(name, connection=connection) for name in ("high", "low"))


def result(job):
    """What a job that ends well returns."""
    until(lambda: job.get_status() in ("finished", "failed", "stopped", "canceled"))
    assert job.get_status() == "finished", (job.get_status(), job.latest_result())
    return job.return_value(refresh=True)


def fails(job):
    """What a job that ends badly says."""
    until(lambda: job.get_status() == "failed")
    return job.latest_result().exc_string


def hung():
    """The process that a job hangs in. It is no child of this one and in no group with the worker, so it is remembered."""
    HUNG.append(int(connection.blpop("hangs", timeout=30)[1]))
    return HUNG[-1]


def end(pid):
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


@test
def jobs_and_their_results():
    jobs = [low.enqueue(tasks.double, number) for number in range(20)]
    assert [result(job) for job in jobs] == [number * 2 for number in range(20)]
    job = low.enqueue(tasks.text, "\u00fcber\0", times=3, result_ttl=60)
    assert result(job) == "\u00fcber\0" * 3
    assert 0 < connection.ttl(job.key) <= 60
    assert job in FinishedJobRegistry(queue=low)
    job.refresh()
    assert job.worker_name in {worker.name for worker in Worker.all(connection=connection)}
    again = Job.fetch(job.id, connection=connection)
    assert again.args == ("\u00fcber\0",) and again.kwargs == {"times": 3}
    assert again.enqueued_at <= again.started_at <= again.ended_at
    assert result(low.enqueue("tasks.double", 4)) == 8
    assert low.count == 0


@test
def many_jobs_at_once():
    group = Group.create(connection=connection)
    jobs = group.enqueue_many(low, [Queue.prepare_data(tasks.double, (number,)) for number in range(30)])
    assert [result(job) for job in jobs] == [number * 2 for number in range(30)]
    assert {job.id for job in group.get_jobs()} == {job.id for job in jobs}
    fetched = Job.fetch_many([jobs[3].id, "nosuch", jobs[4].id], connection=connection)
    assert [job and job.return_value() for job in fetched] == [6, None, 8]


@test
def queues_have_an_order():
    first, second = (Queue(name, connection=connection) for name in ("first", "second"))
    for queue, word in ((second, "d"), (first, "b"), (first, "c")):
        queue.enqueue(tasks.note, word)
    front = first.enqueue(tasks.note, "a", at_front=True)
    assert first.get_job_ids()[0] == front.id and first.get_job_position(front) == 0
    suspend(connection)
    with started([*WORKER, "first", "second"]):
        until(lambda: "suspended" in {worker.get_state() for worker in Worker.all(queue=first)})
        assert connection.llen("notes") == 0 and first.count == 3
        resume(connection)
        until(lambda: connection.llen("notes") == 4)
    assert connection.lrange("notes", 0, -1) == [b"a", b"b", b"c", b"d"]


@test
def failures_are_registered():
    job = low.enqueue(tasks.broken, failure_ttl=100)
    assert "ValueError: it is broken" in fails(job)
    registry = low.failed_job_registry
    assert job.id in registry.get_job_ids()
    registry.requeue(job.id)
    until(lambda: len(job.results()) == 2)
    until(lambda: job.id in registry.get_job_ids())
    registry.remove(job, delete_job=True)
    assert not Job.exists(job.id, connection=connection)
    late = low.enqueue(tasks.hang, job_timeout=1)
    assert "JobTimeoutException" in fails(late)


@test
def retries():
    at_once = low.enqueue(tasks.lucky_at, 3, retry=Retry(max=3))
    assert result(at_once) == 3
    later = low.enqueue(tasks.lucky_at, 2, retry=Retry(max=2, interval=3))
    until(lambda: later.get_status() == "scheduled")
    assert result(later) == 2
    later.refresh()
    assert later.retries_left == 1
    hopeless = low.enqueue(tasks.lucky_at, 9, retry=Retry(max=2))
    assert "try 3" in fails(hopeless)
    assert hopeless.id in low.failed_job_registry.get_job_ids()


@test
def scheduled_jobs_are_not_early():
    since = time.monotonic()
    job = low.enqueue_in(datetime.timedelta(seconds=3), tasks.double, 21)
    registry = ScheduledJobRegistry(queue=low)
    assert job in registry and job not in low.get_jobs() and job.get_status() == "scheduled"
    never = low.enqueue_at(datetime.datetime(2100, 1, 1), tasks.double, 1)
    assert registry.get_scheduled_time(never).year in (2099, 2100)
    assert result(job) == 42
    # Times are kept in whole seconds.
    assert time.monotonic() - since >= 2
    assert job not in registry and never in registry
    never.delete()
    assert never not in registry


@test
def jobs_repeat():
    job = low.enqueue(tasks.count, repeat=Repeat(times=2, interval=0))
    until(lambda: connection.get("count") == b"3")
    until(lambda: job.get_status() == "finished")


@test
def dependencies():
    parts = [low.enqueue(tasks.double, number) for number in (1, 2, 3)]
    total = high.enqueue(tasks.sum_of_dependencies, depends_on=parts)
    last = high.enqueue(tasks.text, "end", depends_on=total)
    assert result(total) == 12 and result(last) == "end"
    broken = low.enqueue(tasks.broken)
    waiting = low.enqueue(tasks.double, 1, depends_on=broken)
    fails(broken)
    assert waiting.get_status() == "deferred" and waiting in low.deferred_job_registry
    waiting.delete()


@test
def a_job_is_there_once():
    job = low.enqueue(tasks.double, 1, job_id="own", unique=True)
    raises(DuplicateJobError, "", lambda: low.enqueue(tasks.double, 2, job_id="own", unique=True))
    assert result(job) == 2
    job.delete()
    assert result(low.enqueue(tasks.double, 3, job_id="own", unique=True)) == 6


@test
def callbacks_and_meta():
    good = low.enqueue(tasks.progress, on_success=Callback(tasks.succeeded))
    bad = low.enqueue(tasks.broken, on_failure=Callback(tasks.failed))
    assert result(good) == good.id
    assert good.get_meta() == {"progress": 50}
    until(lambda: connection.get(f"succeeded:{good.id}") == good.id.encode())
    until(lambda: connection.get(f"failed:{bad.id}") == b"it is broken")


@test
def jobs_are_cancelled_and_stopped():
    scheduled = low.enqueue_in(datetime.timedelta(hours=1), tasks.double, 1)
    scheduled.cancel()
    assert scheduled.get_status() == "canceled" and scheduled in low.canceled_job_registry
    running = low.enqueue(tasks.hang)
    hung()
    until(lambda: running.get_status() == "started")
    send_stop_job_command(connection, running.id)
    until(lambda: running.get_status() == "stopped")


@test
def a_process_that_dies_fails_its_job():
    job = low.enqueue(tasks.hang)
    end(hung())
    assert "Work-horse terminated unexpectedly" in fails(job)


@test
def a_worker_that_dies_leaves_its_job_to_others():
    queue = Queue("left", connection=connection)
    with started([*WORKER, "left"]) as worker:
        job = queue.enqueue(tasks.hang, retry=Retry(max=1))
        horse = hung()
        kill(worker)
        end(horse)
    assert job.id in queue.started_job_registry.get_job_ids()
    # As a worker does once it has not been heard of for a minute or two.
    queue.started_job_registry.cleanup(timestamp=time.time() + 3600)
    assert queue.get_job_ids() == [job.id]
    with started([*WORKER, "left"]) as worker:
        assert hung() != horse
        until(lambda: job.get_status() == "started")
        kill(worker)
        end(HUNG[-1])


def call(function):
    connection.delete("notes", "hangs", "count")
    function()


def main():
    connection.flushall()
    try:
        with started([*WORKER, "high", "low"]), started([*WORKER, "high", "low"]):
            until(lambda: Worker.count(connection=connection) == 2)
            run(("", call))
    finally:
        for pid in HUNG:
            end(pid)


main()
