/** What the page is to do, as its address says it: "#url=http%3A%2F%2Fhost%2Ffilm-seq&ms=50&play=0". */

/** How long a frame stays, in milliseconds, where the address does not say. */
export const DEFAULT_MS = 100;

/** The slowest there is. */
export const MAX_MS = 10000;

/**
 * @typedef {object} Settings
 * @property {string} url what to watch; "" for nothing
 * @property {number} ms how long each frame of a sequence stays: an integer from 0 to 10000
 * @property {boolean} play whether a sequence is animated by itself; play=0 says no
 * @property {[string, string][]} others what else the address says, in its order: kept, whatever it means
 */

/**
 * Reads a fragment, with or without its "#". Whatever it is, it means something: of a key that is there twice the first
 * counts, a delay that is no number is the usual one, and one out of bounds the nearest.
 * @param {string} fragment
 * @returns {Settings}
 */
export function parse(fragment) {
  const params = new URLSearchParams(fragment.replace(/^#/, ''));
  const others = [...params].filter(([key]) => !['url', 'ms', 'play'].includes(key));
  return { url: (params.get('url') ?? '').trim(), ms: delay(params.get('ms')), play: params.get('play') !== '0', others };
}

/**
 * The fragment, with its "#", that parse reads as these settings.
 * @param {Settings} settings
 */
export function format({ url, ms, play, others }) {
  return '#' + new URLSearchParams([['url', url], ['ms', String(ms)], ...(play ? [] : [['play', '0']]), ...others]);
}

/**
 * A delay as somebody has written it.
 * @param {string | null} text
 */
export function delay(text) {
  const ms = Math.round(Number(text));
  if (text === null || text.trim() === '' || Number.isNaN(ms)) return DEFAULT_MS;
  return Math.min(MAX_MS, Math.max(0, ms));
}

/**
 * A history with one more URL: the newest first, none twice, and so many at most.
 * @param {readonly string[]} list
 * @param {string} url
 * @param {number} max
 */
export function remember(list, url, max) {
  return [url, ...list.filter((other) => other !== url)].slice(0, max);
}

/**
 * A history as it was stored, by JSON.stringify; none of anything else that was found there.
 * @param {string | null} stored
 * @returns {string[]}
 */
export function recall(stored) {
  try {
    const list = JSON.parse(stored ?? '[]');
    return Array.isArray(list) ? list.filter((url) => typeof url === 'string' && url !== '') : [];
  } catch {
    return [];
  }
}
