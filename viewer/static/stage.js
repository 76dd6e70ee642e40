// What is seen of a stream: one thing at a time.

import { hexRows } from './hex.js';
import { decodePNM } from './pnm.js';
import { TextView } from './textview.js';

/** @typedef {import('./kind.js').Found} Kind */

const hexBytes = 4096;

/** @template {keyof HTMLElementTagNameMap} K @param {K} name @param {string} [className] */
function element(name, className = '') {
  const e = document.createElement(name);
  e.className = className;
  return e;
}

/**
 * Has a picture be as large as there is room. A small one shows its pixels.
 * @param {HTMLElement} picture @param {number} width @param {number} height
 */
function fit(picture, width, height) {
  picture.style.setProperty('--ratio', String(width / height));
  picture.classList.add('sized');
  picture.classList.toggle('tiny', Math.max(width, height) < 100);
}

export class Stage {
  /** @param {HTMLElement} box */
  constructor(box) {
    this.box = box;
    /** @type {TextView | undefined} */
    this.text = undefined;
    /** @type {HTMLCanvasElement | undefined} */
    this.canvas = undefined;
  }

  clear() {
    const media = this.box.querySelector('audio, video');
    if (media instanceof HTMLMediaElement) {
      media.removeAttribute('src');
      media.load(); // else it goes on loading
    }
    const image = this.box.querySelector('img');
    image?.removeAttribute('src');
    this.text?.close();
    this.text = this.canvas = undefined;
    this.box.replaceChildren();
  }

  /**
   * Words, while nothing is shown.
   * @param {string} words
   */
  say(words) {
    this.clear();
    const p = element('p');
    p.id = 'idle';
    p.textContent = words;
    this.box.append(p);
  }

  /** Text that grows. */
  showText() {
    this.clear();
    this.text = new TextView(this.box);
    return this.text;
  }

  /**
   * An image that the browser loads as it arrives. Resolves once it is whole; rejects if it cannot be shown.
   * @param {string} url
   */
  showImage(url) {
    this.clear();
    const image = element('img');
    image.alt = 'The image, as it arrives';
    this.box.append(image);
    this.size(image);
    return new Promise((resolve, reject) => {
      const fail = () => reject(new Error('The browser cannot show this image.'));
      image.onload = () => image.decode().then(resolve, fail); // it may be broken behind its header
      image.onerror = fail;
      image.src = url;
    });
  }

  /**
   * Has an image fill its place as soon as its size is known, long before it is whole.
   * @param {HTMLImageElement} image
   */
  size(image) {
    if (image.naturalWidth && image.naturalHeight) fit(image, image.naturalWidth, image.naturalHeight);
    else if (image.isConnected && !(image.complete && image.src)) requestAnimationFrame(() => this.size(image));
  }

  /** @param {'audio'|'video'} kind @param {string} url */
  showMedia(kind, url) {
    this.clear();
    const media = element(kind);
    media.controls = true;
    media.setAttribute('aria-label', kind === 'audio' ? 'Sound' : 'Film');
    media.preload = 'auto';
    media.src = url;
    this.box.append(media);
    return media;
  }

  /** @param {Uint8Array} bytes */
  showHex(bytes) {
    this.clear();
    const pre = element('pre', 'hex');
    pre.tabIndex = 0;
    pre.setAttribute('aria-label', 'The first bytes, in hexadecimal');
    pre.textContent = hexRows(bytes.subarray(0, hexBytes)).join('\n');
    this.box.append(pre);
  }

  /**
   * One file of a sequence. Rejects, and shows its bytes, if it is not what it seems to be.
   * @param {Uint8Array} bytes @param {Kind} kind
   */
  async showFile(bytes, kind) {
    try {
      switch (kind.kind) {
        case 'image':
          return await this.paint(bytes, kind.type);
        case 'pnm':
          return this.paintPixels(bytes);
        case 'text':
          return this.write(bytes, kind.encoding);
      }
      this.showHex(bytes);
    } catch (err) {
      this.showHex(bytes);
      throw err;
    }
  }

  /** @param {Uint8Array} bytes @param {string} [encoding] */
  write(bytes, encoding) {
    const text = this.showText();
    text.push(bytes, encoding);
    text.end();
    text.draw();
  }

  /**
   * A canvas of so many pixels. One of another size is another one: nothing has moved then.
   * @param {number} width @param {number} height
   */
  surface(width, height) {
    if (this.canvas?.width === width && this.canvas.height === height) {
      this.canvas.getContext('2d')?.clearRect(0, 0, width, height);
      return this.canvas;
    }
    this.clear();
    const canvas = this.canvas = element('canvas', 'picture');
    canvas.setAttribute('role', 'img');
    canvas.setAttribute('aria-label', 'The frame');
    canvas.width = width;
    canvas.height = height;
    fit(canvas, width, height);
    this.box.append(canvas);
    return canvas;
  }

  /** @param {Uint8Array} bytes @param {string} type */
  async paint(bytes, type) {
    const blob = new Blob([bytes], { type });
    if (type === 'image/svg+xml') return this.paintSVG(blob);
    let bitmap;
    try {
      bitmap = await createImageBitmap(blob);
    } catch {
      throw new Error(`The browser cannot show this file as ${type}.`);
    }
    this.draw(bitmap, bitmap.width, bitmap.height);
    bitmap.close();
  }

  /**
   * An SVG is an image only: in an image element nothing of it runs.
   * @param {Blob} blob
   */
  async paintSVG(blob) {
    const image = new Image();
    image.src = URL.createObjectURL(blob);
    try {
      await image.decode();
      this.draw(image, image.naturalWidth || 300, image.naturalHeight || 150);
    } catch {
      throw new Error('The browser cannot show this file as image/svg+xml.');
    } finally {
      URL.revokeObjectURL(image.src);
    }
  }

  /** @param {CanvasImageSource} picture @param {number} width @param {number} height */
  draw(picture, width, height) {
    this.surface(width, height).getContext('2d')?.drawImage(picture, 0, 0);
  }

  /** @param {Uint8Array} bytes */
  paintPixels(bytes) {
    const { width, height, data } = decodePNM(bytes);
    this.surface(width, height).getContext('2d')?.putImageData(new ImageData(data, width, height), 0, 0);
  }
}
