/**
 * The last few of what has gone by, within a number and within bytes: what falls out, the oldest first, is handed to
 * dispose. One that is too large is kept alone: the newest is always there.
 * @template T
 */
export class Ring {
  /** @type {{item: T, bytes: number}[]} the oldest first */
  #kept = [];
  #bytes = 0;
  #maxItems;
  #maxBytes;
  #dispose;

  /** @param {{maxItems: number, maxBytes?: number, dispose?: (item: T) => void}} options maxItems: at least 1 */
  constructor({ maxItems, maxBytes = Infinity, dispose = () => {} }) {
    this.#maxItems = Math.max(1, maxItems);
    this.#maxBytes = maxBytes;
    this.#dispose = dispose;
  }

  /** How many are kept. */
  get length() {
    return this.#kept.length;
  }

  /** How many bytes are kept. */
  get bytes() {
    return this.#bytes;
  }

  /**
   * Adds the newest.
   * @param {T} item
   * @param {number} bytes how much it counts
   */
  push(item, bytes) {
    this.#kept.push({ item, bytes });
    this.#bytes += bytes;
    while (this.#kept.length > this.#maxItems || (this.#bytes > this.#maxBytes && this.#kept.length > 1)) this.#drop();
  }

  /**
   * The one that came so many before the newest, which is at(0); undefined if it is not kept.
   * @param {number} back
   * @returns {T | undefined}
   */
  at(back) {
    return this.#kept[this.#kept.length - 1 - back]?.item;
  }

  /** Lets go of all. */
  clear() {
    while (this.#kept.length > 0) this.#drop();
  }

  #drop() {
    const oldest = this.#kept.shift();
    if (!oldest) return;
    this.#bytes -= oldest.bytes;
    this.#dispose(oldest.item);
  }
}
