import { createHash } from 'node:crypto'

const md5 = (text: string): string => createHash('md5').update(text).digest('hex')

/** The challenge as the server sends it: the nonce is Python's way to print bytes, quotes included. */
export const challenge = (realm: string, seconds: number): string =>
  `Digest realm="${realm}", nonce="b'${Buffer.from(String(Math.floor(seconds))).toString('base64')}'", algorithm=MD5, qop="auth"`

export type Verdict =
  | { readonly type: 'accepted' }
  | { readonly type: 'refused' }
  | { readonly type: 'none' }
  | { readonly type: 'broken'; readonly message: string }

/**
 * Judges an Authorization header as the server does: split at every comma, needing seven fields, using its own realm,
 * heeding neither nonce nor count. `passwords`: of the folder, by user.
 */
export const judge = (
  header: string | undefined,
  method: string,
  realm: string,
  passwords: ReadonlyMap<string, string>,
): Verdict => {
  if (!header?.startsWith('Digest ')) return { type: 'none' }
  const fields = new Map<string, string>()
  for (const part of header.slice('Digest '.length).split(',')) {
    const at = part.indexOf('=')
    fields.set(
      part.slice(0, at).trim(),
      part
        .slice(at + 1)
        .trim()
        .replace(/^"|"$/g, ''),
    )
  }
  const names = ['username', 'uri', 'nonce', 'nc', 'cnonce', 'qop', 'response'] as const
  const missing = names.find((name) => !fields.has(name))
  if (missing) return { type: 'broken', message: `'${missing}'` }
  const [username, uri, nonce, nc, cnonce, qop, response] = names.map((name) => fields.get(name) ?? '')
  const password = passwords.get(username ?? '')
  if (password === undefined) return { type: 'refused' }
  const ha1 = md5(`${username}:${realm}:${password}`)
  const wanted = md5(`${ha1}:${nonce}:${nc}:${cnonce}:${qop}:${md5(`${method}:${uri}`)}`)
  return { type: wanted === response ? 'accepted' : 'refused' }
}
