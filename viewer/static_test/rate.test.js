import { test } from 'node:test';
import assert from 'node:assert/strict';

import { RateMeter } from '../static/rate.js';
import { often } from './random.js';

test('nothing was told yet', () => {
  const meter = new RateMeter();
  assert.equal(meter.rate(1000), 0);
  assert.deepEqual(meter.history(), []);
});

test('a steady rate is that rate, from the start on', () => {
  const meter = new RateMeter({ windowMs: 1000, stepMs: 100 });
  for (let now = 5000; now < 10000; now += 50) {
    if (now > 5100) assert.equal(Math.round(meter.rate(now)), 20, `at ${now}`);
    meter.add(now, 1);
  }
});

test('what came at once is over a step at least', () => {
  const meter = new RateMeter({ windowMs: 1000, stepMs: 100 });
  meter.add(0, 5);
  assert.equal(meter.rate(0), 50);
  assert.equal(meter.rate(100), 50);
  assert.equal(meter.rate(200), 25);
});

test('silence lowers it to nothing', () => {
  const meter = new RateMeter({ windowMs: 1000, stepMs: 100 });
  for (let now = 0; now < 3000; now += 10) meter.add(now, 1);
  const rates = [3000, 3200, 3500, 4200, 1e9].map((now) => meter.rate(now));
  assert.deepEqual(rates, [...rates].sort((a, b) => b - a));
  assert.deepEqual(rates.slice(-2), [0, 0]);
  meter.add(1e9 + 1, 3);
  assert(meter.rate(1e9 + 1) > 0);
});

test('the history has a point for each step, so many at most', () => {
  const meter = new RateMeter({ windowMs: 1000, samples: 5, stepMs: 100 });
  for (let step = 0; step < 10; step++) {
    meter.add(step * 100, 7);
    assert.equal(meter.history().length, Math.min(5, step));
  }
  assert.deepEqual(meter.history(), Array(5).fill(70));
  meter.rate(1e6);
  assert.deepEqual(meter.history(), Array(5).fill(0));
});

test('a clock that goes back does no harm', () => {
  const meter = new RateMeter({ windowMs: 1000, stepMs: 100 });
  meter.add(5000, 1);
  meter.add(100, 1);
  assert.equal(meter.rate(0), 20);
});

test('it is what came in the window, over the window', () => often(30, (random) => {
  const stepMs = 1 + random.below(200);
  const steps = 1 + random.below(12);
  const meter = new RateMeter({ windowMs: steps * stepMs, stepMs, samples: 10 });
  /** @type {[number, number][]} */
  const told = [];
  let now = random.below(1e6);
  for (let i = 0; i < 200; i++) {
    now += random.below(20) === 0 ? random.below(20 * stepMs * steps) : random.below(stepMs);
    told.push([now, random.below(100)]);
    meter.add(...told[i]);
    const from = (Math.floor(now / stepMs) - steps) * stepMs;
    const sum = told.reduce((n, [at, came]) => (at >= from ? n + came : n), 0);
    const want = (sum * 1000) / Math.max(stepMs, now - Math.max(from, told[0][0]));
    assert(Math.abs(meter.rate(now) - want) < 1e-6 * Math.max(1, want), `${meter.rate(now)}, want ${want}`);
  }
}));
