// Ochre through ioredis: what applications do with the part of Redis that is there.
//
// The server's port is the first argument; ioredis is found by NODE_PATH. Every test begins with an empty server.
// The last line is `N passed, N failed`; the exit status is 1 if something failed.

'use strict';

const assert = require('node:assert/strict');
const Redis = require('ioredis');

const { PATIENCE_MS, runAll, test, until } = require('../support/harness');

const port = Number(process.argv[2]);

/** A client that is closed after its test. */
const opened = [];
function open(options = {}) {
  const client = new Redis({ port, host: '127.0.0.1', commandTimeout: PATIENCE_MS, ...options });
  client.on('error', () => {});
  opened.push(client);
  return client;
}

test('strings', async (redis) => {
  assert.equal(await redis.set('k', 'v'), 'OK');
  assert.equal(await redis.get('k'), 'v');
  assert.equal(await redis.get('missing'), null);
  assert.equal(await redis.set('k', 'w', 'NX'), null);
  assert.equal(await redis.append('k', '--'), 3);
  assert.equal(await redis.getrange('k', 1, -1), '--');
  await redis.mset({ a: '1', b: '2' });
  assert.deepEqual(await redis.mget('a', 'b', 'c'), ['1', '2', null]);
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
  await redis.set(bytes, bytes);
  assert.deepEqual(await redis.getBuffer(bytes), bytes);
});

test('numbers', async (redis) => {
  assert.equal(await redis.incr('n'), 1);
  assert.equal(await redis.incrby('n', 41), 42);
  assert.equal(await redis.incrbyfloat('f', 0.5), '0.5');
  await redis.set('s', 'abc');
  await assert.rejects(redis.incr('s'), /value is not an integer or out of range/);
});

test('lifetimes', async (redis) => {
  await redis.set('k', 'v', 'EX', 100);
  const ttl = await redis.ttl('k');
  assert.ok(ttl >= 90 && ttl <= 100, String(ttl));
  assert.equal(await redis.persist('k'), 1);
  assert.equal(await redis.pexpire('k', 30), 1);
  await until(async () => (await redis.exists('k')) === 0);
});

test('many requests at once', async (redis) => {
  const replies = await Promise.all(Array.from({ length: 5000 }, () => redis.incr('n')));
  assert.deepEqual(replies, Array.from({ length: 5000 }, (_, index) => index + 1));
});

test('automatic pipelines', async () => {
  const redis = open({ enableAutoPipelining: true });
  await Promise.all(Array.from({ length: 1000 }, (_, index) => redis.set(`k${index}`, index)));
  const values = await Promise.all(Array.from({ length: 1000 }, (_, index) => redis.get(`k${index}`)));
  assert.deepEqual(values.map(Number), Array.from({ length: 1000 }, (_, index) => index));
});

test('pipelines', async (redis) => {
  const replies = await redis.pipeline().set('k', 'abc').incr('k').get('k').exec();
  assert.equal(replies[0][1], 'OK');
  assert.match(replies[1][0].message, /not an integer/);
  assert.equal(replies[2][1], 'abc');
});

test('transactions', async (redis) => {
  assert.deepEqual(await redis.multi().set('k', 'v').get('k').exec(), [[null, 'OK'], [null, 'v']]);
  const other = open();
  await redis.watch('k');
  await other.set('k', 'changed');
  assert.equal(await redis.multi().get('k').exec(), null);
  await assert.rejects(redis.multi().set('k').exec(), /EXECABORT/);
});

test('scans', async (redis) => {
  const pipeline = redis.pipeline();
  for (let number = 0; number < 1000; number++) pipeline.set(`key:${number}`, number);
  await pipeline.exec();
  const found = new Set();
  for await (const keys of redis.scanStream({ match: 'key:*', count: 100 })) keys.forEach((key) => found.add(key));
  assert.equal(found.size, 1000);
});

test('databases', async (redis) => {
  const third = open({ db: 3 });
  await third.set('k', 'three');
  assert.equal(await redis.get('k'), null);
  await redis.select(3);
  assert.equal(await redis.get('k'), 'three');
  await redis.select(0);
});

test('a killed client comes back and resends', async (redis) => {
  const other = open({ connectionName: 'victim', autoResendUnfulfilledCommands: true });
  const id = await other.client('ID');
  assert.equal(await redis.client('KILL', 'ID', id), 1);
  assert.equal(await other.ping(), 'PONG');
  assert.notEqual(await other.client('ID'), id);
  assert.equal(await other.client('GETNAME'), 'victim');
});

test('what the server says of itself', async (redis) => {
  const info = await redis.info();
  assert.match(info, /redis_version:\d+\.\d+\.\d+\r\n/);
  assert.match(info, /redis_mode:standalone\r\n/);
  assert.match(info, /role:master\r\n/);
  assert.deepEqual(await redis.config('GET', 'maxmemory-policy'), ['maxmemory-policy', 'noeviction']);
  assert.ok((await redis.command('COUNT')) > 60);
  assert.equal((await redis.command('INFO', 'get'))[0][0], 'get');
  assert.match(await redis.client('LIST'), /cmd=client\|list/);
});

test('wrong commands', async (redis) => {
  await assert.rejects(redis.call('NOSUCH', 'a'), /unknown command/);
  await assert.rejects(redis.call('GET'), /wrong number of arguments for 'get' command/);
  assert.equal(await redis.ping(), 'PONG');
});

runAll(async (closing) => {
  closing.add(() => opened.splice(0).forEach((client) => client.disconnect()));
  const redis = open();
  await redis.flushall();
  return redis;
});
