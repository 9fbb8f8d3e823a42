import { ArchiverError } from '../errors.ts'

/** Hours of a day in minutes, in local time; one that ends before it begins goes over midnight. */
export interface Window {
  readonly text: string
  readonly from: number
  readonly to: number
}

/** Reads `22:00-06:00`. Throws CONFIG_INVALID. */
export const readWindow = (text: string): Window => {
  const [, h1, m1, h2, m2] = /^([01]?\d|2[0-3]):([0-5]\d)-([01]?\d|2[0-4]):([0-5]\d)$/.exec(text) ?? []
  if (h1 === undefined || m1 === undefined || h2 === undefined || m2 === undefined)
    throw new ArchiverError('CONFIG_INVALID', `rows.throttle.windows: "${text}" is not a window`, {
      hint: 'write it as 22:00-06:00',
    })
  return { text, from: Number(h1) * 60 + Number(m1), to: Number(h2) * 60 + Number(m2) }
}

/** Whether a moment lies in one of the windows; without windows every moment does. */
export const inWindow = (windows: readonly Window[], ms: number): boolean => {
  const at = new Date(ms)
  const minute = at.getHours() * 60 + at.getMinutes()
  return (
    windows.length === 0 ||
    windows.some(({ from, to }) =>
      from <= to ? minute >= from && minute < to : minute >= from || minute < to,
    )
  )
}
