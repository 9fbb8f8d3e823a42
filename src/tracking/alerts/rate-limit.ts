/** When each alert was last sent, by its key, epoch milliseconds, and how often it was held back since. */
export type Sent = Readonly<Record<string, { readonly at: number; readonly held: number }>>

/** Entries older than so many intervals are forgotten. */
const FORGET_AFTER = 100

/**
 * Whether an alert is due now or held back because the same was sent within `interval` milliseconds, and what to remember.
 * `held` says how many were swallowed since the last one, so that nothing is lost silently. After a clock was set back it is due.
 */
export const limit = (
  sent: Sent,
  key: string,
  now: number,
  interval: number,
): { readonly due: boolean; readonly held: number; readonly sent: Sent } => {
  const before = Object.hasOwn(sent, key) ? sent[key] : undefined
  const passed = before ? now - before.at : Infinity
  if (before && passed >= 0 && passed < interval)
    return {
      due: false,
      held: before.held + 1,
      sent: { ...sent, [key]: { at: before.at, held: before.held + 1 } },
    }
  const recent = Object.entries(sent).filter(([, { at }]) => now - at < interval * FORGET_AFTER)
  return {
    due: true,
    held: before?.held ?? 0,
    sent: { ...Object.fromEntries(recent), [key]: { at: now, held: 0 } },
  }
}

/** What a file gives back, whatever it holds: what is not a memory of alerts is no memory. */
export const sentOf = (value: unknown): Sent => {
  if (typeof value !== 'object' || value === null) return {}
  const entries = Object.entries(value).flatMap(([key, entry]: [string, unknown]) => {
    if (typeof entry !== 'object' || entry === null || !('at' in entry) || !('held' in entry)) return []
    const { at, held } = entry
    return typeof at === 'number' && typeof held === 'number' ? [[key, { at, held }] as const] : []
  })
  return Object.fromEntries(entries)
}
