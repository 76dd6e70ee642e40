// The rate over time.

import { surface } from './canvas.js';
import { perSecond } from './units.js';

/** @typedef {import('./canvas.js').Palette} Palette */

const foot = 15; // px, for words below the axis
const spans = [10, 20, 40, 60]; // s

/** How many points there are in a second, and at most: those of a RateMeter with this window and so many samples. */
export const perSecondPoints = 4;
export const mostPoints = 240;

/**
 * Draws points, the last one being now: from the start on, or the last minute.
 * @param {HTMLCanvasElement} canvas @param {Palette} palette @param {number[]} points
 */
export function drawRates(canvas, palette, points) {
  const place = surface(canvas);
  if (!place) return;
  const { c, width } = place;
  const height = place.height - foot;
  const seconds = spans.find((s) => points.length <= s * perSecondPoints) ?? spans[spans.length - 1];
  const top = ceiling(Math.max(1024, ...points));
  const x = (/** @type {number} */ i) => (i * width) / (seconds * perSecondPoints - 1);
  const y = (/** @type {number} */ r) => height - 0.5 - (r / top) * (height - 4);
  drawAxes(c, palette, { width, height });
  if (points.length) drawLine(c, palette, points.map((r, i) => [x(i), y(r)]), height);
  const isFull = points.length >= mostPoints;
  drawWords(c, palette, { width, height }, [perSecond(top), isFull ? '60 s ago' : 'start', isFull ? 'now' : `${seconds} s`]);
}

/**
 * The next of 1, 2, 4, … KiB and so on.
 * @param {number} most
 */
function ceiling(most) {
  return 2 ** Math.ceil(Math.log2(most));
}

/** @param {CanvasRenderingContext2D} c @param {Palette} palette @param {{width: number, height: number}} size */
function drawAxes(c, palette, { width, height }) {
  c.strokeStyle = palette.line;
  c.lineWidth = 1;
  c.beginPath();
  for (const y of [3.5, Math.round(height / 2) + 0.5, height - 0.5]) {
    c.moveTo(0, y);
    c.lineTo(width, y);
  }
  c.stroke();
}

/** @param {CanvasRenderingContext2D} c @param {Palette} palette @param {number[][]} line @param {number} height */
function drawLine(c, palette, line, height) {
  c.strokeStyle = c.fillStyle = palette.accent;
  c.lineWidth = 1.5;
  c.beginPath();
  const end = Math.max(3, line[line.length - 1][0]); // one point is a line, too
  for (const [x, y] of line) c.lineTo(x, y);
  c.lineTo(end, line[line.length - 1][1]);
  c.stroke();
  c.lineTo(end, height);
  c.lineTo(line[0][0], height);
  c.globalAlpha = 0.2;
  c.fill();
  c.globalAlpha = 1;
}

/** @param {CanvasRenderingContext2D} c @param {Palette} palette @param {{width: number, height: number}} size @param {string[]} words */
function drawWords(c, palette, { width, height }, [top, left, right]) {
  c.font = '11px system-ui, sans-serif';
  c.textAlign = 'right';
  const wide = c.measureText(top).width + 6;
  c.fillStyle = palette.panel;
  c.globalAlpha = 0.8;
  c.fillRect(width - wide, 4, wide, 14);
  c.globalAlpha = 1;
  c.fillStyle = palette.soft;
  c.textBaseline = 'top';
  c.fillText(top, width - 2, 5);
  c.textBaseline = 'alphabetic';
  c.fillText(right, width, height + foot - 3);
  c.textAlign = 'left';
  c.fillText(left, 0, height + foot - 3);
}
