/**
 * The files of a sequence, taken from its stream: each has its length before it, four bytes, big-endian
 * (docs/spec/sequence.md; format/sequence is the same in Go).
 */

const HEADER = 4;

const NOTHING = new Uint8Array(0);

/** How much is kept of a file that is too large to be kept, and how much is allocated by what a length claims. */
const SAMPLE = 64 << 10;

/**
 * One file of a sequence.
 * @typedef {object} Frame
 * @property {number} index of the file, from 1
 * @property {number} size in bytes
 * @property {Uint8Array} bytes the file; of one that is dropped its first bytes. They are nobody else's.
 * @property {boolean} dropped it was larger than what is kept of a file
 */

/** A sequence ended within a file. */
export class CutError extends Error {
  /**
   * @param {number} index of the file, from 1
   * @param {number} missing bytes of the body that did not come; -1 if not even its length came whole
   */
  constructor(index, missing) {
    super(`sequence file ${index}: ` + (missing < 0 ? 'cut in its length' : `${missing} bytes missing`));
    this.name = 'CutError';
    this.index = index;
    this.missing = missing;
  }
}

/** A file that has begun: its length is known. */
class Arriving {
  #bytes = new Uint8Array(0);

  /**
   * @param {number} index
   * @param {number} size
   * @param {number} maxKeep
   */
  constructor(index, size, maxKeep) {
    this.index = index;
    this.size = size;
    this.dropped = size > maxKeep;
    this.keep = this.dropped ? Math.min(SAMPLE, maxKeep) : size;
    this.have = 0; // of size
  }

  /** Bytes that are held. */
  get held() {
    return Math.min(this.have, this.keep);
  }

  /** @param {Uint8Array} part */
  take(part) {
    const kept = part.subarray(0, this.keep - this.held);
    this.#reserve(this.held + kept.length);
    this.#bytes.set(kept, this.held);
    this.have += part.length;
  }

  /**
   * Makes room for n bytes, at most twice of what is needed: a length is a claim. So each byte is copied less than
   * twice more, and the last room is that of all there is to keep.
   * @param {number} n
   */
  #reserve(n) {
    if (n <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.min(this.keep, Math.max(SAMPLE, 2 * n)));
    larger.set(this.#bytes.subarray(0, this.held));
    this.#bytes = larger;
  }

  /** @returns {Frame} */
  frame() {
    return { index: this.index, size: this.size, bytes: this.#bytes, dropped: this.dropped };
  }
}

/**
 * Takes a sequence apart. Give it what comes, and ask for files until there is none:
 *
 *     decoder.push(chunk);
 *     for (let frame = decoder.next(); frame; frame = decoder.next()) show(frame);
 *
 * and end() where the stream has ended well. What was given and not yet asked for is held, so who stops asking stops
 * giving.
 */
export class SequenceDecoder {
  #maxKeep;
  /** @type {Uint8Array[]} what was given: those that are used up are empty, and go now and then */
  #chunks = [];
  #first = 0; // chunk that is not used up
  #off = 0; // in that one
  #queued = 0; // bytes from there on
  #header = new Uint8Array(HEADER);
  #headerLen = 0;
  #index = 1; // of the file whose length comes next
  /** @type {Arriving | null} */
  #file = null;
  /** @type {Frame[]} those that end() has found, the last one first */
  #rest = [];

  /** @param {{maxKeep?: number}} options maxKeep: of a larger file only the first 64 KiB are kept; 64 MiB */
  constructor({ maxKeep = 64 << 20 } = {}) {
    this.#maxKeep = maxKeep;
  }

  /**
   * Gives what comes next in the stream. The bytes must stay what they are until they are asked for.
   * @param {Uint8Array} chunk
   */
  push(chunk) {
    if (chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.#queued += chunk.length;
  }

  /**
   * The next file that is there as a whole, or null.
   * @returns {Frame | null}
   */
  next() {
    return this.#rest.pop() ?? this.#decode();
  }

  /**
   * Says that the stream is over. Files that were not asked for yet can still be.
   * @throws {CutError} if that is within a file
   */
  end() {
    const rest = [];
    for (let frame = this.next(); frame; frame = this.next()) rest.push(frame);
    this.#rest = rest.reverse();
    if (this.#file) throw new CutError(this.#file.index, this.#file.size - this.#file.have);
    if (this.#headerLen > 0) throw new CutError(this.#index, -1);
  }

  /** Bytes that are held for files that are not there yet, or were not asked for. */
  get pending() {
    return this.#queued + (this.#file?.held ?? 0) + this.#rest.reduce((sum, frame) => sum + frame.bytes.length, 0);
  }

  /** The number of the file that is coming, as far as was looked, or is next. */
  get index() {
    return this.#file?.index ?? this.#index;
  }

  /**
   * The file that is coming, as far as it was looked at: how many bytes of it have come.
   * @returns {{index: number, size: number, have: number} | null} null where not even its length is there
   */
  get arriving() {
    return this.#file && { index: this.#file.index, size: this.#file.size, have: this.#file.have };
  }

  /** @returns {Frame | null} */
  #decode() {
    this.#file ??= this.#begin();
    if (!this.#file) return null;
    while (this.#file.have < this.#file.size && this.#queued > 0) {
      this.#file.take(this.#read(this.#file.size - this.#file.have));
    }
    if (this.#file.have < this.#file.size) return null;
    const frame = this.#file.frame();
    this.#file = null;
    return frame;
  }

  /** A file, if its length is there. */
  #begin() {
    while (this.#headerLen < HEADER && this.#queued > 0) {
      const part = this.#read(HEADER - this.#headerLen);
      this.#header.set(part, this.#headerLen);
      this.#headerLen += part.length;
    }
    if (this.#headerLen < HEADER) return null;
    this.#headerLen = 0;
    return new Arriving(this.#index++, new DataView(this.#header.buffer).getUint32(0), this.#maxKeep);
  }

  /**
   * At least one and at most so many of the bytes that are queued, of which there must be some.
   * @param {number} most
   */
  #read(most) {
    const chunk = this.#chunks[this.#first];
    const part = chunk.subarray(this.#off, this.#off + most);
    this.#off += part.length;
    this.#queued -= part.length;
    if (this.#off === chunk.length) {
      this.#chunks[this.#first++] = NOTHING;
      this.#off = 0;
    }
    if (this.#first > this.#chunks.length / 2) {
      this.#chunks.splice(0, this.#first);
      this.#first = 0;
    }
    return part;
  }
}
