// Ochre under rate-limiter-flexible: counters with a lifetime, moved by one script.
//
// The server's port is the only argument; the library is found by NODE_PATH. Every test has keys of its own, so all run at
// once. The last line is `N passed, N failed`; the exit status is 1 if something failed.

'use strict';

const assert = require('node:assert/strict');
const Redis = require('ioredis');
const { BurstyRateLimiter, RateLimiterQueue, RateLimiterRedis, RateLimiterUnion } = require('rate-limiter-flexible');
const { runAll, test, until } = require('../support/harness');

/** Clients that are ready, as the library wants them. */
async function open(closing) {
  const client = new Redis({ port: Number(process.argv[2]), host: '127.0.0.1' });
  closing.add(() => client.disconnect());
  await client.ping();
  return client;
}

/** How many of so many requests at once are let through, and when those that are refused may come again. */
async function attempt(limiters, key, times) {
  const all = Array.from({ length: times }, (_, index) => limiters[index % limiters.length].consume(key));
  const settled = await Promise.allSettled(all);
  const refused = settled.filter(({ status }) => status === 'rejected').map(({ reason }) => reason);
  refused.forEach((reason) => assert.ok(!(reason instanceof Error), reason.stack));
  return { passed: settled.length - refused.length, waits: refused.map(({ msBeforeNext }) => msBeforeNext) };
}

test('no more than the limit, over all clients', async (client, closing) => {
  const clients = [client, await open(closing), await open(closing)];
  const limiters = clients.map((storeClient) => new RateLimiterRedis({ storeClient, points: 25, duration: 30, keyPrefix: 'a' }));
  const { passed, waits } = await attempt(limiters, 'user', 200);
  assert.equal(passed, 25);
  assert.ok(waits.every((ms) => ms > 0 && ms <= 30000), String(waits));
  assert.equal((await attempt(limiters, 'somebody else', 5)).passed, 5);
});

test('windows end', async (client) => {
  const limiter = new RateLimiterRedis({ storeClient: client, points: 3, duration: 1, keyPrefix: 'b' });
  const since = Date.now();
  assert.equal((await attempt([limiter], 'user', 10)).passed, 3);
  await until(() => limiter.consume('user').then(() => true, () => false));
  assert.ok(Date.now() - since >= 990, String(Date.now() - since));
});

test('points are counted, given and taken', async (client) => {
  const limiter = new RateLimiterRedis({ storeClient: client, points: 10, duration: 30, keyPrefix: 'c' });
  assert.equal(await limiter.get('user'), null);
  const first = await limiter.consume('user', 4);
  assert.deepEqual([first.consumedPoints, first.remainingPoints, first.isFirstInDuration], [4, 6, true]);
  assert.equal((await limiter.penalty('user', 3)).consumedPoints, 7);
  assert.equal((await limiter.reward('user', 5)).consumedPoints, 2);
  assert.equal((await limiter.consume('user')).isFirstInDuration, false);
  assert.equal((await limiter.get('user')).remainingPoints, 7);
  await limiter.set('user', 9, 20);
  const kept = await limiter.get('user');
  assert.ok(kept.consumedPoints === 9 && kept.msBeforeNext <= 20000);
  assert.equal(await limiter.delete('user'), true);
  assert.equal(await limiter.delete('user'), false);
});

test('who asks for too much is shut out', async (client) => {
  const options = { storeClient: client, points: 2, duration: 1, blockDuration: 60, keyPrefix: 'd' };
  const limiter = new RateLimiterRedis(options);
  const { waits } = await attempt([limiter], 'user', 3);
  assert.ok(waits[0] > 10000, String(waits));
  assert.ok((await client.pttl('d:user')) > 10000);
  await limiter.block('other', 60);
  assert.equal((await attempt([limiter], 'other', 1)).passed, 0);
});

test('limiters together', async (client) => {
  const limiter = (keyPrefix, points) => new RateLimiterRedis({ storeClient: client, points, duration: 30, keyPrefix });
  const union = new RateLimiterUnion(limiter('e1', 2), limiter('e2', 5));
  await union.consume('user');
  await union.consume('user');
  await assert.rejects(union.consume('user'), (reason) => 'e1' in reason);
  const bursty = new BurstyRateLimiter(limiter('f1', 2), limiter('f2', 3));
  assert.equal((await attempt([bursty], 'user', 10)).passed, 5);
});

test('requests queue', async (client) => {
  const queue = new RateLimiterQueue(new RateLimiterRedis({ storeClient: client, points: 2, duration: 1, keyPrefix: 'g' }));
  const since = Date.now();
  await Promise.all(Array.from({ length: 5 }, () => queue.removeTokens(1)));
  assert.ok(Date.now() - since >= 1500, String(Date.now() - since));
});

test('a script of the user', async (client) => {
  const customIncrTtlLuaScript = `
    local left = tonumber(redis.call('get', KEYS[1]) or ARGV[1])
    local ttl = redis.call('pttl', KEYS[1])
    redis.call('incrby', KEYS[1], ARGV[1])
    if ttl < 0 then redis.call('expire', KEYS[1], ARGV[2]) ttl = ARGV[2] * 1000 end
    return {tonumber(redis.call('get', KEYS[1])), tonumber(ttl)}`;
  const limiter = new RateLimiterRedis({ storeClient: client, points: 2, duration: 30, keyPrefix: 'h', customIncrTtlLuaScript });
  const { passed, waits } = await attempt([limiter], 'user', 4);
  assert.equal(passed, 2);
  assert.ok(waits.every((ms) => ms > 0 && ms <= 30000), String(waits));
});

runAll(open, { atOnce: true });
