import { test } from 'node:test';
import assert from 'node:assert/strict';

import { decodePNM } from '../static/pnm.js';
import { often } from './random.js';

/**
 * Bytes, one for each character.
 * @param {string} text
 */
function latin1(text) {
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}

/**
 * The pixels as "r,g,b" each; "-" for a transparent one.
 * @param {Uint8ClampedArray} data
 */
function pixels(data) {
  return Array.from({ length: data.length / 4 }, (_, i) => {
    const [r, g, b, a] = data.subarray(4 * i, 4 * i + 4);
    return a === 0 ? '-' : r === g && g === b ? `${r}` : `${r},${g},${b}`;
  }).join(' ');
}

/** @type {[string, string, [number, number], string][]} */
const pictures = [
  ['PBM as text', 'P1\n3 2\n1 0 1\n0 1 0\n', [3, 2], '0 255 0 255 0 255'],
  ['PBM as text without blanks', 'P1 3 2 101010', [3, 2], '0 255 0 255 0 255'],
  ['PBM as text with a comment', 'P1 3 2 10#1\n1010', [3, 2], '0 255 0 255 0 255'],
  ['PBM', 'P4 3 2\n\xa0\x5f', [3, 2], '0 255 0 255 0 255'],
  ['PBM, rows of more than a byte', 'P4 9 2\n\x80\x80\0\0', [9, 2], '0 255 255 255 255 255 255 255 0' + ' 255'.repeat(9)],
  ['PGM as text', 'P2 3 1 15 0 5 15', [3, 1], '0 85 255'],
  ['PGM', 'P5 3 1 255\n\x00\x55\xff', [3, 1], '0 85 255'],
  ['PGM of two bytes', 'P5 3 1 65535\n\x00\x00\x55\x55\xff\xff', [3, 1], '0 85 255'],
  ['PGM, 255 is one byte, 256 two', 'P5 2 1 256\n\x00\x80\x01\x00', [2, 1], '128 255'],
  ['PGM, samples above the largest', 'P5 2 1 10\n\x0a\x0b', [2, 1], '255 255'],
  ['PPM as text', 'P3 2 1 255 1 2 3 4 5 6', [2, 1], '1,2,3 4,5,6'],
  ['PPM as text, enormous numbers', 'P3 1 1 255 1 2 99999999999999999999', [1, 1], '1,2,255'],
  ['PPM', 'P6 2 1 255\n\x01\x02\x03\x04\x05\x06', [2, 1], '1,2,3 4,5,6'],
  ['PPM, a byte that is a blank', 'P6 1 1 255\n\n  ', [1, 1], '10,32,32'],
  ['PPM of two bytes', 'P6 1 1 65535\n\x01\x01\x02\x02\x03\x03', [1, 1], '1,2,3'],
  ['comments everywhere', 'P6#a\n#b 7\n2#c\n1 #d\n255#e\n\x01\x02\x03\x04\x05\x06', [2, 1], '1,2,3 4,5,6'],
  ['something behind it', 'P6 1 1 255\n\x01\x02\x03P6 and more', [1, 1], '1,2,3'],
];

for (const [name, text, size, want] of pictures) {
  test(name, () => {
    const { width, height, data, complete } = decodePNM(latin1(text));
    assert.deepEqual([[width, height], pixels(data), complete], [size, want, true]);
  });
}

/** @type {[string, string, string][]} */
const cut = [
  ['no row', 'P6 1 2 255\n', '- -'],
  ['no blank either', 'P6 1 2 255', '- -'],
  ['half a row', 'P6 1 2 255\n\x01\x02', '- -'],
  ['one row', 'P6 1 2 255\n\x01\x02\x03', '1,2,3 -'],
  ['one and a half', 'P6 1 2 255\n\x01\x02\x03\x04\x05', '1,2,3 -'],
  ['numbers', 'P3 1 2 255 1 2 3 4 ', '1,2,3 -'],
  ['digits', 'P1 2 2 101', '0 255 - -'],
  ['bits', 'P4 9 2\n\0\0\0', '255 '.repeat(9) + '-' + ' -'.repeat(8)],
];

for (const [name, text, want] of cut) {
  test(`cut: ${name}`, () => {
    const { data, complete } = decodePNM(latin1(text));
    assert.deepEqual([pixels(data), complete], [want, false]);
  });
}

/** @type {[string, string, RegExp][]} */
const broken = [
  ['nothing', '', /^not a PBM/],
  ['something else', 'GIF89a', /^not a PBM/],
  ['P0', 'P0 1 1', /^not a PBM/],
  ['P7', 'P7 1 1', /^not a PBM/],
  ['no width', 'P5', /ends before its width/],
  ['no height', 'P5 1 ', /ends before its height/],
  ['a comment without end', 'P5 1 # 1 255', /ends before its height/],
  ['no largest sample', 'P5 1 1', /ends before its largest sample/],
  ['no width at all', 'P5 0 1 255\n', /the width is 0/],
  ['no height at all', 'P5 1 0 255\n', /the height is 0/],
  ['the largest sample is 0', 'P5 1 1 0\n', /the largest sample is 0/],
  ['the largest sample is 65536', 'P5 1 1 65536\n', /the largest sample is 65536/],
  ['words', 'P5 one 1 255\n', /no number at byte 3/],
  ['less than nothing', 'P5 -1 1 255\n', /no number at byte 3/],
  ['words for samples', 'P3 1 1 255 1 2 three', /no number at byte 15/],
  ['too wide', `P4 ${(64 << 20) + 1} 1\n`, /the width is 67108865/],
  ['too large', 'P4 8193 8192\n', /8193 times 8192 pixels are too many/],
  ['beyond all numbers', `P4 ${'9'.repeat(400)} 1\n`, /the width is 4294967296/],
];

for (const [name, text, message] of broken) {
  test(`no image: ${name}`, () => {
    assert.throws(() => decodePNM(latin1(text)), { name: 'PNMError', message });
  });
}

test('an image in bytes is that in text, and the beginning of either is its first rows', () => often(50, (random) => {
  const channels = random.of([1, 3]);
  const width = 1 + random.below(9);
  const height = 1 + random.below(9);
  const max = random.of([1, 2, 255, 256, 65535]);
  const samples = Array.from({ length: width * height * channels }, () => random.below(max + 1));
  const header = `${width} ${height} ${max}\n`;
  const text = latin1(`P${channels === 3 ? 3 : 2} ${header}${samples.join(random.of([' ', '\n', ' # 1\n']))}\n`);
  const raw = samples.map((s) => (max > 255 ? String.fromCharCode(s >> 8, s & 255) : String.fromCharCode(s))).join('');
  const bytes = latin1(`P${channels === 3 ? 6 : 5} ${header}${raw}`);
  const whole = decodePNM(bytes);
  assert.deepEqual(decodePNM(text), whole);
  for (let y = 0; y < height; y++) {
    const there = decodePNM(bytes.subarray(0, bytes.length - (raw.length / height) * (height - y) + random.below(raw.length / height)));
    assert.equal(there.complete, false);
    assert.deepEqual(there.data.subarray(0, 4 * width * y), whole.data.subarray(0, 4 * width * y));
    assert(there.data.subarray(4 * width * y).every((value) => value === 0));
  }
}));
