/** Random numbers for tests: a run that fails says its seed, and SPATE_SEED=n is that run again. */

const SEED = Number(process.env.SPATE_SEED ?? Date.now() % 1e9);

export class Random {
  #state;

  /** @param {number} seed */
  constructor(seed) {
    this.#state = seed >>> 0;
  }

  /**
   * An integer from 0 to n-1 (mulberry32).
   * @param {number} n
   */
  below(n) {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * n);
  }

  /**
   * One of the items.
   * @template T
   * @param {ArrayLike<T>} items
   */
  of(items) {
    return items[this.below(items.length)];
  }

  /**
   * Bytes in pieces, some of them empty, most of them of less than twice so many bytes.
   * @param {Uint8Array} bytes
   * @param {number} [about]
   */
  pieces(bytes, about = 8) {
    const pieces = [];
    for (let off = 0; off < bytes.length; ) {
      const n = this.below(20) === 0 ? this.below(bytes.length) : this.below(2 * about);
      pieces.push(bytes.slice(off, off + n));
      off += n;
    }
    return pieces;
  }
}

/**
 * Runs a check so many times, each with random numbers of its own.
 * @param {number} times
 * @param {(random: Random) => void} check
 */
export function often(times, check) {
  for (let i = 0; i < times; i++) {
    try {
      check(new Random(SEED + i));
    } catch (err) {
      if (err instanceof Error) err.message += `\n(again with SPATE_SEED=${SEED + i})`;
      throw err;
    }
  }
}
