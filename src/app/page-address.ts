import { ArchiverError } from '../errors.ts'

/** Throws CONFIG_INVALID for an address that others reach where no token guards the page. */
export const assertGuarded = (address: string, hasToken: boolean): void => {
  if (isLoopback(address) || hasToken) return
  throw new ArchiverError(
    'CONFIG_INVALID',
    `serve listens on ${address}, which others can reach, and has no token`,
    {
      hint: 'Name a token with serve.token_file or --token-file, or listen on 127.0.0.1 behind a reverse proxy.',
    },
  )
}

/** Whether only this host reaches an address. */
export const isLoopback = (host: string): boolean => /^(?:localhost|127(?:\.\d+){3}|::1)$/.test(host)

/** The `Host` headers that the page answers to. Throws CONFIG_INVALID where the public URL is not an http or https address. */
export const hostNames = (host: string, port: number, publicUrl: string | undefined): string[] => {
  const loopback = isLoopback(host) ? ['localhost', '127.0.0.1', '[::1]'] : []
  const own = [host.includes(':') ? `[${host}]` : host, ...loopback]
  // A browser leaves the port of http out.
  const names = own.flatMap((name) => (port === 80 ? [name, `${name}:80`] : [`${name}:${port}`]))
  if (publicUrl === undefined) return names
  if (!/^https?:\/\//.test(publicUrl) || !URL.canParse(publicUrl))
    throw new ArchiverError('CONFIG_INVALID', 'the public URL must begin with http:// or https://')
  return [...names, new URL(publicUrl).host]
}

/** The path below which a reverse proxy serves the page, without a slash at its end; '' for none. Throws CONFIG_INVALID. */
export const basePath = (path: string): string => {
  const base = path.replace(/\/+$/, '')
  if (base === '' || /^(?:\/[\w.~-]+)+$/.test(base)) return base
  throw new ArchiverError('CONFIG_INVALID', `the base path "${path}" must be such as /archiver`)
}
