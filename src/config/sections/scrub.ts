import * as z from 'zod'
import { key, section } from '../schema.ts'
import { type Kind, scalar } from '../value-types.ts'

const PERCENT = /^(?:off|\d+(?:\.\d+)?%?)$/i

/** `5%`, `5` or `off`: 0 to 1. */
const share: Kind<number> = scalar(
  'percentage',
  z
    .string()
    .regex(PERCENT)
    .transform((text) => (/^off$/i.test(text) ? 0 : Number(text.replace('%', '')) / 100))
    .pipe(z.number().min(0).max(1)),
  {
    must: 'a percentage from 0 to 100 such as 5%, or off',
    json: {
      anyOf: [
        { type: 'number', minimum: 0, maximum: 100 },
        { type: 'string', pattern: PERCENT.source },
      ],
    },
    show: (value) => (value === 0 ? 'off' : `${Math.round(value * 10_000) / 100}%`),
  },
)

export const scrub = section(
  'How archived runs are compared again, so that rot is found while another copy is good. `scrub: off` is enough.',
  {
    share: key(share, '5%', {
      doc: 'The share of the time of each pass in which archived runs are compared again, longest ago first. `off` for archives on tape.',
    }),
  },
  { short: 'share' },
)
