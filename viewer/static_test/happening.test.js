import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import assert from 'node:assert/strict';

import { Happening } from '../static/happening.js';
import { often } from './random.js';

/** @typedef {import('../static/happening.js').EngineEvent} EngineEvent */
/** @typedef {import('../static/happening.js').Node} Node */

/** @param {EngineEvent[]} events */
function after(...events) {
  const h = new Happening();
  for (const event of events) h.apply(event);
  return h;
}

/**
 * What `spate cat --json` has told of an exhibit of the demo, its origins being a to e, and dead.
 * @param {string} name
 * @returns {EngineEvent[]}
 */
function told(name) {
  const text = readFileSync(new URL(`events/${name}.jsonl`, import.meta.url), 'utf8');
  return text.trim().split('\n').map((line) => JSON.parse(line));
}

/** @param {Happening} h */
function parts(h) {
  return h.parts().map(({ part, origin, state }) => `${part} ${origin} ${state}`);
}

/** @param {Happening} h */
function failures(h) {
  return h.failures().map(({ url, then }) => `${url}: ${then}`);
}

/**
 * A tree as lines: url, the line it is listed in, laps and parts.
 * @param {Node[]} nodes
 * @param {string} indent
 * @returns {string[]}
 */
function tree(nodes, indent = '') {
  return nodes.flatMap((node) => [
    `${indent}${node.url}:${node.line} ${node.laps} ${node.parts}` + (node.failed ? ' failed' : '') +
      (node.isCurrent ? ' current' : '') + (node.gone ? ` gone ${node.gone}` : ''),
    ...tree(node.children, indent + '  '),
  ]);
}

/**
 * @param {string} manifest
 * @param {number} line
 * @param {string} url
 */
const ahead = (manifest, line, url) => ({ type: 'ahead', url, origin: originOf(url), manifest, line });

/**
 * @param {string} url
 * @param {string} [manifest]
 * @param {number} [line]
 */
const walked = (url, manifest, line) => (manifest ? { type: 'manifest', url, manifest, line } : { type: 'manifest', url });

/**
 * @param {number} number
 * @param {string} manifest
 * @param {number} line
 * @param {string} url
 * @param {object} more
 */
const part = (number, manifest, line, url, more = {}) =>
  ({ type: 'part', part: number, url, origin: originOf(url), manifest, line, size: 10, ...more });

/**
 * @param {string} manifest
 * @param {number} line
 * @param {string} url
 * @param {number} [off]
 */
const failed = (manifest, line, url, off) =>
  ({ type: 'failed', url, manifest, line, error: `open ${url}: 404 Not Found`, kind: 'status', ...(off && { off }) });

/** @param {string} url */
const originOf = (url) => url.split('/')[2];

test('the tale: every part from elsewhere, and why', () => {
  const h = after(...told('tale'));
  assert.deepEqual(parts(h), ['1 a', '2 c', '3 b', '4 d', '5 e', '6 d'].map((part) => `${part} failed-over`));
  assert.deepEqual(failures(h), [
    'http://e/tale/4: asked again, from byte 173 on',
    'http://c/tale/5: taken from d instead',
    'http://d/tale/3: taken from elsewhere',
    'http://b/nothing/here: taken from c instead',
    'http://dead/tale/0: taken from a instead',
    'http://[malformed: taken from b instead',
  ]);
  assert.deepEqual(tree(h.tree()), ['http://a/tale.parts:0 1 6 current']);
  assert.deepEqual([h.state, h.phase, h.bytes, h.reached], ['done: 2,076 bytes', 'done', 2076, 6]);
});

test('the book: manifests in a manifest, one of them given up', () => {
  const h = after(...told('book'));
  assert.deepEqual(tree(h.tree()), [
    'http://a/book.parts:0 1 0',
    '  http://a/book/1.parts:1 1 3',
    '  http://b/book/2.parts:3 1 3',
    '  http://c/book/three:5 1 3',
    '  http://b/book/torn.parts:7 1 1 failed',
    '  http://d/book/4.parts:7 1 2 current',
  ]);
  assert.deepEqual(parts(h).slice(8), ['9 c there', '10 b there', '0 dead failed', '11 d there', '12 d there']);
  assert.deepEqual(failures(h), [
    'http://b/book/4/2: given up: the next alternative of book.parts, line 7, is tried',
    'http://dead/book/4/2: given up: the next alternative of book.parts, line 7, is tried',
  ]);
});

test('the song: one manifest, lap after lap, and what is kept', () => {
  const h = after(...told('song'));
  assert.deepEqual(tree(h.tree()), ['http://a/song.parts:0 5 16 current']);
  assert.deepEqual(parts(h).slice(0, 6), ['1 b there', '2 c there', '3 d there', '4 c cached', '5 b there', '6 c cached']);
  assert.deepEqual(h.error, { error: 'read http://a/song.parts: stopped by a limit: 3000 bytes', kind: '', causes: [] });
  assert.equal(h.state, `failed: ${h.error?.error}`);
});

test('the fractal: a mirror with other bytes fails behind its last one', () => {
  const h = after(...told('fractal'));
  assert.deepEqual(parts(h).slice(1, 6), ['2 d there', '3 a failed-over', '4 a there', '5 b there', '6 c failed-over']);
  assert.deepEqual(failures(h), ['http://a/fractal/2: taken from elsewhere', 'http://b/fractal/5: taken from c instead']);
  assert.equal(h.parts().reduce((sum, cell) => sum + cell.bytes, 0), h.bytes);
});

test('what is told of any of them, cut anywhere, does no harm', () => {
  for (const name of ['tale', 'book', 'song', 'fractal']) {
    const events = told(name);
    for (let n = 0; n <= events.length; n++) {
      const h = after(...events.slice(0, n));
      const reached = h.parts().filter((cell) => cell.state !== 'waiting');
      assert.deepEqual(reached.slice(0, -1).filter((cell) => cell.state === 'arriving'), []);
      assert.notEqual(h.state, '');
      h.apply({ type: 'error', error: 'over' });
      assert.deepEqual(h.parts().filter((cell) => cell.state === 'waiting' || cell.state === 'arriving'), []);
      assert.deepEqual(h.failures().filter((failure) => failure.open), []);
    }
  }
});

test('a part from its being opened to its end', () => {
  const h = after(walked('http://m/m'));
  assert.equal(h.state, 'reading the manifest m');
  h.apply(ahead('http://m/m', 1, 'http://a/1'));
  h.apply(ahead('http://m/m', 3, 'http://b/2'));
  assert.deepEqual(parts(h), ['0 a waiting', '0 b waiting']);
  assert.equal(h.parts()[0].size, -1);
  h.apply(part(1, 'http://m/m', 1, 'http://a/1'));
  assert.deepEqual(parts(h), ['1 a arriving', '0 b waiting']);
  assert.equal(h.state, 'part 1, from a');
  h.apply({ type: 'progress', bytes: 4, size: -1 });
  assert.equal(h.parts()[0].bytes, 4);
  h.apply({ type: 'progress', bytes: 14, size: -1 });
  assert.equal(h.parts()[0].bytes, 10);
  h.apply(part(2, 'http://m/m', 3, 'http://b/2', { size: -1 }));
  assert.deepEqual(parts(h), ['1 a there', '2 b arriving']);
  h.apply({ type: 'progress', bytes: 17, size: -1 });
  assert.equal(h.parts()[1].bytes, 7);
  h.apply(part(3, 'http://m/m', 5, 'http://a/1', { cached: true }));
  assert.equal(h.state, 'part 3, kept from before');
  h.apply({ type: 'done', bytes: 27 });
  assert.deepEqual(parts(h), ['1 a there', '2 b there', '3 a cached']);
  assert.deepEqual(h.parts().map((cell) => cell.bytes), [10, 7, 10]);
});

test('a part that is empty has size 0, as events leave it out', () => {
  const h = after({ type: 'part', part: 1, url: 'http://a/1' }, { type: 'done' });
  assert.deepEqual([h.parts()[0].size, h.parts()[0].bytes, h.parts()[0].state], [0, 0, 'there']);
});

test('parts of two manifests with the same lines are told apart', () => {
  const h = after(ahead('http://m/m', 1, 'http://a/1'), ahead('http://n/n', 1, 'http://b/1'), part(1, 'http://n/n', 1, 'http://b/1'));
  assert.deepEqual(parts(h), ['1 b arriving', '0 a waiting']);
});

test('parts are bounded: the last 512, and 128 ahead', () => {
  const h = after();
  for (let i = 1; i <= 1000; i++) h.apply(part(i, 'http://m/m', i, 'http://a/1'));
  for (let i = 1; i <= 1000; i++) h.apply(ahead('http://m/m', 1000 + i, 'http://a/1'));
  const cells = h.parts();
  assert.deepEqual([cells[0].part, cells[511].part, cells[512].line, cells.length], [489, 1000, 1873, 640]);
});

test('what waits and proves to be a manifest is replaced by its parts', () => {
  const h = after(walked('http://m/m'), ahead('http://m/m', 1, 'http://a/1'), ahead('http://m/m', 3, 'http://b/plan'),
    ahead('http://m/m', 5, 'http://c/3'), walked('http://b/plan', 'http://m/m', 3), ahead('http://b/plan', 1, 'http://d/2'),
    ahead('http://m/m', 5, 'http://c/3'));
  assert.deepEqual(parts(h), ['0 a waiting', '0 d waiting', '0 c waiting']);
  assert.deepEqual(tree(h.tree()), ['http://m/m:0 1 0', '  http://b/plan:3 1 0']);
});

test('what is opened again waits once', () => {
  const h = after(walked('http://m/m'), ...['1', '3', '5', '3', '5'].map((line) => ahead('http://m/m', +line, `http://${line}/x`)));
  assert.deepEqual(parts(h), ['0 1 waiting', '0 3 waiting', '0 5 waiting']);
});

test('laps that are opened ahead wait one behind the other', () => {
  const lap = [ahead('http://m/m', 1, 'http://a/1'), ahead('http://m/m', 3, 'http://m/m'), walked('http://m/m', 'http://m/m', 3)];
  const h = after(walked('http://m/m'), ...lap, ...lap, ...lap);
  assert.deepEqual(parts(h), Array(3).fill('0 a waiting'));
  h.apply(part(1, 'http://m/m', 1, 'http://a/1'));
  assert.deepEqual(parts(h), ['1 a arriving', '0 a waiting', '0 a waiting']);
});

test('unwound: what has failed is marked, what was opened is gone, and what is replayed does not wait for ever', () => {
  const h = after(walked('http://m/m'), ahead('http://m/m', 1, 'http://t/torn'), walked('http://t/torn', 'http://m/m', 1),
    part(1, 'http://t/torn', 1, 'http://a/1'), ahead('http://t/torn', 3, 'http://b/2'), ahead('http://t/torn', 5, 'http://c/3'),
    failed('http://t/torn', 3, 'http://b/2'), { type: 'unwound', manifest: 'http://m/m', line: 1 });
  assert.deepEqual(parts(h), ['1 a there', '0 b failed']);
  for (const event of [walked('http://d/other', 'http://m/m', 1), ahead('http://d/other', 1, 'http://d/1'),
    ahead('http://d/other', 3, 'http://d/2'), ahead('http://d/other', 5, 'http://d/3'),
    part(2, 'http://d/other', 3, 'http://d/2')]) h.apply(event);
  assert.deepEqual(parts(h), ['1 a there', '0 b failed', '2 d arriving', '0 d waiting']);
  assert.deepEqual(tree(h.tree()), ['http://m/m:0 1 0', '  http://t/torn:1 1 1 failed', '  http://d/other:1 1 1 current']);
});

test('a part that is given up in the middle: the next one begins where it broke', () => {
  const h = after(part(1, 'http://m/m', 1, 'http://a/1'), { type: 'progress', bytes: 4 }, failed('http://m/m', 1, 'http://a/1', 4),
    { type: 'unwound', manifest: 'http://m/m', line: 1, off: 4 }, part(2, 'http://m/m', 1, 'http://b/1'), { type: 'progress', bytes: 9 });
  assert.deepEqual(parts(h), ['1 a failed', '2 b arriving']);
  assert.deepEqual(h.parts().map((cell) => cell.bytes), [4, 5]);
});

test('a part that breaks in the middle, and its mirror has the rest', () => {
  const h = after(part(1, 'http://m/m', 1, 'http://a/1'), { type: 'resumed', url: 'http://a/1', off: 5, error: 'cut' });
  assert.equal(h.state, 'part 1 broke off, and is asked for again');
  assert.deepEqual(failures(h), ['http://a/1: asked again, from byte 5 on']);
  h.apply({ type: 'failed', url: 'http://a/1', manifest: 'http://m/m', line: 1, off: 5, error: 'cut', kind: 'network' });
  assert.deepEqual(failures(h), ['http://a/1: another place is tried']);
  h.apply(part(2, 'http://m/m', 3, 'http://a/2'));
  assert.deepEqual(failures(h), ['http://a/1: taken from elsewhere']);
  h.apply({ type: 'resumed', url: 'http://a/1', error: 'cut' });
  const [{ times, manifest, line, kind, then }] = h.failures();
  assert.deepEqual([times, manifest, line, kind, then], [3, 'http://m/m', 1, 'network', 'asked again, from the start']);
  assert.deepEqual(parts(h), ['1 a failed-over', '2 a arriving']);
});

test('what fails ahead on the next lap is no failure of this one, nor made good by it', () => {
  const h = after(part(1, 'http://m/m', 1, 'http://a/1'), ahead('http://m/m', 1, 'http://dead/1'), failed('http://m/m', 1, 'http://dead/1'),
    part(2, 'http://m/m', 3, 'http://a/2'));
  assert.deepEqual(parts(h), ['1 a there', '2 a arriving', '0 dead waiting']);
  assert.deepEqual(failures(h), ['http://dead/1: another place is tried']);
  h.apply(part(3, 'http://m/m', 1, 'http://b/1'));
  assert.deepEqual(failures(h), ['http://dead/1: taken from b instead']);
  h.apply({ type: 'done' });
  assert.deepEqual(parts(h), ['1 a there', '2 a there', '3 b failed-over']);
});

test('what fails first, before there is a part', () => {
  const h = after({ type: 'failed', url: 'http://a/1', error: 'open http://a/1: 404 Not Found', kind: 'status' });
  assert.equal(h.state, 'a failed: another place is tried');
  h.apply({ type: 'error', error: 'open http://a/1: 404 Not Found', kind: 'status', causes: ['one', 'two'] });
  assert.equal(h.phase, 'failed');
  assert.deepEqual(h.error, { error: 'open http://a/1: 404 Not Found', kind: 'status', causes: ['one', 'two'] });
  assert.deepEqual(failures(h), ['http://a/1: nothing else was left to try']);
});

test('a file over many connections: map, mirrors, waiting', () => {
  const h = after({ type: 'progress', bytes: 100, size: 1000, conns: 4, map: '#..-' });
  assert.deepEqual([h.map, h.conns, h.size, h.state], ['#..-', 4, 1000, 'over 4 connections']);
  h.apply({ type: 'aside', url: 'http://a/1', error: 'other bytes', kind: 'corrupt' });
  assert.deepEqual(failures(h), ['http://a/1: not used any more']);
  const time = '2026-11-22T12:00:00Z';
  h.apply({ type: 'waiting', error: '503', time, until: '2026-11-22T12:00:04.5Z' });
  assert.deepEqual([h.phase, h.state], ['waiting', 'waiting: 503; asked again in 5 s']);
  h.apply({ type: 'waiting', error: '503', time, until: '2026-11-22T11:00:00Z' });
  assert.equal(h.state, 'waiting: 503; asked again');
  h.apply({ type: 'progress', bytes: 100, size: 1000, conns: 0, map: '#---' });
  assert.equal(h.phase, 'waiting');
  h.apply({ type: 'progress', bytes: 101, size: 1000, conns: 1, map: '#.--' });
  assert.deepEqual([h.phase, h.state], ['running', 'over 1 connection']);
});

test('where a part goes on after waiting, that is said again', () => {
  const h = after(part(1, 'http://m/m', 1, 'http://a/1'), { type: 'waiting', error: 'silence' });
  assert.equal(h.state, 'waiting: silence; asked again');
  h.apply({ type: 'progress', bytes: 1 });
  assert.equal(h.state, 'part 1, from a');
});

test('an origin that is dead has a colour, and has given nothing', () => {
  const h = after({ type: 'ahead', url: 'http://dead/1', origin: 'dead', manifest: 'http://m/m', line: 1 }, part(1, 'http://m/m', 1, 'http://a/1'));
  assert.deepEqual(h.origins(), [{ origin: 'dead', colour: 0, gave: false }, { origin: 'a', colour: 1, gave: true }]);
});

test('origins keep their colours, and of very many the last are known', () => {
  const h = after();
  for (let i = 0; i < 10; i++) h.apply(part(i + 1, 'http://m/m', i, `http://o${i}/x`));
  for (let i = 0; i < 10; i++) h.apply(part(i + 11, 'http://m/m', i, `http://o${i}/x`));
  assert.deepEqual(h.parts().map((cell) => cell.colour), [0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 0, 1, 2, 3, 4, 5, 6, 7, 0, 1]);
  const first = ['o0', 'o8', 'o1'].map((origin) => ({ origin, colour: Number(origin[1]) % 8, gave: true }));
  assert.deepEqual(h.origins().slice(0, 3), first);
  for (let i = 0; i < 1000; i++) h.apply(part(i + 21, 'http://m/m', i, `http://p${i}/x`));
  assert.equal(h.origins().length, 64);
  for (let i = 0; i < 1000; i++) h.apply(part(i, 'http://m/m', i, i % 2 ? 'http://often/x' : `http://q${i}/x`));
  const often = new Set(h.parts().filter(({ origin }) => origin === 'often').map((cell) => cell.colour));
  assert.equal(often.size, 1);
});

test('manifests inside each other: a lap is where it leads back to', () => {
  const lap = [walked('http://h/b', 'http://h/a', 1), walked('http://h/c', 'http://h/b', 2), walked('http://h/a', 'http://h/c', 3)];
  const h = after(walked('http://h/a'), ...lap, ...lap);
  assert.deepEqual(tree(h.tree()), ['http://h/a:0 3 0', '  http://h/b:1 2 0', '    http://h/c:2 2 0']);
});

test('the same manifest in two places is two nodes', () => {
  const h = after(walked('http://h/a'), walked('http://h/b', 'http://h/a', 1), part(1, 'http://h/b', 1, 'http://h/1'),
    walked('http://h/b', 'http://h/a', 3), part(2, 'http://h/b', 1, 'http://h/1'));
  assert.deepEqual(tree(h.tree()), ['http://h/a:0 1 0', '  http://h/b:1 1 1', '  http://h/b:3 1 1 current']);
});

test('a manifest whose lister is not known is a root', () => {
  assert.deepEqual(tree(after(walked('http://h/b', 'http://h/a', 1)).tree()), ['http://h/b:1 1 0']);
});

/** @param {Node[]} nodes */
function count(nodes) {
  let n = 0;
  const rest = [...nodes];
  for (let node = rest.pop(); node; node = rest.pop()) {
    n++;
    rest.push(...node.children);
  }
  return n;
}

test('a manifest of ever other manifests is bounded', () => {
  const h = after(walked('http://h/a'));
  for (let i = 1; i <= 2000; i++) h.apply(walked(`http://h/${i}`, 'http://h/a', i));
  const [root] = h.tree();
  assert.deepEqual([count(h.tree()), root.gone, root.children[0].url], [500, 2001 - 500, 'http://h/1502']);
});

test('what is met again and again stays', () => {
  const h = after(walked('http://h/a'), walked('http://h/often', 'http://h/a', 1));
  for (let i = 1; i <= 2000; i++) {
    h.apply(walked(`http://h/${i}`, 'http://h/a', 3));
    h.apply(walked('http://h/often', 'http://h/a', 1));
  }
  assert.deepEqual([h.tree()[0].children[0].url, h.tree()[0].children[0].laps], ['http://h/often', 2001]);
});

test('manifests ever deeper inside each other are bounded', () => {
  const h = after(walked('http://h/0'));
  for (let i = 1; i <= 2000; i++) h.apply(walked(`http://h/${i}`, `http://h/${i - 1}`, 1));
  const [root] = h.tree();
  assert.deepEqual([count(h.tree()), root.url, root.gone, root.children[0].url], [500, 'http://h/0', 2001 - 500, 'http://h/1502']);
});

test('failures are bounded, and the same one is counted', () => {
  const h = after();
  for (let i = 0; i < 1000; i++) h.apply(failed('http://m/m', 1, `http://h/${i % 300}`));
  assert.equal(h.failures().length, 200);
  assert.equal(h.failures()[0].url, `http://h/${999 % 300}`);
  for (let i = 0; i < 1000; i++) h.apply(failed('http://m/m', 1, 'http://h/dead'));
  assert.deepEqual([h.failures()[0].times, h.failures().length], [1000, 200]);
  h.apply(failed('http://m/m', 1, 'http://h/other'));
  h.apply(failed('http://m/m', 1, 'http://h/dead'));
  assert.deepEqual(h.failures().slice(0, 2).map(({ url }) => url), ['http://h/dead', 'http://h/other']);
});

test('whatever is told, all of it is bounded and nothing is thrown', () => often(20, (random) => {
  const h = after();
  const types = ['ahead', 'manifest', 'part', 'failed', 'resumed', 'unwound', 'progress'];
  const others = ['waiting', 'aside', 'done', 'error', 'x', 'constructor'];
  const url = () => `http://h${random.below(90)}/${random.below(40)}`;
  const fields = {
    url, manifest: url, origin: () => `h${random.below(90)}`, line: () => random.below(9),
    part: () => random.below(2000), size: () => random.below(99) - 1, off: () => random.below(9), bytes: () => random.below(1e6),
    cached: () => random.below(2) === 0, error: () => `e${random.below(9)}`, map: () => '#'.repeat(random.below(64)),
    until: () => 'soon', causes: () => [],
  };
  for (let i = 0; i < 5000; i++) {
    const version = h.version;
    h.apply({
      type: random.of(random.below(9) ? types : others),
      ...Object.fromEntries(Object.entries(fields).filter(() => random.below(3) > 0).map(([key, value]) => [key, value()])),
    });
    assert.equal(h.version, version + 1);
    if (i % 500) continue;
    assert(h.parts().length <= 640 && h.failures().length <= 200 && h.origins().length <= 64 && count(h.tree()) <= 500);
    assert(h.parts().every(({ colour, bytes }) => colour >= 0 && colour < 8 && bytes >= 0));
    assert.notEqual(h.state, '');
  }
}));
