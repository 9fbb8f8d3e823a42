/**
 * What of a text not every target can hold; undefined where all can. The verdict on a payload must not depend on where its rows go:
 * PostgreSQL refuses a NUL, SQLite gives the text back cut at it, and no encoding has half of a surrogate pair.
 */
export const characterFault = (text: string): string | undefined => {
  if (text.includes('\0')) return 'has a NUL character'
  return /\p{Surrogate}/u.test(text) ? 'has half of a surrogate pair' : undefined
}
