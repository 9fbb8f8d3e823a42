import { fileURLToPath } from 'node:url'
import * as z from 'zod'
import { faultOfArtdaqPath } from '../common/artdaq-path.ts'
import { redactUrl } from '../common/redact.ts'
import { Secret } from '../common/secret.ts'
import { type Kind, refuseShellWords, scalar, special } from './value-types.ts'

/** A URL with one of the schemes; passwords in it are not shown. */
export const url = (...schemes: readonly string[]): Kind<string> =>
  special(
    `URL (${schemes.map((scheme) => `${scheme}://`).join(', ')})`,
    (value) => checkUrl(value, schemes),
    redactUrl,
  )

const checkUrl = (value: string, schemes: readonly string[]): string => {
  const must = `a URL that begins with ${schemes.map((scheme) => `${scheme}://`).join(' or ')}`
  if (!schemes.some((scheme) => value.toLowerCase().startsWith(`${scheme}://`)))
    throw new SyntaxError(`must be ${must}`)
  if (!URL.canParse(value))
    throw new SyntaxError('must be a URL; what stands as its host or port cannot be one')
  const parsed = new URL(value)
  const { protocol, pathname, hostname } = parsed
  const onDisk = protocol === 'file:' || protocol === 'filesystemdb:'
  if (onDisk && (hostname !== '' || pathname.length < 2))
    throw new SyntaxError(`must name an absolute path: ${protocol}///path`)
  const fault = protocol === 'filesystemdb:' ? faultOfArtdaqPath(value.replace(/^[^:]+:\/\//, '')) : undefined
  if (fault !== undefined) throw new SyntaxError(`cannot be used: ${fault}`)
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
  if (protocol === 'file:') refuseShellWords(value.slice('file://'.length))
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

export const secret: Kind<Secret> = {
  ...special('secret', (value, { readAgain }) => new Secret(value, readAgain), String),
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

/** Whether it names a file or a server: `sqlite://ledger.db` has a server where its file should be. */
const isPlace = (value: string): boolean => {
  if (/^(?:off$|mssql:|sqlserver:)/.test(value)) return true
  if (!value.startsWith('sqlite:')) return URL.canParse(value)
  const path = value.slice('sqlite:'.length).replace(/^\/\/(?=\/)/, '')
  return path !== '' && !path.startsWith('//')
}

/** The URL of a database; it may hold a password, so it is kept as a secret, read again where it came from a file, and shown without it. */
const databaseUrl = (type: string, pattern: RegExp, must = type): Kind<Secret> => {
  const text = scalar(type, z.string().regex(pattern).refine(isPlace), { must, json: { type: 'string' } })
  return {
    ...text,
    secret: true,
    read: (raw, place) => {
      const { readAgain } = place
      return new Secret(text.read(raw, place), readAgain && (() => text.read(readAgain(), place)))
    },
    show: (url) => redactUrl(url.reveal()),
  }
}

/** Where the ledger is. */
export const ledgerUrl = databaseUrl(
  'sqlite:FILE, postgres://, mysql:// or off',
  /^(?:off|sqlite:.+|(?:postgres(?:ql)?|mysql|mariadb):\/\/.+)$/s,
  'sqlite:FILE, postgres://..., mysql://... or off',
)

/** Where records are. */
export const recordsUrl = databaseUrl(
  'sqlite:FILE, postgres://, mysql:// or mssql://',
  /^(?:off|sqlite:.+|(?:postgres(?:ql)?|mysql|mariadb|mssql|sqlserver):\/\/.+)$/s,
  'sqlite:FILE, postgres://..., mysql://... or mssql://...',
)

/** Where the shared backlog is. */
export const queueUrl = databaseUrl(
  'sqlite:FILE, postgres:// or off',
  /^(?:off|sqlite:.+|postgres(?:ql)?:\/\/.+)$/s,
  'sqlite:FILE, postgres://... or off',
)
