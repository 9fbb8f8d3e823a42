/** Epoch milliseconds of artdaq's time stamp (`2026-11-21T15:14:20.048-0600`); 0 for the other forms of old documents. */
export function timeOf(stamp: string): number {
  const [, local, zone] = /^(.{19}\.\d{3})([+-]\d{4})$/.exec(stamp) ?? []
  if (local === undefined || zone === undefined) return 0
  const time = Date.parse(`${local}${zone.slice(0, 3)}:${zone.slice(3)}`)
  return Number.isNaN(time) ? 0 : time
}

/** A time as artdaq writes it, in the time zone of this process: `2026-11-21T15:14:20.048-0600`. Takes epoch milliseconds. */
export const artdaqStamp = (milliseconds: number): string => {
  const time = new Date(milliseconds)
  const offset = -time.getTimezoneOffset()
  const local = new Date(milliseconds + offset * 60_000).toISOString().slice(0, -1)
  const minutes = Math.abs(offset)
  return `${local}${offset < 0 ? '-' : '+'}${two(minutes / 60)}${two(minutes % 60)}`
}

const two = (value: number): string => String(Math.trunc(value)).padStart(2, '0')
