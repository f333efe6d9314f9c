"""What Celery's workers do for the tests in smoke.py. The server's port is in the environment, as OCHRE_PORT."""

import os
import time

import redis
from celery import Celery

PORT = int(os.environ["OCHRE_PORT"])
URL = f"redis://127.0.0.1:{PORT}"
VISIBLE_S = 2

app = Celery("tasks", broker=f"{URL}/0", backend=f"{URL}/1")
app.conf.update(
    broker_transport_options={"visibility_timeout": VISIBLE_S, "polling_interval": 0.5},
    result_backend_transport_options={"global_keyprefix": "results:"},
    result_extended=True,
    task_track_started=True,
    broker_connection_retry_on_startup=True,
    worker_prefetch_multiplier=1,
    result_expires=3600,
)
notes = redis.Redis(port=PORT, db=2)


@app.task
def add(a, b):
    return a + b


@app.task
def total(numbers):
    return sum(numbers)


@app.task
def broken():
    raise ValueError("it is broken")


@app.task(bind=True, max_retries=3)
def lucky_at(self, number):
    """Fails until it is tried for the number-th time."""
    tries = self.request.retries + 1
    if tries < number:
        raise self.retry(exc=ValueError(f"try {tries}"), countdown=0.1)
    return tries


@app.task
def when():
    return time.time()


@app.task
def note(word):
    notes.rpush("notes", word)


@app.task(bind=True)
def progress(self):
    self.update_state(state="PROGRESS", meta={"done": 50})
    notes.blpop("go", timeout=30)
    return "done"


@app.task(bind=True, acks_late=True, reject_on_worker_lost=True)
def hang_once(self):
    """Does not end when it runs for the first time, and says who runs it."""
    is_first = notes.incr(f"run:{self.request.id}") == 1
    notes.rpush("runs", self.request.id)
    while is_first:
        time.sleep(1)
    return self.request.delivery_info.get("redelivered")


@app.task
def hang():
    notes.rpush("hangs", "1")
    while True:
        time.sleep(1)
