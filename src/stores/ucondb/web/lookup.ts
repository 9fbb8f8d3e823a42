import type { Call } from './http.ts'
import type { HttpReply } from './request.ts'

/** Bytes of an error page. */
const TEXT_LIMIT = 1_000_000
/** Bytes of one version in a reply: some 200. */
const VERSION_LIMIT = 1000

/** Asks for versions by their keys: those that are marked as deleted, too, which no listing has. `path`: that of the listing. */
export const lookupOf = (path: string, keys: readonly string[]): Call => ({
  method: 'POST',
  path: path.replace('/versions?', '/lookup_versions?'),
  body: Buffer.from(JSON.stringify({ keys })),
  limit: TEXT_LIMIT + keys.length * VERSION_LIMIT,
})

/**
 * The keys of such a reply, one JSON text behind each 0x1E. Of one that was cut these are fewer, which nothing shows; a refusal (an object without
 * versions, a server that knows no lookup) has none. So what is missing says nothing.
 */
export const keysIn = ({ status, body }: HttpReply, asked: readonly string[]): ReadonlySet<string> => {
  const wanted = new Set(asked)
  const found = status === 200 ? body.toString('utf8').split('\u001e').flatMap(keyIn) : []
  return new Set(found.filter((key) => wanted.has(key)))
}

const keyIn = (text: string): string[] => {
  try {
    const { key } = JSON.parse(text) as { key?: unknown }
    return typeof key === 'string' ? [key] : []
  } catch {
    return [] // the empty text before the first, and one that was cut
  }
}
