import { ArchiverError } from '../../errors.ts'

const UNITS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** A duration of the command line in milliseconds. Throws USAGE. */
export const spanOption = (flag: string, text: string): number => {
  const [, count, unit = ''] = /^(\d{1,6})([smhd])$/.exec(text) ?? []
  if (count !== undefined) return Number(count) * (UNITS[unit] ?? 0)
  throw new ArchiverError('USAGE', `${flag}: "${text}" is not a duration`, { hint: 'such as 30m, 24h or 7d' })
}
