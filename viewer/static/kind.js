/**
 * What bytes are, told by the first of them, and where these say nothing by the name in their URL. No media type that
 * an origin sends is asked: it is a claim.
 */

/**
 * @typedef {'text' | 'image' | 'pnm' | 'audio' | 'video' | 'binary'} Kind
 *
 * How to show something: an image is one that browsers show, pnm is for pnm.js, all text is shown as it is written,
 * HTML and scripts too, and binary is all else.
 * @typedef {{kind: Kind, type: string, encoding?: string}} Found
 * type: a media type; encoding: of text, a label that TextDecoder knows
 */

const HEAD = 4096;

/**
 * How to show what begins with these bytes: the first 4096 count, some hundred are enough, and none at all are an empty
 * text.
 * @param {Uint8Array} head
 * @param {string} url where they come from; only its name counts, and only where the bytes say nothing
 * @returns {Found}
 */
export function kindOf(head, url) {
  const bytes = head.subarray(0, HEAD);
  const start = String.fromCharCode(...bytes); // a character for each byte
  return byMagic(start) ?? byText(bytes) ?? byName(url, start);
}

/** @type {[RegExp, Kind, string][]} what files begin with, a character for each byte */
const MAGIC = [
  [/^\x89PNG\r\n\x1a\n/, 'image', 'image/png'],
  [/^\xff\xd8\xff/, 'image', 'image/jpeg'],
  [/^GIF8[79]a/, 'image', 'image/gif'],
  [/^RIFF[^]{4}WEBP/, 'image', 'image/webp'],
  [/^RIFF[^]{4}WAVE/, 'audio', 'audio/wav'],
  [/^RIFF[^]{4}AVI /, 'video', 'video/x-msvideo'],
  [/^BM[^]{4}\0{4}[^]{4}[\x0c\x28\x34\x38\x40\x6c\x7c]\0\0\0/, 'image', 'image/bmp'],
  [/^\0\0\x01\0[^]\0/, 'image', 'image/x-icon'],
  [/^[^]{4}ftyp(avif|avis|[^]{8}([^]{4}){0,8}avi[fs])/, 'image', 'image/avif'],
  [/^[^]{4}ftypM4[AB] /, 'audio', 'audio/mp4'],
  [/^[^]{4}ftypqt {2}/, 'video', 'video/quicktime'],
  [/^[^]{4}ftyp(iso|mp4|avc|M4V|dash|MSNV|3g)/, 'video', 'video/mp4'],
  [/^\x1aE\xdf\xa3[^]{0,60}webm/, 'video', 'video/webm'],
  [/^\x1aE\xdf\xa3/, 'video', 'video/x-matroska'],
  [/^OggS[^]{24,}?\x80theora/, 'video', 'video/ogg'],
  [/^OggS/, 'audio', 'audio/ogg'],
  [/^fLaC/, 'audio', 'audio/flac'],
  [/^ID3[\x02-\x04]/, 'audio', 'audio/mpeg'],
  [/^\xff[\xf0\xf1\xf8\xf9]/, 'audio', 'audio/aac'], // ADTS: the layer is 0
  [/^\xff[\xe2-\xe7\xf2-\xf7\xfa-\xfd][\x10-\xef][^]/, 'audio', 'audio/mpeg'], // a frame whose bit rate is told
  [/^P[1-6](\s|#[^\n\r]*[\n\r])+\d/, 'pnm', 'image/x-portable-anymap'],
];

/**
 * @param {string} start
 * @returns {Found | undefined}
 */
function byMagic(start) {
  const found = MAGIC.find(([pattern]) => pattern.test(start));
  return found && { kind: found[1], type: found[2] };
}

/** What may come before the first tag of an SVG: a prolog, comments, a type with declarations of its own. */
const BEFORE_TAG = /^(?:<\?[^]*?\?>|<!--[^]*?-->|<!DOCTYPE[^<>[\]]*(?:\[(?:[^\]"']|"[^"]*"|'[^']*')*\]\s*)?>)/i;

/** @param {string} text */
function isSVG(text) {
  let rest = text.trimStart(); // a BOM is white space
  for (let found = BEFORE_TAG.exec(rest); found; found = BEFORE_TAG.exec(rest)) {
    rest = rest.slice(found[0].length).trimStart();
  }
  return /^<(?:[\w-]+:)?svg[\s/>]/.test(rest);
}

/**
 * What is text, or an image that is text.
 * @param {Uint8Array} head
 * @returns {Found | undefined}
 */
function byText(head) {
  const encoding = encodingOf(head);
  const text = decoded(head, encoding);
  if (text === undefined || /[\0-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f]/.test(text)) return undefined;
  if (isSVG(text)) return { kind: 'image', type: 'image/svg+xml' };
  return { kind: 'text', type: 'text/plain', encoding };
}

/** @param {Uint8Array} head */
function encodingOf(head) {
  if (head[0] === 0xff && head[1] === 0xfe) return 'utf-16le';
  if (head[0] === 0xfe && head[1] === 0xff) return 'utf-16be';
  return 'utf-8';
}

/**
 * The text, of which the last character may be cut; undefined if it is none.
 * @param {Uint8Array} head
 * @param {string} encoding
 */
function decoded(head, encoding) {
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(head, { stream: true });
  } catch {
    return undefined;
  }
}

/** @type {Record<string, [Kind, string]>} what names end in, where bytes may not tell */
const EXTENSIONS = {
  aac: ['audio', 'audio/aac'],
  avi: ['video', 'video/x-msvideo'],
  avif: ['image', 'image/avif'],
  bmp: ['image', 'image/bmp'],
  flac: ['audio', 'audio/flac'],
  gif: ['image', 'image/gif'],
  ico: ['image', 'image/x-icon'],
  jpeg: ['image', 'image/jpeg'],
  jpg: ['image', 'image/jpeg'],
  m4a: ['audio', 'audio/mp4'],
  m4v: ['video', 'video/mp4'],
  mkv: ['video', 'video/x-matroska'],
  mov: ['video', 'video/quicktime'],
  mp3: ['audio', 'audio/mpeg'],
  mp4: ['video', 'video/mp4'],
  oga: ['audio', 'audio/ogg'],
  ogg: ['audio', 'audio/ogg'],
  ogv: ['video', 'video/ogg'],
  opus: ['audio', 'audio/ogg'],
  png: ['image', 'image/png'],
  wav: ['audio', 'audio/wav'],
  webm: ['video', 'video/webm'],
  webp: ['image', 'image/webp'],
};

const TEXTS = new Set(['c', 'css', 'csv', 'go', 'htm', 'html', 'js', 'json', 'log', 'md', 'tex', 'tsv', 'txt', 'xml']);

/**
 * @param {string} url
 * @param {string} start
 * @returns {Found}
 */
function byName(url, start) {
  const extension = /\.([^.]*)$/.exec(nameOf(url))?.[1].toLowerCase() ?? '';
  if (TEXTS.has(extension) && !start.includes('\0')) return { kind: 'text', type: 'text/plain', encoding: 'windows-1252' };
  if (!Object.hasOwn(EXTENSIONS, extension)) return { kind: 'binary', type: 'application/octet-stream' };
  const [kind, type] = EXTENSIONS[extension];
  return { kind, type };
}

/**
 * The name of what a URL stands for: the last element of its path, decoded, without what says how it is delivered: a
 * part's or manifest's ".parts", a sequence's "-seq" (with what is behind it, up to a dot), a program's ".cgi" or ".py".
 * "http://h/fly.txt-seq.parts.cgi?x=1" is "fly.txt". It is a name to show and to go by, not one to trust as a path.
 * @param {string} url absolute or relative
 */
export function nameOf(url) {
  const path = url.replace(/[?#][^]*$/, '').replace(/^([a-z][a-z\d+.-]*:)?\/\/[^/]*/i, '');
  let name = unescaped(path.slice(path.lastIndexOf('/') + 1));
  for (let before = ''; name !== before; ) {
    before = name;
    name = name.replace(/(\.parts|\.cgi|\.py|-seq[^.]*)$/, '');
  }
  return name;
}

/** @param {string} name */
function unescaped(name) {
  try {
    return decodeURIComponent(name);
  } catch {
    return name; // a '%' that stands for itself
  }
}

/**
 * Whether a URL names a sequence: it contains "-seq", anywhere. That is the engine's rule, too; a ".parts" or ".cgi" at
 * the end makes no difference to it.
 * @param {string} url
 */
export function isSequence(url) {
  return url.includes('-seq');
}
