// What happens underneath, drawn: parts or ranges, the rate, manifests as they are walked, and what failed.

/** @typedef {import('./happening.js').Happening} Happening */
/** @typedef {import('./rate.js').RateMeter} RateMeter */

const cell = 12; // px, with its gap
const pause = 200; // ms between two drawings

/** What a state is called, and how much of a cell it fills. */
const states = /** @type {const} */ ({
  waiting: ['waiting', 0.25],
  arriving: ['arriving', 0.6],
  there: ['there', 1],
  cached: ['from the cache', 1],
  'failed-over': ['from another place', 1],
  failed: ['failed', 1],
});

/** @param {string} text @param {string} [className] */
function item(text, className = '') {
  const e = document.createElement('li');
  e.textContent = text;
  e.className = className;
  return e;
}

/** @param {HTMLElement} e @param {string} text */
function say(e, text) {
  if (e.textContent !== text) e.textContent = text;
}

export class Under {
  /** @param {{parts: HTMLElement, words: HTMLElement, legend: HTMLElement, rates: HTMLElement, rateWords: HTMLElement, tree: HTMLElement, failures: HTMLElement}} places */
  constructor(places) {
    this.places = places;
    this.drawn = -Infinity;
    this.events = -1;
    /** @type {Happening | null} */
    this.happening = null;
  }

  /**
   * Draws it, unless it was drawn a moment ago, or nothing has happened since.
   * @param {Happening} happening @param {number} events how many it was told @param {RateMeter} rate @param {number} now
   */
  draw(happening, events, rate, now) {
    const isNew = happening !== this.happening;
    if (now - this.drawn < pause && !isNew) return;
    this.drawn = now;
    this.drawRates(rate, now);
    if (!isNew && events === this.events) return;
    this.happening = happening;
    this.events = events;
    this.drawParts(happening);
    this.drawTree(happening);
    this.drawFailures(happening);
  }

  /**
   * A canvas as wide as its place, and cleared.
   * @param {HTMLElement} place
   */
  surface(place) {
    const canvas = /** @type {HTMLCanvasElement} */ (place);
    const scale = window.devicePixelRatio || 1;
    const width = canvas.clientWidth;
    const height = canvas.clientHeight;
    if (canvas.width !== Math.round(width * scale)) canvas.width = Math.round(width * scale);
    if (canvas.height !== Math.round(height * scale)) canvas.height = Math.round(height * scale);
    const c = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
    c.setTransform(scale, 0, 0, scale, 0, 0);
    c.clearRect(0, 0, width, height);
    return { c, width, height };
  }

  /**
   * The colour of an origin.
   * @param {number} index
   */
  colour(index) {
    return getComputedStyle(this.places.parts).getPropertyValue(`--origin-${index % 8}`).trim() || '#888';
  }

  /** @param {Happening} happening */
  drawParts(happening) {
    const parts = happening.parts();
    const { c, width, height } = this.surface(this.places.parts);
    const columns = Math.max(1, Math.floor(width / cell));
    const rows = Math.max(1, Math.floor(height / cell));
    const shown = parts.slice(-columns * rows);
    shown.forEach((p, i) => this.drawPart(c, p, (i % columns) * cell, Math.floor(i / columns) * cell));
    say(this.places.words, wordsOf(parts, happening));
    this.drawLegend(happening);
  }

  /** @param {CanvasRenderingContext2D} c @param {import('./parts.js').Cell} p @param {number} x @param {number} y */
  drawPart(c, p, x, y) {
    const side = cell - 2;
    c.fillStyle = c.strokeStyle = p.state === 'failed' ? this.css('--bad') : this.colour(p.colour);
    c.strokeRect(x + 1.5, y + 1.5, side - 1, side - 1);
    const filled = side * states[p.state][1];
    c.fillRect(x + 1, y + 1 + side - filled, side, filled);
    c.fillStyle = this.css('--back');
    if (p.state === 'cached') c.fillRect(x + 1 + side / 4, y + 1 + side / 4, side / 2, side / 2);
    if (p.state === 'failed-over') c.fillRect(x + 1, y + side / 2, side, 2);
  }

  /** @param {string} name */
  css(name) {
    return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  }

  /** @param {Happening} happening */
  drawLegend(happening) {
    const places = happening.origins().map(({ origin, colour }) => {
      const e = item(origin);
      e.style.setProperty('--swatch', this.colour(colour));
      return e;
    });
    this.places.legend.replaceChildren(...places);
  }

  /** @param {RateMeter} rate @param {number} now */
  drawRates(rate, now) {
    const current = rate.rate(now);
    const history = rate.history();
    const { c, width, height } = this.surface(this.places.rates);
    const top = Math.max(1, ...history);
    c.strokeStyle = c.fillStyle = this.colour(0);
    c.beginPath();
    history.forEach((r, i) => c.lineTo(width - (history.length - 1 - i) * 3, height - 2 - (r / top) * (height - 6)));
    c.stroke();
    say(this.places.rateWords, history.length ? `now ${perSecond(current)}, at most ${perSecond(top)}` : '');
  }

  /** @param {Happening} happening */
  drawTree(happening) {
    const nodes = happening.tree();
    this.places.tree.replaceChildren(...(nodes.length ? nodes.map(branch) : [item('none', 'none')]));
  }

  /** @param {Happening} happening */
  drawFailures(happening) {
    const list = happening.failures();
    this.places.failures.replaceChildren(...(list.length
      ? list.map((f) => item(`${f.url || f.manifest}: ${f.error}${f.times > 1 ? ` (${f.times} times)` : ''} – ${f.then}`))
      : [item('nothing', 'none')]));
  }
}

/** @param {number} n */
function perSecond(n) {
  return n >= 1 << 20 ? `${(n / (1 << 20)).toFixed(1)} MiB/s` : `${(n / 1024).toFixed(1)} KiB/s`;
}

/** @param {import('./walked.js').Node} node @returns {HTMLLIElement} */
function branch(node) {
  const e = item('');
  const name = document.createElement('span');
  const counts = [`${node.parts} parts`, node.laps > 1 ? `${node.laps} laps` : '', node.failed ? 'failed' : '', node.gone ? `${node.gone} more below` : ''];
  name.textContent = `${node.line ? `line ${node.line}: ` : ''}${node.url} – ${counts.filter(Boolean).join(', ')}`;
  name.className = node.failed ? 'bad' : node.isCurrent ? 'current' : '';
  e.append(name);
  if (node.children.length) {
    const list = document.createElement('ul');
    list.append(...node.children.map(branch));
    e.append(list);
  }
  return e;
}

/** @param {import('./parts.js').Cell[]} parts @param {Happening} happening */
function wordsOf(parts, happening) {
  if (parts.length === 0) return happening.state;
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const p of parts) counts.set(p.state, (counts.get(p.state) ?? 0) + 1);
  const words = Object.entries(states).filter(([s]) => counts.has(s)).map(([s, [name]]) => `${counts.get(s)} ${name}`);
  return `${happening.state}: ${words.join(', ')}`;
}
