// The page: what people ask for, and what they see of it.

import { Arrival } from './arrival.js';
import { Happening } from './happening.js';
import { isSequence, kindOf, nameOf } from './kind.js';
import { Player } from './player.js';
import { RateMeter } from './rate.js';
import { format, parse, remember } from './settings.js';
import { Stage } from './stage.js';
import { Under } from './under.js';
import { samples, startsByItself, ViewError } from './view.js';

/** @typedef {import('./kind.js').Found} Kind */

const headBytes = 4096; // shown of what is neither text nor picture nor sound
const unseenText = 200_000; // rows below those that are seen: more are not read of what has no known end
const historyKey = 'spate history';
const historyLength = 30;

/** @template {HTMLElement} T @param {string} id @returns {T} */
const by = (id) => /** @type {T} */ (document.getElementById(id));

const page = {
  ask: /** @type {HTMLFormElement} */ (by('ask')),
  url: /** @type {HTMLInputElement} */ (by('url')),
  stop: /** @type {HTMLButtonElement} */ (by('stop')),
  back: /** @type {HTMLButtonElement} */ (by('back')),
  pause: /** @type {HTMLButtonElement} */ (by('pause')),
  step: /** @type {HTMLButtonElement} */ (by('step')),
  ms: /** @type {HTMLInputElement} */ (by('ms')),
  save: /** @type {HTMLAnchorElement} */ (by('save')),
};

/** @param {number} n */
function inBytes(n) {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let unit = 0;
  for (; n >= 1024 && unit < units.length - 1; unit++) n /= 1024;
  return `${unit === 0 ? n : n.toFixed(1)} ${units[unit]}`;
}

/** @param {string} id @param {string} text */
function say(id, text) {
  const e = by(id);
  if (e.textContent !== text) e.textContent = text;
}

/** One URL being viewed. */
class Session {
  /** @param {string} url @param {{ms: number, playing: boolean}} how @param {Stage} stage */
  constructor(url, how, stage) {
    this.url = url;
    this.how = how;
    this.stage = stage;
    this.began = performance.now();
    /** @type {number | null} */
    this.first = null; // ms until the first byte
    this.bytes = 0;
    this.size = -1;
    this.state = 'connecting';
    this.lost = '';
    this.happening = new Happening();
    this.events = 0; // that it was told
    this.rate = new RateMeter({ windowMs: 2000, samples: 240 });
    /** @type {Player | null} */
    this.player = null;
    /** @type {HTMLMediaElement | null} */
    this.media = null;
    /** @type {Kind | null} */
    this.kind = null;
    this.play = ''; // where a player, and who saves, gets it
    this.closed = false;
    this.arrival = new Arrival(url, {
      tell: (e) => this.hear(e),
      say: (words) => { this.lost = words; draw(); },
    });
  }

  /** @param {import('./view.js').EngineEvent} e */
  hear(e) {
    this.happening.apply(e);
    this.events++;
    if (e.type === 'progress' && !this.arrival.reader) { // else the page counts itself
      this.count((e.bytes ?? 0) - this.bytes);
      if (e.size > 0) this.size = e.size;
    }
    draw();
  }

  /** @param {number} n */
  count(n) {
    this.bytes += n;
    this.rate.add(performance.now(), Math.max(0, n));
  }

  async next() {
    const bytes = await this.arrival.next();
    if (bytes) this.count(bytes.length);
    draw();
    return bytes;
  }

  async run() {
    try {
      const opened = await this.arrival.open();
      this.first = performance.now() - this.began;
      this.size = opened.size;
      this.play = opened.play;
      this.state = 'arriving';
      if (isSequence(this.url)) await this.runSequence();
      else await this.runFile(kindOf(opened.head, opened.url || this.url));
    } catch (err) {
      if (!this.closed) this.fail(/** @type {Error} */ (err));
    }
    draw();
  }

  async runSequence() {
    this.player = new Player({
      url: this.url,
      next: () => this.next(),
      changed: draw,
      failed: (err) => this.fail(err),
      finished: () => { this.state = 'complete'; draw(); },
      show: async (frame, kind) => {
        this.kind = kind;
        if (frame.dropped) return this.stage.showHex(frame.bytes);
        await this.stage.showFile(frame.bytes, kind).catch((err) => trouble(`File ${frame.index}: ${err.message}`));
      },
    }, this.how);
    await this.player.run();
  }

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

  /** @param {Kind} kind */
  async runText(kind) {
    const text = this.stage.showText();
    for (let bytes = await this.next(); bytes; bytes = await this.next()) {
      text.push(bytes, kind.encoding);
      text.drawSoon();
      while (this.size < 0 && text.below > unseenText && !this.closed) {
        this.state = 'waiting for you to scroll down';
        draw();
        await text.scrolled();
        this.state = 'arriving';
      }
    }
    text.end();
    text.drawSoon();
    this.state = 'complete';
  }

  /** @param {Kind} kind */
  async runImage(kind) {
    const view = /** @type {import('./view.js').View} */ (this.arrival.view);
    const seen = this.stage.showImage(view.bodyURL(kind.type));
    const outcome = await view.outcome();
    if (outcome?.type === 'error') throw new ViewError(outcome.error, outcome.causes);
    await seen;
    this.state = 'complete';
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
      if (this.bytes < 2 * drawn) continue; // so that all the decoding is no more than twice the last one
      drawn = this.bytes;
      await this.stage.showFile(join(chunks), kind).catch(() => {}); // its header may not be whole
    }
    await this.stage.showFile(join(chunks), kind);
    this.state = 'complete';
  }

  /** @param {'audio' | 'video'} kind */
  async runMedia(kind) {
    const view = /** @type {import('./view.js').View} */ (this.arrival.view);
    await view.play();
    const media = this.media = this.stage.showMedia(kind, this.play);
    media.addEventListener('playing', () => { this.state = 'playing'; draw(); });
    media.addEventListener('pause', () => { this.state = media.ended ? 'played to its end' : 'paused'; draw(); });
    media.addEventListener('waiting', () => { this.state = 'waiting for data'; draw(); });
    media.addEventListener('loadedmetadata', () => { this.state = 'ready to play'; draw(); });
    await new Promise((_, reject) => {
      media.addEventListener('error', () => this.explain(media).then(reject));
    });
  }

  /**
   * Why media does not play, in words.
   * @param {HTMLMediaElement} media
   */
  async explain(media) {
    const response = await fetch(this.play, { headers: { Range: 'bytes=0-0' } }).catch(() => null);
    if (!response) return new ViewError('The connection to spate is lost.');
    if (!response.ok) return new ViewError((await response.text()).trim() || `The gateway answered ${response.status}.`);
    return new ViewError('The browser cannot play this.', media.error?.message ? [media.error.message] : []);
  }

  async runHex() {
    const chunks = [];
    while (this.bytes < headBytes) {
      const bytes = await this.next();
      if (!bytes) {
        this.state = 'complete';
        break;
      }
      chunks.push(bytes);
    }
    this.stage.showHex(join(chunks));
    if (this.state !== 'complete') this.state = 'the first bytes are shown, and no more is fetched';
    this.arrival.end();
  }

  /** @param {Error} err */
  fail(err) {
    this.state = 'failed';
    trouble(err.message, err instanceof ViewError ? err.causes : []);
    draw();
  }

  close() {
    this.closed = true;
    this.player?.close();
    this.arrival.end();
  }
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

/**
 * What went wrong, in words.
 * @param {string} line
 * @param {string[]} [causes]
 */
function trouble(line, causes = []) {
  by('trouble').hidden = line === '';
  say('trouble-line', line);
  by('trouble-causes').replaceChildren(...causes.map((cause) => {
    const item = document.createElement('li');
    item.textContent = cause;
    return item;
  }));
}

// The session, and the page's address, which has all of it.

const stage = new Stage(by('stage'));
const under = new Under({ parts: by('parts'), words: by('parts-words'), legend: by('legend'), rates: by('rates'), rateWords: by('rate-words'),
  tree: by('tree'), failures: by('failures') });
/** @type {Session | null} */
let session = null;
let settings = parse(location.hash);

function keep() {
  history.replaceState(null, '', format(settings));
}

/** @param {string} url */
function start(url) {
  stop();
  settings = { ...settings, url };
  keep();
  trouble('');
  stage.clear();
  page.url.value = url;
  document.title = `${nameOf(url) || 'spate'} – spate`;
  noteInHistory(url);
  const mine = session = new Session(url, { ms: settings.ms, playing: settings.play }, stage);
  session.run().finally(() => { if (session === mine) draw(); });
  draw();
}

function stop() {
  if (!session) return;
  session.close();
  if (!['complete', 'failed'].includes(session.state)) session.state = 'stopped';
  if (session.media) stage.clear();
  draw();
}

/** @param {string} url */
function noteInHistory(url) {
  if (/^[^/]*:\/\/[^/]*@/.test(url)) return; // it may have a password
  try {
    const list = remember(JSON.parse(localStorage.getItem(historyKey) ?? '[]'), url, historyLength);
    localStorage.setItem(historyKey, JSON.stringify(list));
  } catch {
    // a browser that keeps nothing
  }
  offerHistory();
}

function offerHistory() {
  /** @type {string[]} */
  let list = [];
  try {
    list = JSON.parse(localStorage.getItem(historyKey) ?? '[]');
  } catch {
    // a browser that keeps nothing
  }
  by('history').replaceChildren(...list.map((url) => {
    const option = document.createElement('option');
    option.value = url;
    return option;
  }));
}

async function offerSamples() {
  const list = await samples().catch(() => []);
  by('samples').hidden = list.length === 0;
  by('samples').querySelector('ul')?.replaceChildren(...list.map(({ title, url, ms }) => {
    const link = document.createElement('a');
    link.href = format({ ...parse(''), url, ms: ms ?? settings.ms });
    link.textContent = title;
    const item = document.createElement('li');
    item.append(link);
    return item;
  }));
}

// Drawing: at most once per frame of the screen.

let isDrawing = false;

function draw() {
  if (isDrawing) return;
  isDrawing = true;
  requestAnimationFrame(() => {
    isDrawing = false;
    drawNow();
  });
}

function drawNow() {
  const now = performance.now();
  const s = session;
  const player = s?.player;
  const isLive = s !== null && !s.closed;
  page.stop.disabled = !isLive || ['complete', 'failed'].includes(s.state);
  page.back.disabled = !player || player.behind + 1 >= player.shown.length;
  page.step.disabled = page.pause.disabled = page.ms.disabled = !isLive || !player;
  page.pause.textContent = player?.playing ? 'Pause' : 'Animate';
  page.pause.setAttribute('aria-pressed', String(player?.playing ?? false));
  page.ms.value = String(settings.ms);
  say('ms-shown', `${settings.ms} ms`);
  say('state', s ? stateOf(s) : 'idle');
  say('kind', s?.kind ? `${s.kind.kind === 'binary' ? 'data' : s.kind.type || s.kind.kind}` : '–');
  say('frame', player?.current ? `${player.current.index}, ${inBytes(player.current.size)}` : '–');
  say('fps', player ? player.rate.rate(now).toFixed(1) : '–');
  say('bytes', s ? inBytes(s.bytes) : '–');
  say('size', s && s.size >= 0 ? inBytes(s.size) : s ? 'not known' : '–');
  say('rate', s ? `${inBytes(Math.round(s.rate.rate(now)))}/s` : '–');
  say('first', s?.first ? `${Math.round(s.first)} ms` : '–');
  drawSave(s);
  if (s) under.draw(s.happening, s.events, s.rate, now);
}

/** @param {Session} s */
function stateOf(s) {
  if (s.lost) return s.lost;
  if (s.player && s.state === 'arriving') return s.player.playing ? 'playing' : 'paused';
  return s.state;
}

/** @param {Session | null} s */
function drawSave(s) {
  const isReady = Boolean(s && (s.player ? s.player.current : s.play));
  page.save.setAttribute('aria-disabled', String(!isReady));
  if (isReady && s && !s.player) {
    page.save.href = s.play;
    page.save.download = nameOf(s.url) || 'download';
  } else if (!isReady) {
    page.save.removeAttribute('href');
  } else {
    page.save.href = '#save';
  }
}

// What people do.

page.ask.addEventListener('submit', (e) => {
  e.preventDefault();
  start(page.url.value.trim());
});
page.stop.addEventListener('click', stop);
page.back.addEventListener('click', () => session?.player?.back());
page.step.addEventListener('click', step);
page.pause.addEventListener('click', toggle);
page.ms.addEventListener('input', () => setDelay(Number(page.ms.value)));
page.save.addEventListener('click', saveFrame);

function step() {
  session?.player?.step();
  notePlaying();
}

function toggle() {
  if (session?.media) {
    if (session.media.paused) session.media.play().catch(() => {});
    else session.media.pause();
    return;
  }
  session?.player?.toggle();
  notePlaying();
}

function notePlaying() {
  if (!session?.player) return;
  settings = { ...settings, play: session.player.playing };
  keep();
  draw();
}

/** @param {number} ms */
function setDelay(ms) {
  settings = { ...settings, ms: Math.max(0, Math.min(Number(page.ms.max), Math.round(ms))) };
  keep();
  session?.player?.setDelay(settings.ms);
  draw();
}

/**
 * Saves the file of a sequence that is seen.
 * @param {Event} e
 */
function saveFrame(e) {
  const frame = session?.player?.current;
  if (!session?.player) return;
  e.preventDefault();
  if (!frame) return;
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([frame.bytes], { type: 'application/octet-stream' }));
  link.download = `${nameOf(session.url) || 'file'}-file${frame.index}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** @type {Record<string, () => void>} */
const keys = {
  ' ': toggle,
  ArrowRight: step,
  s: step,
  ArrowLeft: () => { session?.player?.back(); notePlaying(); },
  '+': () => setDelay(settings.ms / 1.25 - 1),
  '-': () => setDelay(settings.ms * 1.25 + 1),
};

document.addEventListener('keydown', (e) => {
  const at = e.target;
  if (e.ctrlKey || e.altKey || e.metaKey || at instanceof HTMLInputElement || at instanceof HTMLMediaElement) return;
  if (e.key === ' ' && (at instanceof HTMLButtonElement || at instanceof HTMLAnchorElement)) return;
  const act = keys[e.key];
  if (!act || !session?.player && !session?.media) return;
  e.preventDefault();
  act();
});

addEventListener('hashchange', () => {
  settings = parse(location.hash);
  if (settings.url) start(settings.url);
});
addEventListener('pagehide', stop);
setInterval(draw, 250); // rates go on when nothing else does

offerHistory();
offerSamples();
page.url.value = settings.url;
if (settings.url && startsByItself()) start(settings.url);
else if (settings.url) say('idle', 'Another page has led here. Press Start to view this URL.');
draw();
