/** How wide characters are on a terminal or in a monospaced font, and how those are shown that have no look of their own. */

/** East Asian wide and full-width characters (Unicode Standard Annex 11), in blocks; emoji are told by their property. */
const WIDE = [
  [0x1100, 0x115f], [0x2329, 0x232a], [0x2e80, 0x303e], [0x3041, 0x4dbf], [0x4e00, 0xa4cf], [0xa960, 0xa97f], [0xac00, 0xd7a3],
  [0xf900, 0xfaff], [0xfe10, 0xfe19], [0xfe30, 0xfe6f], [0xff01, 0xff60], [0xffe0, 0xffe6], [0x16fe0, 0x18aff], [0x1aff0, 0x1b2ff],
  [0x1f200, 0x1f2ff], [0x20000, 0x3fffd],
];

/** What is drawn onto the character before it, or not at all. */
const NO_WIDTH = /^[\p{Mn}\p{Me}\p{Cf}\u1160-\u11ff]$/u;

/** Widths plus one of the characters of the basic plane, as they are met; 0: not met yet. */
const known = new Uint8Array(1 << 16);

/**
 * How many cells a character takes: 0, 1 or 2. A tab, which depends on where it is, is none of its business.
 * @param {number} code a code point
 */
export function widthOf(code) {
  if (code < 0x300) return code === 0xad ? 0 : 1;
  if (code > 0xffff) return width(code);
  if (known[code] === 0) known[code] = 1 + width(code);
  return known[code] - 1;
}

/** @param {number} code */
function width(code) {
  const char = String.fromCodePoint(code);
  if (NO_WIDTH.test(char)) return 0;
  return WIDE.some(([from, to]) => from <= code && code <= to) || /^\p{Emoji_Presentation}$/u.test(char) ? 2 : 1;
}

/** Characters that have no look, or that would break a line: those that shown() puts others in the place of. */
// eslint-disable-next-line no-control-regex
const UNSEEN = /[\0-\x1f\x7f-\x9f\u2028\u2029]/;

/**
 * A row of text as it is shown: tabs are blanks up to the next multiple of eight cells (at most to the row's end),
 * control characters are their pictures (U+2400 and on).
 * @param {string} row
 * @param {number} columns
 */
export function shown(row, columns) {
  if (!UNSEEN.test(row)) return row;
  let text = '';
  let cells = 0;
  for (const char of row) {
    const code = char.codePointAt(0) ?? 0;
    const width = code === TAB ? tabWidth(cells, columns) : widthOf(code);
    text += code === TAB ? ' '.repeat(width) : UNSEEN.test(char) ? picture(code) : char;
    cells += width;
  }
  return text;
}

export const TAB = 9;

/**
 * How many cells a tab takes behind so many, in a row of so many.
 * @param {number} cells less than columns
 * @param {number} columns
 */
export function tabWidth(cells, columns) {
  return Math.min(8 - (cells % 8), columns - cells);
}

/** @param {number} code of a control character or a line separator */
function picture(code) {
  if (code < 0x20) return String.fromCharCode(0x2400 + code);
  if (code === 0x7f) return '\u2421';
  return code === 0x85 || code > 0x9f ? '\u2424' : '\ufffd'; // new line; another one of the second set, without a picture
}
