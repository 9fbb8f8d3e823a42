/** Numbers and times as the pages write them. Pure: the clock is an argument. */

const NBSP = '\u00a0'

/** 128 412, with no-break spaces. */
export const count = (value: number): string =>
  String(Math.round(value)).replace(/\B(?=(\d{3})+(?!\d))/g, NBSP)

/** `3 runs`, `1 run`. */
export const plural = (value: number, one: string, many = `${one}s`): string =>
  `${count(value)} ${value === 1 ? one : many}`

/** `3 of 300`; what is done alone where no total is known, or less than that: a worker waits for what comes. */
export const doneOf = (done: number, items: number | undefined): string =>
  items === undefined || items === 0 || items < done ? count(done) : `${count(done)} of ${count(items)}`

/** `41 s`, `4 min 05 s`, `33 min`, `3 h 02 min`, `4 d 03 h`. Seconds in. */
export const span = (seconds: number): string => {
  const whole = Math.max(0, Math.round(seconds))
  const two = (value: number): string => String(value).padStart(2, '0')
  if (seconds > 0 && seconds < 1) return `${Math.max(1, Math.round(seconds * 1000))} ms`
  if (whole < 60) return `${whole} s`
  const minutes = Math.floor(whole / 60)
  if (minutes < 10) return `${minutes} min ${two(whole % 60)} s`
  if (minutes < 60) return `${minutes} min`
  const hours = Math.floor(minutes / 60)
  if (hours < 48) return `${hours} h ${two(minutes % 60)} min`
  return `${Math.floor(hours / 24)} d ${two(hours % 24)} h`
}

export const isoDay = (ms: number): string => new Date(ms).toISOString().slice(0, 10)
export const isoTime = (ms: number): string => new Date(ms).toISOString()
export const minuteText = (ms: number): string => isoTime(ms).slice(11, 16)

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** `27 Nov`, with the year where it is another one. */
export const dayText = (ms: number, now: number): string => {
  const date = new Date(ms)
  const text = `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()] ?? ''}`
  return date.getUTCFullYear() === new Date(now).getUTCFullYear() ? text : `${text} ${date.getUTCFullYear()}`
}

/** `22:13` today, `26 Nov 21:58` on another day. UTC. */
export const momentText = (ms: number, now: number): string =>
  isoDay(ms) === isoDay(now) ? minuteText(ms) : `${dayText(ms, now)} ${minuteText(ms)}`

/** 398 kB, 1.2 MB: powers of ten. */
export const size = (bytes: number): string => {
  if (bytes < 1000) return `${bytes} B`
  const units = ['kB', 'MB', 'GB', 'TB', 'PB']
  let value = bytes
  let unit = -1
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000
    unit++
  }
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${units[unit] ?? ''}`
}

/** A share in percent that is never rounded into a lie: 99.96 % is 99.9, not 100; 0.04 % is 0.1, not 0. */
export const share = (part: number, whole: number): string => {
  if (whole <= 0) return '–'
  if (part === whole) return '100'
  if (part === 0) return '0'
  const tenths = Math.min(999, Math.max(1, Math.round((part / whole) * 1000)))
  return String(tenths / 10)
}

/** A progress figure, rounded down, so that 100 means all. */
export const percent = (value: number): number =>
  value >= 100 ? 100 : Math.max(0, Math.floor(value * 10) / 10)

/** 127 400 – 127 499, or one number. */
export const rangeText = (first: number, last: number): string =>
  first === last ? count(first) : `${count(first)} – ${count(last)}`

export { messageClass } from '../common/message-class.ts'
