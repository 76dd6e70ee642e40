// Parts or ranges as cells: where each is, and what it looks like.

/** @typedef {import('./canvas.js').Palette} Palette */

/**
 * What a cell shows.
 * @typedef {object} Shown
 * @property {import('./parts.js').State} state
 * @property {number} colour of the origin
 * @property {number} share of it that is there, from 0 to 1
 */

const least = 12; // px, with the gap
const most = 22;

/** What each state is called. */
export const states = /** @type {const} */ ({
  waiting: 'waiting',
  arriving: 'arriving',
  there: 'there',
  cached: 'cached',
  'failed-over': 'from another place',
  failed: 'failed',
});

/**
 * Cells for so many, as large as there is room; of more than there is room for the last ones. They stay where they are while
 * more come: a whole row goes at a time.
 * @param {number} count @param {number} width @param {number} height @param {number} gone how many there were before the first
 */
export function arrange(count, width, height, gone) {
  for (let rows = 1; height / rows >= least; rows++) {
    const columns = Math.max(1, Math.ceil(count / rows));
    const h = Math.min(most, height / rows);
    if (width / columns >= h) return { columns, w: width / columns, h, first: 0 };
  }
  const columns = Math.max(1, Math.floor(width / least));
  const rows = Math.max(1, Math.floor(height / least));
  const beyond = gone + count - columns * rows; // counted from the very first
  const first = Math.ceil(Math.max(0, beyond) / columns) * columns - gone;
  return { columns, w: width / columns, h: least, first: Math.max(0, first) };
}

/**
 * @param {CanvasRenderingContext2D} c @param {Palette} palette @param {Shown} shown
 * @param {{x: number, y: number, w: number, h: number}} place
 */
export function drawCell(c, palette, { state, colour, share }, { x, y, w, h }) {
  const [left, top, wide, high] = [x + 1, y + 1, w - 2, h - 2];
  c.strokeStyle = c.fillStyle = state === 'failed' ? palette.bad : palette.origins[colour % palette.origins.length];
  c.lineWidth = 1;
  c.globalAlpha = state === 'waiting' ? 0.7 : 1;
  c.strokeRect(left + 0.5, top + 0.5, wide - 1, high - 1);
  c.globalAlpha = 1;
  if (state === 'arriving') c.fillRect(left, top, Math.max(2, wide * share), high);
  if (state === 'failed') cross(c, left, top, wide, high);
  if (state === 'waiting' || state === 'arriving' || state === 'failed') return;
  c.fillRect(left, top, wide, high);
  c.fillStyle = palette.panel;
  if (state === 'cached') c.fillRect(left + wide / 4, top + high / 3, wide / 2, high / 3);
  if (state === 'failed-over') corner(c, left, top, wide, high);
}

/** @param {CanvasRenderingContext2D} c @param {number} x @param {number} y @param {number} w @param {number} h */
function cross(c, x, y, w, h) {
  c.lineWidth = 1.5;
  c.beginPath();
  c.moveTo(x + 1, y + 1);
  c.lineTo(x + w - 1, y + h - 1);
  c.moveTo(x + w - 1, y + 1);
  c.lineTo(x + 1, y + h - 1);
  c.stroke();
}

/** @param {CanvasRenderingContext2D} c @param {number} x @param {number} y @param {number} w @param {number} h */
function corner(c, x, y, w, h) {
  const side = Math.min(w, h) * 0.75;
  c.beginPath();
  c.moveTo(x, y);
  c.lineTo(x + side, y);
  c.lineTo(x, y + side);
  c.fill();
}
