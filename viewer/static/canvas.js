// What all drawings have in common.

/**
 * A canvas as large as its place, and cleared. null: it is not to be seen.
 * @param {HTMLCanvasElement} canvas
 */
export function surface(canvas) {
  const scale = window.devicePixelRatio || 1;
  const { clientWidth: width, clientHeight: height } = canvas;
  const c = canvas.getContext('2d');
  if (!c || width === 0 || height === 0) return null;
  if (canvas.width !== Math.round(width * scale)) canvas.width = Math.round(width * scale);
  if (canvas.height !== Math.round(height * scale)) canvas.height = Math.round(height * scale);
  c.setTransform(scale, 0, 0, scale, 0, 0);
  c.clearRect(0, 0, width, height);
  return { c, width, height };
}

/** The colours of the page as they are now: it may be dark or light. */
export class Palette {
  constructor() {
    const style = getComputedStyle(document.documentElement);
    const colour = (/** @type {string} */ name) => style.getPropertyValue(`--${name}`).trim();
    this.origins = Array.from({ length: 8 }, (_, i) => colour(`origin-${i}`));
    this.bad = colour('bad');
    this.panel = colour('panel');
    this.line = colour('line');
    this.soft = colour('soft');
    this.accent = colour('accent');
  }
}
