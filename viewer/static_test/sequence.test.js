import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import assert from 'node:assert/strict';

import { CutError, SequenceDecoder } from '../static/sequence.js';
import { often } from './random.js';

/** @typedef {{name: string, stream: string, files: string[], cut?: {index: number, missing: number}}} Vector */

/** @type {Vector[]} those that format/sequence reads, too */
const vectors = JSON.parse(readFileSync(new URL('../../testdata/sequence/vectors.json', import.meta.url), 'utf8'));

/** @param {string} hex */
function bytesOf(hex) {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

/** @param {Uint8Array} bytes */
function hexOf(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** @param {SequenceDecoder} decoder */
function taken(decoder) {
  const frames = [];
  for (let frame = decoder.next(); frame; frame = decoder.next()) frames.push(frame);
  return frames;
}

/** @param {SequenceDecoder} decoder */
function cutOf(decoder) {
  try {
    decoder.end();
  } catch (err) {
    assert(err instanceof CutError);
    return { index: err.index, missing: err.missing };
  }
}

/**
 * The files of a stream that comes in these pieces, asked for behind each of them or at the end.
 * @param {Uint8Array[]} pieces
 * @param {boolean} late
 */
function decode(pieces, late) {
  const decoder = new SequenceDecoder();
  const frames = [];
  for (const piece of pieces) {
    decoder.push(piece);
    if (!late) frames.push(...taken(decoder));
  }
  const cut = cutOf(decoder);
  frames.push(...taken(decoder));
  assert.equal(decoder.next(), null);
  return { frames, cut, pending: decoder.pending };
}

/**
 * @param {Vector} vector
 * @param {Uint8Array[]} pieces
 */
function check({ files, cut }, pieces) {
  for (const late of [false, true]) {
    const got = decode(pieces, late);
    assert.deepEqual(got.frames.map(({ bytes }) => hexOf(bytes)), files);
    assert.deepEqual(got.frames.map(({ index, size, dropped }) => [index, size, dropped]),
      files.map((hex, i) => [i + 1, hex.length / 2, false]));
    assert.deepEqual(got.cut, cut);
    if (!cut) assert.equal(got.pending, 0);
  }
}

for (const vector of vectors) {
  const stream = bytesOf(vector.stream);
  test(`${vector.name}: whole and byte by byte`, () => {
    check(vector, [stream]);
    check(vector, Array.from(stream, (byte) => Uint8Array.of(byte)));
  });
  test(`${vector.name}: in random pieces`, () => often(50, (random) => check(vector, random.pieces(stream))));
}

/**
 * A file of a sequence.
 * @param {Uint8Array} body
 */
function file(body) {
  const bytes = new Uint8Array(4 + body.length);
  new DataView(bytes.buffer).setUint32(0, body.length);
  bytes.set(body, 4);
  return bytes;
}

test('a file that is too large is counted, and its beginning kept', () => {
  for (const size of [9, 10, 11, 1000]) {
    const decoder = new SequenceDecoder({ maxKeep: 10 });
    const body = Uint8Array.from({ length: size }, (_, i) => i);
    for (const byte of file(body)) decoder.push(Uint8Array.of(byte));
    decoder.push(file(Uint8Array.of(1)));
    const dropped = size > 10;
    assert.deepEqual(taken(decoder), [
      { index: 1, size, bytes: dropped ? body.slice(0, 10) : body, dropped },
      { index: 2, size: 1, bytes: Uint8Array.of(1), dropped: false },
    ]);
    decoder.end();
  }
});

test('of a large file 64 KiB are kept, and its cut is told', () => {
  const decoder = new SequenceDecoder();
  decoder.push(Uint8Array.of(255, 255, 255, 255));
  const chunk = new Uint8Array(1 << 20).fill(7);
  for (let i = 0; i < 100; i++) {
    decoder.push(chunk);
    assert.equal(decoder.next(), null);
    assert(decoder.pending <= 64 << 10);
  }
  assert.deepEqual(decoder.arriving, { index: 1, size: 2 ** 32 - 1, have: 100 << 20 });
  assert.deepEqual(cutOf(decoder), { index: 1, missing: 2 ** 32 - 1 - (100 << 20) });
});

test('files around what is allocated at once', () => {
  for (const size of [65535, 65536, 65537, 131072, 131073, 300000]) {
    const body = Uint8Array.from({ length: size }, (_, i) => i % 251);
    const stream = file(body);
    const pieces = Array.from({ length: Math.ceil(stream.length / 10000) }, (_, i) => stream.slice(10000 * i, 10000 * (i + 1)));
    const { frames, cut } = decode(pieces, false);
    assert.equal(cut, undefined);
    assert.deepEqual(frames.map(({ bytes }) => bytes), [body]);
  }
});

test('a length is a claim: little is held by it', () => {
  const decoder = new SequenceDecoder({ maxKeep: 2 ** 32 });
  decoder.push(Uint8Array.of(255, 255, 255, 255, 1, 2, 3));
  assert.equal(decoder.next(), null);
  assert.equal(decoder.pending, 3);
});

test('what is pending is what was given and is not taken yet', () => {
  const decoder = new SequenceDecoder();
  decoder.push(file(Uint8Array.of(1, 2, 3)));
  decoder.push(file(Uint8Array.of(4, 5)).slice(0, 5));
  assert.equal(decoder.pending, 12);
  assert.equal(decoder.next()?.size, 3);
  assert.equal(decoder.pending, 5);
  assert.equal(decoder.next(), null);
  assert.equal(decoder.pending, 1);
  assert.equal(decoder.arriving?.have, 1);
  decoder.push(Uint8Array.of(5));
  assert.equal(decoder.next()?.size, 2);
  assert.equal(decoder.pending, 0);
  assert.equal(decoder.arriving, null);
});

test('the bytes of a file are its own: the chunk they came in can go', () => {
  const decoder = new SequenceDecoder();
  const chunk = file(Uint8Array.of(1, 2, 3));
  decoder.push(chunk);
  const frame = decoder.next();
  chunk.fill(9);
  assert.deepEqual(frame?.bytes, Uint8Array.of(1, 2, 3));
  assert.equal(frame?.bytes.buffer.byteLength, 3);
});

test('a cut is told again, in words', () => {
  const decoder = new SequenceDecoder();
  decoder.push(file(Uint8Array.of(1)));
  decoder.push(Uint8Array.of(0, 0, 0, 2, 1));
  for (let i = 0; i < 2; i++) {
    assert.throws(() => decoder.end(), { name: 'CutError', message: 'sequence file 2: 1 bytes missing' });
  }
  assert.equal(decoder.next()?.index, 1);
  const inLength = new SequenceDecoder();
  inLength.push(Uint8Array.of(0));
  assert.throws(() => inLength.end(), { message: 'sequence file 1: cut in its length' });
});

test('random files in random pieces are those that were joined', () => often(30, (random) => {
  const bodies = Array.from({ length: random.below(20) }, () => new Uint8Array(random.below(2000)).map(() => random.below(256)));
  const stream = new Uint8Array(bodies.reduce((n, body) => n + 4 + body.length, 0));
  bodies.reduce((at, body) => (stream.set(file(body), at), at + 4 + body.length), 0);
  const { frames, cut } = decode(random.pieces(stream, 300), random.below(2) === 0);
  assert.equal(cut, undefined);
  assert.deepEqual(frames.map(({ bytes }) => bytes), bodies);
}));
