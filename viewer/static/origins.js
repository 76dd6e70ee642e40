/** How many colours there are to tell origins apart. */
export const COLOURS = 8;

const MOST = 64;

/**
 * Where bytes come from, each with a colour that stays its own: the first to appear has colour 0. Beyond eight they come
 * round again. Of very many only the last 64 are known; one that was forgotten may come back in another colour.
 */
export class Origins {
  /** @type {Map<string, number>} the last one named is the last */
  #colours = new Map();
  /** @type {Set<string>} those of them that have given something */
  #gave = new Set();
  #next = 0;

  /**
   * The colour of an origin: an integer from 0 to COLOURS-1.
   * @param {string} origin
   */
  colour(origin) {
    const colour = this.#colours.get(origin) ?? this.#next++ % COLOURS;
    this.#colours.delete(origin);
    this.#colours.set(origin, colour);
    for (const oldest of this.#colours.keys()) {
      if (this.#colours.size <= MOST) break;
      this.#colours.delete(oldest);
      this.#gave.delete(oldest);
    }
    return colour;
  }

  /**
   * Bytes come from an origin.
   * @param {string} origin
   */
  gave(origin) {
    this.colour(origin);
    this.#gave.add(origin);
  }

  /**
   * Those that are known, in the order of their colours, and whether each has given something: a dead one has a colour, too.
   * @returns {{origin: string, colour: number, gave: boolean}[]}
   */
  list() {
    return Array.from(this.#colours, ([origin, colour]) => ({ origin, colour, gave: this.#gave.has(origin) })).sort((a, b) => a.colour - b.colour);
  }
}

/**
 * The origin of a URL, as the engine's events name it: host and port as they are written, or "file".
 * @param {string} url
 */
export function originOf(url) {
  const authority = /^[a-z][a-z\d+.-]*:\/\/([^/?#]+)/i.exec(url)?.[1] ?? '';
  return authority.slice(authority.lastIndexOf('@') + 1) || 'file';
}
