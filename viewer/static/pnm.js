/** Images of the Netpbm family, which browsers do not show: PBM, PGM and PPM, as text (P1 to P3) and as bytes (P4 to P6). */

/** The most pixels of an image. */
const MAX_PIXELS = 64 << 20;

/** Why something is no image, in words. */
export class PNMError extends Error {
  /** @param {string} message */
  constructor(message) {
    super(message);
    this.name = 'PNMError';
  }
}

/**
 * @typedef {object} Picture
 * @property {number} width
 * @property {number} height
 * @property {Uint8ClampedArray} data RGBA, row by row, as ImageData takes it
 * @property {boolean} complete whether all rows are there; those that are not are transparent
 */

/**
 * The image that these bytes are, or its first rows where they end early: so an image can be drawn while it comes. What
 * is behind the image is ignored, and a sample above the largest counts as that.
 * @param {Uint8Array} bytes
 * @returns {Picture}
 * @throws {PNMError} if it is none, is too large, or has no whole header
 */
export function decodePNM(bytes) {
  const scan = new Scan(bytes);
  const format = scan.format();
  const width = scan.header('width', 1, MAX_PIXELS);
  const height = scan.header('height', 1, MAX_PIXELS);
  if (width * height > MAX_PIXELS) throw new PNMError(`${width} times ${height} pixels are too many`);
  const max = format.bits ? 1 : scan.header('largest sample', 1, 65535);
  scan.skipBlank();
  const data = new Uint8ClampedArray(4 * width * height);
  const row = new Uint16Array(width * format.channels);
  const read = rowReader(format, max);
  let y = 0;
  while (y < height && read(scan, row)) paint(data.subarray(4 * width * y++), row, format, max);
  return { width, height, data, complete: y === height };
}

/** @typedef {{channels: number, bits: boolean, plain: boolean}} Format */

/**
 * Puts a row of samples into a row of RGBA. A bit is black where it is 1.
 * @param {Uint8ClampedArray} data
 * @param {Uint16Array} row
 * @param {Format} format
 * @param {number} max
 */
function paint(data, row, { channels, bits }, max) {
  const base = bits ? 255 : 0;
  const scale = bits ? -255 : 255 / max;
  const next = channels === 3 ? 1 : 0;
  for (let from = 0, to = 0; from < row.length; from += channels, to += 4) {
    data[to] = base + scale * row[from];
    data[to + 1] = base + scale * row[from + next];
    data[to + 2] = base + scale * row[from + 2 * next];
    data[to + 3] = 255;
  }
}

/**
 * What reads a row, and tells whether it is there as a whole.
 * @param {Format} format
 * @param {number} max
 * @returns {(scan: Scan, row: Uint16Array) => boolean}
 */
function rowReader({ plain, bits }, max) {
  if (plain) return bits ? (scan, row) => scan.digits(row) : (scan, row) => scan.numbers(row);
  if (bits) return (scan, row) => scan.packed(row);
  return (scan, row) => scan.binary(row, max > 255 ? 2 : 1);
}

const NEWLINE = 10;
const HASH = 35;

/** Goes through the bytes of an image. */
class Scan {
  #bytes;
  #off = 0;

  /** @param {Uint8Array} bytes */
  constructor(bytes) {
    this.#bytes = bytes;
  }

  /** @returns {Format} */
  format() {
    const [p, digit] = this.#bytes;
    const number = digit - 48;
    if (p !== 80 || !(number >= 1 && number <= 6)) throw new PNMError('not a PBM, PGM or PPM image');
    this.#off = 2;
    return { channels: number % 3 === 0 ? 3 : 1, bits: number % 3 === 1, plain: number < 4 };
  }

  /**
   * A number of the header.
   * @param {string} what
   * @param {number} least
   * @param {number} most
   */
  header(what, least, most) {
    const n = this.#number();
    if (n === undefined) throw new PNMError(`the image ends before its ${what}`);
    if (n < least || n > most) throw new PNMError(`the ${what} is ${n}: it has to be from ${least} to ${most}`);
    return n;
  }

  /** Passes the one blank behind the header, and a comment before it. */
  skipBlank() {
    if (this.#bytes[this.#off] === HASH) this.#skipComment();
    this.#off++;
  }

  /**
   * Samples that are written as numbers.
   * @param {Uint16Array} row
   */
  numbers(row) {
    return fill(row, () => this.#number());
  }

  /**
   * Samples that are a digit each, with or without blanks between.
   * @param {Uint16Array} row
   */
  digits(row) {
    return fill(row, () => {
      this.#skipBlanks();
      return this.#digit(this.#off++);
    });
  }

  /**
   * Samples that are a bit each, the most significant first; a row ends with a byte.
   * @param {Uint16Array} row
   */
  packed(row) {
    const from = this.#take(Math.ceil(row.length / 8));
    for (let i = 0; from && i < row.length; i++) row[i] = (from[i >> 3] >> (7 - (i & 7))) & 1;
    return from !== undefined;
  }

  /**
   * Samples of one or two bytes, the most significant first.
   * @param {Uint16Array} row
   * @param {number} size
   */
  binary(row, size) {
    const from = this.#take(row.length * size);
    if (from && size === 1) row.set(from);
    else for (let i = 0; from && i < row.length; i++) row[i] = (from[2 * i] << 8) | from[2 * i + 1];
    return from !== undefined;
  }

  /** @param {number} n */
  #take(n) {
    if (this.#off + n > this.#bytes.length) return undefined;
    return this.#bytes.subarray(this.#off, (this.#off += n));
  }

  /** The next number, at most some billions; undefined at the end. */
  #number() {
    this.#skipBlanks();
    let n = this.#digit(this.#off);
    while (n !== undefined && isDigit(this.#bytes[++this.#off])) n = Math.min(2 ** 32, 10 * n + this.#bytes[this.#off] - 48);
    return n;
  }

  /**
   * The digit there; undefined at the end.
   * @param {number} off
   */
  #digit(off) {
    if (off >= this.#bytes.length) return undefined;
    if (!isDigit(this.#bytes[off])) throw new PNMError(`no number at byte ${off}`);
    return this.#bytes[off] - 48;
  }

  #skipBlanks() {
    for (;;) {
      const byte = this.#bytes[this.#off];
      if (byte === HASH) this.#skipComment();
      else if (byte !== 32 && !(byte >= 9 && byte <= 13)) return;
      else this.#off++;
    }
  }

  /** Passes a comment, but not the end of its line, which is a blank. */
  #skipComment() {
    const end = this.#bytes.indexOf(NEWLINE, this.#off);
    this.#off = end < 0 ? this.#bytes.length : end;
  }
}

/**
 * Fills a row, and tells whether there was enough.
 * @param {Uint16Array} row
 * @param {(i: number) => number | undefined} sample
 */
function fill(row, sample) {
  for (let i = 0; i < row.length; i++) {
    const value = sample(i);
    if (value === undefined) return false;
    row[i] = Math.min(value, 65535);
  }
  return true;
}

/** @param {number | undefined} byte */
function isDigit(byte) {
  return byte !== undefined && byte >= 48 && byte <= 57;
}
