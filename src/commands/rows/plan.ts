import { untilStopped } from '../../app/context.ts'
import { counted } from '../../common/counted.ts'
import { printable } from '../../common/redact.ts'
import { messageOf } from '../../errors.ts'
import type { ArchiveFiles } from '../../rows/archive-files/archive-folder.ts'
import type { Dialect } from '../../rows/dialects/dialect.ts'
import { IdList, type IdListOptions } from '../../rows/id-list.ts'
import { openChecked } from '../../rows/open-checked.ts'
import { wholePartitions } from '../../rows/partitions.ts'
import { brokenError } from '../../rows/server-errors.ts'
import { fullNameOf, groupOf, type Key, type Pair } from '../../rows/table.ts'
import type { Session } from '../../sql/session.ts'
import { partitionHint } from './partition-hint.ts'
import { documentText } from './row-json.ts'
import { rowsConfig } from './rows-config.ts'
import { optionsOf, type RowsRunOptions } from './run-settings.ts'

/** The flags of a run that its checks depend on. */
export type PlanOptions = Pick<RowsRunOptions, 'config' | 'json' | 'file' | 'batchSize' | 'maxLag' | 'maxHll'>

/** Ids that a plan is shown with. */
const SHOWN = 3

/** `rows plan`: all that a run checks before its first batch, and the statements of a batch with how the server would run them. Changes nothing. */
export const rowsPlan = untilStopped<PlanOptions>(async (options, context) => {
  const config = rowsConfig(options.config, context)
  const work = optionsOf(config, options, 'move', context, () => undefined)
  const { files, where, archiveFiles: folder } = work
  const { connections, dialect, cleared } = await openChecked(work).catch(async (error: unknown) => {
    await work.gate.close()
    throw error
  })
  const { source } = connections
  const { pair, oneServer } = cleared
  try {
    const { list } = work
    const surveyed = []
    for (const file of files) surveyed.push(await survey(file, { ...list, key: pair.key }, context.signal))
    const [file] = surveyed
    const keys = file?.first ?? (await dialect.nextKeys(source, pair, undefined, SHOWN))
    const matching = where === undefined ? undefined : await dialect.countLive(source, pair)
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
      files: surveyed.map(({ file: name, ids, bad }) => ({ file: name, ids, bad })),
      wholePartitions: partitions,
      ...(matching === undefined ? {} : { where, matching }),
    }
    if (options.json) context.out(documentText({ ...facts, steps }))
    else {
      context.out(
        `${facts.source} → ${facts.archive}, by ${facts.key.join(', ')}; ${copied.length} columns; ${wayOf(oneServer, folder)}\n`,
      )
      for (const child of facts.children) context.out(`  with its children ${child}\n`)
      for (const { file: name, ids, bad } of facts.files)
        context.out(
          `  ${printable(name)}: ${counted(ids, 'id')}${bad === 0 ? '' : `, ${counted(bad, 'line')} skipped`}\n`,
        )
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
    await work.gate.close()
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

/** Reads a file of ids whole, as a run does before its first batch. Throws IDS_INVALID where a line is no key. */
const survey = async (file: string, options: IdListOptions, signal: AbortSignal) => {
  const list = await IdList.open(file, options)
  try {
    const { ids, bad } = await list.survey(signal)
    let first: readonly Key[] = []
    for await (const group of list.groups()) {
      first = group.slice(0, SHOWN).map(({ key }) => key)
      break
    }
    return { file, ids, bad, first }
  } finally {
    await list.close()
  }
}
