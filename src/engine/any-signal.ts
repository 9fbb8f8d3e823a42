/**
 * Does work with a signal that aborts with the first of some others, and listens to those only while the work lasts. The sources of `AbortSignal.any`
 * keep what they made for as long as they live (Node 20): a signal for each item of a pass would be 5 kB an item until the pass ends.
 */
export const withAnySignal = async <Result>(
  sources: readonly AbortSignal[],
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> => {
  const controller = new AbortController()
  const ends = sources.map((source) => {
    const abort = (): void => controller.abort(source.reason)
    if (source.aborted) abort()
    source.addEventListener('abort', abort, { once: true })
    return () => source.removeEventListener('abort', abort)
  })
  try {
    return await work(controller.signal)
  } finally {
    for (const end of ends) end()
  }
}
