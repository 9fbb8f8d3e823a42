import { messageOf } from '../../errors.ts'
import type { Session } from '../../sql/session.ts'
import type { Dialect } from '../dialects/dialect.ts'
import type { Pair } from '../table.ts'
import type { Problem } from './problem.ts'

/** A condition is tried between words first, not in parentheses: one that closes them would reach beyond them later. */
export const conditionProblems = async (
  { source, dialect }: { readonly source: Session; readonly dialect: Dialect },
  pair: Pair,
): Promise<readonly Problem[]> => {
  const { where, key, source: live } = pair
  if (where === undefined) return []
  const table = `${dialect.quote(live.schema)}.${dialect.quote(live.name)}`
  const said = await source
    .run(`SELECT 1 FROM ${table} t WHERE CASE WHEN ${where}\n THEN 1 ELSE 0 END = 1 AND 1 = 0`)
    .then(() => undefined, messageOf)
  const problems: Problem[] = []
  if (said !== undefined)
    problems.push({
      message: `rows.where is no condition on rows of ${live.name}: ${said}`,
      cure: 'write what stands behind WHERE, with the plain names of columns',
    })
  if (key.some(({ column }) => column.type === 'enum'))
    problems.push({
      message: `${live.name} has an ENUM in its primary key, whose order is not that of its texts: rows.where cannot walk along it`,
      cure: 'list the ids in files',
    })
  return problems
}
