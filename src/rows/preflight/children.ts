import type { Session } from '../../sql/session.ts'
import type { Dialect } from '../dialects/dialect.ts'
import { fullNameOf, groupOf, type Child, type Pair, type Table } from '../table.ts'
import { archiveNameOf } from './child-archive.ts'
import { foreignKeysBetween, indexOver, type ForeignKey } from './foreign-keys.ts'
import type { Problem } from './problem.ts'
import { compareShapes } from './shapes.ts'

/** A child table as the configuration names it. */
export interface ChildOptions {
  readonly table: string
  readonly key: readonly string[]
  readonly archiveTable: string | undefined
  readonly children: readonly ChildOptions[]
}

/** Where the tables of a group are looked up. */
export interface Lookup {
  readonly source: Session
  readonly archive: Session
  readonly dialect: Dialect
}

interface Names {
  readonly table: string
  readonly archiveTable: string
}

/** The pair with all of its children, and every reason why they cannot go with it. */
export const withChildren = async (
  lookup: Lookup,
  pair: Pair,
  names: Names,
  children: readonly ChildOptions[],
): Promise<{ readonly pair: Pair; readonly problems: readonly Problem[] }> => {
  if (children.length === 0) return { pair, problems: [] }
  const problems: Problem[] = [...selfReferences(await keysIn(lookup, pair.source, pair.source), pair.source)]
  const found: Child[] = []
  for (const options of children) {
    const child = await childOf(lookup, pair, names, options)
    problems.push(...child.problems)
    if (!child.pair) continue
    const { pair: own, archiveTable } = child
    const below = await withChildren(lookup, own, { table: options.table, archiveTable }, options.children)
    problems.push(...below.problems)
    if (options.children.length === 0)
      problems.push(...selfReferences(await keysIn(lookup, own.source, own.source), own.source))
    const index = await indexOver(lookup.source, own.source, options.key)
    found.push({ pair: below.pair, refers: options.key, ...(index === undefined ? {} : { index }) })
  }
  return { pair: { ...pair, children: found }, problems }
}

const keysIn = ({ source }: Lookup, child: Table, parent: Table): Promise<readonly ForeignKey[]> =>
  foreignKeysBetween(source, child, parent)

const childOf = async (
  lookup: Lookup,
  parent: Pair,
  names: Names,
  { table, key, archiveTable }: ChildOptions,
): Promise<{
  readonly pair?: Pair
  readonly archiveTable: string
  readonly problems: readonly Problem[]
}> => {
  const archiveName = archiveTable ?? archiveNameOf(table, names)
  if (archiveName === undefined)
    return {
      archiveTable: '',
      problems: [
        {
          message: `the archive of ${table} is not named, and the name of ${names.archiveTable} does not show how it is made of ${names.table}`,
          cure: `set archive_table for ${table} in rows.children`,
        },
      ],
    }
  const live = await lookup.dialect.describe(lookup.source, table)
  const kept = await lookup.dialect.describe(lookup.archive, archiveName)
  if (!live || !kept)
    return {
      archiveTable: archiveName,
      problems: [live ? [] : [table], kept ? [] : [archiveName]].flat().map((name) => ({
        message: `there is no table ${name}, which rows.children names`,
        cure: 'create it, or correct the name (schema.table where it is not in the default schema)',
      })),
    }
  const shapes = compareShapes(live, kept, lookup.source.dialect)
  const keys = await keysIn(lookup, live, parent.source)
  return {
    pair: shapes.pair,
    archiveTable: archiveName,
    problems: [...shapes.problems, ...linkProblems(keys, live, parent.source, key)],
  }
}

/** Only the server's own foreign key keeps children from coming in for a parent that is being moved. */
function* linkProblems(
  keys: readonly ForeignKey[],
  child: Table,
  parent: Table,
  refers: readonly string[],
): Generator<Problem> {
  const [first, ...others] = keys
  const wanted = `FOREIGN KEY (${refers.join(', ')}) REFERENCES ${parent.name} (${parent.key.join(', ')})`
  if (!first) {
    yield {
      message: `${fullNameOf(child)} has no foreign key to ${fullNameOf(parent)}: a row that comes in for a parent that is being moved would be left alone`,
      cure: `ALTER TABLE ${child.name} ADD ${wanted}`,
    }
    return
  }
  if (others.length > 0) {
    yield {
      message: `${fullNameOf(child)} refers to ${fullNameOf(parent)} by ${keys.length} foreign keys (${keys.map(({ name }) => name).join(', ')}): a row may belong to two parents`,
      cure: 'drop all but one of them, or move the rows of both tables by runs of their own, children first',
    }
    return
  }
  const target = refers.map((name) => first.references[first.columns.indexOf(name)])
  const isWhole = refers.length === first.columns.length && refers.length === parent.key.length
  if (!isWhole || target.some((name, at) => name !== parent.key[at]))
    yield {
      message: `${first.name} of ${fullNameOf(child)} is (${first.columns.join(', ')}) to (${first.references.join(', ')}), and rows.children says (${refers.join(', ')}) to the primary key (${parent.key.join(', ')})`,
      cure: `name its columns in rows.children; where it does not refer to the primary key: ALTER TABLE ${child.name} ADD ${wanted}`,
    }
  if (!first.isEnforced)
    yield {
      message: `the server does not enforce ${first.name} of ${fullNameOf(child)}: a row that comes in for a parent that is being moved would be left alone`,
      cure: `ALTER TABLE ${child.name} ENABLE TRIGGER ALL, or make the key anew`,
    }
}

function* selfReferences(keys: readonly ForeignKey[], table: Table): Generator<Problem> {
  for (const { name } of keys)
    yield {
      message: `${fullNameOf(table)} refers to itself by ${name}: its rows are parents of each other`,
      cure: `move the rows of ${table.name} by a run of their own, those first that nothing refers to`,
    }
}

/** A table that stands in the group twice. Rows would be deleted as the copies of others, or belong to two parents. */
export const doubleTables = async (
  { source, archive, dialect }: Lookup,
  pair: Pair,
): Promise<readonly Problem[]> => {
  const uses = new Map<string, string>()
  const problems: Problem[] = []
  for (const one of groupOf(pair))
    for (const [session, table, as] of [
      [source, one.source, 'live table'],
      [archive, one.archive, 'archive'],
    ] as const)
      for (const base of await dialect.basesOf(session, table)) {
        const other = uses.get(base)
        uses.set(base, as)
        if (other !== undefined)
          problems.push({
            message: `${fullNameOf(table)} stands in the group twice, as ${other} and as ${as}`,
            cure: 'name each table once, and another archive for each',
          })
      }
  return problems
}

/** The full names of the child tables that are there. */
export const childNames = async (
  session: Session,
  dialect: Dialect,
  children: readonly ChildOptions[],
): Promise<readonly string[]> => {
  const names: string[] = []
  for (const { table, children: below } of children) {
    const found = await dialect.describe(session, table)
    if (found) names.push(fullNameOf(found))
    names.push(...(await childNames(session, dialect, below)))
  }
  return names
}
