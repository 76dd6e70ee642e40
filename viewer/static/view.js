// A view: what the program does for this page. docs/spec/viewer.md is the contract.

/**
 * @typedef {{head: Uint8Array, size: number, mediaType: string, name: string, url: string, play: string}} Opened
 * @typedef {{type: 'done', bytes?: number} | {type: 'error', error: string, causes?: string[], kind: string}} Outcome
 * @typedef {Record<string, any> & {type: string}} EngineEvent
 */

/** Something was refused, or has failed, in words. */
export class ViewError extends Error {
  /** @param {string} message @param {string[]} [causes] */
  constructor(message, causes = []) {
    super(message);
    this.causes = causes;
  }
}

/** The program does not answer, or knows no more of the view: another one can be started. */
export class LostError extends Error {
  constructor() {
    super('The program does not answer.');
  }
}

/** The page is of an earlier run of the program. */
export class StaleError extends ViewError {}

/** @param {string} name */
function meta(name) {
  return document.querySelector(`meta[name="spate-${name}"]`)?.getAttribute('content') ?? '';
}

/** Whether what the page's address says may start by itself: not where another site has led here. */
export const startsByItself = () => meta('start') === 'auto';

/**
 * @param {string} path @param {RequestInit} [init]
 * @returns {Promise<Response>}
 */
async function ask(path, init) {
  try {
    return await fetch(path, init);
  } catch (err) {
    if (err instanceof DOMException && err.name === 'AbortError') throw err;
    throw new LostError();
  }
}

/**
 * What an answer has as JSON.
 * @param {Response} response
 */
async function read(response) {
  try {
    return await response.json();
  } catch (err) {
    if (err instanceof DOMException && err.name === 'AbortError') throw err;
    throw new LostError(); // on the way
  }
}

/** @param {Response} response */
async function refusal(response) {
  const isGone = response.status === 404 || response.status === 503; // the view has ended, or the program is about to
  if (isGone) return new LostError();
  const said = await response.json().catch(() => ({}));
  if (said.stale) return new StaleError(said.error);
  return new ViewError(said.error ?? `The program answered ${response.status}.`, said.causes);
}

/** @returns {Promise<{title: string, url: string, ms?: number}[]>} */
export async function samples() {
  const response = await ask('view/samples');
  return response.ok ? read(response) : [];
}

export class View {
  /** @param {string} id */
  constructor(id) {
    this.id = id;
    this.ending = new AbortController();
    /** @type {EventSource | undefined} */
    this.source = undefined;
  }

  /**
   * Starts a view of url, behind what is there of it already.
   * @param {string} url @param {{bytes: number, crc32: number}} have
   */
  static async start(url, have) {
    const response = await ask('view/', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'X-Spate-Token': meta('token') },
      body: JSON.stringify({ url, skip: have.bytes, crc32: have.crc32 }),
    });
    if (response.status !== 201) throw await refusal(response);
    return new View((await read(response)).id);
  }

  /** @param {string} what */
  path(what) {
    return `view/${this.id}/${what}`;
  }

  /**
   * Waits for the first bytes.
   * @returns {Promise<Opened>}
   */
  async opened() {
    const response = await ask(this.path('opened'), { signal: this.ending.signal });
    if (!response.ok) throw await refusal(response);
    const said = await read(response);
    return { ...said, head: Uint8Array.from(atob(said.head ?? ''), (c) => c.charCodeAt(0)) };
  }

  /**
   * Waits until the stream is over, and says how. null: the page has ended it.
   * @returns {Promise<Outcome | null>}
   */
  async outcome() {
    const response = await ask(this.path('outcome'), { signal: this.ending.signal });
    if (!response.ok) throw await refusal(response);
    return read(response);
  }

  /**
   * Tells what happens, until the view ends.
   * @param {(e: EngineEvent) => void} tell
   */
  listen(tell) {
    const source = new EventSource(this.path('events'));
    source.onmessage = (message) => {
      const event = JSON.parse(message.data);
      tell(event);
      if (event.type === 'done' || event.type === 'error') source.close();
    };
    this.source = source;
  }

  /**
   * Where an image element finds the bytes.
   * @param {string} type
   */
  bodyURL(type) {
    return this.path(`body?as=${encodeURIComponent(type)}`);
  }

  /**
   * The bytes, as they are read: what is not read here is not sent, nor fetched.
   * @returns {Promise<ReadableStreamDefaultReader<Uint8Array>>}
   */
  async body() {
    const response = await ask(this.path('body'), { signal: this.ending.signal });
    if (!response.ok || !response.body) throw await refusal(response);
    return response.body.getReader();
  }

  /** Leaves the bytes to a player, which reads them from the gateway. */
  async play() {
    const response = await ask(this.path('play'), { method: 'POST', signal: this.ending.signal });
    if (!response.ok) throw await refusal(response);
  }

  /** Ends it: nothing more is fetched. Ending again does nothing. */
  end() {
    if (this.ending.signal.aborted) return;
    this.source?.close();
    this.ending.abort();
    fetch(`view/${this.id}`, { method: 'DELETE', keepalive: true }).catch(() => {});
  }
}
