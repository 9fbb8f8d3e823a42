/** So much of a file decides. */
export const LOOKED_AT = 4096

/** A text of this share of other characters is none. Latin-1 text with accents has a few; random bytes have more than half. */
const MOST = 0.1

/** What is wrong with a text file by its beginning: it is empty, or bytes that are no text. Undefined for a text of any encoding, and for what stands in none. */
export const damageOfText = (name: string, bytes: Buffer): string | undefined => {
  if (bytes.length === 0) return name === 'metadata.txt' ? 'metadata.txt is empty' : undefined
  const beginning = bytes.subarray(0, LOOKED_AT)
  const odd = beginning.toString('utf8').match(/[\u0000-\u0008\u000e-\u001b\ufffd]/g)?.length ?? 0
  return odd > beginning.length * MOST ? `${name} is not text: its bytes look random` : undefined
}

/** What is wrong with the text files of a record, which stand beside one another; undefined where nothing is. */
export const damageOfTexts = (
  files: readonly { readonly name: string; readonly content: Buffer }[],
): string | undefined => {
  const found = files.flatMap(({ name, content }) =>
    /^[^/]+\.txt$/.test(name) ? (damageOfText(name, content) ?? []) : [],
  )
  return found.length > 0 ? found.sort().join(', ') : undefined
}
