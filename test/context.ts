import type { Context } from '../src/app/context.ts'

/** What a command is given in a test: nothing of this process, no terminal, nobody who reads, but for what `given` says. */
export const contextOf = (given: Partial<Context> = {}): Context => ({
  out: () => undefined,
  err: () => undefined,
  env: {},
  signal: new AbortController().signal,
  onHangup: () => undefined,
  die: () => {
    throw new Error('died')
  },
  terminal: { interactive: false, columns: 80, color: false },
  argv: [],
  version: 'test',
  ...given,
})
