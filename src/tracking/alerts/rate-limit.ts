/** When each alert was last told, by its key, epoch milliseconds, and how often it was held back since. */
export type Told = Readonly<Record<string, { readonly at: number; readonly held: number }>>

/** Entries older than so many intervals are forgotten. */
const FORGET_AFTER = 100

/**
 * Whether an alert is told now or held back because the same was told within `interval` milliseconds, and what to remember.
 * `held` says how many were swallowed since the last one, so that nothing is lost silently. A clock that was set back tells.
 */
export const limit = (
  told: Told,
  key: string,
  now: number,
  interval: number,
): { readonly tell: boolean; readonly held: number; readonly told: Told } => {
  const before = Object.hasOwn(told, key) ? told[key] : undefined
  const passed = before ? now - before.at : Infinity
  if (before && passed >= 0 && passed < interval)
    return {
      tell: false,
      held: before.held + 1,
      told: { ...told, [key]: { at: before.at, held: before.held + 1 } },
    }
  const recent = Object.entries(told).filter(([, { at }]) => now - at < interval * FORGET_AFTER)
  return {
    tell: true,
    held: before?.held ?? 0,
    told: { ...Object.fromEntries(recent), [key]: { at: now, held: 0 } },
  }
}

/** What a file gives back, whatever it holds: what is not a memory of alerts is no memory. */
export const toldOf = (value: unknown): Told => {
  if (typeof value !== 'object' || value === null) return {}
  const entries = Object.entries(value).flatMap(([key, entry]: [string, unknown]) => {
    if (typeof entry !== 'object' || entry === null || !('at' in entry) || !('held' in entry)) return []
    const { at, held } = entry
    return typeof at === 'number' && typeof held === 'number' ? [[key, { at, held }] as const] : []
  })
  return Object.fromEntries(entries)
}
