import { resolve } from 'node:path'
import type { Command } from '../../app/context.ts'
import { messageOf } from '../../errors.ts'
import { IdList } from '../../rows/id-list.ts'
import { preflight } from '../../rows/preflight/preflight.ts'
import { FORCEABLE } from '../../rows/preflight/problem.ts'
import { connect, dialectFor } from '../../rows/server.ts'
import type { Key } from '../../rows/table.ts'
import { documentText } from './row-json.ts'
import { filesOf, placesOf, rowsConfig } from './rows-config.ts'

export interface PlanOptions {
  readonly config: string
  readonly json?: boolean
  readonly file?: readonly string[]
}

/** Ids that a plan is shown with. */
const SHOWN = 3

/** `rows plan`: the preflight, and the statements of a batch with how the server would run them. Changes nothing. */
export const rowsPlan: Command<PlanOptions> = async (options, context) => {
  const config = rowsConfig(options.config, context)
  const { rows } = config
  const connections = await connect(placesOf(config))
  const { source, archive } = connections
  const dialect = dialectFor(source)
  try {
    const { pair, oneServer } = await preflight({
      source,
      archive,
      dialect,
      table: rows.table,
      archiveTable: rows.archive.table || rows.archiveTable,
      batchSize: rows.batchSize === 'auto' ? 10_000 : rows.batchSize,
      forced: new Set(FORCEABLE.filter((name) => context.argv.includes(`--force-${name}`))),
    })
    const [file = ''] = filesOf(options.file?.map((one) => resolve(one)) ?? rows.files)
    const list = await IdList.open(file, {
      key: pair.key,
      columns: rows.columns,
      header: rows.header,
      badLines: rows.badLines,
    })
    let keys: readonly Key[] = []
    for await (const group of list.groups()) {
      keys = group.slice(0, SHOWN).map(({ key }) => key)
      break
    }
    await list.close()
    const steps = []
    for (const sql of keys.length === 0 || !oneServer ? [] : dialect.statements(pair, keys)) {
      const plan = await source.run(`EXPLAIN ${sql}`).then(
        ({ rows: lines }) => lines,
        (error: unknown) => [{ error: messageOf(error) }],
      )
      steps.push({ sql, plan })
    }
    const copied = pair.columns.map(({ source: column }) => column.name)
    const facts = {
      source: `${pair.source.schema}.${pair.source.name}`,
      archive: `${pair.archive.schema}.${pair.archive.name}`,
      key: pair.key.map(({ name }) => name),
      columns: copied,
      oneServer,
    }
    if (options.json) context.out(documentText({ ...facts, steps }))
    else {
      context.out(
        `${facts.source} → ${facts.archive}, by ${facts.key.join(', ')}; ${copied.length} columns; ${oneServer ? 'one transaction a batch' : 'two servers: the archive commits first and is read back'}\n`,
      )
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
  } finally {
    await connections.close()
  }
}
