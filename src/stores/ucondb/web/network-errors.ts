import { ArchiverError, type Details, errnoOf } from '../../../errors.ts'

/**
 * A request whose outcome is not known: it may or may not have been carried out, now or in a moment. Asking again, or
 * looking what became of it, may show. To whoever does not catch it, the store is unavailable.
 */
export class Uncertain extends ArchiverError {
  /** How long the server wants to be left alone, milliseconds, where it said so. */
  readonly retryAfter: number | undefined
  /** Whether the server itself answered, with an error of its own making: then this one request may be to blame. */
  readonly answered: boolean

  constructor(
    message: string,
    {
      retryAfter,
      answered = false,
      ...details
    }: Details & { retryAfter?: number | undefined; answered?: boolean } = {},
  ) {
    super('STORE_UNAVAILABLE', message, details)
    this.retryAfter = retryAfter
    this.answered = answered
  }
}

/** TLS errors of OpenSSL and Node that another try will not cure. */
const CERTIFICATE = /CERT|SELF_SIGNED|UNABLE_TO_(?:GET|VERIFY)|^ERR_(?:SSL|TLS)_|^EPROTO$|HOSTNAME_MISMATCH/

const SAID: Readonly<Record<string, string>> = {
  ERR_BODY_TOO_LARGE: 'sends more than was asked for',
  ECONNREFUSED: 'refuses connections',
  ENOTFOUND: 'is not known to DNS',
  EAI_AGAIN: 'cannot be looked up in DNS',
  ECONNRESET: 'reset the connection',
  EPIPE: 'closed the connection',
  ETIMEDOUT: 'took too long',
  UND_ERR_SOCKET: 'closed the connection',
  UND_ERR_CONNECT_TIMEOUT: 'does not take connections',
  UND_ERR_HEADERS_TIMEOUT: 'is silent',
  UND_ERR_BODY_TIMEOUT: 'fell silent',
  UND_ERR_HEADERS_OVERFLOW: 'sent headers without end',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'cut its reply',
}

const CLOCK_HINT = 'Is the clock of this machine right?'
const CA_HINT = 'If the certificate is one of your own, name its authority in ucon_db.ca_file.'

/** What the network or undici threw, as an error of ours that names the server. */
export const networkError = (error: unknown, origin: string): unknown => {
  if (error instanceof ArchiverError) return error
  if (error instanceof SyntaxError)
    return new Uncertain(`${origin} answers, but not as UconDB does`, { cause: error })
  const code =
    errnoOf(error) ?? (error instanceof Error && error.name === 'HTTPParserError' ? 'HPE' : undefined)
  if (code === undefined) return error // not from the network: a bug, or somebody's own abort
  if (CERTIFICATE.test(code)) {
    const hint = /EXPIRED|NOT_YET/.test(code) ? CLOCK_HINT : CA_HINT
    return new ArchiverError('STORE_UNAVAILABLE', `${origin} cannot be trusted (${code})`, {
      cause: error,
      hint,
    })
  }
  const said = SAID[code] ?? (code.startsWith('HPE') ? 'does not speak HTTP' : 'cannot be reached')
  return new Uncertain(`${origin} ${said} (${code})`, { cause: error })
}

/** A body that goes on after it should have ended. */
export const oversized = (limit: number): Error =>
  Object.assign(new Error(`the reply has more than ${limit} bytes`), { code: 'ERR_BODY_TOO_LARGE' })
