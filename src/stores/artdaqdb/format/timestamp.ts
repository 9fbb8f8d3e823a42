/** Epoch milliseconds of artdaq's time stamp (`2026-11-21T15:14:20.048-0600`); 0 for the other forms of old documents. */
export function timeOf(stamp: string): number {
  const [, local, zone] = /^(.{19}\.\d{3})([+-]\d{4})$/.exec(stamp) ?? []
  if (local === undefined || zone === undefined) return 0
  const time = Date.parse(`${local}${zone.slice(0, 3)}:${zone.slice(3)}`)
  return Number.isNaN(time) ? 0 : time
}
