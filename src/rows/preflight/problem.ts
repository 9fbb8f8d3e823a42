import { ArchiverError } from '../../errors.ts'
import type { Pair, Table } from '../table.ts'

/** What a flag `--force-NAME` may overrule. Nothing else can be. */
export const FORCEABLE = ['cascades', 'triggers', 'binlog', 'packet-size'] as const

export type Forceable = (typeof FORCEABLE)[number]

/** A reason why moving rows would not be safe. */
export interface Problem {
  readonly message: string
  /** What makes it go away. */
  readonly cure: string
  readonly forceable?: Forceable
}

/** What a preflight found, where it found nothing that stands. */
export interface Cleared {
  readonly pair: Pair
  /** Whether both tables are in one server, so that one transaction moves a batch. So it does where the archive is a folder of files. */
  readonly oneServer: boolean
  /** Problems that a flag overruled: to be logged. */
  readonly overruled: readonly Problem[]
}

/** The tables that are moved with a table, or that rows are moved to. */
export interface Surroundings {
  /** Its children that go with it. */
  readonly named: readonly Table[]
  /** Every archive of the group. */
  readonly archives: readonly Table[]
}

export const CHILDREN_CURE =
  'name the table in rows.children; or archive its rows first and make the key RESTRICT'

/** Of a table that refers to itself, which cannot be a child of its own. */
export const SELF_CURE =
  'make the key RESTRICT, and name rows that refer to others in earlier batches than those'

export const SHARED_SESSION: Problem = {
  message:
    "the connection leads through a pooler that gives each transaction another session of the server: the table's lock and the settings of a move do not last",
  cure: "connect to the server itself, or by a pooler in session mode (pgbouncer's pool_mode = session)",
}

/** Those of the problems that flags overruled; throws ROWS_REFUSED where any other was found. */
export const overruledOf = (
  found: readonly Problem[],
  forced: ReadonlySet<Forceable>,
): readonly Problem[] => {
  const problems = distinct(found)
  const standing = problems.filter(({ forceable }) => forceable === undefined || !forced.has(forceable))
  if (standing.length > 0) throw refusal(standing)
  return problems
}

/** What is wrong with a server shows at each of its tables. */
const distinct = (problems: readonly Problem[]): readonly Problem[] => [
  ...new Map(problems.map((problem) => [problem.message, problem])).values(),
]

/** A table that is not there. */
export const absent = (name: string): Problem => ({
  message: `there is no table ${name}`,
  cure: 'create it, or correct the name (schema.table where it is not in the default schema)',
})

/** The error that names every problem with its cure. */
export const refusal = (problems: readonly (Problem | undefined)[]): ArchiverError => {
  const lines = problems.flatMap((problem) =>
    problem
      ? [
          `  ${problem.message}\n    → ${problem.cure}${problem.forceable ? ` (or --force-${problem.forceable})` : ''}`,
        ]
      : [],
  )
  return new ArchiverError(
    'ROWS_REFUSED',
    `rows are not moved; ${lines.length} reason${lines.length === 1 ? '' : 's'}:\n${lines.join('\n')}`,
  )
}
