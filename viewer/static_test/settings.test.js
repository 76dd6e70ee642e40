import { test } from 'node:test';
import assert from 'node:assert/strict';

import { DEFAULT_MS, format, parse, recall, remember } from '../static/settings.js';
import { often } from './random.js';

test('what an address says', () => {
  const none = { url: '', ms: DEFAULT_MS, play: true, others: [] };
  /** @type {[string, object][]} */
  const addresses = [
    ['', none],
    ['#', none],
    ['#url=http%3A%2F%2Fh%2Fa-seq&ms=50', { ...none, url: 'http://h/a-seq', ms: 50 }],
    ['url=http://h/a?b=1', { ...none, url: 'http://h/a?b=1' }],
    ['#url=one&url=two&ms=1&ms=2', { ...none, url: 'one', ms: 1 }],
    ['#url=%20a%20', { ...none, url: 'a' }],
    ['#url=%zz', { ...none, url: '%zz' }],
    ['#play=0', { ...none, play: false }],
    ['#play=1', none],
    ['#x=1&url=a&__proto__=2&x=3', { ...none, url: 'a', others: [['x', '1'], ['__proto__', '2'], ['x', '3']] }],
  ];
  for (const [fragment, want] of addresses) assert.deepEqual(parse(fragment), want, fragment);
});

test('a delay is from 0 to 10000', () => {
  const delays = {
    0: 0, 1: 1, 9999: 9999, 10000: 10000, 10001: 10000, '-1': 0, '2.6': 3, 1e99: 10000, Infinity: 10000, '-Infinity': 0,
    '': DEFAULT_MS, ' ': DEFAULT_MS, fast: DEFAULT_MS, NaN: DEFAULT_MS,
  };
  for (const [text, ms] of Object.entries(delays)) assert.equal(parse(`ms=${encodeURIComponent(text)}`).ms, ms, text);
});

test('what is written is read again', () => often(200, (random) => {
  const word = () => Array.from({ length: random.below(12) }, () => random.of([...'ab&=#%+? /ü世\u{1f30d}\0'])).join('');
  const settings = {
    url: word().trim(), ms: random.below(10001), play: random.below(2) === 0,
    others: Array.from({ length: random.below(3) }, () => /** @type {[string, string]} */ (['x' + word(), word()])),
  };
  const fragment = format(settings);
  assert.deepEqual(parse(fragment), settings);
  assert.equal(format(parse(fragment)), fragment);
}));

test('history: the newest first, none twice, so many at most', () => {
  assert.deepEqual(remember([], 'a', 3), ['a']);
  assert.deepEqual(remember(['b', 'c'], 'a', 3), ['a', 'b', 'c']);
  assert.deepEqual(remember(['b', 'c', 'd'], 'a', 3), ['a', 'b', 'c']);
  assert.deepEqual(remember(['b', 'a', 'c'], 'a', 3), ['a', 'b', 'c']);
});

test('a history that was stored', () => {
  assert.deepEqual(recall(JSON.stringify(['a', 'b'])), ['a', 'b']);
  for (const odd of [null, '', '{', 'null', '{}', '"a"', '3', '[]', '[1, null, {}, ""]']) assert.deepEqual(recall(odd), [], `${odd}`);
});
