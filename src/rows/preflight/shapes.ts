import { keyTypeOf } from '../key-values.ts'
import type { Column, CopiedColumn, KeyColumn, Pair, Table } from '../table.ts'
import type { Problem } from './problem.ts'
import { holds, isKnown } from './widening.ts'
import type { SqlDialect } from '../../sql/session.ts'

export interface Shapes {
  readonly pair: Pair
  readonly problems: readonly Problem[]
}

/** Engines whose rows live in this very server and take part in its transactions. FEDERATED and the like may lead back to the source. */
const ENGINES = /^(?:innodb|rocksdb|tokudb)$/i

/** Compares two tables as they were described: what is copied, by which key, and every reason why that would lose something. Pure. */
export const compareShapes = (source: Table, archive: Table, dialect: SqlDialect): Shapes => {
  const kinds = [...keeping(source, dialect), ...keeping(archive, dialect)]
  const problems: Problem[] = [...kinds]
  const folded = folding(dialect)
  const byName = new Map(archive.columns.map((column) => [folded(column.name), column]))
  const columns: CopiedColumn[] = []
  for (const column of source.columns) {
    const twin = byName.get(folded(column.name))
    byName.delete(folded(column.name))
    if (!twin) {
      if (!column.generated) problems.push(missing(archive, column))
    } else if (!twin.generated) {
      columns.push({ source: column, archive: twin })
      problems.push(...narrower(archive, column, twin, dialect))
    } else if (!column.generated)
      problems.push({
        message: `${archive.name}.${twin.name} is computed by the archive: it cannot keep the value of ${source.name}.${column.name}`,
        cure: `make it a plain column: ALTER TABLE ${archive.name} MODIFY ${twin.name} ${column.fullType}`,
      })
    else if (column.expression !== twin.expression)
      problems.push({
        message: `${archive.name}.${twin.name} is computed as ${twin.expression ?? '?'}, and ${source.name}.${column.name} as ${column.expression ?? '?'}: the archived row would have another value`,
        cure: `give ${archive.name}.${twin.name} the same expression, or make it a plain column`,
      })
  }
  for (const extra of byName.values())
    if (!extra.hasDefault && !extra.generated)
      problems.push({
        message: `${archive.name}.${extra.name} has no default, and ${source.name} has no such column`,
        cure: `give it a default, or let it be NULL`,
      })
  const { key, problems: keyProblems } = keyOf(source, archive, folded)
  // What a view lacks is not to be added to it.
  const areTables = source.kind === 'table' && archive.kind === 'table'
  return {
    pair: { source, archive, key, columns },
    problems: areTables ? [...problems, ...keyProblems] : kinds,
  }
}

/** PostgreSQL keeps columns apart whose names differ only in case. */
const folding =
  (dialect: SqlDialect) =>
  (name: string): string =>
    dialect === 'mysql' ? name.toLowerCase() : name

const missing = (archive: Table, column: Column): Problem => ({
  message: `${archive.name} has no column ${column.name}: its values would be lost`,
  cure: `ALTER TABLE ${archive.name} ADD COLUMN ${column.name} ${column.fullType}`,
})

function* narrower(archive: Table, source: Column, twin: Column, dialect: SqlDialect): Generator<Problem> {
  if (!isKnown(source, dialect))
    yield {
      message: `${source.name} has the type ${source.fullType}, whose values this program cannot compare exactly`,
      cure: 'such a table cannot be moved by this program',
    }
  else if (!holds(source, twin, dialect))
    yield {
      message: `${archive.name}.${twin.name} is ${described(twin)}: it cannot keep every value of ${described(source)}`,
      cure: `ALTER TABLE ${archive.name} ${dialect === 'mysql' ? 'MODIFY' : 'ALTER COLUMN'} ${twin.name} ${dialect === 'mysql' ? '' : 'TYPE '}${source.fullType}`,
    }
  if (source.nullable && !twin.nullable)
    yield {
      message: `${archive.name}.${twin.name} is NOT NULL, and ${source.name} may be NULL`,
      cure: `let the archive's column be NULL`,
    }
}

const described = ({ fullType, charset }: Column): string =>
  charset === undefined ? fullType : `${fullType} (${charset})`

function* keeping({ schema, name, kind, engine }: Table, dialect: SqlDialect): Generator<Problem> {
  const full = `${schema}.${name}`
  if (kind === 'system versioned') {
    yield {
      message: `${full} keeps old versions of its rows (WITH SYSTEM VERSIONING): a row that is moved would stay in its history, and its archive would get another time of its own`,
      cure: `such a table cannot be moved by this program; where nobody needs its history: ALTER TABLE ${full} DROP SYSTEM VERSIONING`,
    }
    return
  }
  if (kind !== 'table') {
    yield { message: `${full} is a ${kind}, not a table`, cure: 'name the table itself' }
    return
  }
  if (dialect === 'mysql' && !ENGINES.test(engine))
    yield {
      message: `${full} has the engine ${engine}: a batch could not be rolled back`,
      cure: `ALTER TABLE ${full} ENGINE=InnoDB`,
    }
  if (dialect === 'postgres' && engine !== 'permanent')
    yield {
      message: `${full} is ${engine}: a crash of the server empties it`,
      cure: engine === 'unlogged' ? `ALTER TABLE ${full} SET LOGGED` : 'use a permanent table',
    }
}

const keyOf = (
  source: Table,
  archive: Table,
  folded: (name: string) => string,
): { key: readonly KeyColumn[]; problems: readonly Problem[] } => {
  const problems: Problem[] = []
  const key: KeyColumn[] = []
  if (source.key.length === 0)
    problems.push({ message: `${source.name} has no primary key: its rows cannot be named`, cure: 'add one' })
  else if (archive.key.map(folded).join(', ') !== source.key.map(folded).join(', '))
    problems.push({
      message: `the primary key of ${archive.name} is (${archive.key.join(', ')}), that of ${source.name} is (${source.key.join(', ')})`,
      cure: `give ${archive.name} the primary key (${source.key.join(', ')})`,
    })
  for (const name of source.key) {
    const column = source.columns.find((one) => one.name === name)
    const twin = archive.columns.find((one) => folded(one.name) === folded(name))
    const type = column && keyTypeOf(column.type)
    if (!column || type === undefined)
      problems.push({
        message: `the key's column ${name} has the type ${column?.fullType ?? '?'}: ids of this type cannot be read from a file`,
        cure: 'keys may be integers, UUIDs, texts, dates and times',
      })
    else key.push({ name, type, column })
    if (column && twin && column.collation !== twin.collation)
      problems.push({
        message: `the key's column ${name} is compared by ${column.collation ?? 'no collation'} in the source and by ${twin.collation ?? 'no collation'} in the archive`,
        cure: 'give both the same collation',
      })
  }
  return { key, problems }
}
