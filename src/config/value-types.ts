import { posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import { redactUrl } from '../common/redact.ts'
import { Secret } from '../common/secret.ts'

/** A setting as YAML gives it, references already replaced: every scalar is its own source text, never a number. */
export type Raw = string | readonly string[] | ReadonlyMap<string, string>
export type Form = 'text' | 'list' | 'map'

/** What reading a setting may depend on besides its text. */
export interface Place {
  /** The folder that holds the configuration file, absolute: relative paths begin there. */
  readonly directory: string
  /** For a secret that came from a file: reads it again, and throws where that is not possible. */
  readonly readAgain?: (() => string) | undefined
}

/** How a setting is written. `read` throws a `SyntaxError` that says what it must be, and never quotes what it was. */
export interface Kind<T> {
  /** As docs/CONFIG.md names it. */
  readonly type: string
  readonly forms: readonly Form[]
  /** A secret may come from `<key>_file`, a credential or the environment, and is never shown. */
  readonly secret: boolean
  read(raw: Raw, place: Place): T
  show(value: T): string
}

const scalar = <T>(
  type: string,
  read: (text: string, place: Place) => T,
  show: (value: T) => string = String,
): Kind<T> => ({
  type,
  forms: ['text'],
  secret: false,
  read: (raw, place) => read(textOf(raw), place),
  show,
})

const textOf = (raw: Raw): string => {
  if (typeof raw !== 'string') throw new SyntaxError('must be one value')
  return raw
}

const isMap = (raw: Raw): raw is ReadonlyMap<string, string> => typeof raw === 'object' && 'get' in raw

const matched = (pattern: RegExp, text: string, must: string): RegExpExecArray => {
  const match = pattern.exec(text)
  if (!match) throw new SyntaxError(`must be ${must}`)
  return match
}

export const text: Kind<string> = scalar('text', (value) => value)

/** A path; a relative one begins at the folder of the configuration file. */
export const path: Kind<string> = scalar('path', (value, place) => posix.resolve(place.directory, value))

export const boolean: Kind<boolean> = scalar('true or false', (value) => {
  const match = matched(/^(?:(true|yes|on)|false|no|off)$/i, value, 'true or false')
  return match[1] !== undefined
})

/** A whole number. A leading zero is refused: YAML 1.1 reads it as octal, YAML 1.2 does not. */
export const integer = (min: number, max = Number.MAX_SAFE_INTEGER): Kind<number> => {
  const bounds = max === Number.MAX_SAFE_INTEGER ? `${min} or more` : `from ${min} to ${max}`
  const must = `a whole number, ${bounds}`
  return scalar(must, (value) =>
    inRange(Number(matched(/^(?:0|-?[1-9]\d*)$/, value, must)[0]), min, max, must),
  )
}

export const decimal = (min: number, max = Number.MAX_SAFE_INTEGER): Kind<number> => {
  const must = max === Number.MAX_SAFE_INTEGER ? `a number, ${min} or more` : `a number from ${min} to ${max}`
  return scalar(must, (value) =>
    inRange(Number(matched(/^-?\d+(?:\.\d+)?$/, value, must)[0]), min, max, must),
  )
}

const inRange = (value: number, min: number, max: number, must: string): number => {
  if (value < min || value > max) throw new SyntaxError(`must be ${must}`)
  return value
}

const UNITS: Readonly<Record<string, number>> = {
  ms: 0.001,
  s: 1,
  m: 60,
  min: 60,
  h: 3600,
  d: 86_400,
  w: 604_800,
}

/** Seconds: a plain number, or numbers with units such as `30s`, `1h30m`, `7d`. */
export const duration = (min = 0, max = Number.MAX_SAFE_INTEGER): Kind<number> => {
  const least = min > 0 ? `, ${min} s or more` : ''
  const most = max < Number.MAX_SAFE_INTEGER ? `, ${max / 86_400}d at most` : ''
  const must = `a duration such as 30s, 1h30m or 7d, or plain seconds${least}${most}`
  return scalar(
    `duration${most}`,
    (value) => {
      if (/^\d+(?:\.\d+)?$/.test(value)) return inRange(Number(value), min, max, must)
      matched(/^(?:\d+(?:\.\d+)?(?:ms|s|min|m|h|d|w)\s*)+$/, value, must)
      let seconds = 0
      for (const part of value.matchAll(/([\d.]+)([a-z]+)/g))
        seconds += Number(part[1]) * (UNITS[part[2] ?? ''] ?? 0)
      return inRange(seconds, min, max, must)
    },
    (seconds) => `${seconds} s`,
  )
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

/** Bytes: a plain number, or one with a unit such as `500 MiB`. */
export const bytes: Kind<number> = scalar(
  'size',
  (value) => {
    const must = 'a size such as 500 MiB or 1 GB, or plain bytes'
    const match = matched(/^(\d+(?:\.\d+)?)\s*([A-Za-z]*)$/, value, must)
    const unit = SIZES[match[2] ?? '']
    if (unit === undefined) throw new SyntaxError(`must be ${must}`)
    return Math.round(Number(match[1]) * unit)
  },
  (size) => `${size} bytes`,
)

/** One of a few words, in any case of letters; what is read has the case of the schema. */
export const choice = <const T extends string>(...words: readonly T[]): Kind<T> =>
  scalar(words.join(', '), (value) => {
    const word = words.find((candidate) => candidate.toLowerCase() === value.toLowerCase())
    if (word === undefined) throw new SyntaxError(`must be one of ${words.join(', ')}`)
    return word
  })

/** A URL with one of the schemes; passwords in it are not shown. */
export const url = (...schemes: readonly string[]): Kind<string> =>
  scalar(
    `URL (${schemes.map((scheme) => `${scheme}://`).join(', ')})`,
    (value) => checkUrl(value, schemes),
    redactUrl,
  )

const checkUrl = (value: string, schemes: readonly string[]): string => {
  const must = `a URL that begins with ${schemes.map((scheme) => `${scheme}://`).join(' or ')}`
  if (!schemes.some((scheme) => value.toLowerCase().startsWith(`${scheme}://`)) || !URL.canParse(value))
    throw new SyntaxError(`must be ${must}`)
  const parsed = new URL(value)
  const { protocol, pathname, hostname } = parsed
  const onDisk = protocol === 'file:' || protocol === 'filesystemdb:'
  if (onDisk && (hostname !== '' || pathname.length < 2))
    throw new SyntaxError(`must name an absolute path: ${protocol}///path`)
  if (protocol !== 'mongodb:') refuseUnheeded(value, parsed, onDisk)
  return value.replace(/^[^:]+:/, protocol)
}

/** Parts of a URL that nobody would look at: what is meant by them would be elsewhere. */
const refuseUnheeded = (value: string, { protocol, username, password }: URL, onDisk: boolean): void => {
  if (/[?#]/.test(value))
    throw new SyntaxError(
      `must have no ? and no #${onDisk ? '; in a path they are written %3F and %23' : ''}`,
    )
  if (username !== '' || password !== '')
    throw new SyntaxError('must have no user and password in it; they have settings of their own')
  if (protocol === 'file:' && !isPath(value))
    throw new SyntaxError(
      'must be a URL that can be read as a path: % stands only before two hex digits, not %2F or %00',
    )
}

const isPath = (url: string): boolean => {
  try {
    return !fileURLToPath(url).includes('\0')
  } catch {
    return false
  }
}

/** A list of one kind of value; a single value counts as a list of one. */
export const list = <T>(of: Kind<T>): Kind<readonly T[]> => ({
  type: `list of ${of.type}`,
  forms: ['text', 'list'],
  secret: false,
  read: (raw, place) => {
    if (isMap(raw)) throw new SyntaxError('must be a list')
    return [raw].flat().map((item) => of.read(item, place))
  },
  show: (items) => `[${items.map((item) => of.show(item)).join(', ')}]`,
})

/** Names and texts. */
export const map: Kind<ReadonlyMap<string, string>> = {
  type: 'map of texts',
  forms: ['map'],
  secret: false,
  read: (raw) => {
    if (!isMap(raw)) throw new SyntaxError('must be a map of names and texts')
    return raw
  },
  show: (entries) => `{${[...entries].map(([name, value]) => `${name}: ${value}`).join(', ')}}`,
}

export const secret: Kind<Secret> = {
  ...scalar('secret', (value, { readAgain }) => new Secret(value, readAgain), String),
  secret: true,
}

/** An address that is a secret itself; only TLS keeps it one, except on this machine. */
export const webhookUrl: Kind<Secret> = {
  ...secret,
  type: 'secret URL',
  read: (raw, place) => {
    const address = secret.read(raw, place)
    const text = address.reveal()
    const parsed = URL.canParse(text) ? new URL(text) : undefined
    const isHere = /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(parsed?.hostname ?? '')
    if (parsed?.protocol === 'https:' || (parsed?.protocol === 'http:' && isHere)) return address
    throw new SyntaxError('must be an https:// URL (http:// only to this machine)')
  },
}

/** Where the ledger is; a URL may hold a password, so it is kept as a secret, and shown without it. */
export const ledgerUrl: Kind<Secret> = {
  type: 'sqlite:FILE, postgres://, mysql:// or off',
  forms: ['text'],
  secret: true,
  read: (raw) => {
    const must = 'sqlite:FILE, postgres://..., mysql://... or off'
    return new Secret(
      matched(/^(?:off|sqlite:.+|(?:postgres(?:ql)?|mysql|mariadb):\/\/.+)$/s, textOf(raw), must)[0],
    )
  },
  show: (url) => redactUrl(url.reveal()),
}
