/** The beginning of a text that takes at most so many bytes of UTF-8; no character is cut. */
export const cutBytes = (text: string, most: number): string => {
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(most))
  return text.slice(0, read)
}
