/**
 * For a server that does not answer: its tests are skipped by name. One that an environment variable names, as those are that the tests start
 * themselves, was there or should be, and is an error: a skipped test would pass for none.
 */
export const absent =
  (...variables: readonly string[]) =>
  (cause: unknown): false => {
    const named = variables.filter((name) => process.env[name])
    if (named.length > 0)
      throw new Error(`the server that ${named.join(', ')} names does not answer`, { cause })
    return false
  }
