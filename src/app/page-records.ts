import { existsSync } from 'node:fs'
import { catalogueColumns } from '../records/sql/catalogue.ts'
import type { RecordsDatabase } from '../records/sql/database.ts'
import { failedItems, logReport, logRevision } from '../records/sql/log-report.ts'
import { openRecordsDatabase } from '../records/sql/open-database.ts'
import { LOG_TABLE } from '../records/sql/log-table.ts'
import type { Archiver } from '../runs/archiver.ts'
import { recordsPlace } from '../records/sql/records-url.ts'
import type { RecordsReads } from '../web/models/records.ts'
import { keptOpen } from './kept-open.ts'
import { databasePassword } from '../sql/fresh-password.ts'

/** Failed items of a task that are listed. */
const FAILED = 100

export interface PageRecords {
  readonly reads: RecordsReads
  readonly revision: () => Promise<string>
  close(): Promise<void>
}

/** `processing_log`, looked at and never made. Undefined where no task of records is configured. */
export const pageRecords = (archiver: Archiver | undefined): PageRecords | undefined => {
  if (!archiver) return undefined
  const { records, app } = archiver.config
  if (records.targetUrl === undefined || records.tasks.size === 0) return undefined
  const place = recordsPlace(records.targetUrl.reveal(), app.workDir, 'records.target_url')
  if (!place) return undefined
  const isMissing = (): boolean => 'file' in place && !existsSync(place.file)
  const kept = keptOpen<RecordsDatabase>(
    () =>
      openRecordsDatabase({
        place,
        password: databasePassword({ url: records.targetUrl, password: records.targetPassword }),
        connections: 1,
        timeout: records.timeoutSeconds * 1000,
      }),
    (database) => database.close(),
  )
  return {
    reads: async () => {
      if (isMissing()) return undefined
      return kept.use(async (database) => {
        if ((await catalogueColumns(database, LOG_TABLE)) === undefined) return undefined
        const tasks = []
        for (const [task, mapping] of records.tasks) {
          const { first, last, ...report } = await logReport(database, task)
          const failed = await failedItems(database, task, FAILED)
          tasks.push({ task, mapping, ...report, first: first ?? undefined, last: last ?? undefined, failed })
        }
        return tasks
      })
    },
    revision: async () => {
      if (isMissing()) return ''
      return kept.use(async (database) =>
        (await catalogueColumns(database, LOG_TABLE)) === undefined ? '' : logRevision(database),
      )
    },
    close: () => kept.close(),
  }
}
