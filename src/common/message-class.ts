/** A message without what changes from one case to the next, for grouping: digests, paths and numbers. */
export const messageClass = (message: string): string =>
  message
    .replace(/\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/gi, '<id>')
    .replace(/\b(?=[0-9a-f]*[a-f])(?=[0-9a-f]*\d)[0-9a-f]{12,}\b/gi, '<digest>')
    .replace(/(?:\/[\w.@+-]+){2,}/g, '<path>')
    .replace(/\d+(?:\.\d+)?/g, '<n>')
