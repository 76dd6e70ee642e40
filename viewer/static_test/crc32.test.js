import assert from 'node:assert/strict';
import { test } from 'node:test';

import { crc32 } from '../static/crc32.js';

/** @param {string} text */
const bytes = (text) => new TextEncoder().encode(text);

test('crc32 is that of zlib', () => {
  // As Go's hash/crc32 and gzip -lv have it.
  assert.equal(crc32(0, bytes('')), 0);
  assert.equal(crc32(0, bytes('a')), 0xe8b7be43);
  assert.equal(crc32(0, bytes('123456789')), 0xcbf43926);
  assert.equal(crc32(0, new Uint8Array(32).fill(0xff)), 0xff6cab0b);
});

test('crc32 goes on', () => {
  const all = bytes('The quick brown fox jumps over the lazy dog');
  for (let cut = 0; cut <= all.length; cut++) {
    assert.equal(crc32(crc32(0, all.subarray(0, cut)), all.subarray(cut)), 0x414fa339);
  }
});
