// The bytes of a URL in order, across lost connections.

import { crc32 } from './crc32.js';
import { LostError, StaleError, View, ViewError } from './view.js';

/** @typedef {import('./view.js').Opened} Opened */

const longestPause = 8000; // ms between two tries

/**
 * @param {number} ms @param {AbortSignal} signal
 * @returns {Promise<void>}
 */
function pause(ms, signal) {
  return new Promise((resolve, reject) => {
    const end = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', end);
      resolve();
    }, ms);
    signal.addEventListener('abort', end, { once: true });
  });
}

export class Arrival {
  /**
   * @param {string} url
   * @param {{tell: (e: import('./view.js').EngineEvent) => void, say: (words: string) => void}} ears
   *   what is told of the engine's events, and in words of the connection to the program; '' when it is there again
   */
  constructor(url, ears) {
    this.url = url;
    this.ears = ears;
    this.ending = new AbortController();
    /** @type {View | undefined} */
    this.view = undefined;
    /** @type {ReadableStreamDefaultReader<Uint8Array> | undefined} */
    this.reader = undefined;
    this.got = { bytes: 0, crc32: 0 };
    this.began = -1; // how many bytes there were when a view was last opened
  }

  /**
   * Waits for the first bytes.
   * @returns {Promise<Opened>}
   */
  async open() {
    for (let tries = this.began === this.got.bytes ? 1 : 0; ; tries++) {
      if (tries > 0) await this.rest(tries);
      try {
        const opened = await this.attempt();
        this.began = this.got.bytes;
        this.ears.say('');
        return opened;
      } catch (err) {
        this.ending.signal.throwIfAborted();
        if (err instanceof StaleError && this.isAfterLoss(tries)) location.reload();
        if (!(err instanceof LostError)) throw err;
      }
    }
  }

  /** @param {number} tries */
  isAfterLoss(tries) {
    return tries > 0 || this.began >= 0;
  }

  /**
   * Waits before another try, and says so.
   * @param {number} tries how many have failed
   */
  async rest(tries) {
    const ms = Math.min(250 * 2 ** tries, longestPause);
    this.ears.say(`The connection to spate is lost. Trying again in ${ms / 1000} s.`);
    await pause(ms, this.ending.signal);
  }

  async attempt() {
    const view = await View.start(this.url, this.got);
    if (this.ending.signal.aborted) {
      view.end();
      throw this.ending.signal.reason;
    }
    this.view = view;
    view.listen(this.ears.tell);
    try {
      return await view.opened();
    } catch (err) {
      if (err instanceof LostError) view.end();
      throw err;
    }
  }

  /**
   * The next bytes; null: that was all, and it is whole. What is not asked for is not fetched.
   * @returns {Promise<Uint8Array | null>}
   */
  async next() {
    for (;;) {
      const view = /** @type {View} */ (this.view);
      try {
        this.reader ??= await view.body();
        const { done, value } = await this.reader.read();
        if (!done) {
          this.got = { bytes: this.got.bytes + value.length, crc32: crc32(this.got.crc32, value) };
          return value;
        }
      } catch (err) {
        this.ending.signal.throwIfAborted();
        if (err instanceof ViewError) throw err;
      }
      if (await this.isOver(view)) return null;
      await this.resume();
    }
  }

  /**
   * Whether the stream is over; throws why it is not whole.
   * @param {View} view
   */
  async isOver(view) {
    try {
      const outcome = await view.outcome();
      if (outcome?.type === 'error') throw new ViewError(outcome.error, outcome.causes);
      return outcome?.type === 'done';
    } catch (err) {
      this.ending.signal.throwIfAborted();
      if (err instanceof LostError) return false;
      throw err;
    }
  }

  /** Goes on behind what is there, in another view. */
  async resume() {
    this.reader = undefined;
    this.view?.end();
    await this.open();
  }

  /** Ends it: nothing more is fetched. */
  end() {
    this.ending.abort();
    this.view?.end();
  }
}
