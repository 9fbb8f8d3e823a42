const MODULUS = 65521
/** So many bytes at most can be summed before the second sum leaves 31 bits, within which integers are quickest. */
const BLOCK = 3800

/** The Adler-32 of bytes, initial value 1, as zlib and UconDB's `uadler32` have it: 0 to 2^32-1 (RFC 1950 section 8.2). */
export const adler32 = (bytes: Uint8Array): number => {
  let a = 1
  let b = 0
  for (let from = 0; from < bytes.length; from += BLOCK) {
    const end = Math.min(from + BLOCK, bytes.length)
    for (let i = from; i < end; i++) {
      a = (a + (bytes[i] ?? 0)) | 0
      b = (b + a) | 0
    }
    a %= MODULUS
    b %= MODULUS
  }
  return ((b << 16) | a) >>> 0
}
