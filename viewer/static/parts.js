import { originOf } from './origins.js';

/** @typedef {import('./happening.js').EngineEvent} EngineEvent */

const MOST_REACHED = 512;
const MOST_AHEAD = 128;

/**
 * - waiting: it is opened, and what is before it is not through
 * - arriving: the stream is in it
 * - there, cached, failed-over: the stream has gone through it; without a request, or not at the first attempt
 * - failed: nothing that was tried has it; where an enclosing part has another alternative, that is tried
 * @typedef {'waiting' | 'arriving' | 'cached' | 'there' | 'failed-over' | 'failed'} State
 */

/**
 * A part of the stream, as it is drawn.
 * @typedef {object} Cell
 * @property {number} part its number in the stream, from 1; 0 for one that was not reached
 * @property {string} url
 * @property {string} origin
 * @property {number} colour of the origin
 * @property {State} state
 * @property {number} size in bytes; -1 where it is not known
 * @property {number} bytes how many of them are there, as far as can be told: 0 before the stream is in it
 * @property {number} failures how often something of it failed
 * @property {string} manifest where it is listed; "" for what is no part of a manifest
 * @property {number} line
 */

/**
 * The parts of a stream: the last 512 that it has reached, and those that are opened ahead of it. Of the others nothing
 * is kept, so an endless stream costs no more than a long one.
 */
export class Parts {
  #colourOf;
  /** @type {Cell[]} */
  #reached = [];
  /** @type {(Cell | {walked: string})[]} what is opened, and between which of it a manifest begins to be walked */
  #ahead = [];
  #replaying = false; // what is opened may be what the stream has been through before: that is not reached again
  /** @type {Cell | undefined} what failed last */
  #troubled;
  #start = 0; // of the last part in the stream, as far as can be told
  #bytes = 0; // of the stream

  /** @param {(origin: string) => number} colourOf */
  constructor(colourOf) {
    this.#colourOf = colourOf;
  }

  /** In the order of the stream: those it has reached, and those it is about to. The cells are not to be changed. */
  list() {
    return [...this.#reached, ...this.#waiting()];
  }

  /**
   * The part that the stream is in, or was in last.
   * @returns {Cell | undefined}
   */
  get last() {
    return this.#reached[this.#reached.length - 1];
  }

  /**
   * A part that is listed where another waits already is that one, opened again with all behind it; unless the manifest
   * is walked once more in between.
   * @param {EngineEvent} event ahead
   */
  ahead(event) {
    const is = this.#ahead.map((entry) => (isWalked(entry) ? entry.walked === event.manifest : isAt(entry, event)));
    const same = is.lastIndexOf(true);
    if (same >= 0 && !isWalked(this.#ahead[same])) this.#ahead.splice(same);
    this.#ahead.push(this.#cell({ ...event, size: -1 }));
    if (this.#ahead.length > MOST_AHEAD) this.#ahead.shift();
  }

  /**
   * What was opened for a part is a manifest: its parts come in its place, and those behind it are opened again.
   * @param {EngineEvent} event manifest
   */
  walked(event) {
    const i = this.#find(event);
    if (i >= 0) this.#ahead.splice(i);
    this.#ahead.push({ walked: event.url ?? '' });
    if (this.#ahead.length > MOST_AHEAD) this.#ahead.shift();
  }

  /**
   * @param {EngineEvent} event part
   * @param {number} failures of it that are known
   */
  reached(event, failures) {
    const cell = this.#cell(event);
    cell.failures = failures;
    const i = this.#find(event);
    if (i >= 0) {
      const [waiting] = this.#ahead.splice(i, 1);
      if (!isWalked(waiting)) cell.failures = Math.max(failures, waiting.failures);
      if (this.#replaying) this.#ahead.splice(0, i);
      this.#replaying = false;
    }
    this.#leave();
    cell.state = event.cached ? 'cached' : 'arriving';
    this.#keep(cell);
  }

  /**
   * Something of a part failed: of the one the stream is in, or of one ahead.
   * @param {EngineEvent} event failed
   * @returns {Cell | undefined} that part, if it is known
   */
  failed(event) {
    return this.#trouble([this.#arriving, ...this.#waiting()].filter((cell) => cell && isAt(cell, event)), event.url);
  }

  /** @param {EngineEvent} event resumed */
  resumed(event) {
    this.#trouble([this.#arriving, ...this.#waiting()].filter((cell) => cell?.url === event.url), event.url);
  }

  /** What failed last has no alternative left: the walk goes back, and what was opened is dropped. */
  unwound() {
    this.#giveUp();
    this.#replaying = true;
  }

  /** @param {number} bytes of the stream */
  progress(bytes) {
    this.#bytes = bytes;
    const cell = this.last;
    if (cell && !isOver(cell)) cell.bytes = this.#bytesOf(cell);
  }

  /** All is there. */
  done() {
    this.#leave();
    this.#ahead = [];
  }

  /** It ends here, and was not to. */
  broken() {
    this.#giveUp();
    if (this.#arriving) this.#arriving.state = 'failed';
  }

  /** @returns {Cell | undefined} */
  get #arriving() {
    return this.last?.state === 'arriving' ? this.last : undefined;
  }

  /** @returns {Cell[]} */
  #waiting() {
    return this.#ahead.flatMap((entry) => (isWalked(entry) ? [] : [entry]));
  }

  /**
   * Where the first part waits that is listed there; -1 if none does.
   * @param {EngineEvent} event
   */
  #find(event) {
    return this.#ahead.findIndex((entry) => !isWalked(entry) && isAt(entry, event));
  }

  /**
   * @param {(Cell | undefined)[]} cells those that it can be about, in stream order
   * @param {string | undefined} url
   */
  #trouble(cells, url) {
    const cell = cells.find((cell) => cell?.url === url) ?? cells[0];
    if (cell) cell.failures++;
    this.#troubled = cell;
    return cell;
  }

  #giveUp() {
    const cell = this.#troubled;
    if (cell && this.#waiting().includes(cell)) {
      this.#leave();
      this.#keep(cell);
    }
    if (cell && cell === this.last && !isOver(cell)) cell.state = 'failed';
    this.#troubled = undefined;
    this.#ahead = [];
  }

  /** The stream has gone through the part it was in. */
  #leave() {
    const cell = this.last;
    if (!cell) return;
    if (isOver(cell)) {
      this.#start = Math.max(this.#start, this.#bytes);
      return;
    }
    cell.bytes = cell.size >= 0 ? cell.size : this.#bytesOf(cell);
    this.#start += cell.bytes;
    if (cell.state === 'arriving') cell.state = cell.failures > 0 ? 'failed-over' : 'there';
  }

  /** @param {Cell} cell that the stream is in */
  #bytesOf(cell) {
    const bytes = Math.max(0, this.#bytes - this.#start);
    return cell.size >= 0 ? Math.min(cell.size, bytes) : bytes;
  }

  /** @param {Cell} cell */
  #keep(cell) {
    this.#reached.push(cell);
    if (this.#reached.length > MOST_REACHED) this.#reached.shift();
  }

  /**
   * @param {EngineEvent} event
   * @returns {Cell}
   */
  #cell({ part = 0, url = '', origin = originOf(url), manifest = '', line = 0, size = 0 }) {
    const colour = this.#colourOf(origin);
    return { part, url, origin, colour, state: 'waiting', size, bytes: 0, failures: 0, manifest, line };
  }
}

/**
 * @param {Cell | {walked: string}} entry
 * @returns {entry is {walked: string}}
 */
function isWalked(entry) {
  return 'walked' in entry;
}

/**
 * Whether a part is listed where an event says.
 * @param {Cell} cell
 * @param {EngineEvent} event
 */
function isAt(cell, { manifest = '', line = 0 }) {
  return cell.manifest === manifest && cell.line === line;
}

/** @param {Cell} cell */
function isOver({ state }) {
  return state === 'there' || state === 'failed-over' || state === 'failed';
}
