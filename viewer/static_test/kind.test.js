import { test } from 'node:test';
import assert from 'node:assert/strict';

import { isSequence, kindOf, nameOf } from '../static/kind.js';
import { often } from './random.js';

/**
 * Bytes, one for each character.
 * @param {string} text
 */
function latin1(text) {
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}

/** @param {string} text */
function utf8(text) {
  return new TextEncoder().encode(text);
}

const riff = 'RIFF\x10\0\0\0';
const dib = 'BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0';
const ogg = `OggS\0\x02${'\0'.repeat(22)}`;

/** @type {[string, string, string, string][]} */
const magic = [
  ['PNG', '\x89PNG\r\n\x1a\n\0\0\0\rIHDR', 'image', 'image/png'],
  ['PNG, as much as tells', '\x89PNG\r\n\x1a\n', 'image', 'image/png'],
  ['PNG, one byte less', '\x89PNG\r\n\x1a', 'binary', 'application/octet-stream'],
  ['JPEG', '\xff\xd8\xff\xe0\0\x10JFIF', 'image', 'image/jpeg'],
  ['GIF 87a', 'GIF87a\x01\0', 'image', 'image/gif'],
  ['GIF 89a', 'GIF89a\x01\0', 'image', 'image/gif'],
  ['WebP', riff + 'WEBPVP8 ', 'image', 'image/webp'],
  ['BMP', dib, 'image', 'image/bmp'],
  ['text that begins like a BMP', 'BMW and others, all of them cars', 'text', 'text/plain'],
  ['icon', '\0\0\x01\0\x01\0\x10\x10', 'image', 'image/x-icon'],
  ['AVIF', '\0\0\0\x20ftypavif\0\0\0\0', 'image', 'image/avif'],
  ['AVIF by a compatible brand', '\0\0\0\x20ftypmif1\0\0\0\0miafavif', 'image', 'image/avif'],
  ['MP4', '\0\0\0\x18ftypmp42\0\0\0\0', 'video', 'video/mp4'],
  ['MP4, iso', '\0\0\0\x18ftypisom\0\0\x02\0', 'video', 'video/mp4'],
  ['M4A', '\0\0\0\x18ftypM4A \0\0\0\0', 'audio', 'audio/mp4'],
  ['QuickTime', '\0\0\0\x14ftypqt  \0\0\0\0', 'video', 'video/quicktime'],
  ['HEIC', '\0\0\0\x18ftypheic\0\0\0\0', 'binary', 'application/octet-stream'],
  ['WebM', '\x1aE\xdf\xa3\x9fB\x86\x81\x01B\x82\x84webm', 'video', 'video/webm'],
  ['Matroska', '\x1aE\xdf\xa3\xa3B\x86\x81\x01B\x82\x88matroska', 'video', 'video/x-matroska'],
  ['AVI', riff + 'AVI LIST', 'video', 'video/x-msvideo'],
  ['WAV', riff + 'WAVEfmt ', 'audio', 'audio/wav'],
  ['RIFF of another kind', riff + 'ACONanih', 'binary', 'application/octet-stream'],
  ['Ogg', ogg + '\x01\x1e\x01vorbis', 'audio', 'audio/ogg'],
  ['Ogg with Theora', ogg + '\x01\x2a\x80theora', 'video', 'video/ogg'],
  ['FLAC', 'fLaC\0\0\0\x22', 'audio', 'audio/flac'],
  ['MP3 with ID3', 'ID3\x04\0\0\0\0\0\0', 'audio', 'audio/mpeg'],
  ['MP3, a frame', '\xff\xfb\x90\x64\0\0', 'audio', 'audio/mpeg'],
  ['MP3, MPEG 2', '\xff\xf3\x40\xc4\0\0', 'audio', 'audio/mpeg'],
  ['a frame of no bit rate', '\xff\xfb\x00\x64\0\0', 'binary', 'application/octet-stream'],
  ['a frame of a forbidden bit rate', '\xff\xfb\xf0\x64\0\0', 'binary', 'application/octet-stream'],
  ['AAC', '\xff\xf1\x50\x80\x02\x1f', 'audio', 'audio/aac'],
  ['PBM', 'P4\n8 8\n\0', 'pnm', 'image/x-portable-anymap'],
  ['PPM as text', 'P3 2 2 255 1 2 3', 'pnm', 'image/x-portable-anymap'],
  ['PGM with comments', 'P5\n# 12\n#\n 3 3 255\n', 'pnm', 'image/x-portable-anymap'],
  ['PAM', 'P7\nWIDTH 4\n', 'text', 'text/plain'],
  ['a paper size', 'P4 is smaller than P3', 'text', 'text/plain'],
  ['a program', '\x7fELF\x02\x01\x01\0', 'binary', 'application/octet-stream'],
  ['zeros', '\0\0\0\0', 'binary', 'application/octet-stream'],
];

for (const [name, head, kind, type] of magic) {
  test(`by the first bytes: ${name}`, () => {
    const found = kindOf(latin1(head), 'http://h/x.json');
    assert.deepEqual([found.kind, found.type], kind === 'binary' && !head.includes('\0') ? ['text', 'text/plain'] : [kind, type]);
    const unnamed = kindOf(latin1(head), 'http://h/');
    assert.deepEqual([unnamed.kind, unnamed.type], [kind, type]);
  });
}

/** @type {[string, Uint8Array, string | undefined][]} the encoding where it is text */
const texts = [
  ['nothing', new Uint8Array(0), 'utf-8'],
  ['ASCII', utf8('hello\tyou\r\n\f\x1b[1m'), 'utf-8'],
  ['UTF-8', utf8('Grüße, 世界 🌍'), 'utf-8'],
  ['UTF-8 with a BOM', utf8('\ufeffhello'), 'utf-8'],
  ['UTF-8, the last character cut', utf8('a🌍').slice(0, -1), 'utf-8'],
  ['UTF-8, a null far behind', utf8('世'.repeat(2000) + '\0'), 'utf-8'],
  ['UTF-16, little-endian', latin1('\xff\xfeh\0i\0'), 'utf-16le'],
  ['UTF-16, big-endian', latin1('\xfe\xff\0h\0i'), 'utf-16be'],
  ['UTF-16, the last character cut', latin1('\xff\xfeh\0i'), 'utf-16le'],
  ['HTML', utf8('<!DOCTYPE html><html><script>alert(1)</script>'), 'utf-8'],
  ['HTML with an SVG in it', utf8('<html><svg xmlns="x"/>'), 'utf-8'],
  ['a script', utf8('#!/bin/sh\n'), 'utf-8'],
  ['a manifest', utf8('http://a/1\n--\nhttp://a/2\n'), 'utf-8'],
  ['what begins like an SVG', utf8('<svgs>'), 'utf-8'],
  ['UTF-8 that is none', latin1('gr\xfc\xdfe'), undefined],
  ['UTF-16 that is none', latin1('\xff\xfe\0\xd8a\0'), undefined],
  ['a null', utf8('a\0b'), undefined],
  ['a bell', utf8('a\x07'), undefined],
  ['DEL', utf8('a\x7f'), undefined],
];

for (const [name, head, encoding] of texts) {
  test(`text: ${name}`, () => {
    const want = encoding ? { kind: 'text', type: 'text/plain', encoding } : { kind: 'binary', type: 'application/octet-stream' };
    assert.deepEqual(kindOf(head, 'http://h/x'), want);
    if (encoding) assert.deepEqual(kindOf(head, 'http://h/x.png'), want);
  });
}

const svgs = [
  '<svg>', '<svg/>', '<svg\nxmlns="x">', '\ufeff <svg >', '<svg:svg >', '<?xml version="1.0"?>\n<svg>', '<!-- a > b --><svg>',
  '<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">\n<svg>',
  '<?xml version="1.0"?><!-- one --><!DOCTYPE svg [ <!ENTITY x "]>"> ]><!-- two --> <?style?><svg>',
];

for (const svg of svgs) {
  test(`an SVG is an image: ${svg.trim()}`, () => {
    assert.deepEqual(kindOf(utf8(svg), 'http://h/x.txt'), { kind: 'image', type: 'image/svg+xml' });
    const le = latin1('\xff\xfe' + Array.from(svg, (char) => char + '\0').join('').replace('\ufeff', '\xff\xfe'));
    if (!svg.startsWith('\ufeff')) assert.equal(kindOf(le, 'http://h/x').type, 'image/svg+xml');
  });
}

test('by the name, where bytes say nothing', () => {
  const odd = latin1('\x01\xff odd');
  /** @type {[string, string, string][]} */
  const names = [
    ['http://h/a.png', 'image', 'image/png'],
    ['http://h/a.PNG?x=b.mp3', 'image', 'image/png'],
    ['http://h/a.jpeg-seq.parts.cgi', 'image', 'image/jpeg'],
    ['http://h/a.mp3.parts', 'audio', 'audio/mpeg'],
    ['http://h/a.txt', 'text', 'text/plain'],
    ['http://h/a.constructor', 'binary', 'application/octet-stream'],
    ['http://h/png', 'binary', 'application/octet-stream'],
    ['http://h.png/', 'binary', 'application/octet-stream'],
    ['', 'binary', 'application/octet-stream'],
  ];
  for (const [url, kind, type] of names) {
    const found = kindOf(odd, url);
    assert.deepEqual([found.kind, found.type], [kind, type], url);
  }
  assert.equal(kindOf(latin1('gr\xfc\xdfe'), 'http://h/a.txt').encoding, 'windows-1252');
  assert.equal(kindOf(latin1('\0\xff'), 'http://h/a.txt').kind, 'binary');
});

test('whatever the bytes, there is an answer, and soon', () => {
  for (const hard of ['<!---->'.repeat(600), '<!'.repeat(2000), '<!DOCTYPE ['.repeat(300), 'P5' + '# \n'.repeat(1300), ' '.repeat(4096)]) {
    assert.equal(kindOf(utf8(hard), 'x').kind, 'text');
  }
  often(300, (random) => {
    const head = Uint8Array.from({ length: random.below(100) }, () => random.below(256));
    const kinds = ['text', 'image', 'pnm', 'audio', 'video', 'binary'];
    assert(kinds.includes(kindOf(head, `http://h/${String.fromCharCode(...head)}`).kind));
  });
});

test('names', () => {
  const names = {
    'http://mit.edu/6.005/cheerup.jpg.parts': 'cheerup.jpg',
    'http://scripts.mit.edu/~6.005/fly.txt-seq.parts.cgi': 'fly.txt',
    'http://mit.edu/bettyboop.png-seq.parts': 'bettyboop.png',
    'http://h/a.png-seq120': 'a.png',
    'http://h/a.py.cgi.parts.parts': 'a',
    'http://h/film-seq.png': 'film-seq.png',
    'http://h/a%20b%C3%BC.txt?x=/y.png#/z.gif': 'a bü.txt',
    'http://h/100%.txt': '100%.txt',
    'http://h/dir/': '',
    'http://h.parts': '',
    'http://h': '',
    'file:///tmp/a.txt': 'a.txt',
    '//h/a.txt': 'a.txt',
    'a/b.txt': 'b.txt',
    '': '',
  };
  for (const [url, name] of Object.entries(names)) assert.equal(nameOf(url), name, url);
});

test('sequences', () => {
  for (const url of ['http://h/a-seq', 'http://h/a.png-seq.parts', 'http://h/a-seq.parts.cgi', 'http://h/a-seq/b', 'http://h/?a-seq']) {
    assert(isSequence(url), url);
  }
  for (const url of ['', 'http://h/a.parts', 'http://h/aseq', 'http://h/a-SEQ', 'http://h/a-se.q']) assert(!isSequence(url), url);
});
