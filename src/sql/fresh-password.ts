import { Secret } from '../common/secret.ts'

/**
 * The password of a database: that of its own setting, else that of its URL. Each is read again where it came from a file; a URL there that leads to
 * another place, or names another user, counts at the next start.
 */
export const databasePassword = ({
  url,
  password,
}: {
  readonly url: Secret | undefined
  readonly password: Secret | undefined
}): Secret | undefined => {
  if (password !== undefined || url === undefined) return password
  const first = parsed(url.reveal())
  if (first === undefined || first.password === '') return undefined
  return new Secret(first.password, () => {
    const now = parsed(url.current())
    if (now?.place !== first.place) throw new SyntaxError('another place')
    return now.password
  })
}

const parsed = (text: string): { readonly place: string; readonly password: string } | undefined => {
  if (!/^\w+:\/\//.test(text) || !URL.canParse(text)) return undefined
  const url = new URL(text)
  const { password } = url
  url.password = ''
  try {
    return { place: url.href, password: decodeURIComponent(password) }
  } catch {
    return { place: url.href, password } // a lone % is no escape
  }
}

/** For a pool of mysql2, which asks nobody for its password: each connection takes a copy of this object, accessors and all, and may set its own. */
export const freshMysql = (pool: object, password: Secret | undefined): void => {
  if (password === undefined) return
  const { config } = pool as { readonly config: { readonly connectionConfig: object } }
  Object.defineProperty(config.connectionConfig, 'password', {
    configurable: true,
    enumerable: true,
    get: () => password.current(),
    set(this: object, value: unknown) {
      Object.defineProperty(this, 'password', { value, writable: true, configurable: true, enumerable: true })
    },
  })
}
