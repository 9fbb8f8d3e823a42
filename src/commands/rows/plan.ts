import { untilStopped } from '../../app/context.ts'
import { messageOf } from '../../errors.ts'
import type { ArchiveFiles } from '../../rows/archive-files/archive-folder.ts'
import { IdList } from '../../rows/id-list.ts'
import { preflight } from '../../rows/preflight/preflight.ts'
import { FORCEABLE } from '../../rows/preflight/problem.ts'
import { wholePartitions } from '../../rows/partitions.ts'
import { brokenError } from '../../rows/server-errors.ts'
import { connect, dialectFor } from '../../rows/server.ts'
import { fullNameOf, groupOf, type Key, type Pair } from '../../rows/table.ts'
import type { Dialect } from '../../rows/dialects/dialect.ts'
import type { Session } from '../../sql/session.ts'
import { partitionHint } from './partition-hint.ts'
import { documentText } from './row-json.ts'
import { archiveFilesOf, idsOf, placesOf, rowsConfig, type RowsConfig } from './rows-config.ts'

export interface PlanOptions {
  readonly config: string
  readonly json?: boolean
  readonly file?: readonly string[]
}

/** Ids that a plan is shown with. */
const SHOWN = 3

/** `rows plan`: the preflight, and the statements of a batch with how the server would run them. Changes nothing. */
export const rowsPlan = untilStopped<PlanOptions>(async (options, context) => {
  const config = rowsConfig(options.config, context)
  const { rows } = config
  const connections = await connect(placesOf(config))
  const { source, archive } = connections
  const dialect = dialectFor(source)
  try {
    const { files, where } = idsOf(config, options.file)
    const folder = archiveFilesOf(config)
    const { pair, oneServer } = await preflight({
      where,
      children: rows.children,
      source,
      archive,
      dialect,
      table: rows.table,
      archiveTable: rows.archive.table || rows.archiveTable,
      archiveFiles: folder && { ...folder, logsInTransaction: rows.log === undefined },
      batchSize: rows.batchSize === 'auto' ? 10_000 : rows.batchSize,
      forced: new Set(FORCEABLE.filter((name) => context.argv.includes(`--force-${name}`))),
    })
    const [file] = files
    const keys =
      file === undefined
        ? await dialect.nextKeys(source, pair, undefined, SHOWN)
        : await firstKeys(file, rows, pair.key)
    const matching = where === undefined ? undefined : await dialect.countLive(source, pair)
    const { columns, header, badLines } = rows
    const list = { columns, header, badLines }
    const partitions =
      pair.children || folder ? [] : await wholePartitions(source, dialect, pair, { files, where, list })
    const steps = []
    const shown =
      keys.length === 0 || !oneServer || folder ? [] : await groupStatements(source, dialect, pair, keys)
    for (const sql of shown) {
      const plan = await source.run(`EXPLAIN ${sql}`).then(
        ({ rows: lines }) => lines,
        (error: unknown) => [{ error: messageOf(error) }],
      )
      steps.push({ sql, plan })
    }
    const copied = pair.columns.map(({ source: column }) => column.name)
    const facts = {
      source: fullNameOf(pair.source),
      archive: fullNameOf(pair.archive),
      key: pair.key.map(({ name }) => name),
      columns: copied,
      oneServer,
      children: groupOf(pair)
        .slice(1)
        .map((one) => `${fullNameOf(one.source)} → ${fullNameOf(one.archive)}`),
      wholePartitions: partitions,
      ...(matching === undefined ? {} : { where, matching }),
    }
    if (options.json) context.out(documentText({ ...facts, steps }))
    else {
      context.out(
        `${facts.source} → ${facts.archive}, by ${facts.key.join(', ')}; ${copied.length} columns; ${wayOf(oneServer, folder)}\n`,
      )
      for (const child of facts.children) context.out(`  with its children ${child}\n`)
      if (matching !== undefined) context.out(`${matching} rows where ${where ?? ''}\n`)
      const names = { live: pair.source.name, kept: pair.archive.name, dialect: source.dialect }
      for (const line of partitionHint(partitions, names, false)) context.out(`${line}\n`)
      for (const { sql, plan } of steps)
        context.out(
          `\n${sql}\n${plan
            .map(
              (line) =>
                `  ${Object.values(line)
                  .map((value) => value ?? '-')
                  .join(' | ')}`,
            )
            .join('\n')}\n`,
        )
    }
    return 0
  } catch (error) {
    throw brokenError(error, 'plan')
  } finally {
    await connections.close()
  }
})

const wayOf = (oneServer: boolean, folder: ArchiveFiles | undefined): string => {
  if (folder) return 'each batch is a file, synced and read back before its rows are deleted'
  return oneServer ? 'one transaction a batch' : 'two servers: the archive commits first and is read back'
}

/** The statements of a batch, table by table. */
const groupStatements = async (
  session: Session,
  dialect: Dialect,
  pair: Pair,
  keys: readonly Key[],
): Promise<readonly string[]> => {
  if (keys.length === 0) return []
  const below = []
  for (const child of pair.children ?? []) {
    const found = await dialect.childrenOf(session, pair, child, keys, false)
    const some = found.slice(0, SHOWN).map(({ key }) => key)
    below.push(
      dialect.childStatement(pair, child, keys),
      ...(await groupStatements(session, dialect, child.pair, some)),
    )
  }
  return [...below, ...dialect.statements(pair, keys)]
}

const firstKeys = async (
  file: string,
  { columns, header, badLines }: RowsConfig['rows'],
  key: Pair['key'],
): Promise<readonly Key[]> => {
  const list = await IdList.open(file, { key, columns, header, badLines })
  try {
    for await (const group of list.groups()) return group.slice(0, SHOWN).map(({ key: one }) => one)
    return []
  } finally {
    await list.close()
  }
}
