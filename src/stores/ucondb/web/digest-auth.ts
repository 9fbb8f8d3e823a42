import { createHash } from 'node:crypto'
import type { Secret } from '../../../common/secret.ts'

/** What a server wants of its next request: the parameters of a Digest challenge (RFC 7616 section 3.3). */
export interface Challenge {
  readonly realm: string
  readonly nonce: string
  readonly opaque: string | undefined
  readonly algorithm: string
  /** Empty where the server is older than RFC 2617. */
  readonly qop: readonly string[]
}

/** Strongest first. */
const ALGORITHMS: Readonly<Record<string, string>> = {
  'SHA-512-256': 'sha512-256',
  'SHA-256': 'sha256',
  MD5: 'md5',
}
const PARAMETER =
  /\s*,?\s*([!#$%&'*+.^_`|~\w-]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))|(?=\s+[^\s=]|\s*$|\s*,))/gy

/** The strongest Digest challenge of a WWW-Authenticate header that can be answered; undefined where there is none. */
export const challengeIn = (header: string | readonly string[] | undefined): Challenge | undefined => {
  const all = (typeof header === 'string' ? [header] : (header ?? [])).flatMap(challengesIn)
  const names = Object.keys(ALGORITHMS)
  return all
    .filter(
      ({ algorithm, qop }) => names.includes(base(algorithm)) && (qop.length === 0 || qop.includes('auth')),
    )
    .sort((a, b) => names.indexOf(base(a.algorithm)) - names.indexOf(base(b.algorithm)))[0]
}

/**
 * Answers challenges: one nonce serves for as long as the server takes it, and its count goes up with each request
 * (RFC 7616 section 3.4). The password goes nowhere but into the digest.
 */
export class DigestSession {
  readonly #user: string
  readonly #password: Secret
  readonly #random: () => string
  #answering: { readonly challenge: Challenge; readonly cnonce: string; readonly secret: string } | undefined
  #count = 0

  /** `random` gives hexadecimal digits that nobody can foresee, for the client's own nonces. */
  constructor(user: string, password: Secret, random: () => string) {
    this.#user = user
    this.#password = password
    this.#random = random
  }

  accept(challenge: Challenge): void {
    const cnonce = this.#random()
    const secret = secretOf(challenge, this.#user, this.#password.current(), cnonce)
    this.#answering = { challenge, cnonce, secret }
    this.#count = 0
  }

  /** What was answered is refused without a new challenge: from now on the old one is answered with the password as it is now. */
  refused(): void {
    if (this.#answering) this.accept(this.#answering.challenge)
  }

  /** The Authorization header of one request; undefined before the first challenge. `uri`: path and query as they are sent. */
  authorization(method: string, uri: string): string | undefined {
    if (!this.#answering) return undefined
    const { challenge, cnonce, secret } = this.#answering
    return authorize(challenge, { user: this.#user, secret, cnonce, count: ++this.#count, method, uri })
  }
}

interface Answer {
  readonly user: string
  /** What `secretOf` gives: the same for all requests of a challenge. */
  readonly secret: string
  readonly method: string
  readonly uri: string
  readonly cnonce: string
  readonly count: number
}

/** User and password as a challenge wants them: A1 of RFC 7616 section 3.4.2, hashed. */
export const secretOf = (challenge: Challenge, user: string, password: string, cnonce: string): string => {
  const { algorithm, realm, nonce } = challenge
  const plain = hash(algorithm, `${user}:${realm}:${password}`)
  return /-sess$/i.test(algorithm) ? hash(algorithm, `${plain}:${nonce}:${cnonce}`) : plain
}

/** The value of an Authorization header (RFC 7616 section 3.4.1). A comma in `uri` must be percent-encoded: UconDB splits there. */
export const authorize = (challenge: Challenge, answer: Answer): string => {
  const { realm, nonce, opaque, algorithm, qop } = challenge
  const { user, secret, method, uri, cnonce } = answer
  const request = hash(algorithm, `${method}:${uri}`)
  const nc = answer.count.toString(16).padStart(8, '0')
  const old = qop.length === 0
  const response = hash(algorithm, `${secret}:${nonce}:${old ? '' : `${nc}:${cnonce}:auth:`}${request}`)
  const fields = [
    `username=${quoted(user)}`,
    `realm=${quoted(realm)}`,
    `nonce=${quoted(nonce)}`,
    `uri=${quoted(uri)}`,
    `algorithm=${algorithm}`,
    `response=${quoted(response)}`,
    ...(opaque === undefined ? [] : [`opaque=${quoted(opaque)}`]),
    ...(old ? [] : ['qop=auth', `nc=${nc}`, `cnonce=${quoted(cnonce)}`]),
  ]
  return `Digest ${fields.join(', ')}`
}

/** Splits a header that may hold several challenges of several schemes, and keeps the Digest ones. */
const challengesIn = (header: string): Challenge[] => {
  const found: Challenge[] = []
  let parameters: Map<string, string> | undefined
  const keep = (): void => {
    const nonce = parameters?.get('nonce')
    if (nonce === undefined) return
    found.push({
      realm: parameters?.get('realm') ?? '',
      nonce,
      opaque: parameters?.get('opaque'),
      algorithm: parameters?.get('algorithm') ?? 'MD5',
      qop: (parameters?.get('qop') ?? '').split(/[\s,]+/).filter((word) => word !== ''),
    })
  }
  for (const [, name = '', quotedText, token] of header.matchAll(PARAMETER)) {
    const value = quotedText?.replace(/\\(.)/g, '$1') ?? token
    if (value !== undefined) parameters?.set(name.toLowerCase(), value)
    else {
      keep()
      parameters = name.toLowerCase() === 'digest' ? new Map() : undefined // a name alone is the scheme
    }
  }
  keep()
  return found
}

const hash = (algorithm: string, text: string): string =>
  createHash(ALGORITHMS[base(algorithm)] ?? 'md5')
    .update(text, 'utf8')
    .digest('hex')

const base = (algorithm: string): string => algorithm.replace(/-sess$/i, '').toUpperCase()
const quoted = (text: string): string => `"${text.replace(/(["\\])/g, '\\$1')}"`
