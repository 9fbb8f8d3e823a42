import { ArchiverError } from '../errors.ts'
import type { Result, Session, Statement } from '../sql/session.ts'
import { troubleOf } from './server-errors.ts'
import type { Pair, Shape, Table } from './table.ts'

/** Of SHOW CREATE TABLE: columns, primary key, constraints, engine. Other indexes, partitions and the next number may change at any time. */
const essence = (text: string): readonly string[] =>
  text
    .split('\n')
    .flatMap((line) => /^(?:CREATE .*| {2}(?:`|PRIMARY|CONSTRAINT).*|\) ENGINE=\w+)/.exec(line)?.[0] ?? [])

/** The server's answers to a shape's question as one text. */
const answerOf = (results: readonly Result[]): string =>
  JSON.stringify(
    results.map(({ rows }) =>
      rows.map((row) =>
        Object.entries(row).map(([name, value]) => (name === 'Create Table' ? essence(value ?? '') : value)),
      ),
    ),
  )

/** Asks what a table is now. */
export const askShape = async (session: Session, question: readonly Statement[]): Promise<Shape> => ({
  question,
  answer: answerOf(await session.runAll(question)),
})

/**
 * Throws ROWS_REFUSED where a table is no longer as it was when the run looked at it: rows could be deleted that were not copied whole, or that take
 * others with them. Asked in the transaction of a batch, after its last delete: from its first statement on the table nobody can change the table until
 * the commit, and a foreign key that came later took nothing.
 */
export const assertShape = async (session: Session, { schema, name, shape }: Table): Promise<void> => {
  if ((await askShape(session, shape.question)).answer === shape.answer) return
  throw hasChanged({ schema, name })
}

const hasChanged = ({ schema, name }: Pick<Table, 'schema' | 'name'>): ArchiverError =>
  new ArchiverError(
    'ROWS_REFUSED',
    `${schema}.${name} is not what it was when the run began: its columns, key, triggers, foreign keys or kind have changed`,
    { hint: 'run again: it looks at both tables anew, and finished batches are skipped' },
  )

/** The same of several tables of one server, in one journey. */
export const assertShapes = async (session: Session, tables: readonly Table[]): Promise<void> => {
  const answers = await session.runAll(tables.flatMap(({ shape }) => shape.question))
  let at = 0
  for (const table of tables) {
    const { question, answer } = table.shape
    if (answerOf(answers.slice(at, at + question.length)) !== answer) throw hasChanged(table)
    at += question.length
  }
}

/** What a batch ended with, outside of its transaction: where a table was changed meanwhile, that is why. */
export const orChanged = async (
  error: unknown,
  places: readonly (readonly [Session, Table])[],
): Promise<unknown> => {
  if (troubleOf(error) === 'transient' || error instanceof ArchiverError) return error
  for (const [session, table] of places) {
    const changed = await assertShape(session, table).then(
      () => undefined,
      (why: unknown) => why,
    )
    if (changed instanceof ArchiverError) return changed
  }
  return error
}

/** What a batch asks about both tables of one server. */
export const questionsOf = ({ source, archive }: Pair): readonly Statement[] => [
  ...source.shape.question,
  ...archive.shape.question,
]

/** Whether both tables are what they were, by the answers to `questionsOf`. */
export const isUnchanged = ({ source, archive }: Pair, answers: readonly Result[]): boolean => {
  const count = source.shape.question.length
  return (
    answerOf(answers.slice(0, count)) === source.shape.answer &&
    answerOf(answers.slice(count)) === archive.shape.answer
  )
}
