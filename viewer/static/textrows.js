import { shown, TAB, tabWidth, widthOf } from './widths.js';

const PIECE = 1 << 16; // characters that are kept in one string
const BLOCK = 64; // rows of which only the first one's place is known

/**
 * Text as rows of so many cells, for a window that shows some of them. It takes bytes as they come, wraps hard, and
 * keeps the last of very much text: that is let go of in whole blocks of rows, so that row 0 is then another.
 *
 * LF, CRLF and CR end a line; a line without characters is a row, the end of the text is none. "Characters" are
 * UTF-16 code units here, as everywhere in JavaScript, but no pair of them is ever taken apart.
 *
 * Of each 64 rows only the place of the first is known: a row costs a look at that many, at most, and an empty line
 * next to no memory.
 */
export class TextRows {
  #text = new Tail();
  #columns;
  #maxChars;
  /** @type {TextDecoder | undefined} */
  #decoder;
  #afterCR = false; // a LF that comes next belongs to the line end that was
  #blocks = new Offsets(); // where every 64th row begins
  #wrap = new Wrap(80);
  #ended = 0; // rows that have ended, of those that are kept
  #gone = 0; // rows that were let go of
  #laid = { block: -1, to: -1, rows: /** @type {string[]} */ ([]), starts: /** @type {number[]} */ ([]) }; // what was asked for last

  /** @param {{columns?: number, maxChars?: number}} options columns: 80, at least 2; maxChars: how many are kept; 32 Mi */
  constructor({ columns = 80, maxChars = 32 << 20 } = {}) {
    this.#columns = columns;
    this.#maxChars = maxChars;
    this.setColumns(columns);
  }

  /**
   * Takes the next bytes. Characters may be cut; what is no character becomes U+FFFD.
   * @param {Uint8Array} bytes
   * @param {string} [encoding] what TextDecoder knows; that of the first call counts, "utf-8" if there is none
   */
  push(bytes, encoding = 'utf-8') {
    this.#decoder ??= new TextDecoder(encoding);
    this.#append(this.#decoder.decode(bytes, { stream: true }));
  }

  /** Says that the text is over: a character that was cut is shown as one that is none. */
  end() {
    this.#append(this.#decoder?.decode() ?? '');
  }

  /** How many rows are kept. */
  get rows() {
    return this.#ended + (this.#wrap.empty ? 0 : 1);
  }

  /** How many characters were let go of at the beginning. */
  get dropped() {
    return this.#text.start;
  }

  /** How many rows were let go of at the beginning since they were wrapped to so many columns. */
  get gone() {
    return this.#gone;
  }

  /**
   * A row as it is shown.
   * @param {number} i from 0; beyond the last one rows are empty
   */
  row(i) {
    const block = Math.floor(i / BLOCK);
    return i >= 0 && block < this.#blocks.length ? this.#lay(block).rows[i % BLOCK] ?? '' : '';
  }

  /**
   * Where a row begins, in characters from where the text began: that stays the same however the text is wrapped.
   * @param {number} i from 0; beyond the last row it is the end
   */
  placeOf(i) {
    const block = Math.floor(i / BLOCK);
    return block < this.#blocks.length ? this.#lay(block).starts[i % BLOCK] ?? this.#text.end : this.#text.end;
  }

  /**
   * The row that a place is in; the first one, where that was let go of.
   * @param {number} place as placeOf tells it
   */
  rowAt(place) {
    let [block, after] = [0, this.#blocks.length];
    while (block + 1 < after) {
      const middle = (block + after) >> 1;
      if (this.#blocks.at(middle) <= place) block = middle;
      else after = middle;
    }
    const begun = this.#lay(block).starts.filter((start) => start <= place).length;
    return block * BLOCK + Math.max(0, begun - 1);
  }

  /** @param {number} block */
  #lay(block) {
    const from = this.#blocks.at(block);
    const to = block + 1 < this.#blocks.length ? this.#blocks.at(block + 1) : this.#text.end;
    if (this.#laid.block !== block || this.#laid.to !== to) this.#laid = { block, to, ...this.#layOut(this.#text.slice(from, to), from) };
    return this.#laid;
  }

  /**
   * Wraps all that is kept anew: some hundred milliseconds where that is very much.
   * @param {number} columns at least 2
   */
  setColumns(columns) {
    this.#columns = Math.max(2, Math.floor(columns));
    this.#wrap = new Wrap(this.#columns);
    this.#blocks = new Offsets();
    this.#blocks.push(this.#text.start);
    this.#ended = this.#gone = 0;
    this.#laid.block = -1;
    this.#index(this.#text.slice(this.#text.start, this.#text.end), this.#text.start);
  }

  /** @param {string} decoded */
  #append(decoded) {
    if (decoded === '') return;
    const text = (this.#afterCR && decoded[0] === '\n' ? decoded.slice(1) : decoded).replace(/\r\n?/g, '\n');
    this.#afterCR = decoded.endsWith('\r');
    const at = this.#text.end;
    this.#text.push(text);
    this.#index(text, at);
    this.#trim();
  }

  /**
   * Goes on with where rows begin.
   * @param {string} text
   * @param {number} at where it is
   */
  #index(text, at) {
    this.#wrap.go(text, (next) => {
      if (++this.#ended % BLOCK === 0) this.#blocks.push(at + next);
    });
  }

  /**
   * @param {string} text of a block
   * @param {number} at where it is
   */
  #layOut(text, at) {
    const [rows, starts] = [/** @type {string[]} */ ([]), /** @type {number[]} */ ([])];
    let from = 0;
    const take = (/** @type {number} */ end) => {
      rows.push(shown(text.slice(from, end), this.#columns));
      starts.push(at + from);
    };
    const wrap = new Wrap(this.#columns);
    wrap.go(text, (next, end) => {
      take(end);
      from = next;
    });
    if (!wrap.empty) take(text.length);
    return { rows, starts };
  }

  /** Lets go of the first blocks of rows where there is too much. */
  #trim() {
    if (this.#text.end - this.#text.start <= this.#maxChars) return;
    let gone = 0;
    while (gone + 1 < this.#blocks.length && this.#text.end - this.#blocks.at(gone) > this.#maxChars) gone++;
    this.#text.drop(this.#blocks.at(gone));
    this.#blocks.drop(gone);
    this.#ended -= gone * BLOCK;
    this.#gone += gone * BLOCK;
    this.#laid.block = -1;
  }
}

/** Where rows end: text goes in, in pieces that take no pair of code units apart. */
class Wrap {
  #columns;
  #most; // code units of a row: those without width need not be endless
  #cells = 0;
  #units = 0;

  /** @param {number} columns */
  constructor(columns) {
    this.#columns = columns;
    this.#most = 4 * columns + 64;
  }

  /** Whether a row was begun that has nothing yet. */
  get empty() {
    return this.#units === 0;
  }

  /**
   * @param {string} text with LF as the only line end
   * @param {(next: number, end: number) => void} ended is told where in the text the next row begins, and where the one
   *   that has ended does: before its line end, if it has one
   */
  go(text, ended) {
    for (let i = 0, units = 1; i < text.length; i += units) {
      const code = text.codePointAt(i) ?? 0;
      units = code > 0xffff ? 2 : 1;
      if (code === 10) {
        this.#cells = this.#units = 0;
        ended(i + 1, i);
        continue;
      }
      let width = this.#width(code);
      if (this.#units > 0 && (this.#cells + width > this.#columns || this.#units + units > this.#most)) {
        this.#cells = this.#units = 0;
        ended(i, i);
        width = this.#width(code);
      }
      this.#cells += width;
      this.#units += units;
    }
  }

  /** @param {number} code */
  #width(code) {
    if (code !== TAB) return widthOf(code);
    return this.#cells < this.#columns ? tabWidth(this.#cells, this.#columns) : 1;
  }
}

/** The end of a long text, in pieces of the same length: places are counted from where the text began. */
class Tail {
  /** @type {string[]} */
  #pieces = [];
  #first = 0; // where the first piece begins
  start = 0;
  end = 0;

  /** @param {string} text */
  push(text) {
    for (let from = 0; from < text.length; ) {
      const room = PIECE - ((this.end - this.#first) % PIECE);
      const part = text.slice(from, from + room);
      if (room === PIECE) this.#pieces.push(part);
      else this.#pieces[this.#pieces.length - 1] += part;
      this.end += part.length;
      from += part.length;
    }
  }

  /**
   * @param {number} from at least start
   * @param {number} to at most end
   */
  slice(from, to) {
    const piece = (/** @type {number} */ at) => Math.floor((at - this.#first) / PIECE);
    const base = this.#first + piece(from) * PIECE;
    return this.#pieces.slice(piece(from), piece(to) + 1).join('').slice(from - base, to - base);
  }

  /** @param {number} start what is before it can go */
  drop(start) {
    this.start = start;
    const gone = Math.floor((start - this.#first) / PIECE);
    this.#pieces.splice(0, gone);
    this.#first += gone * PIECE;
  }
}

/** A list of places that grows at the end and shrinks at the beginning. */
class Offsets {
  #places = new Float64Array(64);
  #first = 0;
  length = 0;

  /** @param {number} i */
  at(i) {
    return this.#places[this.#first + i];
  }

  /** @param {number} place */
  push(place) {
    if (this.#first + this.length === this.#places.length) this.#makeRoom();
    this.#places[this.#first + this.length++] = place;
  }

  /** @param {number} n of the first */
  drop(n) {
    this.#first += n;
    this.length -= n;
  }

  #makeRoom() {
    const kept = this.#places.subarray(this.#first, this.#first + this.length);
    const places = new Float64Array(Math.max(64, 2 * this.length));
    places.set(kept);
    this.#places = places;
    this.#first = 0;
  }
}
