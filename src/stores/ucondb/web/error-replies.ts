import { ArchiverError, type Details } from '../../../errors.ts'
import type { HttpReply } from './request.ts'
import { Uncertain } from './network-errors.ts'

/** Longest pause that a server's Retry-After is given, milliseconds: it may ask for years. */
const LONGEST_PAUSE = 30_000
/** Characters of a server's message that are kept. */
const SHOWN = 300

/** What UconDB says went wrong: the text in `<h3>` of its error page (its only discriminator), or the body as text. One line. */
export const messageIn = ({ body }: Pick<HttpReply, 'body'>): string => {
  const text = body.subarray(0, 100_000).toString('utf8')
  const message = /<h3>([\s\S]*?)<\/h3>/.exec(text)?.[1] ?? text.replace(/<[^>]*>/g, ' ')
  return message
    .replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ')
    .trim()
    .slice(0, SHOWN)
}

/** Whether a refused put says that its key is taken: by an earlier request, or by one that won a race in the database. */
export const saysTaken = (reply: HttpReply): boolean =>
  (reply.status === 500 &&
    /already exists|duplicate key value/.test(messageIn(reply)) &&
    !refusesAll(messageIn(reply))) ||
  reply.status === 409

/** Whether the object has no version yet: 404 in the listing, an error of the server's own code elsewhere. */
export const saysEmptyObject = (reply: HttpReply): boolean =>
  (reply.status === 404 && /^Object .* not found$/.test(messageIn(reply))) ||
  (reply.status === 500 && /'NoneType' object has no attribute 'getVersion'/.test(messageIn(reply)))

/** Whether the version that was asked for is not there. */
export const saysNoVersion = (reply: HttpReply): boolean =>
  saysEmptyObject(reply) || (reply.status === 404 && messageIn(reply) === 'Version not found')

/** What a reply that is no success means. `now`: epoch milliseconds, for a Retry-After that is a date. */
export const refusal = (reply: HttpReply, doing: string, now: number, run?: number): ArchiverError => {
  const { status } = reply
  const said = status === 401 ? 'login refused' : messageIn(reply)
  const message = `UconDB: ${doing}: ${status}${said === '' ? '' : status === 401 ? `, ${said}` : ` ${said}`}`
  const about = run === undefined ? {} : { run }
  const stop = (hint: string): ArchiverError =>
    new ArchiverError('STORE_UNAVAILABLE', message, { hint, ...about })
  if (status >= 300 && status < 400)
    return stop(
      `It sends elsewhere (${printable(reply.headers['location'])}); redirects are not followed. Correct ucon_db.server_url.`,
    )
  switch (status) {
    case 401:
      return stop(
        'Check ucon_db.writer_user and ucon_db.writer_password, and whether this user may write to the folder.',
      )
    case 403:
      return stop('Something in front of the server refuses this machine or user.')
    case 404:
      return stop(
        'Check ucon_db.server_url, folder_name and object_name; a folder is made by its administrator.',
      )
    case 405:
      return stop('The server is read-only at the moment, or the address is not that of UconDB.')
    case 413:
      return new ArchiverError('STORE_REFUSED', message, {
        hint: 'The blob is larger than the server takes.',
        ...about,
      })
    case 507:
      return stop("The server's storage is full.")
  }
  if (status >= 400 && status < 500 && status !== 408 && status !== 429)
    return stop('The server does not take the request.')
  if (status === 500 && refusesAll(said))
    return stop("The server's database refuses every write: its administrator has to look at it.")
  const details: Details = about
  const answered = status === 500 && !isPassing(said)
  return new Uncertain(message, { ...details, retryAfter: retryAfter(reply, now), answered })
}

/**
 * Whether PostgreSQL, behind UconDB, would refuse any write for the same reason (classes 25006, 28, 42501, 42P01, 53100 and 58 of its errors; a
 * sequence that is at its end or behind its table). UconDB hands its words on in a 500. Where they are in another language, the next run shows it.
 */
const refusesAll = (message: string): boolean =>
  /permission denied|must be (?:owner|member)|cannot execute .* (?:in a read-only transaction|during recovery)|no space left|disk full|disk quota|could not (?:extend|open|read|write|fsync|create) file|could not (?:read|write) block|(?:relation|column|schema|role|database) "[^"]*" does not exist|reached (?:maximum|minimum) value of sequence|wraparound|authentication failed|no pg_hba\.conf entry|violates unique constraint "[^"]*_pkey"/i.test(
    message,
  )

/** Whether its database is away or busy for a while: no run is to blame (classes 08, 40, 53300, 55P03 and 57). */
const isPassing = (message: string): boolean =>
  /could not (?:connect|translate host|serialize|obtain lock|send|receive)|connection (?:to server|refused|already closed|timed out|reset|pointer)|server closed the connection|closed (?:unexpectedly|by the remote)|terminating connection|too many (?:clients|connections)|connection slots|deadlock detected|canceling statement|timeout expired|starting up|shutting down|in recovery mode|transaction is aborted/i.test(
    message,
  )

/** A pause in milliseconds, between 0 and the longest; undefined where the server asks for none. */
const retryAfter = ({ headers }: HttpReply, now: number): number | undefined => {
  const value = headers['retry-after']
  if (typeof value !== 'string') return undefined
  const wanted = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - now
  return Number.isNaN(wanted) ? undefined : Math.min(Math.max(wanted, 0), LONGEST_PAUSE)
}

const printable = (header: string | string[] | undefined): string =>
  String(header ?? 'it does not say where')
    .replace(/[^\x20-\x7e]/g, '?')
    .slice(0, 200)

/** A reply that says success, and not as UconDB says it. */
export const lookAlike = (reply: HttpReply, doing: string): Uncertain => {
  const message = `UconDB: ${doing}: ${reply.status}, but not as UconDB answers: ${JSON.stringify(messageIn(reply).slice(0, 80))}`
  const hint = 'Is something else at ucon_db.server_url: a proxy, a login page, a maintenance page?'
  return new Uncertain(message, { hint })
}

/** The Adler-32 that the headers of a blob give. Throws `Uncertain` where they are not UconDB's, or give another length than came. */
export const sumOf = (reply: HttpReply, came: number, doing: string): number => {
  const { headers } = reply
  const [size, sum] = [headers['x-ucondb-data-size'], headers['x-ucondb-adler32']].map(Number)
  if (size === undefined || sum === undefined || Number.isNaN(size) || Number.isNaN(sum))
    throw lookAlike(reply, doing)
  if (came !== size) throw new Uncertain(`UconDB: ${doing}: ${came} of ${size} bytes came`)
  return sum >>> 0
}

/** The beginning of a body, as much as an error message needs. */
export const startOf = async (body: AsyncIterable<Buffer>, most: number): Promise<Buffer> => {
  const parts: Buffer[] = []
  let size = 0
  for await (const part of body) {
    parts.push(part)
    size += part.length
    if (size > most) break
  }
  return Buffer.concat(parts)
}

export const passwordAsked = (): ArchiverError =>
  new ArchiverError('STORE_UNAVAILABLE', 'UconDB asks for a user and password, and none is configured', {
    hint: 'Set ucon_db.writer_user and ucon_db.writer_password.',
  })
