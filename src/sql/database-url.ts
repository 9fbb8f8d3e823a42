import { resolve } from 'node:path'
import { redactUrl } from '../common/redact.ts'
import { ArchiverError } from '../errors.ts'

export type DialectName = 'sqlite' | 'postgres' | 'mysql'

/** Where a database is. `server` is the URL for the driver, with its password: show it only through `redactUrl`. */
export type DatabasePlace =
  | { readonly dialect: 'sqlite'; readonly file: string }
  | { readonly dialect: 'postgres' | 'mysql'; readonly server: string }

/**
 * Reads the URL of a database: `sqlite:ledger.db` (in work_dir, or an absolute path), `postgres://` or `postgresql://`, `mysql://` or
 * `mariadb://`; `off` returns undefined. Throws CONFIG_INVALID, which names the setting, for anything else.
 */
export const databasePlace = (
  url: string,
  workDir: string,
  setting = 'ledger.url',
): DatabasePlace | undefined => {
  if (url === 'off' || url === '') return undefined
  const [, scheme = '', rest = ''] = /^([a-z]+):(.*)$/i.exec(url) ?? []
  switch (scheme.toLowerCase()) {
    case 'sqlite': {
      const path = rest.replace(/^\/\/(?=\/)/, '')
      if (path === '' || path.startsWith('//')) break
      return { dialect: 'sqlite', file: resolve(workDir, path) }
    }
    case 'postgres':
    case 'postgresql':
      if (URL.canParse(url)) return { dialect: 'postgres', server: url }
      break
    case 'mysql':
    case 'mariadb':
      if (URL.canParse(url)) return { dialect: 'mysql', server: `mysql:${rest}` }
  }
  throw new ArchiverError('CONFIG_INVALID', `${setting} "${redactUrl(url)}" is not the URL of a database`, {
    hint: 'use sqlite:FILE, postgres://user@host/database, mysql://user@host/database, or off',
  })
}

/** A schema's name that is safe to stand in SQL as it is. */
export const schemaName = (name: string): string => {
  if (/^[a-z_][a-z0-9_]{0,62}$/.test(name)) return name
  throw new ArchiverError('CONFIG_INVALID', `"${name}" cannot be the name of a schema`, {
    hint: 'lower-case letters, digits and underscores, 63 at most',
  })
}
