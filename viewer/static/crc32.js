/** The remainders of all bytes, of the polynomial that zlib and Ethernet have (in Go hash/crc32.IEEE). */
const table = Uint32Array.from({ length: 256 }, (_, n) => {
  for (let bit = 0; bit < 8; bit++) n = n & 1 ? (n >>> 1) ^ 0xedb88320 : n >>> 1;
  return n;
});

/**
 * The CRC-32 of what had one, with more bytes behind it.
 * @param {number} crc that of no bytes is 0
 * @param {Uint8Array} bytes
 */
export function crc32(crc, bytes) {
  let rest = ~crc;
  for (let i = 0; i < bytes.length; i++) rest = (rest >>> 8) ^ table[(rest ^ bytes[i]) & 0xff];
  return ~rest >>> 0;
}
