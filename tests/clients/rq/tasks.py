"""What workers do for the tests in smoke.py, and the worker itself: `tasks.py PORT QUEUE...`."""

import os
import sys
import time

import redis
from rq import Queue, Worker, get_current_job


def double(number):
    return number * 2


def text(words, *, times=1):
    return words * times


def broken():
    raise ValueError("it is broken")


def lucky_at(number):
    """Fails until it is tried for the number-th time."""
    tries = get_current_job().connection.incr(f"tries:{get_current_job().id}")
    if tries < number:
        raise ValueError(f"try {tries}")
    return tries


def note(word):
    """Writes words down, in the order in which jobs run."""
    get_current_job().connection.rpush("notes", word)


def count():
    return get_current_job().connection.incr("count")


def sum_of_dependencies():
    return sum(job.return_value() for job in get_current_job().fetch_dependencies())


def progress():
    job = get_current_job()
    job.meta["progress"] = 50
    job.save_meta()
    return job.id


def hang():
    """Says who it is, and does not end."""
    get_current_job().connection.rpush("hangs", os.getpid())
    while True:
        time.sleep(1)


def succeeded(job, connection, result):
    connection.set(f"succeeded:{job.id}", result)


def failed(job, connection, kind, value, traceback):
    connection.set(f"failed:{job.id}", str(value))


def work(port, *names):
    connection = redis.Redis(port=int(port))
    queues = [Queue(name, connection=connection) for name in names]
    Worker(queues, connection=connection).work(with_scheduler=True, logging_level="CRITICAL")


if __name__ == "__main__":
    work(*sys.argv[1:])
