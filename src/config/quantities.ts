import { durationText } from '../common/duration.ts'
import * as z from 'zod'
import { type Kind, scalar } from './value-types.ts'

const UNITS: Readonly<Record<string, number>> = {
  ms: 0.001,
  s: 1,
  m: 60,
  min: 60,
  h: 3600,
  d: 86_400,
  w: 604_800,
}

const DURATION = /^(?:\d+(?:\.\d+)?|(?:\d+(?:\.\d+)?(?:ms|s|min|m|h|d|w)\s*)+)$/

/** Seconds: a plain number, or numbers with units such as `30s`, `1h30m`, `7d`. */
export const duration = (min = 0, max = Number.MAX_SAFE_INTEGER): Kind<number> => {
  const least = min > 0 ? `, ${min} s or more` : ''
  const most = max < Number.MAX_SAFE_INTEGER ? `, ${max / 86_400}d at most` : ''
  const schema = z.string().regex(DURATION).transform(secondsOf).pipe(z.number().min(min).max(max))
  return scalar(`duration${least}${most}`, schema, {
    must: `a duration such as 30s, 1h30m or 7d, or plain seconds${least}${most}`,
    json: {
      anyOf: [
        { type: 'number', minimum: min },
        { type: 'string', pattern: DURATION.source },
      ],
    },
    show: durationText,
  })
}

const secondsOf = (value: string): number => {
  if (/^[\d.]+$/.test(value)) return Number(value)
  const parts = [...value.matchAll(/([\d.]+)([a-z]+)/g)]
  return parts.reduce((seconds, [, count, unit = '']) => seconds + Number(count) * (UNITS[unit] ?? 0), 0)
}

/** A duration that is waited for in one go. A timer of Node takes 24.8 days: a longer one would go off at once. */
export const pause = (min = 0): Kind<number> => duration(min, 20 * 86_400)

const SIZES: Readonly<Record<string, number>> = {
  '': 1,
  B: 1,
  kB: 1e3,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
  TiB: 1024 ** 4,
}

const SIZE = /^(\d+(?:\.\d+)?)\s*(B|[kKMGT]B|[KMGT]iB)?$/

/** Bytes: a plain number, or one with a unit such as `500 MiB`. */
export const bytes: Kind<number> = scalar(
  'size',
  z
    .string()
    .regex(SIZE)
    .transform((value) => {
      const [, count, unit = ''] = SIZE.exec(value) ?? []
      return Math.round(Number(count) * (SIZES[unit] ?? 1))
    }),
  {
    must: 'a size such as 500 MiB or 1 GB, or plain bytes',
    json: {
      anyOf: [
        { type: 'integer', minimum: 0 },
        { type: 'string', pattern: SIZE.source },
      ],
    },
    show: (size) => `${size} bytes`,
  },
)
