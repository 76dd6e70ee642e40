import { test } from 'node:test';
import assert from 'node:assert/strict';

import { Ring } from '../static/ring.js';
import { often } from './random.js';

/** @param {{maxItems: number, maxBytes?: number}} limits */
function ringOf(limits) {
  /** @type {number[]} */
  const gone = [];
  const ring = new Ring({ ...limits, dispose: (/** @type {number} */ item) => gone.push(item) });
  return { ring, gone, kept: () => Array.from({ length: ring.length }, (_, back) => ring.at(back) ?? NaN) };
}

test('the last ones are kept, the newest is at 0', () => {
  const { ring, gone, kept } = ringOf({ maxItems: 3 });
  for (const item of [1, 2, 3, 4, 5]) ring.push(item, 10);
  assert.deepEqual(kept(), [5, 4, 3]);
  assert.deepEqual(gone, [1, 2]);
  assert.equal(ring.bytes, 30);
  assert.equal(ring.at(3), undefined);
  assert.equal(ring.at(-1), undefined);
});

test('bytes are bounded, at the bound itself all stay', () => {
  const { ring, gone, kept } = ringOf({ maxItems: 100, maxBytes: 10 });
  ring.push(1, 4);
  ring.push(2, 6);
  assert.deepEqual(kept(), [2, 1]);
  ring.push(3, 1);
  assert.deepEqual(kept(), [3, 2]);
  assert.deepEqual(gone, [1]);
});

test('one that is too large is kept alone', () => {
  const { ring, gone, kept } = ringOf({ maxItems: 100, maxBytes: 10 });
  ring.push(1, 5);
  ring.push(2, 11);
  assert.deepEqual(kept(), [2]);
  ring.push(3, 0);
  assert.deepEqual(kept(), [3]);
  assert.deepEqual(gone, [1, 2]);
});

test('the newest is kept, whatever the limit', () => {
  const { ring, kept } = ringOf({ maxItems: 0 });
  ring.push(1, 1);
  ring.push(2, 1);
  assert.deepEqual(kept(), [2]);
});

test('cleared, all are disposed of, the oldest first', () => {
  const { ring, gone, kept } = ringOf({ maxItems: 3 });
  for (const item of [1, 2, 3]) ring.push(item, 10);
  ring.clear();
  assert.deepEqual([kept(), gone, ring.bytes, ring.length], [[], [1, 2, 3], 0, 0]);
});

test('each is kept or was disposed of once, in order, within the limits', () => often(50, (random) => {
  const limits = { maxItems: 1 + random.below(10), maxBytes: 1 + random.below(50) };
  const { ring, gone, kept } = ringOf(limits);
  const sizes = Array.from({ length: 200 }, () => random.below(30));
  sizes.forEach((size, i) => {
    ring.push(i, size);
    const items = kept().reverse();
    assert.deepEqual([...gone, ...items], sizes.slice(0, i + 1).map((_, k) => k));
    assert.equal(ring.bytes, items.reduce((sum, item) => sum + sizes[item], 0));
    assert(items.length <= limits.maxItems && (ring.bytes <= limits.maxBytes || items.length === 1));
    if (random.below(60) === 0) ring.clear();
  });
}));
