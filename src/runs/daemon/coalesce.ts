/**
 * Makes a `wake` of a pass: there are never two passes at once, and any number of wake-ups during a pass give one more
 * after it. The promise that `wake` returns settles when a pass that began after the call has ended; what that pass
 * throws, it throws.
 */
export const coalesce = (pass: () => Promise<void>): (() => Promise<void>) => {
  let running: Promise<void> | undefined
  let next: Promise<void> | undefined

  const start = (): Promise<void> => {
    running = pass().finally(() => {
      running = undefined
    })
    return running
  }

  return () => {
    if (!running) return start()
    next ??= running
      .catch(() => undefined) // whoever woke that pass hears of it
      .then(() => {
        next = undefined
        return start()
      })
    return next
  }
}
