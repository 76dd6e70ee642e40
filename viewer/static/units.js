/** Numbers in words. */

/** @param {number} n */
export function inBytes(n) {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let unit = 0;
  for (; n >= 1024 && unit < units.length - 1; unit++) n /= 1024;
  return `${unit === 0 ? Math.round(n) : n.toFixed(1)} ${units[unit]}`;
}

/** @param {number} n bytes */
export function perSecond(n) {
  return `${inBytes(n)}/s`;
}

/**
 * A text that is not too long to be shown, and looked at: the middle of one that is is left out.
 * @param {string} text @param {number} [most] characters
 */
export function short(text, most = 300) {
  if (text.length <= most) return text;
  const half = Math.floor(most / 2) - 1;
  return `${text.slice(0, half)} … ${text.slice(-half)}`;
}
