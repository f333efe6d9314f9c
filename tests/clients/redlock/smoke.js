// Ochre under Redlock: locks that are taken, prolonged and given back by scripts.
//
// The server's port is the only argument; the library is found by NODE_PATH. Every test has resources of its own, so all run
// at once. The last line is `N passed, N failed`; the exit status is 1 if something failed.

'use strict';

const assert = require('node:assert/strict');
const Redis = require('ioredis');
const { Redlock, ExecutionError } = require('@sesamecare-oss/redlock');
const { runAll, sleep, test, until } = require('../support/harness');

const PATIENT = { retryCount: -1, retryDelay: 5, retryJitter: 5 };
const IMPATIENT = { retryCount: 0 };

/** A client and who locks over it. */
function open(closing, settings = IMPATIENT) {
  const client = new Redis({ port: Number(process.argv[2]), host: '127.0.0.1' });
  closing.add(() => client.disconnect());
  return { client, locks: new Redlock([client], settings) };
}

const isRefused = (promise) => assert.rejects(promise, ExecutionError);

test('one at a time, whoever asks', async (first, closing) => {
  const contenders = Array.from({ length: 6 }, () => open(closing, PATIENT));
  await first.client.set('balance', 0);
  let [inside, most] = [0, 0];
  const once = async ({ client, locks }) => {
    const lock = await locks.acquire(['lock:balance'], 10000);
    most = Math.max(most, (inside += 1));
    await client.set('balance', Number(await client.get('balance')) + 1);
    inside -= 1;
    await lock.release();
  };
  await Promise.all(contenders.map(async (each) => {
    for (let round = 0; round < 20; round += 1) await once(each);
  }));
  assert.equal(Number(await first.client.get('balance')), 120);
  assert.equal(most, 1);
});

test('what is locked is refused until it is given back', async ({ locks }, closing) => {
  const other = open(closing).locks;
  const lock = await locks.acquire(['lock:refused'], 10000);
  await isRefused(other.acquire(['lock:refused'], 10000));
  await lock.release();
  await (await other.acquire(['lock:refused'], 10000)).release();
});

test('several resources are locked together or not at all', async ({ locks, client }, closing) => {
  const other = open(closing).locks;
  const lock = await locks.acquire(['lock:{several}:b'], 10000);
  await isRefused(other.acquire(['lock:{several}:a', 'lock:{several}:b'], 1000));
  assert.equal(await client.exists('lock:{several}:a'), 0);
  await lock.release();
});

test('a lock expires', async ({ locks, client }, closing) => {
  const other = open(closing).locks;
  const late = await locks.acquire(['lock:expires'], 3000);
  await isRefused(other.acquire(['lock:expires'], 10000));
  await until(async () => (await client.exists('lock:expires')) === 0);
  const lock = await other.acquire(['lock:expires'], 10000);
  // Who comes late neither prolongs nor gives back the lock of another.
  await isRefused(late.extend(1000));
  await isRefused(late.release());
  assert.equal(await client.exists('lock:expires'), 1);
  await lock.release();
});

test('a lock is prolonged', async ({ locks, client }, closing) => {
  const other = open(closing).locks;
  let lock = await locks.acquire(['lock:longer'], 2000);
  lock = await lock.extend(20000);
  assert.ok((await client.pttl('lock:longer')) > 10000);
  await sleep(2100);
  await isRefused(other.acquire(['lock:longer'], 1000));
  await lock.release();
  assert.equal(await client.exists('lock:longer'), 0);
});

test('a lock is prolonged for as long as it is used', async ({ locks, client }) => {
  const ttls = [];
  await locks.using(['lock:used'], 2000, { automaticExtensionThreshold: 1500 }, async (signal) => {
    for (let step = 0; step < 5; step += 1) {
      await sleep(500);
      assert.equal(signal.aborted, false);
      ttls.push(await client.pttl('lock:used'));
    }
  });
  assert.ok(ttls.every((ttl) => ttl > 0 && ttl <= 2000), String(ttls));
  assert.equal(await client.exists('lock:used'), 0);
});

test('locks outlive that scripts are forgotten', async ({ locks, client }) => {
  await (await locks.acquire(['lock:again'], 10000)).release();
  await client.script('FLUSH');
  await (await locks.acquire(['lock:again'], 10000)).release();
});

runAll((closing) => open(closing), { atOnce: true });
