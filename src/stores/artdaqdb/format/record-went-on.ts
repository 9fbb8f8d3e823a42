/** How a document that another program stored compares with what the record gives now. `earlier`: what it gave before its times were appended. */
export type ForeignMatch = 'same' | 'earlier' | 'other'

/**
 * Whether a record that has a stop time is stored as it was before it had one: the stored `metadata`, or where there is none `RunHistory2`, is what the
 * record gave then, and no document is anything else.
 */
export const wentOn = (matches: ReadonlyMap<string, ForeignMatch>, isEnded: boolean): boolean => {
  if (!isEnded || [...matches.values()].includes('other')) return false
  return (matches.get('metadata') ?? matches.get('RunHistory2')) === 'earlier'
}
