import { originOf } from './origins.js';

/** @typedef {import('./happening.js').EngineEvent} EngineEvent */

const MOST = 500;

/**
 * A manifest, as it was walked.
 * @typedef {object} Node
 * @property {string} url
 * @property {string} origin
 * @property {number} line where it is listed in the manifest above it; 0 for the root
 * @property {number} laps how often it was begun here, the first time included
 * @property {number} parts how many of the parts that it lists itself the stream has reached
 * @property {boolean} failed what it stands for was begun and had to be taken from elsewhere
 * @property {boolean} isCurrent the stream is in a part that it lists, or was in one last
 * @property {number} gone how many manifests below it are not kept any more
 * @property {Node[]} children in the order in which they were met first
 */

/**
 * The manifests inside manifests that make a stream. What is met again at the same place of the same manifest is one
 * node; so is what is met inside itself, however far down: that is another lap of the one above. So one that ends
 * in itself is one node with laps, and no endless chain.
 *
 * At most 500 nodes are kept. Beyond that the one goes that was not met for the longest time; what is below it moves up.
 */
export class Walked {
  /** @type {Map<Node, Node | null>} what is above each node; the one that was met last is the last */
  #above = new Map();
  /** @type {Node | null} the one whose parts are walked */
  #here = null;
  /** @type {Node[]} */
  #roots = [];
  /** @type {Node | null} the one that is current */
  #current = null;

  /** The roots: one, but for a stream that was begun anew. The nodes are not to be changed. */
  tree() {
    return this.#roots;
  }

  /** How many nodes there are. */
  get size() {
    return this.#above.size;
  }

  /** @param {EngineEvent} event manifest */
  met({ url = '', manifest, line = 0 }) {
    const parent = manifest === undefined ? null : this.#named(manifest);
    const again = this.#ancestor(parent, (node) => node.url === url);
    const siblings = parent?.children ?? this.#roots;
    const node = again ?? siblings.find((node) => node.url === url && node.line === line) ?? this.#add(parent, url, line);
    node.laps++;
    this.#here = node;
    this.#touch(node);
    this.#bound();
  }

  /** @param {EngineEvent} event part */
  reached({ manifest }) {
    if (this.#current) this.#current.isCurrent = false;
    this.#current = manifest === undefined ? null : this.#named(manifest);
    if (!this.#current) return;
    this.#current.isCurrent = true;
    this.#current.parts++;
  }

  /**
   * The manifest that was walked for a part has failed as a whole: the next alternative of that part is tried.
   * @param {EngineEvent} event unwound: where the part is listed
   */
  unwound({ manifest = '', line = 0 }) {
    const failed = this.#ancestor(this.#here, (node) => node.line === line && this.#above.get(node)?.url === manifest);
    if (failed) failed.failed = true;
  }

  /**
   * The node of a manifest: the nearest above where the walk is, else the one met last.
   * @param {string} url
   */
  #named(url) {
    return this.#ancestor(this.#here, (node) => node.url === url) ?? this.#lastMet(url);
  }

  /** @param {string} url */
  #lastMet(url) {
    let last = null;
    for (const node of this.#above.keys()) if (node.url === url) last = node;
    return last;
  }

  /**
   * The first of a node, the one above it, and so on, of which something holds.
   * @param {Node | null} node
   * @param {(node: Node) => boolean} holds
   */
  #ancestor(node, holds) {
    while (node && !holds(node)) node = this.#above.get(node) ?? null;
    return node;
  }

  /**
   * @param {Node | null} parent
   * @param {string} url
   * @param {number} line
   */
  #add(parent, url, line) {
    /** @type {Node} */
    const node = {
      url, origin: originOf(url), line, laps: 0, parts: 0, failed: false, isCurrent: false, gone: 0, children: [],
    };
    (parent?.children ?? this.#roots).push(node);
    this.#above.set(node, parent);
    return node;
  }

  /** @param {Node} node */
  #touch(node) {
    const above = this.#above.get(node) ?? null;
    this.#above.delete(node);
    this.#above.set(node, above);
  }

  #bound() {
    if (this.#above.size <= MOST) return;
    for (const [node, above] of this.#above) {
      if (above || this.#roots.length > 1) return this.#remove(node, above);
    }
  }

  /**
   * @param {Node} node
   * @param {Node | null} above
   */
  #remove(node, above) {
    const siblings = above?.children ?? this.#roots;
    siblings.splice(siblings.indexOf(node), 1, ...node.children);
    for (const child of node.children) this.#above.set(child, above);
    if (above) above.gone += 1 + node.gone;
    this.#above.delete(node);
  }
}
