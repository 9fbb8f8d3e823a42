import { createHash, timingSafeEqual } from 'node:crypto'
import type { Secret } from '../common/secret.ts'

/** Who may ask, and how. */
export interface GuardOptions {
  /** Names under which this page may be asked: `127.0.0.1:8090`, `archiver.example.org`. */
  readonly hosts: ReadonlySet<string>
  /** The token for actions, as its file has it now; undefined: nobody acts. */
  readonly token: Secret | undefined
  /** The token for pipelines that report; undefined: none reports by HTTP. */
  readonly writeToken: Secret | undefined
  readonly base: string
  /** Whether the public address begins with https://. */
  readonly secure: boolean
  readonly now: () => number
}

/** Everything that a browser may load comes from this server, and nothing stands inline. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "font-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ')

export const HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': POLICY,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'x-frame-options': 'DENY',
}

/** Tries of the token in one minute, of all callers together. */
const TRIES = 5
const MINUTE = 60_000
const COOKIE = 'run_archiver'

/**
 * Decides who may read and who may act. A name that is not in the list is refused, so that no other site's name can lead here (DNS
 * rebinding); a write from another origin is refused; tokens are compared in constant time, five tries a minute.
 */
export class Guard {
  readonly #options: GuardOptions
  readonly #hosts: ReadonlySet<string>
  #tries: number[] = []

  constructor(options: GuardOptions) {
    this.#options = options
    this.#hosts = options.hosts
  }

  get hasToken(): boolean {
    return this.#options.token !== undefined
  }

  isKnownHost(host: string | undefined): boolean {
    return host !== undefined && this.#hosts.has(host.toLowerCase())
  }

  /** Whether a write comes from a page of this server, or from a program (which sends neither header). */
  isOwnOrigin(headers: Headers): boolean {
    const site = headers.get('sec-fetch-site')
    if (site !== null && site !== 'same-origin' && site !== 'none') return false
    const origin = headers.get('origin')
    if (origin === null) return true
    if (origin === 'null' || !URL.canParse(origin)) return false
    return this.#hosts.has(new URL(origin).host.toLowerCase())
  }

  /** Whether the sender holds the token for actions, as a cookie or as a bearer. */
  mayAct(headers: Headers): boolean {
    const { token } = this.#options
    const cookie = cookieOf(headers.get('cookie'))
    const bearer = bearerOf(headers)
    if (token === undefined || (cookie === undefined && bearer === '')) return false
    const wanted = token.accepted()
    if (wanted === undefined) return false
    return (cookie !== undefined && same(cookie, proofOf(wanted))) || same(bearer, wanted)
  }

  /** Whether the sender may report executions: with the token for it, or with the one for actions. */
  mayReport(headers: Headers): boolean {
    const { writeToken } = this.#options
    const bearer = bearerOf(headers)
    const wanted = bearer === '' ? undefined : writeToken?.accepted()
    return (wanted !== undefined && same(bearer, wanted)) || this.mayAct(headers)
  }

  /** Tries a token. `late`: too many tries in the last minute, and this one was not looked at. */
  login(given: string): 'in' | 'wrong' | 'late' {
    const now = this.#options.now()
    this.#tries = this.#tries.filter((at) => Math.abs(now - at) < MINUTE)
    if (this.#tries.length >= TRIES) return 'late'
    const wanted = this.#options.token?.accepted()
    if (wanted !== undefined && same(given, wanted)) return 'in'
    this.#tries.push(now)
    return 'wrong'
  }

  /** The cookie of one who is in; an empty one of one who leaves. */
  cookie(signedIn: boolean): string {
    const { token, base, secure } = this.#options
    const value = signedIn && token ? proofOf(token.current()) : ''
    const rest = `Path=${base || '/'}; HttpOnly; SameSite=Strict${secure ? '; Secure' : ''}`
    return `${COOKIE}=${value}; ${rest}${signedIn ? '' : '; Max-Age=0'}`
  }
}

/** What the cookie holds: made from the token, but not the token. */
const proofOf = (token: string): string =>
  createHash('sha256').update(`run-archiver session ${token}`).digest('hex')

const same = (given: string, wanted: string): boolean => {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(given), digest(wanted))
}

const bearerOf = (headers: Headers): string =>
  /^Bearer ([\x21-\x7e]+)$/i.exec(headers.get('authorization') ?? '')?.[1] ?? ''

const cookieOf = (cookies: string | null): string | undefined =>
  cookies
    ?.split(';')
    .map((part) => part.trim())
    .find((part) => part.startsWith(`${COOKIE}=`))
    ?.slice(COOKIE.length + 1)
