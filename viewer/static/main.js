// The page: what people ask for, and what they see of it.

import { isSequence, nameOf } from './kind.js';
import { Session } from './session.js';
import { format, parse, recall, remember } from './settings.js';
import { Stage } from './stage.js';
import { Under } from './under.js';
import { inBytes, perSecond } from './units.js';
import { samples, startsByItself } from './view.js';

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
  progress: /** @type {HTMLProgressElement} */ (by('progress')),
};

/** @param {string} id @param {string} text */
function say(id, text) {
  const e = by(id);
  if (e.textContent !== text) e.textContent = text;
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
const under = new Under({ box: by('under'), title: by('parts-title'), parts: by('parts'), words: by('parts-words'), states: by('states'),
  legend: by('legend'), rates: by('rates'), rateWords: by('rate-words'), tree: by('tree'), failures: by('failures') });
/** @type {Session | null} */
let session = null;
let settings = parse(location.hash);

function keep() {
  history.replaceState(null, '', format(settings));
}

/** Makes room for what is viewed. The samples, which have been there, are below from then on. */
function clearStage() {
  by('page').append(by('samples'));
  stage.clear();
}

/** @param {string} url */
function start(url) {
  stop();
  settings = { ...settings, url };
  keep();
  trouble('');
  clearStage();
  page.url.value = url;
  document.title = `${nameOf(url) || 'spate'} – spate`;
  noteInHistory(url);
  session = new Session(url, { ms: settings.ms, playing: settings.play }, { stage, changed: draw, trouble });
  session.run().catch((err) => trouble(String(err)));
}

function stop() {
  if (!session) return;
  session.close();
  if (session.media) stage.clear();
  draw();
}

/** What was viewed before; nothing where the browser keeps nothing. */
function storage() {
  try {
    return localStorage;
  } catch {
    return null;
  }
}

/** @param {string} url */
function noteInHistory(url) {
  if (/^[^/]*:\/\/[^/]*@/.test(url)) return; // it may have a password
  const list = remember(recall(storage()?.getItem(historyKey) ?? null), url, historyLength);
  storage()?.setItem(historyKey, JSON.stringify(list));
  offerHistory();
}

function offerHistory() {
  by('history').replaceChildren(...recall(storage()?.getItem(historyKey) ?? null).map((url) => {
    const option = document.createElement('option');
    option.value = url;
    return option;
  }));
}

/**
 * Views what a link of the page's own leads to.
 * @param {MouseEvent} e
 */
function pick(e) {
  if (e.button !== 0 || e.ctrlKey || e.metaKey || e.shiftKey) return; // it is for another tab
  e.preventDefault();
  const { hash } = /** @type {HTMLAnchorElement} */ (e.currentTarget);
  history.pushState(null, '', hash);
  settings = parse(hash);
  start(settings.url);
}

async function offerSamples() {
  const list = await samples().catch(() => []);
  by('samples').hidden = list.length === 0;
  by('samples').querySelector('ul')?.replaceChildren(...list.map(({ title, url, ms }) => {
    const link = document.createElement('a');
    link.href = format({ ...parse(''), url, ms: ms ?? settings.ms });
    const [name, ...about] = title.split(': ');
    link.textContent = name;
    link.addEventListener('click', pick);
    const item = document.createElement('li');
    item.append(link, about.length ? ` ${about.join(': ')}` : '');
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
  const s = session;
  const now = s?.ended || performance.now();
  const player = s?.player;
  const isLive = s !== null && !s.closed;
  page.stop.disabled = !isLive || s.isOver;
  page.back.disabled = !player || player.behind + 1 >= player.shown.length;
  page.step.disabled = page.pause.disabled = page.ms.disabled = !isLive || !player;
  page.pause.textContent = player?.playing ? 'Pause' : 'Animate';
  by('player').classList.toggle('none', s !== null && !isSequence(s.url));
  page.ms.value = String(settings.ms);
  say('ms-shown', `${settings.ms} ms`);
  say('state', s ? stateOf(s) : 'idle');
  by('status').dataset.phase = s ? phaseOf(s) : 'idle';
  page.progress.value = s ? shareOf(s) : 0;
  say('kind', s?.kind ? `${s.kind.kind === 'binary' ? 'data' : s.kind.type || s.kind.kind}` : '–');
  say('frame', player?.current ? `${player.current.index}, ${inBytes(player.current.size)}` : '–');
  say('fps', player ? player.rate.rate(now).toFixed(1) : '–');
  say('bytes', s ? inBytes(s.bytes) : '–');
  say('size', s && s.size >= 0 ? inBytes(s.size) : s ? 'not known' : '–');
  say('rate', s ? perSecond(s.rate.rate(now)) : '–');
  say('first', s?.first ? `${Math.round(s.first)} ms` : '–');
  drawSave(s);
  if (s) under.draw(s, now);
}

/** @param {Session} s */
function stateOf(s) {
  if (s.lost) return s.lost;
  if (s.player && !s.isOver) return s.player.playing ? 'playing' : 'paused';
  return s.state;
}

/**
 * How much of it has come, where that is known.
 * @param {Session} s
 */
function shareOf(s) {
  if (s.state === 'complete') return 1;
  return s.size > 0 ? s.bytes / s.size : 0;
}

/** @param {Session} s */
function phaseOf(s) {
  if (s.lost || s.happening.phase === 'waiting') return 'waiting';
  if (s.isOver) return s.state === 'failed' ? 'failed' : 'done';
  return s.player && !s.player.playing ? 'paused' : 'running';
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

/**
 * Does what the page's address says; where another site has led here, once it was asked for: the address may be that site's, also a later
 * one.
 */
function obey() {
  settings = parse(location.hash);
  page.url.value = settings.url;
  if (!settings.url) return;
  if (startsByItself()) {
    start(settings.url);
    return;
  }
  stop();
  clearStage();
  stage.say('Another page has led here. Press Start to view this URL.');
}

// What people do.

page.ask.addEventListener('submit', (e) => {
  e.preventDefault();
  start(page.url.value.trim());
  by('stage').focus({ preventScroll: true }); // so that keys are the player's
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

addEventListener('hashchange', obey);
addEventListener('pagehide', stop);
setInterval(draw, 250); // rates go on when nothing else does

offerHistory();
offerSamples();
obey();
draw();
