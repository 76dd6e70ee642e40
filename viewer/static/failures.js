import { originOf } from "./origins.js";

/** @typedef {import("./event.js").EngineEvent} EngineEvent */

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
 * @property {string} outcome what was done about it, in words
 * @property {boolean} open nothing is known yet of what was done about it
 */

/**
 * What failed, the newest first: the last 200. What fails in the same way again, as a dead mirror does on each lap of an
 * endless stream, is counted and comes first again, but takes no second place.
 */
export class Failures {
  /** @type {Map<string, Failure>} the newest last */
  #known = new Map();

  /** The newest first. They are not to be changed. */
  list() {
    return [...this.#known.values()].reverse();
  }

  /** @param {EngineEvent} event failed: another alternative may be tried */
  failed(event) {
    const failure = this.#note(event);
    failure.open = true;
    failure.outcome = "another place is tried";
  }

  /** @param {EngineEvent} event resumed: the same is asked for the rest */
  resumed(event) {
    this.#note(event).outcome = event.off ? `asked again, from byte ${event.off} on` : "asked again, from the start";
  }

  /** @param {EngineEvent} event aside */
  aside(event) {
    this.#note(event).outcome = "not used any more";
  }

  /** @param {EngineEvent} event part: it has come from there */
  reached({ url = "", origin = originOf(url), manifest = "", line = 0, cached = false }) {
    for (const failure of this.#openAt(manifest, line)) {
      const again = failure.url === url;
      close(failure, again ? "it worked the next time" : cached ? "taken from what was kept" : `taken from ${origin} instead`);
    }
  }

  /**
   * The stream has left a part, or is through.
   * @param {string} manifest
   * @param {number} line
   */
  left(manifest, line) {
    for (const failure of this.#openAt(manifest, line)) close(failure, "the rest was taken from elsewhere");
  }

  /** @param {EngineEvent} event unwound */
  unwound({ manifest = "", line = 0 }) {
    for (const failure of this.#open()) close(failure, `given up: the next alternative of ${place(manifest, line)} is tried`);
  }

  /** All is there, whatever failed. */
  done() {
    for (const failure of this.#open()) close(failure, "done without it");
  }

  /** It ends here, and was not to. */
  broken() {
    for (const failure of this.#open()) close(failure, "nothing else was left to try");
  }

  /**
   * @param {EngineEvent} event
   * @returns {Failure}
   */
  #note({ url = "", error = "", kind = "", manifest = "", line = 0, off = 0, time = "" }) {
    const key = JSON.stringify([url, manifest, line, error]);
    const times = (this.#known.get(key)?.times ?? 0) + 1;
    const failure = { url, origin: originOf(url), error, kind, manifest, line, off, time, times, outcome: "", open: false };
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
 * @param {string} outcome
 */
function close(failure, outcome) {
  failure.outcome = outcome;
  failure.open = false;
}

/**
 * @param {string} manifest
 * @param {number} line
 */
function place(manifest, line) {
  return `${manifest.slice(manifest.lastIndexOf("/") + 1) || manifest}, line ${line},`;
}
