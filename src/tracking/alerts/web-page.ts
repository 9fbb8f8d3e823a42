/** Rejects a web page: a proxy that asks to sign in answers 200 with one, and nobody was notified. */
export const refusePage = (channel: string, text: string): void => {
  if (/^\s*</.test(text))
    throw new Error(`${channel} answered with a web page: something else is at this address`)
}
