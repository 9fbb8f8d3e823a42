import { stat, statfs } from 'node:fs/promises'
import type { Config } from '../config/settings.ts'
import { now } from '../platform/host.ts'
import { provenOf } from '../runs/scrub/proven.ts'
import { FailureLog } from '../state/failure-log.ts'
import { StateFile } from '../state/state-file.ts'
import { firstTriedAt } from '../tracking/alerts/gather-facts.ts'
import type { StageFacts, WatchFacts } from '../tracking/alerts/watch-rules.ts'
import type { LedgerDatabase } from '../tracking/ledger/schema-types.ts'

/** What a damaged or unreadable file says is left out: the pass itself reports that. */
export const siteFacts = async (
  database: LedgerDatabase,
  app: Config['app'],
): Promise<Pick<WatchFacts, 'stages' | 'disks' | 'logs' | 'damaged'>> => {
  const stages = await Promise.all([
    stageFacts(database, 'import', app.importStateFile, app.importFailureLog),
    stageFacts(database, 'migrate', app.migrateStateFile, app.migrateFailureLog),
  ])
  const disk = await statfs(app.workDir).catch(() => undefined)
  const log = app.logFile === undefined ? undefined : await stat(app.logFile).catch(() => undefined)
  return {
    stages: stages.flatMap((stage) => (stage ? [stage] : [])),
    disks: disk && disk.blocks > 0 ? [{ path: app.workDir, free: disk.bavail / disk.blocks }] : [],
    damaged: (await provenOf({ config: { app } }).load()).damaged,
    logs: log && app.logFile !== undefined ? [{ path: app.logFile, bytes: log.size }] : [],
  }
}

const stageFacts = async (
  database: LedgerDatabase,
  stage: string,
  stateFile: string,
  failureLog: string,
): Promise<StageFacts | undefined> => {
  try {
    const { lastContiguousRun, lastAttemptedRun } = await new StateFile(stateFile).read()
    const failed = await new FailureLog(failureLog, { now, warn: () => undefined }).read()
    const tried =
      lastAttemptedRun > lastContiguousRun
        ? await firstTriedAt(database, stage, lastContiguousRun + 1)
        : undefined
    const gapAge = tried === undefined ? undefined : Math.abs(now() - tried)
    return { stage, lastContiguousRun, lastAttemptedRun, failedRuns: failed.runs.size, gapAge }
  } catch {
    return undefined
  }
}
