const MODULUS = 65521
/** The most bytes that can be summed before the second sum leaves 32 bits (RFC 1950, zlib's NMAX). */
const BLOCK = 5552

/** The Adler-32 of bytes, initial value 1, as zlib and UconDB's `uadler32` have it: 0 to 2^32-1 (RFC 1950 section 8.2). */
export const adler32 = (bytes: Uint8Array): number => {
  let a = 1
  let b = 0
  for (let from = 0; from < bytes.length; from += BLOCK) {
    const end = Math.min(from + BLOCK, bytes.length)
    for (let i = from; i < end; i++) {
      a += bytes[i] ?? 0
      b += a
    }
    a %= MODULUS
    b %= MODULUS
  }
  return ((b << 16) | a) >>> 0
}
