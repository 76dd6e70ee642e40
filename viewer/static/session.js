// One URL being viewed: what it proves to be, and how that is shown.

import { Arrival } from './arrival.js';
import { Happening } from './happening.js';
import { isSequence, kindOf } from './kind.js';
import { Player } from './player.js';
import { RateMeter } from './rate.js';
import { CutError } from './sequence.js';
import { LostError, ViewError } from './view.js';

/** @typedef {import('./kind.js').Found} Kind */
/** @typedef {import('./view.js').View} View */

const headBytes = 4096; // shown of what is neither text nor picture nor sound
const largestPixels = 128 << 20; // bytes of an image that the page decodes itself
const keptText = 32 << 20; // bytes, that are no more characters than a TextView keeps
const unseenRows = 200_000; // of text, below those that are seen: of what may be longer than that no more is read

/**
 * @typedef {object} Watcher
 * @property {import('./stage.js').Stage} stage where it is shown
 * @property {() => void} changed what the session has, or does, is another
 * @property {(line: string, causes?: string[]) => void} trouble what went wrong, in words
 */

export class Session {
  /**
   * @param {string} url
   * @param {{ms: number, playing: boolean}} how a sequence is played
   * @param {Watcher} watcher
   */
  constructor(url, how, watcher) {
    this.url = url;
    this.how = how;
    this.watcher = watcher;
    this.stage = watcher.stage;
    this.began = performance.now();
    /** @type {number | null} */
    this.first = null; // ms until the first byte
    this.bytes = 0;
    this.isTold = false; // how many bytes there are: else the page counts what it reads
    this.size = -1; // not known
    this.state = 'connecting'; // in words
    this.lost = ''; // in words: why the program does not answer
    this.isOver = false; // nothing more comes
    this.ended = 0; // when that was; 0: it is not
    this.happening = new Happening();
    this.events = 0; // that it was told
    this.rate = new RateMeter({ windowMs: 2000, samples: 240 });
    /** @type {Player | null} */
    this.player = null;
    /** @type {HTMLMediaElement | null} */
    this.media = null;
    this.isHeard = false; // or seen: it is played
    /** @type {Kind | null} */
    this.kind = null;
    this.play = ''; // where a player, and who saves, gets it
    this.closed = false;
    this.arrival = new Arrival(url, {
      tell: (e) => this.hear(e),
      say: (words) => {
        this.lost = words;
        watcher.changed();
      },
    });
  }

  /** Views it, until it is over or closed. */
  async run() {
    try {
      const opened = await this.arrival.open();
      this.first = performance.now() - this.began;
      this.size = opened.size;
      this.play = opened.play;
      this.become('arriving');
      if (isSequence(this.url)) await this.runSequence();
      else await this.runFile(kindOf(opened.head, opened.url || this.url));
    } catch (err) {
      if (!this.closed) this.fail(/** @type {Error} */ (err));
    }
  }

  /** Nothing more is fetched, nor shown. */
  close() {
    if (this.closed) return;
    this.closed = true;
    this.player?.close();
    this.arrival.end();
    if (!this.isOver) this.end('stopped');
  }

  /** @param {string} state */
  become(state) {
    this.state = state;
    this.watcher.changed();
  }

  /** @param {string} state */
  end(state) {
    this.isOver = true;
    this.ended = performance.now();
    this.become(state);
  }

  /** @param {Error} err */
  fail(err) {
    this.watcher.trouble(err.message, err instanceof ViewError ? err.causes : []);
    this.end('failed');
  }

  /** @param {import('./view.js').EngineEvent} e */
  hear(e) {
    this.happening.apply(e);
    this.events++;
    if (e.type === 'progress' && this.isTold) {
      this.count(Math.max(0, (e.bytes ?? 0) - this.bytes));
      if (e.size > 0) this.size = e.size;
    }
    this.watcher.changed();
  }

  /** @param {number} n */
  count(n) {
    this.bytes += n;
    this.rate.add(performance.now(), n);
  }

  async next() {
    const bytes = await this.arrival.next();
    this.count(this.arrival.got.bytes - this.bytes);
    this.watcher.changed();
    return bytes;
  }

  get view() {
    return /** @type {View} */ (this.arrival.view);
  }

  // A sequence.

  async runSequence() {
    this.player = new Player({
      url: this.url,
      next: () => this.next(),
      changed: this.watcher.changed,
      failed: (err, index) => this.fail(cutShort(err, index)),
      finished: () => this.end('complete'),
      show: (frame, kind) => this.showFrame(frame, kind),
    }, this.how);
    await this.player.run();
  }

  /** @param {import('./sequence.js').Frame} frame @param {Kind} kind */
  async showFrame(frame, kind) {
    this.kind = kind;
    if (frame.dropped) {
      this.stage.showHex(frame.bytes);
      this.watcher.trouble(`File ${frame.index} is too large to be shown: its first bytes are.`);
      return;
    }
    await this.stage.showFile(frame.bytes, kind).catch((err) => this.watcher.trouble(`File ${frame.index}: ${err.message}`));
  }

  // One file.

  /** @param {Kind} kind */
  async runFile(kind) {
    this.kind = kind;
    switch (kind.kind) {
      case 'text': return this.runText(kind);
      case 'image': return this.runImage(kind);
      case 'pnm': return this.runPixels(kind);
      case 'audio': case 'video': return this.runMedia(kind.kind);
    }
    await this.runHex();
  }

  /** Whether all of a text is kept, and may be read at once. */
  get isShort() {
    return this.size >= 0 && this.size <= keptText;
  }

  /** @param {Kind} kind */
  async runText(kind) {
    const text = this.stage.showText();
    for (let bytes = await this.next(); bytes; bytes = await this.next()) {
      text.push(bytes, kind.encoding);
      text.drawSoon();
      while (!this.isShort && text.below > unseenRows && !this.closed) {
        this.become('waiting for you to scroll down');
        await text.scrolled();
        this.become('arriving');
      }
    }
    text.end();
    text.drawSoon();
    this.end('complete');
  }

  /** @param {Kind} kind */
  async runImage(kind) {
    this.isTold = true;
    for (;;) {
      const seen = this.stage.showImage(this.view.bodyURL(kind.type));
      this.bytes = 0;
      seen.catch(() => {}); // what the program says goes before what the browser does
      if (await this.arrival.isOver(this.view)) {
        await seen;
        return this.end('complete');
      }
      await this.arrival.resume(); // from the start: the browser has nothing that one could go on with
    }
  }

  /**
   * Pixels that the page decodes itself, again and again while they arrive.
   * @param {Kind} kind
   */
  async runPixels(kind) {
    const chunks = [];
    let drawn = 0;
    for (let bytes = await this.next(); bytes; bytes = await this.next()) {
      chunks.push(bytes);
      if (this.bytes > largestPixels) throw new ViewError('This image is too large to be shown.');
      if (this.bytes < 2 * drawn) continue; // so that all the decoding is no more than twice the last one
      drawn = this.bytes;
      await this.stage.showFile(join(chunks), kind).catch(() => {}); // its header may not be whole
    }
    await this.stage.showFile(join(chunks), kind);
    this.end('complete');
  }

  /** @param {'audio' | 'video'} kind */
  async runMedia(kind) {
    this.isTold = true;
    for (let at = 0; !this.closed; at = this.media?.currentTime || at) {
      await this.view.play();
      await Promise.race([this.playFrom(kind, at), this.arrival.isOver(this.view)]); // whichever misses the program first
      await this.arrival.resume();
    }
  }

  /**
   * Plays, from a second on, until the player misses the program. Rejects if it cannot be played.
   * @param {'audio' | 'video'} kind @param {number} at
   * @returns {Promise<void>}
   */
  playFrom(kind, at) {
    const media = this.media = this.stage.showMedia(kind, this.play);
    media.addEventListener('loadedmetadata', () => {
      media.currentTime = at;
      this.become('ready to play');
      if (this.isHeard) media.play().catch(() => {});
    });
    media.addEventListener('playing', () => {
      this.isHeard = true;
      this.become('playing');
    });
    media.addEventListener('waiting', () => this.become('waiting for data'));
    media.addEventListener('pause', () => {
      if (!media.error) this.isHeard = false;
      this.become(media.ended ? 'played to its end' : 'paused');
    });
    return new Promise((resolve, reject) => {
      media.addEventListener('error', async () => {
        const why = await explain(this.play, media.error);
        if (why instanceof LostError) resolve();
        else reject(why);
      });
    });
  }

  async runHex() {
    const chunks = [];
    let isWhole = false;
    while (this.bytes < headBytes && !isWhole) {
      const bytes = await this.next();
      if (bytes) chunks.push(bytes);
      else isWhole = true;
    }
    this.stage.showHex(join(chunks));
    this.arrival.end();
    this.end(isWhole ? 'complete' : 'the first bytes are shown, and no more is fetched');
  }
}

/**
 * Why media does not play, in words.
 * @param {string} url
 * @param {MediaError | null} error
 */
async function explain(url, error) {
  const response = await fetch(url, { headers: { Range: 'bytes=0-0' } }).catch(() => null);
  if (!response) return new LostError();
  if (!response.ok) return new ViewError((await response.text()).trim() || `The gateway answered ${response.status}.`);
  await response.body?.cancel();
  return new ViewError('The browser cannot play this.', error?.message ? [error.message] : []);
}

/**
 * Why a sequence ends in a file, in words.
 * @param {Error} err
 * @param {number} index of the file
 */
function cutShort(err, index) {
  if (err instanceof CutError) {
    const missing = err.missing < 0 ? 'not even its length is whole' : `${err.missing} bytes of it are missing`;
    return new ViewError(`The sequence is cut in file ${index}: ${missing}.`);
  }
  return new ViewError(`The sequence is cut in file ${index}: ${err.message}`, err instanceof ViewError ? err.causes : []);
}

/** @param {Uint8Array[]} chunks */
function join(chunks) {
  const all = new Uint8Array(chunks.reduce((n, c) => n + c.length, 0));
  let at = 0;
  for (const c of chunks) {
    all.set(c, at);
    at += c.length;
  }
  return all;
}
