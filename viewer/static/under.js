// What happens underneath, drawn: parts or ranges, the rate, manifests as they are walked, and what failed.

import { Palette, surface } from './canvas.js';
import { arrange, drawCell, states } from './cells.js';
import { drawRates } from './chart.js';
import { nameOf } from './kind.js';
import { inBytes, perSecond, short } from './units.js';

/** @typedef {import('./happening.js').Happening} Happening */
/** @typedef {import('./session.js').Session} Session */
/** @typedef {import('./cells.js').Shown} Shown */

const pause = 200; // ms between two drawings

/** What the characters of a map mean. */
const ranges = /** @type {Record<string, import('./parts.js').State>} */ ({ '#': 'there', '.': 'arriving', '-': 'waiting' });

/** @template {keyof HTMLElementTagNameMap} K @param {K} name @param {string} text @param {string} [className] */
function element(name, text, className = '') {
  const e = document.createElement(name);
  e.textContent = text;
  if (className) e.className = className;
  return e;
}

/** @param {HTMLElement} e @param {string} text */
function say(e, text) {
  if (e.textContent !== text) e.textContent = e.title = text;
}

export class Under {
  /**
   * @param {{box: HTMLDetailsElement, title: HTMLElement, parts: HTMLCanvasElement, words: HTMLElement, states: HTMLElement, legend: HTMLElement,
   *   rates: HTMLCanvasElement, rateWords: HTMLElement, tree: HTMLElement, failures: HTMLElement}} places
   */
  constructor(places) {
    this.places = places;
    this.drawn = -Infinity;
    this.events = -1;
    /** @type {{session: Session, now: number} | null} */
    this.last = null;
    this.palette = new Palette();
    /** @type {Happening | null} */
    this.happening = null;
    this.isLeft = false; // it is not whole, and nothing more comes
    this.drawStates();
    this.again();
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
      this.palette = new Palette();
      this.drawStates();
      this.again();
    });
    places.box.addEventListener('toggle', () => this.again());
    new ResizeObserver(() => this.again()).observe(places.parts);
  }

  /** All is drawn, whether something has happened or not. */
  again() {
    this.drawn = -Infinity;
    this.events = -1;
    if (this.last) this.draw(this.last.session, this.last.now);
    else drawRates(this.places.rates, this.palette, []);
  }

  /**
   * Draws it, unless it was drawn a moment ago, or nothing has happened since.
   * @param {Session} session @param {number} now
   */
  draw(session, now) {
    const { happening, events, isOver } = session;
    const isLeft = isOver && session.state !== 'complete';
    const isNew = happening !== this.happening || isLeft !== this.isLeft;
    const clock = performance.now();
    if (!this.places.box.open || (clock - this.drawn < pause && !isNew)) return;
    this.drawn = clock;
    this.last = { session, now };
    this.drawRate(session, now);
    if (!isNew && events === this.events) return;
    this.happening = happening;
    this.isLeft = isLeft;
    this.events = events;
    this.drawParts(happening);
    this.drawLegend(happening);
    this.drawTree(happening);
    this.drawFailures(happening);
  }

  /** @param {Happening} happening */
  drawParts(happening) {
    const parts = happening.parts();
    const isMap = happening.map !== '';
    const all = isMap ? rangesOf(happening.map) : parts.map(shownOf);
    say(this.places.title, isMap ? 'Ranges' : 'Parts');
    say(this.places.words, [this.stateOf(happening), countsOf(all)].filter(Boolean).join(': '));
    const place = surface(this.places.parts);
    if (!place) return;
    const gone = isMap ? 0 : happening.reached - parts.filter((p) => p.state !== 'waiting').length;
    const { columns, w, h, first } = arrange(all.length, place.width, place.height, Math.max(0, gone));
    all.slice(first).forEach((shown, i) => {
      drawCell(place.c, this.palette, shown, { x: (i % columns) * w, y: Math.floor(i / columns) * h, w, h });
    });
  }

  /** @param {Happening} happening */
  stateOf({ phase, state }) {
    if (phase === 'failed') return 'failed'; // why is said elsewhere
    return this.isLeft && phase !== 'done' ? 'not fetched any more' : state;
  }

  /** What each state looks like. */
  drawStates() {
    this.places.states.replaceChildren(...Object.entries(states).map(([state, name]) => {
      const canvas = document.createElement('canvas');
      const e = element('li', '');
      e.append(canvas, name);
      canvas.width = canvas.height = 24;
      const c = canvas.getContext('2d');
      c?.scale(2, 2);
      if (c) drawCell(c, this.palette, { state: /** @type {Shown['state']} */ (state), colour: 7, share: 0.5 }, { x: -1, y: -1, w: 14, h: 14 });
      return e;
    }));
  }

  /** @param {Happening} happening */
  drawLegend(happening) {
    const giving = happening.origins().filter(({ gave }) => gave);
    this.places.legend.replaceChildren(...giving.map(({ origin, colour }) => this.swatch(element('li', short(origin, 80), 'name'), colour)));
  }

  /** @template {HTMLElement} E @param {E} e @param {number} [colour] */
  swatch(e, colour) {
    if (colour !== undefined) e.style.setProperty('--swatch', this.palette.origins[colour]);
    return e;
  }

  /** @param {Session} session @param {number} now */
  drawRate({ rate, bytes, began, isOver }, now) {
    const points = [...rate.history(), rate.rate(now)];
    drawRates(this.places.rates, this.palette, points);
    const most = perSecond(Math.max(...points));
    const seconds = (now - began) / 1000;
    say(this.places.rateWords, isOver ? `${inBytes(bytes)} in ${seconds.toFixed(seconds < 10 ? 2 : 0)} s, at most ${most}`
      : `now ${perSecond(points[points.length - 1])}, at most ${most}`);
  }

  /** @param {Happening} happening */
  drawTree(happening) {
    const colours = new Map(happening.origins().map(({ origin, colour }) => [origin, colour]));
    const nodes = happening.tree();
    this.places.tree.replaceChildren(...(nodes.length ? nodes.map((node) => this.branch(node, colours)) : [element('li', 'none', 'none')]));
  }

  /** @param {import('./walked.js').Node} node @param {Map<string, number>} colours @returns {HTMLLIElement} */
  branch(node, colours) {
    const e = element('li', '');
    const name = element('span', short(nameOf(node.url) || node.url, 80), `name place ${node.failed ? 'bad' : node.isCurrent ? 'current' : ''}`);
    name.title = short(node.url, 1000);
    e.append(this.swatch(name, colours.get(node.origin)), element('span', ` ${aboutNode(node)}`, 'about'));
    if (node.children.length) {
      const list = element('ul', '');
      list.append(...node.children.map((child) => this.branch(child, colours)));
      e.append(list);
    }
    return e;
  }

  /** @param {Happening} happening */
  drawFailures(happening) {
    const list = happening.failures();
    this.places.failures.replaceChildren(...(list.length ? list.map(failureItem) : [element('li', 'nothing', 'none')]));
  }
}

/** @param {import('./parts.js').Cell} part @returns {Shown} */
function shownOf({ state, colour, size, bytes }) {
  return { state, colour, share: size > 0 ? bytes / size : 0.5 };
}

/** @param {string} map @returns {Shown[]} */
function rangesOf(map) {
  return Array.from(map, (c) => ({ state: ranges[c] ?? 'waiting', colour: 0, share: 0.5 }));
}

/** @param {Shown[]} all */
function countsOf(all) {
  return Object.entries(states).flatMap(([state, name]) => {
    const count = all.filter((shown) => shown.state === state).length;
    return count ? [`${count} ${name}`] : [];
  }).join(', ');
}

/** @param {import('./walked.js').Node} node */
function aboutNode({ line, parts, laps, failed, gone }) {
  return [
    line ? `line ${line}` : '',
    `${parts} ${parts === 1 ? 'part' : 'parts'}`,
    laps > 1 ? `${laps} laps` : '',
    failed ? 'given up' : '',
    gone ? `${gone} more below` : '',
  ].filter(Boolean).join(', ');
}

/** @param {import('./failures.js').Failure} failure */
function failureItem({ url, manifest, line, error, times, then, open }) {
  const e = element('li', '');
  const place = line ? `, line ${line} of ${short(nameOf(manifest) || manifest, 80)}` : '';
  e.append(element('span', short(url || manifest), 'name'), element('span', place, 'name soft'),
    element('span', short(reasonOf(error, url)) + (times > 1 ? ` (${times} times)` : ''), 'name about bad'),
    element('span', `→ ${then}`, `name then ${open ? '' : 'good'}`));
  return e;
}

/**
 * An error without the URL that is said already.
 * @param {string} error @param {string} url
 */
function reasonOf(error, url) {
  const at = url ? error.indexOf(`${url}: `) : -1;
  return at < 0 ? error : error.slice(at + url.length + 2);
}
