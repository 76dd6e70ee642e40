// Text of any length on the page, of which only what is seen is there.

import { TextRows } from './textrows.js';

const tallest = 8_000_000; // px: browsers have no taller elements
const unseen = 8; // rows above and below what is seen
const calm = 100; // ms without another width before all is wrapped anew: that takes a while

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
    this.at = 0; // the row at the top, and how much of it is above that
    this.gone = 0; // rows that were let go of when it was drawn
    this.set = 0; // where the scroll bar was then
    this.follows = false; // stays at the end, where somebody has scrolled to
    this.isDrawing = false;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.wrapping = undefined;
    /** @type {() => void} */
    this.onScroll = () => {};
    this.box.addEventListener('scroll', () => this.moved());
    this.watcher = new ResizeObserver(() => this.resized());
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

  resized() {
    const before = this.columns;
    this.measure();
    this.draw();
    if (this.columns === before) return;
    clearTimeout(this.wrapping);
    this.wrapping = setTimeout(() => this.wrap(), calm);
  }

  /** Wraps all of it anew, and stays where it is. */
  wrap() {
    const place = this.rows.placeOf(Math.floor(this.at));
    this.rows.setColumns(this.columns);
    this.gone = 0;
    this.at = this.rows.rowAt(place);
    this.draw();
  }

  /** @param {Uint8Array} bytes @param {string} [encoding] */
  push(bytes, encoding) {
    this.rows.push(bytes, encoding);
  }

  end() {
    this.rows.end();
  }

  /** How many rows fit. */
  get room() {
    return this.box.clientHeight / this.rowHeight;
  }

  /** The row at the top when the last one is at the bottom. */
  get lowest() {
    return Math.max(0, this.rows.rows - this.room);
  }

  /** How many rows are below those that are seen. */
  get below() {
    return Math.max(0, this.lowest - this.at);
  }

  /** Where the scroll bar is at most. */
  get most() {
    return Math.max(0, this.box.scrollHeight - this.box.clientHeight);
  }

  /** Whether there is more than an element can be tall: then the scroll bar says about where it is, and steps are still rows. */
  get isSqueezed() {
    return this.rows.rows * this.rowHeight > tallest;
  }

  /** Somebody has scrolled, or draw has. */
  moved() {
    const by = this.box.scrollTop - this.set;
    if (by === 0) return;
    const isFar = Math.abs(by) > 2 * this.box.clientHeight;
    if (!this.isSqueezed) this.at = this.box.scrollTop / this.rowHeight;
    else this.at = isFar ? (this.box.scrollTop / this.most) * this.lowest : this.at + by / this.rowHeight;
    this.set = this.box.scrollTop;
    this.follows = this.at >= this.lowest - 1;
    this.draw();
    this.onScroll();
  }

  /**
   * Resolves when somebody has scrolled, or nobody looks any more.
   * @returns {Promise<void>}
   */
  scrolled() {
    return new Promise((resolve) => { this.onScroll = resolve; });
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
    const { rows, gone } = this.rows;
    this.space.style.height = `${Math.min(rows * this.rowHeight, tallest)}px`;
    this.at = this.follows ? this.lowest : Math.min(Math.max(0, this.at - (gone - this.gone)), this.lowest);
    this.gone = gone;
    this.scroll();
    const first = Math.max(0, Math.floor(this.at) - unseen);
    const last = Math.min(rows, Math.ceil(this.at + this.room) + unseen);
    const lines = [];
    for (let i = first; i < last; i++) lines.push(this.rows.row(i));
    const text = lines.join('\n');
    if (this.seen.textContent !== text) this.seen.textContent = text;
    this.seen.style.transform = `translateY(${this.set - (this.at - first) * this.rowHeight}px)`;
  }

  /** Puts the scroll bar where it has to be, and leaves it alone where it may stay: somebody may be moving it. */
  scroll() {
    const { most } = this;
    const wanted = this.isSqueezed ? (this.at / this.lowest) * most : this.at * this.rowHeight;
    const { scrollTop } = this.box;
    const margin = this.box.clientHeight;
    const isAtEdge = (scrollTop < margin || scrollTop > most - margin) && Math.abs(wanted - scrollTop) > margin / 2;
    const mayStay = this.isSqueezed ? !isAtEdge && this.at > 0 && !this.follows : Math.abs(wanted - scrollTop) < 1;
    if (!mayStay) this.box.scrollTop = wanted;
    this.set = this.box.scrollTop;
  }

  close() {
    this.watcher.disconnect();
    clearTimeout(this.wrapping);
    this.onScroll();
  }
}
