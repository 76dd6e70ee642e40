/**
 * Bytes as rows to read: where a row begins, its bytes in hexadecimal in groups of eight, and what of them is printable
 * ASCII. All rows are of one width.
 *
 *     00000000  89 50 4e 47 0d 0a 1a 0a  00 00 00 0d 49 48 44 52  .PNG........IHDR
 *
 * @param {Uint8Array} bytes
 * @param {{bytesPerRow?: number}} options 16
 * @returns {string[]}
 */
export function hexRows(bytes, { bytesPerRow = 16 } = {}) {
  const rows = [];
  const width = hexOf(new Uint8Array(bytesPerRow)).length;
  for (let off = 0; off < bytes.length; off += bytesPerRow) {
    const row = bytes.subarray(off, off + bytesPerRow);
    const ascii = Array.from(row, (byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.')).join('');
    rows.push(`${off.toString(16).padStart(8, '0')}  ${hexOf(row).padEnd(width)}  ${ascii.padEnd(bytesPerRow)}`);
  }
  return rows;
}

/** @param {Uint8Array} row */
function hexOf(row) {
  return Array.from(row, (byte, i) => (i > 0 && i % 8 === 0 ? ' ' : '') + byte.toString(16).padStart(2, '0')).join(' ');
}
