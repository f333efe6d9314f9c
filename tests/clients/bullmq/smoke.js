// Ochre under BullMQ: queues whose every step is a script of a hundred lines over lists, sorted sets, hashes and streams.
//
// The server's port is the only argument; bullmq is found by NODE_PATH. Every test has a queue of its own, so all run at once.
// The last line is `N passed, N failed`; the exit status is 1 if something failed.

'use strict';

const assert = require('node:assert/strict');
const { fork } = require('node:child_process');
const Redis = require('ioredis');
const { FlowProducer, Queue, QueueEvents, UnrecoverableError, Worker } = require('bullmq');
const { PATIENCE_MS, runAll, sleep, test, until } = require('../support/harness');

const connection = { host: '127.0.0.1', port: Number(process.argv[2]), maxRetriesPerRequest: null };
/** What a test works with: things that belong to a queue, closed after it. */
class Bench {
  #closing;
  constructor(closing) {
    this.#closing = closing;
  }
  #kept(thing) {
    thing.on('error', () => {});
    thing.setMaxListeners(100);
    this.#closing.add(() => thing.close());
    return thing;
  }
  queue(name, options = {}) {
    return this.#kept(new Queue(name, { connection, ...options }));
  }
  worker(name, process, options = {}) {
    return this.#kept(new Worker(name, process, { connection, drainDelay: 1, ...options }));
  }
  async events(name) {
    const events = this.#kept(new QueueEvents(name, { connection, blockingTimeout: 1000, lastEventId: '0-0' }));
    await events.waitUntilReady();
    return events;
  }
  flow() {
    return this.#kept(new FlowProducer({ connection }));
  }
  /** Another process, with a worker that never ends a job. */
  hanging(name) {
    const child = fork(__filename, [process.argv[2], '--hang', name]);
    this.#closing.add(() => child.kill('SIGKILL'));
    return child;
  }
}

const finished = (job, events) => job.waitUntilFinished(events, PATIENCE_MS);
const isIn = (queue, id, state) => until(async () => (await queue.getJobState(id)) === state);

test('jobs and their results', async (bench) => {
  const queue = bench.queue('jobs');
  const events = await bench.events('jobs');
  bench.worker('jobs', async (job) => ({ twice: job.data.number * 2, name: job.name }), { concurrency: 4 });
  const jobs = await queue.addBulk(
    Array.from({ length: 50 }, (_, number) => ({ name: `job ${number}`, data: { number, text: '\u00fcber \u0000 "all"' } })),
  );
  const results = await Promise.all(jobs.map((job) => finished(job, events)));
  assert.deepEqual(results, jobs.map((job) => ({ twice: job.data.number * 2, name: job.name })));
  const job = await queue.getJob(jobs[7].id);
  assert.equal(await job.getState(), 'completed');
  assert.deepEqual(job.data, { number: 7, text: '\u00fcber \u0000 "all"' });
  assert.equal((await queue.getJobCounts('completed', 'failed', 'wait', 'active')).completed, 50);
  assert.equal((await queue.getCompleted(10, 19)).length, 10);
});

test('every job is done once, by many workers', async (bench) => {
  const queue = bench.queue('many');
  const done = new Map();
  const process = async (job) => void done.set(job.id, (done.get(job.id) ?? 0) + 1);
  for (let number = 0; number < 4; number += 1) bench.worker('many', process, { concurrency: 5 });
  const jobs = await queue.addBulk(Array.from({ length: 400 }, () => ({ name: 'one', data: {} })));
  await until(async () => (await queue.getCompletedCount()) === 400);
  assert.ok(jobs.every((job) => done.get(job.id) === 1));
  assert.equal(await queue.getActiveCount(), 0);
});

test('results that are not kept', async (bench) => {
  const queue = bench.queue('kept', { defaultJobOptions: { removeOnComplete: { count: 3 }, removeOnFail: true } });
  bench.worker('kept', async (job) => assert.ok(job.data.right, 'wrong'));
  const rights = await queue.addBulk(Array.from({ length: 10 }, () => ({ name: 'right', data: { right: true } })));
  const wrong = await queue.add('wrong', {});
  await isIn(queue, wrong.id, 'unknown');
  assert.equal(await queue.getCompletedCount(), 3);
  assert.equal(await queue.getJob(rights[0].id), undefined);
  assert.equal(await queue.getFailedCount(), 0);
});

test('retries wait longer and longer', async (bench) => {
  const queue = bench.queue('retries');
  const events = await bench.events('retries');
  const tries = [];
  bench.worker('retries', async (job) => {
    tries.push(Date.now());
    if (job.attemptsMade < 3) throw new Error(`try ${job.attemptsMade}`);
    return 'at last';
  });
  const job = await queue.add('one', {}, { attempts: 4, backoff: { type: 'exponential', delay: 60 } });
  assert.equal(await finished(job, events), 'at last');
  const waited = tries.slice(1).map((time, index) => time - tries[index]);
  assert.ok(waited[0] >= 59 && waited[1] >= 119 && waited[2] >= 239, String(waited));
  assert.equal((await queue.getJob(job.id)).attemptsMade, 4);
});

test('jobs that fail for good can be tried again', async (bench) => {
  const queue = bench.queue('failures');
  const events = await bench.events('failures');
  let isMended = false;
  const worker = bench.worker('failures', async (job) => {
    if (!isMended) throw job.name === 'hopeless' ? new UnrecoverableError('no hope') : new Error('broken');
    return 'mended';
  });
  const job = await queue.add('one', {}, { attempts: 2, backoff: 20 });
  await assert.rejects(finished(job, events), /broken/);
  const hopeless = await queue.add('hopeless', {}, { attempts: 5 });
  await assert.rejects(finished(hopeless, events), /no hope/);
  const failed = await queue.getFailed();
  assert.deepEqual(failed.map((each) => [each.name, each.failedReason, each.attemptsMade]).sort(), [
    ['hopeless', 'no hope', 1],
    ['one', 'broken', 2],
  ]);
  assert.equal(failed.find((each) => each.name === 'one').stacktrace.length, 2);
  isMended = true;
  await (await queue.getJob(job.id)).retry();
  await isIn(queue, job.id, 'completed');
  await queue.retryJobs({ state: 'failed' });
  await isIn(queue, hopeless.id, 'completed');
  assert.ok(worker.isRunning());
});

test('delayed jobs are not early', async (bench) => {
  const queue = bench.queue('delays');
  const events = await bench.events('delays');
  bench.worker('delays', async (job) => Date.now() - job.data.since, { concurrency: 5 });
  const add = (delay) => queue.add('one', { since: Date.now() }, { delay });
  const jobs = await Promise.all([add(400), add(200), add(100)]);
  const waited = await Promise.all(jobs.map((job) => finished(job, events)));
  assert.ok(waited[0] >= 399 && waited[1] >= 199 && waited[2] >= 99, String(waited));

  const [promoted, moved] = await Promise.all([add(3600000), add(3600000)]);
  assert.equal(await queue.getDelayedCount(), 2);
  assert.equal(await promoted.getState(), 'delayed');
  await promoted.promote();
  await moved.changeDelay(50);
  assert.ok((await finished(promoted, events)) < 3600000);
  assert.ok((await finished(moved, events)) < 3600000);
});

test('a rate is kept', async (bench) => {
  const [max, duration] = [4, 300];
  const queue = bench.queue('rates');
  const done = [];
  const options = { limiter: { max, duration }, concurrency: 8 };
  await queue.addBulk(Array.from({ length: 14 }, () => ({ name: 'one', data: {} })));
  const since = Date.now();
  for (let number = 0; number < 2; number += 1) bench.worker('rates', async () => void done.push(1), options);
  await until(async () => (await queue.getCompletedCount()) === 14);
  // Fourteen jobs need four windows, so three went by.
  assert.ok(Date.now() - since >= 3 * duration, String(Date.now() - since));
  assert.equal(done.length, 14);
});

test('a rate limit of the queue, set by hand', async (bench) => {
  const queue = bench.queue('pauses');
  await queue.rateLimit(3600000);
  assert.ok((await queue.getRateLimitTtl()) > 3000000);
  const job = await queue.add('one', {});
  // Who was told how long to wait comes back after a second at the latest.
  const options = { limiter: { max: 1, duration: 10 }, maximumRateLimitDelay: 1000 };
  await bench.worker('pauses', async () => {}, options).waitUntilReady();
  await sleep(200);
  assert.equal(await job.getState(), 'waiting');
  await queue.removeRateLimitKey();
  await isIn(queue, job.id, 'completed');
});

test('priorities', async (bench) => {
  const queue = bench.queue('priorities');
  for (const [name, priority] of [['c', 30], ['a', 1], ['b2', 20], ['first', 0], ['b1', 20], ['d', 2097151]]) {
    await queue.add(name, {}, priority ? { priority } : {});
  }
  const later = await queue.add('later', {}, { priority: 40 });
  await later.changePriority({ priority: 10 });
  assert.deepEqual(await queue.getCountsPerPriority([0, 1, 20]), { 0: 1, 1: 1, 20: 2 });
  const order = [];
  bench.worker('priorities', async (job) => void order.push(job.name));
  await until(() => order.length === 7);
  assert.deepEqual(order, ['first', 'a', 'later', 'b2', 'b1', 'c', 'd']);
});

test('the last in is the first out, if that is wanted', async (bench) => {
  const queue = bench.queue('lifo');
  for (const name of ['1', '2', '3']) await queue.add(name, {}, { lifo: true });
  const order = [];
  bench.worker('lifo', async (job) => void order.push(job.name));
  await until(() => order.length === 3);
  assert.deepEqual(order, ['3', '2', '1']);
});

test('schedulers repeat jobs', async (bench) => {
  const queue = bench.queue('schedules');
  // When each job was due, which its identifier tells, is what is looked at; when it is done depends on the machine.
  const runs = { every: [], limited: [], cron: [] };
  const process = async ({ name, id }) => {
    runs[name].push(Number(id.split(':').at(-1)));
    assert.ok(Date.now() >= runs[name].at(-1), `${id} is early`);
  };
  bench.worker('schedules', process, { concurrency: 4 });
  await queue.upsertJobScheduler('often', { every: 100 }, { name: 'every', data: { a: 1 } });
  await queue.upsertJobScheduler('thrice', { every: 50, limit: 3 }, { name: 'limited' });
  await queue.upsertJobScheduler('clock', { pattern: '* * * * * *' }, { name: 'cron' });
  assert.equal((await queue.getJobScheduler('often')).every, 100);
  await until(() => runs.every.length >= 5 && runs.limited.length >= 3 && runs.cron.length >= 2);
  assert.ok(runs.every.every((due, index) => due >= runs.every[0] + 100 * index), String(runs.every));
  assert.ok(runs.cron.every((due) => due % 1000 === 0), String(runs.cron));
  assert.equal(await queue.getFailedCount(), 0);
  // What is put again under the same name replaces what was there.
  await queue.upsertJobScheduler('often', { every: 3600000 }, { name: 'every' });
  assert.equal(await queue.removeJobScheduler('clock'), true);
  assert.equal(await queue.removeJobScheduler('clock'), false);
  const known = (await queue.getJobSchedulers()).map((each) => each.key);
  assert.ok(known.includes('often') && !known.includes('clock'), String(known));
  assert.equal(runs.limited.length, 3);
  assert.ok(await queue.removeJobScheduler('often'));
});

test('flows: parents wait for their children', async (bench) => {
  const events = await bench.events('parents');
  const order = [];
  const flow = await bench.flow().add({
    name: 'top',
    queueName: 'parents',
    children: [
      { name: 'one', queueName: 'children', data: { value: 1 } },
      { name: 'two', queueName: 'children', data: { value: 2 }, opts: { delay: 100 } },
      {
        name: 'middle',
        queueName: 'parents',
        children: [3, 4].map((value) => ({ name: `leaf ${value}`, queueName: 'children', data: { value } })),
      },
    ],
  });
  assert.equal(await flow.job.getState(), 'waiting-children');
  assert.deepEqual((await flow.job.getDependenciesCount()).unprocessed, 3);
  bench.worker('children', async (job) => (order.push(job.name), job.data.value), { concurrency: 2 });
  bench.worker('parents', async (job) => {
    order.push(job.name);
    return Object.values(await job.getChildrenValues()).reduce((sum, value) => sum + value, 0);
  });
  assert.equal(await finished(flow.job, events), 10);
  assert.equal(order.at(-1), 'top');
  assert.ok(order.indexOf('middle') > order.indexOf('leaf 3') && order.indexOf('middle') > order.indexOf('leaf 4'));
});

test('flows: a child that fails', async (bench) => {
  const queue = bench.queue('bereft');
  bench.worker('bereft', async (job) => {
    if (job.data.fails) throw new Error('a child failed');
    return Object.keys(await job.getIgnoredChildrenFailures()).length;
  });
  const child = (opts) => [{ name: 'child', queueName: 'bereft', data: { fails: true }, opts }];
  const add = (name, opts) => bench.flow().add({ name, queueName: 'bereft', children: child(opts) });
  const fallen = await add('fallen', { failParentOnFailure: true });
  await isIn(queue, fallen.job.id, 'failed');
  assert.match((await queue.getJob(fallen.job.id)).failedReason, /child .* failed/);
  const patient = await add('patient', { ignoreDependencyOnFailure: true });
  await isIn(queue, patient.job.id, 'completed');
  assert.equal((await queue.getJob(patient.job.id)).returnvalue, 1);
  const orphaned = await add('orphaned', { removeDependencyOnFailure: true });
  await isIn(queue, orphaned.job.id, 'completed');
  assert.equal((await queue.getJob(orphaned.job.id)).returnvalue, 0);
});

test('a job of a worker that was killed is done by another', async (bench) => {
  const queue = bench.queue('stalled');
  const events = await bench.events('stalled');
  const stalled = [];
  events.on('stalled', ({ jobId }) => stalled.push(jobId));
  const child = bench.hanging('stalled');
  const job = await queue.add('one', {});
  await isIn(queue, job.id, 'active');
  child.kill('SIGKILL');
  bench.worker('stalled', async () => 'at last', { stalledInterval: 200 });
  assert.equal(await finished(job, events), 'at last');
  await until(() => stalled.includes(job.id));
  assert.equal((await queue.getJob(job.id)).attemptsStarted, 2);
});

test('a job that stalls too often fails', async (bench) => {
  const queue = bench.queue('hopeless');
  const child = bench.hanging('hopeless');
  const job = await queue.add('one', {});
  await isIn(queue, job.id, 'active');
  child.kill('SIGKILL');
  bench.worker('hopeless', async () => {}, { stalledInterval: 200, maxStalledCount: 0 });
  await isIn(queue, job.id, 'failed');
  assert.match((await queue.getJob(job.id)).failedReason, /stalled more than allowable limit/);
});

test('a queue that pauses', async (bench) => {
  const queue = bench.queue('paused');
  const events = await bench.events('paused');
  const seen = [];
  for (const event of ['paused', 'resumed', 'completed']) events.on(event, () => seen.push(event));
  let done = 0;
  const worker = bench.worker('paused', async () => void (done += 1));
  await worker.waitUntilReady();
  await queue.pause();
  assert.equal(await queue.isPaused(), true);
  await queue.addBulk([{ name: 'one', data: {} }, { name: 'two', data: {} }]);
  await until(() => seen.includes('paused'));
  await sleep(200);
  assert.equal(done, 0);
  await queue.resume();
  await until(() => done === 2 && seen.filter((event) => event === 'completed').length === 2);
  assert.equal(seen[1], 'resumed');
  // A worker pauses by itself.
  await worker.pause();
  const job = await queue.add('three', {});
  await sleep(100);
  assert.equal(await job.getState(), 'waiting');
  worker.resume();
  await isIn(queue, job.id, 'completed');
});

test('events tell the life of a job', async (bench) => {
  const queue = bench.queue('events');
  const events = await bench.events('events');
  const seen = [];
  for (const event of ['added', 'waiting', 'active', 'progress', 'completed', 'drained']) {
    events.on(event, (what, id) => seen.push({ event, what, id }));
  }
  bench.worker('events', async (job) => {
    for (const percent of [50, 100]) await job.updateProgress(percent);
    await job.log('first line');
    await job.log('second line');
    await job.updateData({ ...job.data, more: true });
    return 'done';
  });
  const job = await queue.add('one', { some: true });
  await until(() => seen.some(({ event }) => event === 'drained'));
  const names = seen.map(({ event }) => event);
  const order = ['added', 'waiting', 'active', 'progress', 'progress', 'completed'];
  assert.deepEqual(names.filter((name) => name !== 'drained'), order);
  const ids = seen.filter(({ event }) => event !== 'drained').map(({ id }) => id);
  assert.ok(ids.every((id) => /^\d+-\d+$/.test(id)), String(ids));
  assert.deepEqual(seen.filter(({ event }) => event === 'progress').map(({ what }) => what.data), [50, 100]);
  assert.deepEqual((await queue.getJobLogs(job.id)).logs, ['first line', 'second line']);
  assert.deepEqual((await queue.getJob(job.id)).data, { some: true, more: true });
  assert.ok((await queue.trimEvents(0)) >= order.length);
});

test('what is there already is not added again', async (bench) => {
  const queue = bench.queue('same');
  const events = await bench.events('same');
  const refused = [];
  events.on('duplicated', ({ jobId }) => refused.push(jobId));
  const [first, second] = [await queue.add('one', { a: 1 }, { jobId: 'own' }), await queue.add('one', {}, { jobId: 'own' })];
  assert.equal(first.id, second.id);
  const unique = { deduplication: { id: 'unique' } };
  const [kept, dropped] = [await queue.add('two', {}, unique), await queue.add('two', {}, unique)];
  assert.equal(kept.id, dropped.id);
  assert.equal(await queue.getDeduplicationJobId('unique'), kept.id);
  assert.equal(await queue.removeDeduplicationKey('unique'), 1);
  assert.notEqual((await queue.add('two', {}, unique)).id, kept.id);
  const brief = { deduplication: { id: 'brief', ttl: 200 } };
  const early = await queue.add('three', {}, brief);
  await until(async () => (await queue.getDeduplicationJobId('brief')) === null);
  assert.notEqual((await queue.add('three', {}, brief)).id, early.id);
  assert.deepEqual(await queue.getJobCounts('waiting'), { waiting: 5 });
  await until(() => refused.includes('own'));
});

test('queues are emptied and removed', async (bench, closing) => {
  const queue = bench.queue('removed');
  const add = (count, options) =>
    queue.addBulk(Array.from({ length: count }, () => ({ name: 'one', data: {}, opts: options })));
  const [job] = await add(30);
  await add(5, { delay: 3600000 });
  await add(5, { priority: 3 });
  await job.remove();
  assert.equal(await queue.count(), 39);
  assert.equal((await queue.clean(0, 10, 'wait')).length, 10);
  await queue.drain();
  assert.deepEqual(await queue.getJobCounts('waiting', 'delayed', 'prioritized'), { waiting: 0, delayed: 5, prioritized: 0 });
  await queue.obliterate({ force: true });
  const client = new Redis(connection);
  closing.add(() => client.disconnect());
  assert.deepEqual(await client.keys('bull:removed:*'), []);
});

test('how much is done is limited for all workers together', async (bench) => {
  const queue = bench.queue('global');
  await queue.setGlobalConcurrency(2);
  let [active, most] = [0, 0];
  const process = async () => {
    most = Math.max(most, (active += 1));
    await sleep(10);
    active -= 1;
  };
  for (let number = 0; number < 3; number += 1) bench.worker('global', process, { concurrency: 4 });
  await queue.addBulk(Array.from({ length: 30 }, () => ({ name: 'one', data: {} })));
  await until(async () => (await queue.getCompletedCount()) === 30);
  assert.equal(most, 2);
});

if (process.argv[3] === '--hang') {
  process.on('disconnect', () => process.exit());
  const options = { connection, drainDelay: 1, lockDuration: 2000, skipStalledCheck: true };
  new Worker(process.argv[4], () => new Promise(() => {}), options).on('error', () => {});
} else {
  runAll((closing) => new Bench(closing), { atOnce: true });
}
