// The bytes of a URL in order, across lost connections.

import { LostError, StaleError, View, ViewError } from './view.js';

/** @typedef {import('./view.js').Opened} Opened */

const longestPause = 8000; // ms between two tries

/** @param {number} ms @param {AbortSignal} signal */
function pause(ms, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(signal.reason);
    }, { once: true });
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
    this.got = 0; // bytes
  }

  /**
   * Waits for the first bytes.
   * @returns {Promise<Opened>}
   */
  async open() {
    return this.persist(async () => {
      const view = await View.start(this.url, this.got);
      this.ending.signal.throwIfAborted();
      this.view = view;
      view.listen(this.ears.tell);
      return view.opened();
    });
  }

  /**
   * Does what needs the program, as often as it takes while it does not answer.
   * @template T @param {() => Promise<T>} attempt @returns {Promise<T>}
   */
  async persist(attempt) {
    for (let tries = 0; ; tries++) {
      try {
        const result = await attempt();
        if (tries > 0) this.ears.say('');
        return result;
      } catch (err) {
        this.ending.signal.throwIfAborted();
        if (err instanceof StaleError && tries > 0) location.reload();
        if (!(err instanceof LostError)) throw err;
        const ms = Math.min(500 * 2 ** tries, longestPause);
        this.ears.say(`The connection to spate is lost. Trying again in ${ms / 1000} s.`);
        await pause(ms, this.ending.signal);
      }
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
          this.got += value.length;
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
