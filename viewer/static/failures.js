import { originOf } from './origins.js';

/** @typedef {import('./happening.js').EngineEvent} EngineEvent */

const MOST = 200;

/**
 * Something that failed, and what became of it.
 * @typedef {object} Failure
 * @property {string} url
 * @property {string} origin
 * @property {string} error in words, on one line
 * @property {string} kind of error, as docs/spec/events.md has it; "" where it is not told
 * @property {string} manifest where the part is listed; "" for what is no part of a manifest
 * @property {number} line
 * @property {number} off how far it had come, in bytes of the part
 * @property {string} time of the last time, as it was told
 * @property {number} times how often just this was told
 * @property {string} then what was done about it, in words
 * @property {boolean} open it is not known yet what was done about it
 * @property {boolean} reached the stream is, or was, in the part that it was about
 */

/**
 * What failed, the newest first: the last 200. What fails in the same way again, as a dead mirror does on each lap of an
 * endless stream, is counted and comes first again, but takes no second place: where it is listed is where it was last.
 */
export class Failures {
  /** @type {Map<string, Failure>} the newest last */
  #known = new Map();

  /** The newest first. They are not to be changed. */
  list() {
    return [...this.#known.values()].reverse();
  }

  /**
   * Another alternative may be tried.
   * @param {EngineEvent} event failed
   * @param {boolean} reached whether the stream is in that part
   */
  failed(event, reached) {
    const failure = this.#note(event);
    failure.open = true;
    failure.reached = reached;
    failure.then = 'another place is tried';
  }

  /** @param {EngineEvent} event resumed: the same is asked for the rest */
  resumed(event) {
    this.#note(event).then = event.off ? `asked again, from byte ${event.off} on` : 'asked again, from the start';
  }

  /** @param {EngineEvent} event aside */
  aside(event) {
    this.#note(event).then = 'not used any more';
  }

  /**
   * The stream is in a part: what failed of it before is made good, unless it is what the part begins with. That can
   * have failed further on already.
   * @param {EngineEvent} event part
   * @returns {number} of how many that is known
   */
  reached({ url = '', origin = originOf(url), manifest = '', line = 0, cached = false }) {
    const failures = this.#openAt(manifest, line);
    for (const failure of failures) {
      failure.reached = true;
      if (failure.url !== url) close(failure, cached ? 'taken from what was kept' : `taken from ${origin} instead`);
    }
    return failures.length;
  }

  /**
   * The stream has left a part: something has made good what failed of it.
   * @param {string} manifest
   * @param {number} line
   */
  left(manifest, line) {
    for (const failure of this.#openAt(manifest, line)) {
      if (failure.reached) close(failure, failure.off > 0 ? 'taken from elsewhere' : 'it worked the next time, or elsewhere');
    }
  }

  /** @param {EngineEvent} event unwound */
  unwound({ manifest = '', line = 0 }) {
    for (const failure of this.#open()) close(failure, `given up: the next alternative of ${place(manifest, line)} is tried`);
  }

  /** All is there, whatever failed. */
  done() {
    for (const failure of this.#open()) close(failure, 'done without it');
  }

  /** It ends here, and was not to. */
  broken() {
    for (const failure of this.#open()) close(failure, 'nothing else was left to try');
  }

  /**
   * @param {EngineEvent} event
   * @returns {Failure}
   */
  #note({ url = '', error = '', kind, manifest, line, off = 0, time = '' }) {
    const key = JSON.stringify([url, error]);
    const known = this.#known.get(key);
    const failure = {
      url, origin: originOf(url), error, off, time, then: '', open: false, reached: false,
      kind: kind ?? known?.kind ?? '',
      manifest: manifest ?? known?.manifest ?? '',
      line: line ?? known?.line ?? 0,
      times: 1 + (known?.times ?? 0),
    };
    this.#known.delete(key);
    this.#known.set(key, failure);
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= MOST) break;
      this.#known.delete(oldest);
    }
    return failure;
  }

  #open() {
    return [...this.#known.values()].filter((failure) => failure.open);
  }

  /**
   * @param {string} manifest
   * @param {number} line
   */
  #openAt(manifest, line) {
    return this.#open().filter((failure) => failure.manifest === manifest && failure.line === line);
  }
}

/**
 * @param {Failure} failure
 * @param {string} then
 */
function close(failure, then) {
  failure.then = then;
  failure.open = false;
}

/**
 * @param {string} manifest
 * @param {number} line
 */
function place(manifest, line) {
  return `${manifest.slice(manifest.lastIndexOf('/') + 1) || manifest}, line ${line},`;
}
