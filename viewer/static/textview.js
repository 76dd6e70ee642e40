// Text of any length on the page, of which only what is seen is there.

import { TextRows } from './textrows.js';

const tallest = 8_000_000; // px: browsers have no taller elements
const unseen = 8; // rows above and below what is seen

export class TextView {
  /** @param {HTMLElement} parent */
  constructor(parent) {
    this.box = document.createElement('div');
    this.box.className = 'text';
    this.box.tabIndex = 0;
    this.box.setAttribute('role', 'document');
    this.box.setAttribute('aria-label', 'Text');
    this.space = document.createElement('div');
    this.space.className = 'space';
    this.seen = document.createElement('pre');
    this.space.append(this.seen);
    this.box.append(this.space);
    parent.replaceChildren(this.box);
    this.rowHeight = 18;
    this.columns = 80;
    this.measure();
    this.rows = new TextRows({ columns: this.columns });
    this.isDrawing = false;
    /** @type {() => void} */
    this.onScroll = () => {};
    this.box.addEventListener('scroll', () => {
      this.draw();
      this.onScroll();
    });
    this.watcher = new ResizeObserver(() => this.resize());
    this.watcher.observe(this.box);
  }

  measure() {
    const probe = document.createElement('pre');
    probe.className = 'probe';
    probe.textContent = '0'.repeat(100);
    this.box.append(probe);
    const { width, height } = probe.getBoundingClientRect();
    probe.remove();
    this.rowHeight = height || 18;
    this.columns = Math.max(8, Math.floor((this.box.clientWidth - 16) / (width / 100 || 8)));
  }

  resize() {
    this.measure();
    this.rows.setColumns(this.columns);
    this.draw();
  }

  /** @param {Uint8Array} bytes @param {string} [encoding] */
  push(bytes, encoding) {
    this.rows.push(bytes, encoding);
  }

  end() {
    this.rows.end();
  }

  /** How many rows are below those that are seen. */
  get below() {
    return this.rows.rows - this.last();
  }

  first() {
    const most = Math.max(1, this.space.clientHeight - this.box.clientHeight);
    const whole = this.rows.rows * this.rowHeight;
    const top = whole <= tallest ? this.box.scrollTop : this.box.scrollTop / most * (whole - this.box.clientHeight);
    return Math.max(0, Math.floor(top / this.rowHeight));
  }

  last() {
    return Math.min(this.rows.rows, this.first() + Math.ceil(this.box.clientHeight / this.rowHeight));
  }

  /**
   * Resolves when somebody has scrolled, or nobody looks any more.
   * @returns {Promise<void>}
   */
  scrolled() {
    return new Promise((/** @type {(value: any) => void} */ resolve) => { this.onScroll = () => resolve(undefined); });
  }

  /** Draws what has come, at most once per frame of the screen. */
  drawSoon() {
    if (this.isDrawing) return;
    this.isDrawing = true;
    requestAnimationFrame(() => {
      this.isDrawing = false;
      this.draw();
    });
  }

  draw() {
    const { rows } = this.rows;
    this.space.style.height = `${Math.min(rows * this.rowHeight, tallest)}px`;
    const first = Math.max(0, this.first() - unseen);
    const last = Math.min(rows, this.last() + unseen);
    const lines = [];
    for (let i = first; i < last; i++) lines.push(this.rows.row(i));
    this.seen.textContent = lines.join('\n');
    const at = rows * this.rowHeight <= tallest ? first * this.rowHeight : Math.max(0, this.box.scrollTop - (this.first() - first) * this.rowHeight);
    this.seen.style.transform = `translateY(${at}px)`;
  }

  close() {
    this.watcher.disconnect();
    this.onScroll();
  }
}
