import { test } from 'node:test';
import assert from 'node:assert/strict';

import { arrange } from '../static/cells.js';
import { inBytes, perSecond, short } from '../static/units.js';
import { often } from './random.js';

test('a few are large, many are small, and all of them fit', () => often(300, (random) => {
  const [width, height, count] = [20 + random.below(1000), 20 + random.below(100), 1 + random.below(1000)];
  const gone = random.below(3) * random.below(1000);
  const { columns, w, h, first } = arrange(count, width, height, gone);
  assert(columns * w <= width + 1e-6);
  assert(Math.ceil((count - first) / columns) * h <= height + 1e-6);
  assert(first >= 0 && first < count);
  assert(first === 0 || (gone + first) % columns === 0, 'they stay in their columns');
}));

test('so many cells in a place of 500 by 72', () => {
  const shape = (/** @type {number} */ count) => {
    const { columns, w, h } = arrange(count, 500, 72, 0);
    return [columns, Math.round(w), Math.round(h)];
  };
  assert.deepEqual(shape(1), [1, 500, 22]);
  assert.deepEqual(shape(6), [6, 83, 22]);
  assert.deepEqual(shape(64), [22, 23, 22]);
  assert.deepEqual(shape(10000), [41, 12, 12]);
});

test('while more come, a row goes at a time', () => {
  const { columns, first } = arrange(500, 500, 72, 0);
  for (let more = 0; more < 3 * columns; more++) {
    const now = arrange(500, 500, 72, more); // of a list of which the oldest goes
    assert.equal((now.first + more) % columns, 0);
    assert(now.first + more - first <= more + columns);
  }
});

test('bytes in words', () => {
  const words = { 0: '0 B', 1023: '1023 B', 1024: '1.0 KiB', 1536: '1.5 KiB', [1 << 20]: '1.0 MiB', [5 * 2 ** 40]: '5.0 TiB', [2 ** 52]: '4096.0 TiB' };
  for (const [n, word] of Object.entries(words)) assert.equal(inBytes(Number(n)), word);
  assert.equal(perSecond(0.4), '0 B/s');
});

test('of a long text the middle goes', () => {
  assert.equal(short('x'.repeat(300)), 'x'.repeat(300));
  assert.equal(short('a'.repeat(1000) + 'b'.repeat(1000), 10), 'aaaa … bbbb');
});
