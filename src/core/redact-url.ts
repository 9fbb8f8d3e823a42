/**
 * A URL, or a text with URLs in it, with the passwords taken out: for every place where a person or a log sees it.
 * It takes out what stands between `//user:` and the last `@` before the path, so that a badly written URL leaks nothing either.
 */
export const redactUrl = (text: string): string =>
  text
    .replace(/([a-z][a-z0-9+.-]*:\/\/[^\s/?#:@]*):[^\s/]*@/gi, '$1:[secret]@')
    .replace(/([?&](?:password|passwd|pwd|token|secret|authkey)=)[^&\s#]*/gi, '$1[secret]')
