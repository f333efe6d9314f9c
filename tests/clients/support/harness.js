// What the programs for Node share: tests by name, waiting for conditions, and a count at the end.
//
// A test waits for what has to happen, never for a time, unless it is about that time; whatever it opens is handed to
// `closing` and closed after it.

'use strict';

const assert = require('node:assert/strict');

const PATIENCE_MS = 60000;
const tests = [];

const test = (name, run) => tests.push({ name, run });
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Asks until the answer is true, and returns it. */
async function until(ready) {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    const answer = await ready();
    if (answer) return answer;
    assert.ok(Date.now() < end, 'it did not happen');
    await sleep(5);
  }
}

/** What must be closed after a test: functions, called in the opposite order. */
class Closing {
  #calls = [];
  add(call) {
    this.#calls.push(call);
  }
  async all() {
    for (const call of this.#calls.splice(0).reverse()) await call();
  }
}

/** Runs a test; true if it passes. */
async function passes({ name, run }, before) {
  const closing = new Closing();
  try {
    await run(await before(closing), closing);
    return true;
  } catch (error) {
    console.log(`FAILED ${name}\n${error.stack}`);
    return false;
  } finally {
    await closing.all();
  }
}

/**
 * Runs every test with what `before(closing)` makes for it, one after another or all at once, prints the count and sets the
 * exit status.
 */
async function runAll(before, { atOnce = false } = {}) {
  const results = [];
  if (atOnce) results.push(...(await Promise.all(tests.map((each) => passes(each, before)))));
  else for (const each of tests) results.push(await passes(each, before));
  const passed = results.filter(Boolean).length;
  console.log(`${passed} passed, ${results.length - passed} failed`);
  process.exitCode = passed === results.length ? 0 : 1;
}

module.exports = { PATIENCE_MS, runAll, sleep, test, until };
