import { Failures } from './failures.js';
import { nameOf } from './kind.js';
import { originOf, Origins } from './origins.js';
import { Parts } from './parts.js';
import { Walked } from './walked.js';

/** @typedef {import('./parts.js').Cell} Cell */
/** @typedef {import('./walked.js').Node} Node */
/** @typedef {import('./failures.js').Failure} Failure */

/**
 * What the engine tells, as docs/spec/events.md has it. Fields that do not apply are absent, and so are those that are 0,
 * false or empty; others may be there.
 * @typedef {object} EngineEvent
 * @property {string} type
 * @property {string} [time]
 * @property {number} [part]
 * @property {string} [url]
 * @property {string} [origin]
 * @property {string} [manifest]
 * @property {number} [line]
 * @property {number} [off]
 * @property {number} [bytes]
 * @property {number} [size]
 * @property {boolean} [cached]
 * @property {number} [conns]
 * @property {string} [map]
 * @property {string} [error]
 * @property {string} [kind]
 * @property {string} [until]
 * @property {string[]} [causes]
 */

/**
 * What happens underneath, made of the engine's events (docs/spec/events.md) for whoever draws it. All of it is bounded,
 * however long the stream is and whatever it is made of; events of types that are not known, and missing fields, do
 * no harm.
 */
export class Happening {
  #origins = new Origins();
  #parts = new Parts((origin) => this.#origins.colour(origin));
  #walked = new Walked();
  #failures = new Failures();
  #now = 'waiting for the first answer'; // while bytes come
  #instead = ''; // while none come, or any more

  /** Counts events: where it is what it was, nothing has to be drawn anew. */
  version = 0;
  /** Bytes of the stream so far. */
  bytes = 0;
  /** Of the stream, in bytes; -1 where that is not known. */
  size = -1;
  /** Connections that are open; 0 where that is not told. */
  conns = 0;
  /** The state of a file's ranges, a character each ("-": not asked for, ".": asked for, "#": there); "" where it is not told. */
  map = '';
  /** How many parts the stream has reached. */
  reached = 0;
  /** @type {'running' | 'waiting' | 'done' | 'failed'} waiting: nothing comes, and it is asked again */
  phase = 'running';
  /** @type {{error: string, kind: string, causes: string[]} | null} why it has failed; causes: of each alternative */
  error = null;

  /** @param {EngineEvent} event */
  apply(event) {
    this.version++;
    switch (event.type) {
      case 'ahead': return this.#parts.ahead(event);
      case 'manifest': return this.#manifest(event);
      case 'part': return this.#part(event);
      case 'failed': return this.#failed(event);
      case 'resumed': return this.#resumed(event);
      case 'aside': return this.#failures.aside(event);
      case 'unwound': return this.#unwound(event);
      case 'progress': return this.#progress(event);
      case 'waiting': return this.#waiting(event);
      case 'done': return this.#done(event);
      case 'error': return this.#error(event);
    }
  }

  /**
   * The last parts that the stream has reached, and those that are opened ahead of it, in its order. The cells change
   * with what happens, and are not to be changed.
   */
  parts() {
    return this.#parts.list();
  }

  /** The manifests as they were walked, from the root on. They are not to be changed. */
  tree() {
    return this.#walked.tree();
  }

  /** What failed and what was done about it, the newest first. They are not to be changed. */
  failures() {
    return this.#failures.list();
  }

  /** Where bytes come from, or were to, with the colour of each. */
  origins() {
    return this.#origins.list();
  }

  /** What happens now, in words: one line, beginning in lower case and without a full stop. */
  get state() {
    return this.phase === 'running' ? this.#now : this.#instead;
  }

  /** @param {EngineEvent} event */
  #manifest(event) {
    this.#parts.walked(event);
    this.#walked.met(event);
    if (this.reached === 0) this.#runs(`reading the manifest ${nameOf(event.url ?? '') || event.url}`);
  }

  /** @param {EngineEvent} event */
  #part(event) {
    const left = this.#parts.last;
    if (left) this.#failures.left(left.manifest, left.line);
    this.#parts.reached(event, this.#failures.reached(event));
    this.#origins.gave(event.origin ?? originOf(event.url ?? ''));
    this.#walked.reached(event);
    this.reached = event.part ?? this.reached + 1;
    this.#runs(`part ${this.reached}, ` + (event.cached ? 'kept from before' : `from ${this.#parts.last?.origin}`));
  }

  /** @param {EngineEvent} event */
  #failed(event) {
    const cell = this.#parts.failed(event);
    this.#failures.failed(event, cell !== undefined && cell === this.#parts.last);
    if (this.reached === 0) this.#runs(`${originOf(event.url ?? '')} failed: another place is tried`);
  }

  /** @param {EngineEvent} event */
  #resumed(event) {
    this.#parts.resumed(event);
    this.#failures.resumed(event);
    if (event.url === this.#parts.last?.url) this.#runs(`part ${this.reached} broke off, and is asked for again`);
  }

  /** @param {EngineEvent} event */
  #unwound(event) {
    this.#parts.unwound();
    this.#walked.unwound(event);
    this.#failures.unwound(event);
    this.#runs('going back: an enclosing part is tried elsewhere');
  }

  /** @param {EngineEvent} event */
  #progress({ bytes = 0, size = 0, map = '', conns = 0 }) {
    const comes = bytes !== this.bytes;
    this.bytes = bytes;
    this.size = size;
    this.conns = conns;
    this.map = map;
    this.#parts.progress(bytes);
    if (!comes) return;
    this.#runs(map === '' ? this.#now : over(conns));
  }

  /** @param {EngineEvent} event */
  #waiting({ error = 'nothing comes', time = '', until = '' }) {
    const seconds = Math.ceil((Date.parse(until) - Date.parse(time)) / 1000);
    this.#stands('waiting', `waiting: ${error}; asked again` + (seconds > 0 ? ` in ${seconds} s` : ''));
  }

  /** @param {EngineEvent} event */
  #done({ bytes = 0 }) {
    this.bytes = bytes;
    this.#parts.progress(bytes);
    this.#parts.done();
    this.#failures.done();
    this.#stands('done', `done: ${bytes.toLocaleString('en-GB')} bytes`);
  }

  /** @param {EngineEvent} event */
  #error({ error = 'it does not say why', kind = '', causes = [] }) {
    this.#parts.broken();
    this.#failures.broken();
    this.error = { error, kind, causes };
    this.#stands('failed', `failed: ${error}`);
  }

  /** @param {string} now */
  #runs(now) {
    this.phase = 'running';
    this.#now = now;
  }

  /**
   * @param {'waiting' | 'done' | 'failed'} phase
   * @param {string} instead
   */
  #stands(phase, instead) {
    this.phase = phase;
    this.#instead = instead;
  }
}

/** @param {number} conns */
function over(conns) {
  if (conns === 0) return 'nothing is asked for now';
  return `over ${conns} ${conns === 1 ? 'connection' : 'connections'}`;
}
