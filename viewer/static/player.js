// A sequence, file by file: animated, stepped through, and back through the last ones.

import { kindOf } from './kind.js';
import { RateMeter } from './rate.js';
import { Ring } from './ring.js';
import { SequenceDecoder } from './sequence.js';

/** @typedef {import('./sequence.js').Frame} Frame */
/** @typedef {import('./kind.js').Found} Kind */

const ahead = { files: 8, bytes: 512 << 10 }; // decoded and not shown yet, while it plays; the browser has some MiB besides
const kept = { maxItems: 120, maxBytes: 12 << 20 }; // of those that were shown

/**
 * Resolves once what was drawn is seen; in a page that nobody sees, a second later.
 * @returns {Promise<void>}
 */
function seen() {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, 1000);
    requestAnimationFrame(() => setTimeout(() => { // behind the callback comes the painting
      clearTimeout(timer);
      resolve();
    }));
  });
}

/**
 * @typedef {object} Scene
 * @property {string} url
 * @property {() => Promise<Uint8Array | null>} next the next bytes; null: that was all
 * @property {(frame: Frame, kind: Kind) => Promise<void>} show resolves once the file is seen
 * @property {() => void} changed the player's state has
 * @property {(err: Error, index: number) => void} failed why nothing more comes, told at once, and in which file, from 1;
 *   what has come is shown all the same
 * @property {() => void} finished the last file was shown, and nothing failed
 */

export class Player {
  /** @param {Scene} scene @param {{ms: number, playing: boolean}} how */
  constructor(scene, { ms, playing }) {
    this.scene = scene;
    this.ms = ms;
    this.playing = playing;
    this.decoder = new SequenceDecoder();
    /** @type {Frame[]} */
    this.queue = [];
    this.queued = 0; // bytes
    /** @type {Ring<Frame>} */
    this.shown = new Ring(kept);
    this.behind = 0; // how many files before the last one that was shown
    this.steps = playing ? 0 : 1; // still to be taken: the first file is shown in any case
    this.turned = false; // back: the file there is to be shown
    this.last = -Infinity; // when a file was due
    this.whole = false; // all of it has come
    this.closed = false;
    this.rate = new RateMeter();
    /** @type {Frame | null} */
    this.current = null;
    /** @type {Kind | null} */
    this.kind = null;
    /** @type {Set<() => void>} */
    this.sleepers = new Set();
  }

  /** Shows all of it. Resolves when it is closed: the last files can be seen again. */
  async run() {
    await Promise.all([this.read(), this.play()]);
  }

  // What people do.

  toggle() {
    this.playing = !this.playing;
    this.steps = 0;
    this.stir();
  }

  /** The next file only. */
  step() {
    this.playing = false;
    this.steps++;
    this.stir();
  }

  /** The file before, if it is still there. */
  back() {
    this.playing = false;
    this.steps = 0;
    if (this.behind + 1 < this.shown.length) {
      this.behind++;
      this.turned = true;
    }
    this.stir();
  }

  /** @param {number} ms per file */
  setDelay(ms) {
    this.ms = ms;
    this.stir();
  }

  close() {
    this.closed = true;
    this.stir();
  }

  // Reading.

  async read() {
    try {
      while (!this.closed) {
        if (this.hasEnough) {
          await this.change();
          continue;
        }
        const bytes = await this.scene.next();
        if (!bytes) break;
        this.decoder.push(bytes);
        this.take();
      }
      if (this.closed) return;
      this.decoder.end();
      this.whole = true;
      if (this.isAtEnd) this.scene.finished();
    } catch (err) {
      if (!this.closed) this.scene.failed(/** @type {Error} */ (err), this.decoder.index);
    }
  }

  take() {
    for (let frame = this.decoder.next(); frame; frame = this.decoder.next()) {
      this.queue.push(frame);
      this.queued += frame.bytes.length;
    }
    this.stir();
  }

  /** Whether what is there will do. While nobody plays, one file that was not seen is enough. */
  get hasEnough() {
    if (this.queue.length === 0) return false;
    const isWanted = this.playing || this.steps > 0;
    return !isWanted || this.queue.length >= ahead.files || this.queued >= ahead.bytes;
  }

  // Showing.

  async play() {
    while (!this.closed) {
      const wait = this.wait();
      if (wait > 0) {
        await this.change(wait);
      } else if (this.turned) {
        this.turned = false;
        await this.show(/** @type {Frame} */ (this.shown.at(this.behind)));
      } else {
        await this.forward();
      }
    }
  }

  /** How many ms to wait before a file is shown. Infinity: until something changes. */
  wait() {
    if (this.turned) return 0;
    if (this.behind === 0 && this.queue.length === 0) return Infinity;
    if (this.steps > 0) return 0;
    return this.playing ? this.last + this.ms - performance.now() : Infinity;
  }

  async forward() {
    const now = performance.now();
    const due = this.last + this.ms;
    this.last = due <= now && now < due + this.ms ? due : now; // who is a file late does not hurry to catch up
    if (this.steps > 0) this.steps--;
    if (this.behind > 0) {
      this.behind--;
      return this.show(/** @type {Frame} */ (this.shown.at(this.behind)));
    }
    const frame = /** @type {Frame} */ (this.queue.shift());
    this.queued -= frame.bytes.length;
    this.shown.push(frame, frame.bytes.length);
    this.stir();
    await this.show(frame);
    if (this.isAtEnd) this.scene.finished();
  }

  get isAtEnd() {
    return this.whole && this.queue.length === 0 && this.behind === 0;
  }

  /** @param {Frame} frame */
  async show(frame) {
    this.current = frame;
    this.kind = kindOf(frame.bytes, this.scene.url);
    await this.scene.show(frame, this.kind);
    await seen();
    this.rate.add(performance.now(), 1);
    this.scene.changed();
  }

  // Waiting.

  /**
   * Waits until something has changed, for so many ms at most.
   * @param {number} [ms]
   */
  change(ms = Infinity) {
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        this.sleepers.delete(wake);
        resolve(undefined);
      };
      const timer = ms === Infinity ? undefined : setTimeout(wake, ms);
      this.sleepers.add(wake);
    });
  }

  /** Has those who wait look again. */
  stir() {
    this.scene.changed();
    for (const wake of [...this.sleepers]) wake();
  }
}
