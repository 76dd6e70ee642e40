import { test } from 'node:test';
import assert from 'node:assert/strict';

import { TextRows } from '../static/textrows.js';
import { widthOf } from '../static/widths.js';
import { often } from './random.js';

/** @param {string} text */
function utf8(text) {
  return new TextEncoder().encode(text);
}

/** @param {TextRows} rows */
function all(rows) {
  return Array.from({ length: rows.rows }, (_, i) => rows.row(i));
}

/**
 * @param {string} text
 * @param {number} columns
 */
function wrapped(text, columns) {
  const rows = new TextRows({ columns });
  rows.push(utf8(text));
  rows.end();
  return all(rows);
}

/** @type {[string, string, string[]][]} in rows of ten cells */
const tables = [
  ['nothing', '', []],
  ['a line', 'hello', ['hello']],
  ['the end of a line is none of its own', 'hello\n', ['hello']],
  ['an empty line', '\n', ['']],
  ['empty lines', 'a\n\n\nb', ['a', '', '', 'b']],
  ['CRLF, CR and LF', 'a\r\nb\rc\nd\r\r\n\n\re', ['a', 'b', 'c', 'd', '', '', '', 'e']],
  ['a full row', '0123456789\nx', ['0123456789', 'x']],
  ['a full row and one more', '0123456789x', ['0123456789', 'x']],
  ['wide characters', '世界世界世界', ['世界世界世', '界']],
  ['a wide character that has half its room', '012345678世', ['012345678', '世']],
  ['marks take no room', 'e\u0301'.repeat(10) + 'x', ['e\u0301'.repeat(10), 'x']],
  ['a mark behind a full row', '0123456789\u0301x', ['0123456789\u0301', 'x']],
  ['pairs stay pairs', '\u{1d11e}'.repeat(11), ['\u{1d11e}'.repeat(10), '\u{1d11e}']],
  ['emoji are wide', '🌍'.repeat(6), ['🌍'.repeat(5), '🌍']],
  ['tabs', '\ta\tb\n1\t2', ['        a ', 'b', '1       2']],
  ['a tab behind a full row', '0123456789\tx', ['0123456789', '        x']],
  ['control characters are their pictures', '\0\x07\x1b[\x7f\f\v', ['␀␇␛[␡␌␋']],
  ['what would break a line', 'a\u0085b\u2028c\u2029d\u0080', ['a␤b␤c␤d\ufffd']],
  ['a BOM', '\ufeffa', ['a']],
];

for (const [name, text, want] of tables) {
  test(name, () => {
    assert.deepEqual(wrapped(text, 10), want);
    const rows = new TextRows({ columns: 10 });
    for (const byte of utf8(text)) {
      rows.push(Uint8Array.of(byte));
      all(rows);
    }
    rows.end();
    assert.deepEqual(all(rows), want);
  });
}

test('a row is there as far as it has come', () => {
  const rows = new TextRows();
  rows.push(utf8('one\ntw'));
  assert.deepEqual(all(rows), ['one', 'tw']);
  rows.push(utf8('o'));
  assert.deepEqual(all(rows), ['one', 'two']);
  assert.deepEqual([rows.row(2), rows.row(-1), rows.row(1e9), rows.row(NaN)], ['', '', '', '']);
});

test('a character that is cut, or none', () => {
  const rows = new TextRows();
  rows.push(Uint8Array.of(0x61, 0xff, 0xe4, 0xb8));
  assert.deepEqual(all(rows), ['a\ufffd']);
  rows.end();
  assert.deepEqual(all(rows), ['a\ufffd\ufffd']);
});

test('other encodings', () => {
  const rows = new TextRows();
  rows.push(Uint8Array.of(0xff, 0xfe, 0x3d), 'utf-16le');
  rows.push(Uint8Array.of(0xd8, 0x0d, 0xde, 0x0a, 0, 0x61, 0));
  assert.deepEqual(all(rows), ['\u{1f60d}', 'a']);
  const old = new TextRows();
  old.push(Uint8Array.of(0x67, 0x72, 0xfc), 'windows-1252');
  assert.deepEqual(all(old), ['grü']);
});

test('columns', () => {
  const rows = new TextRows({ columns: 4 });
  rows.push(utf8('0123456789\n\tx'));
  assert.deepEqual(all(rows), ['0123', '4567', '89', '    ', 'x']);
  rows.setColumns(8);
  assert.deepEqual(all(rows), ['01234567', '89', '        ', 'x']);
  rows.push(utf8('y'));
  assert.deepEqual(all(rows), ['01234567', '89', '        ', 'xy']);
  rows.setColumns(0);
  assert.deepEqual(all(rows).slice(0, 5), ['01', '23', '45', '67', '89']);
});

test('a place stays the same in rows of another width', () => {
  const rows = new TextRows({ columns: 10 });
  rows.push(utf8(Array.from({ length: 1000 }, (_, i) => `${i} is a number\n`).join('')));
  const row = rows.rowAt(9000);
  const [place, seen] = [rows.placeOf(row), rows.row(row)];
  assert(place <= 9000 && rows.placeOf(row + 1) > 9000);
  rows.setColumns(5);
  assert(seen.startsWith(rows.row(rows.rowAt(place))));
  for (let i = 0; i < rows.rows; i++) assert.equal(rows.rowAt(rows.placeOf(i)), i);
  assert.equal(rows.rowAt(rows.placeOf(rows.rows)), rows.rows - 1);
  assert.deepEqual([new TextRows().placeOf(0), new TextRows().rowAt(7)], [0, 0]);
});

test('marks without end do not make a row without end', () => {
  const rows = new TextRows({ columns: 10 });
  rows.push(utf8('a' + '\u0301'.repeat(1000)));
  assert.equal(all(rows).join(''), 'a' + '\u0301'.repeat(1000));
  assert(all(rows).every((row) => row.length <= 104));
});

test('of very much the end is kept, in whole rows', () => {
  const rows = new TextRows({ columns: 10, maxChars: 10000 });
  let text = '';
  for (let i = 0; i < 10000; i++) {
    const line = `line ${i}\n`;
    text += line;
    rows.push(utf8(line));
  }
  const kept = text.length - rows.dropped;
  assert(kept <= 10000 && kept > 10000 - 64 * 11, `${kept} are kept`);
  assert.deepEqual(all(rows), text.slice(rows.dropped, -1).split('\n'));
  assert.equal(rows.gone + rows.rows, 10000);
  assert.equal(rows.row(0), `line ${rows.gone}`);
  assert.equal(rows.rowAt(0), 0);
  const before = rows.dropped;
  rows.setColumns(5);
  assert.deepEqual([rows.dropped, rows.gone], [before, 0]);
  assert.equal(rows.row(1), text.slice(before, -1).split('\n')[0].slice(5));
});

test('one line without end is bounded, too', () => {
  const rows = new TextRows({ columns: 10, maxChars: 10000 });
  for (let i = 0; i < 1000; i++) rows.push(utf8('0123456789'.repeat(10)));
  assert.equal(rows.dropped + all(rows).join('').length, 100000);
  assert(all(rows).join('').length <= 10000);
  assert(all(rows).every((row) => row === '0123456789'));
});

test('ten MB of one line, and of line ends', () => {
  const size = 10 << 20;
  for (const [byte, count] of [[0x41, size / 64], [0x0a, size]]) {
    const rows = new TextRows({ columns: 64 });
    rows.push(new Uint8Array(size).fill(byte));
    assert.equal(rows.rows, count);
    assert.equal(rows.row(count - 1), byte === 0x41 ? 'A'.repeat(64) : '');
    rows.setColumns(128);
    assert.equal(rows.rows, byte === 0x41 ? count / 2 : count);
  }
});

/**
 * The same, in the simplest way.
 * @param {string} text
 * @param {number} columns
 */
function oracle(text, columns) {
  const lines = text.split(/\r\n|\r|\n/);
  if (lines[lines.length - 1] === '') lines.pop();
  return lines.flatMap((line) => {
    const rows = [''];
    let cells = 0;
    for (const char of line) {
      const tab = cells === columns ? 1 : Math.min(8 - (cells % 8), columns - cells);
      let width = char === '\t' ? tab : widthOf(char.codePointAt(0) ?? 0);
      if (rows[rows.length - 1] !== '' && cells + width > columns) {
        rows.push('');
        cells = 0;
        if (char === '\t') width = Math.min(8, columns);
      }
      rows[rows.length - 1] += char === '\t' ? ' '.repeat(width) : char === '\x1b' ? '␛' : char;
      cells += width;
    }
    return rows;
  });
}

test('random texts in random pieces are what they are line by line', () => often(100, (random) => {
  const chars = ['a', 'b', ' ', '\t', '\n', '\r', '\r\n', '世', '🌍', '\u{1d11e}', '\x1b', 'ü', ...(random.below(2) ? ['\u0301'] : [])];
  const length = random.of([10, 100, 3000]);
  const text = Array.from({ length }, () => (random.below(3) ? 'x' : random.of(chars))).join('');
  const columns = 2 + random.below(30);
  const rows = new TextRows({ columns });
  const seen = random.below(2) === 0;
  for (const piece of random.pieces(utf8(text), random.of([1, 10, 1000]))) {
    rows.push(piece);
    if (seen) rows.row(random.below(rows.rows + 1));
  }
  rows.end();
  assert.deepEqual(all(rows), oracle(text, columns));
  rows.setColumns(columns + 5);
  const want = oracle(text, columns + 5);
  for (let i = 0; i < 50; i++) {
    const at = random.below(want.length + 1);
    assert.equal(rows.row(at), want[at] ?? '');
  }
}));

test('the width of characters', () => {
  const widths = {
    a: 1, ü: 1, '\u00ad': 0, '\u0300': 0, '\u200b': 0, '\u200d': 0, '\ufe0f': 0, 世: 2, 'ア': 2, 'ｱ': 1, 'Ａ': 2, '한': 2,
    '\u1160': 0, '🌍': 2, '\u{20000}': 2, '\u{1d11e}': 1, '→': 1, '€': 1, '\ufffd': 1, '⌚': 2,
  };
  for (const [char, width] of Object.entries(widths)) {
    for (let twice = 0; twice < 2; twice++) assert.equal(widthOf(char.codePointAt(0) ?? 0), width, char);
  }
});
