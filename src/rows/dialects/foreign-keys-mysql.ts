import type { Session, Statement } from '../../sql/session.ts'

/** Names as those of files: `a-b` is written a@002db. */
const part = (column: string, at: number): string =>
  `CONVERT(CONVERT(CAST(SUBSTRING_INDEX(${column}, '/', ${at}) AS BINARY) USING filename) USING utf8mb4)`

/** InnoDB's own list (of MariaDB, of MySQL): quick, and all keys are in it. Only who has PROCESS may read it. */
const LISTS = ['INNODB_SYS_FOREIGN', 'INNODB_FOREIGN']
const INNODB = LISTS.map(
  (list) =>
    `SELECT ${part('FOR_NAME', 1)} AS s, ${part('FOR_NAME', -1)} AS t, SUBSTRING(ID, LOCATE('/', ID) + 1) AS c, IF(TYPE & 1, 'CASCADE', 'SET NULL') AS rule
     FROM information_schema.${list} WHERE TYPE & 3 AND ${part('REF_NAME', 1)} = ? AND ${part('REF_NAME', -1)} = ?`,
)

/** The standard's view: it opens every table of the server, and shows keys of those tables on which the user has a right. */
const STANDARD = `SELECT CONSTRAINT_SCHEMA AS s, TABLE_NAME AS t, CONSTRAINT_NAME AS c, DELETE_RULE AS rule FROM information_schema.REFERENTIAL_CONSTRAINTS
  WHERE UNIQUE_CONSTRAINT_SCHEMA = ? AND REFERENCED_TABLE_NAME = ? AND DELETE_RULE NOT IN ('RESTRICT', 'NO ACTION')`

export interface ForeignKeys {
  /** For database and name of a table: the keys to it that change rows by themselves, as child's database (s) and name (t), key (c) and rule. */
  readonly sql: string
  /** Whether the user sees every such key by it. */
  readonly isWhole: boolean
}

/** How foreign keys to a table are found by this user. */
export const foreignKeysTo = async (session: Session): Promise<ForeignKeys> => {
  for (const sql of INNODB) {
    const answer = await session.run(`SELECT COUNT(*) FROM (${sql}) AS k`, ['', '']).catch(() => undefined)
    if (answer) return { sql, isWhole: true }
  }
  return { sql: STANDARD, isWhole: false }
}

/**
 * The statement whose answer changes with the keys to a table that change rows by themselves: for each batch, so without names that a person reads,
 * an order or a derived table, which would take several times as long. InnoDB's list keeps its order by itself.
 */
export const foreignKeysWatch = async (
  session: Session,
  schema: string,
  name: string,
): Promise<Statement> => {
  const encoded = "CONVERT(CAST(CONVERT(CONCAT(?, '') USING filename) AS BINARY) USING utf8mb4)"
  for (const list of LISTS) {
    const names = await session
      .run(
        `SELECT ${encoded} AS s, ${encoded} AS t FROM information_schema.${list} RIGHT JOIN (SELECT 1 AS one) AS o ON FALSE`,
        [schema, name],
      )
      .catch(() => undefined)
    const [row] = names?.rows ?? []
    if (row)
      return {
        sql: `SELECT FOR_NAME, ID, TYPE FROM information_schema.${list} WHERE TYPE & 3 AND REF_NAME IN (?, ?)`,
        parameters: [`${row['s'] ?? ''}/${row['t'] ?? ''}`, `${schema}/${name}`],
      }
  }
  return { sql: `SELECT s, t, c, rule FROM (${STANDARD}) AS k ORDER BY s, t, c`, parameters: [schema, name] }
}
