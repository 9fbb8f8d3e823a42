import type { Session } from '../../sql/session.ts'

/** What the user of a session may do, as SHOW GRANTS lists it. */
export type Grants = (rights: readonly string[], schema?: string, table?: string) => boolean

const LINE = /^GRANT (.+?) ON (?:TABLE )?(\*|`(?:[^`]|``)+`)\.(\*|`(?:[^`]|``)+`) TO /

const plain = (name: string): string => name.slice(1, -1).replaceAll('``', '`')

/** A database in a grant is a pattern: `%` for any text, `_` for any character, unless a backslash stands before it. */
const matches = (pattern: string, name: string): boolean => {
  const source = pattern.replace(/\\?[\s\S]/g, (part) => {
    if (part === '%') return '.*'
    if (part === '_') return '.'
    return part.replace(/^\\(?=[%_])/, '').replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
  })
  return new RegExp(`^${source}$`, 'is').test(name)
}

/** Reads the user's grants; those of roles that are active count. What cannot be read is not granted. */
export const grantsMysql = async (session: Session): Promise<Grants> => {
  const lines = async (sql: string): Promise<readonly string[]> =>
    (await session.run(sql)).rows.map((row) => Object.values(row)[0] ?? '')
  const active = await lines('SELECT CURRENT_ROLE()').catch(() => [])
  const role = active[0] ?? ''
  const own = await lines('SHOW GRANTS').catch(() => [])
  // MySQL leaves the grants of roles out, MariaDB does not know the word.
  const ofRoles = role.includes('@')
    ? await lines(`SHOW GRANTS FOR CURRENT_USER() USING ${role}`).catch(() => [])
    : []
  const parsed = [...own, ...ofRoles].flatMap((line) => {
    const [, rights, schema, table] = LINE.exec(line) ?? []
    if (rights === undefined || schema === undefined || table === undefined) return []
    // Rights on single columns have a list after them, and are none on the table.
    return [{ rights: rights.split(/,\s*(?![^(]*\))/).map((right) => right.trim()), schema, table }]
  })
  return (rights, schema, table) =>
    parsed.some((grant) => {
      if (![...rights, 'ALL PRIVILEGES'].some((right) => grant.rights.includes(right))) return false
      if (grant.schema === '*') return true
      if (schema === undefined) return false
      if (grant.table === '*') return matches(plain(grant.schema), schema)
      return (
        table !== undefined &&
        plain(grant.schema).toLowerCase() === schema.toLowerCase() &&
        plain(grant.table).toLowerCase() === table.toLowerCase()
      )
    })
}
