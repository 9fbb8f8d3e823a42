import type { ChildOptions } from '../../src/rows/preflight/children.ts'
import { type Name, Site } from './servers.ts'

/** Items `c` of the rows `r`, and notes `g` of the items, which have a key of two columns. */
export const CHILDREN: readonly ChildOptions[] = [
  {
    table: 'c',
    key: ['rid'],
    archiveTable: undefined,
    children: [{ table: 'g', key: ['cid'], archiveTable: 'ga', children: [] }],
  },
]

/** The same as the configuration has it. */
export const CHILD_SETTING = [
  { table: 'c', key: 'rid', children: [{ table: 'g', key: ['cid'], archive_table: 'ga' }] },
]

const TABLES = ['r', 'c', 'g'] as const

/** Rows 1 to `count`, each with two items and each item with two notes. `rule` is what the foreign keys do at a delete. */
export const makeGroups = async (name: Name, count: number, rule = 'RESTRICT'): Promise<Site> => {
  const site = await Site.make(name)
  await site.fill(count)
  const item = 'id BIGINT PRIMARY KEY, rid BIGINT, t VARCHAR(40)'
  const note = 'cid BIGINT, no INT, t VARCHAR(40), PRIMARY KEY (cid, no)'
  const refers = (key: string, to: string): string =>
    `, CONSTRAINT ${to}_link FOREIGN KEY (${key}) REFERENCES ${to} (id) ON DELETE ${rule}`
  await site.sql(
    `CREATE TABLE c (${item}${refers('rid', 'r')})`,
    `CREATE TABLE g (${note}${refers('cid', 'c')})`,
    `CREATE TABLE ca (${item})`,
    `CREATE TABLE ga (${note})`,
  )
  if (name === 'postgres') await site.sql('CREATE INDEX ON c (rid)')
  const text = name === 'mysql' ? "CONCAT('item ', x.n, '.', r.id)" : "'item ' || x.n || '.' || r.id"
  await site.sql(
    `INSERT INTO c SELECT r.id * 10 + x.n, r.id, ${text} FROM r, (SELECT 1 AS n UNION SELECT 2) x`,
    `INSERT INTO g SELECT c.id, x.n, c.t FROM c, (SELECT 1 AS n UNION SELECT 2) x`,
  )
  return site
}

/** Live and archived rows of each table: `4+6` is four live ones and six archived. */
export const standing = async (site: Site): Promise<string> => {
  const parts = []
  for (const table of TABLES) parts.push(`${await site.count(table)}+${await site.count(`${table}a`)}`)
  return parts.join(' ')
}

/** Count and checksum of live and archived rows together, table by table; rows in both; and rows that are archived or live without their parents. */
export const wholeGroups = async (site: Site) => {
  const text = (columns: string): string =>
    site.name === 'mysql' ? `CONCAT_WS('|', ${columns})` : `ROW(${columns})::text`
  const sumOf = async (table: string, columns: string) => {
    const hash =
      site.name === 'mysql'
        ? `COALESCE(SUM(CAST(CONV(LEFT(MD5(${text(columns)}), 12), 16, 10) AS DECIMAL(30))), 0)`
        : `COALESCE(sum(('x' || left(md5(${text(columns)}), 12))::bit(48)::bigint), 0)`
    const { 0: row } = await site.rows(
      `SELECT a.n + b.n AS n, a.h + b.h AS h FROM (SELECT count(*) AS n, ${hash} AS h FROM ${table}) a, (SELECT count(*) AS n, ${hash} AS h FROM ${table}a) b`,
    )
    return `${row!['n']} rows, ${Number(row!['h'])}`
  }
  return {
    r: await sumOf('r', 'id, t, n, CONCAT(d)'),
    c: await sumOf('c', 'id, rid, t'),
    g: await sumOf('g', 'cid, no, t'),
    inBoth:
      (await site.count('r JOIN ra USING (id)')) +
      (await site.count('c JOIN ca USING (id)')) +
      (await site.count('g JOIN ga USING (cid, no)')),
    withoutParent:
      (await site.count('ca LEFT JOIN ra ON ra.id = ca.rid', 'ra.id IS NULL')) +
      (await site.count('ga LEFT JOIN ca ON ca.id = ga.cid', 'ca.id IS NULL')) +
      (await site.count('c LEFT JOIN r ON r.id = c.rid', 'r.id IS NULL')) +
      (await site.count('g LEFT JOIN c ON c.id = g.cid', 'c.id IS NULL')),
  }
}
