/** A time as artdaq writes it, in the time zone of this process: `2026-11-21T15:14:20.048-0600`. Takes epoch milliseconds. */
export const artdaqStamp = (milliseconds: number): string => {
  const time = new Date(milliseconds)
  const offset = -time.getTimezoneOffset()
  const local = new Date(milliseconds + offset * 60_000).toISOString().slice(0, -1)
  const minutes = Math.abs(offset)
  return `${local}${offset < 0 ? '-' : '+'}${two(minutes / 60)}${two(minutes % 60)}`
}

const two = (value: number): string => String(Math.trunc(value)).padStart(2, '0')
