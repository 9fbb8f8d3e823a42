/** A moment as every engine takes it in a session that runs in UTC: `2025-12-20 14:30:00.123`. */
export const timeText = (ms: number): string => new Date(ms).toISOString().replace('T', ' ').slice(0, 23)

/** What an engine gives back for a time, in epoch milliseconds. */
export const timeMs = (text: string): number => {
  const [date, clock = '00:00:00'] = text.split(/[ T]/)
  return Date.parse(`${date}T${clock.replace(/(?:\+00(?::?00)?|Z)$/, '')}Z`)
}

/** The microseconds beyond `timeMs` that an engine gave back, as digits; '' where there are none. SQL of one's own writes them. */
export const microsOf = (text: string): string => {
  const digits = (/\.\d{3}(\d{1,3})/.exec(text)?.[1] ?? '').padEnd(3, '0')
  return digits === '000' ? '' : digits
}

/** The UTC day of a moment, `2025-12-20`. */
export const dayOf = (ms: number): string => timeText(ms).slice(0, 10)
