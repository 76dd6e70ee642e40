import { test } from 'node:test';
import assert from 'node:assert/strict';

import { hexRows } from '../static/hex.js';

const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);

test('rows of sixteen', () => {
  assert.deepEqual(hexRows(new TextEncoder().encode('\x89PNG\r\n~\x7f 0123456789')), [
    '00000000  c2 89 50 4e 47 0d 0a 7e  7f 20 30 31 32 33 34 35  ..PNG..~. 012345',
    '00000010  36 37 38 39                                       6789            ',
  ]);
  assert.deepEqual(hexRows(new Uint8Array(0)), []);
});

test('all rows are of one width, and no byte is missing', () => {
  for (const bytesPerRow of [1, 7, 8, 9, 16, 32]) {
    const rows = hexRows(bytes, { bytesPerRow });
    assert.equal(rows.length, Math.ceil(256 / bytesPerRow));
    assert.equal(new Set(rows.map((row) => row.length)).size, 1);
    const hex = rows.map((row) => row.slice(10, row.length - bytesPerRow)).join(' ').trim().split(/\s+/);
    assert.deepEqual(hex.map((pair) => parseInt(pair, 16)), [...bytes]);
    const ascii = rows.map((row) => row.slice(-bytesPerRow)).join('').slice(0, 256);
    assert.equal(ascii, String.fromCharCode(...bytes).replace(/[^ -~]/g, '.'));
  }
});
