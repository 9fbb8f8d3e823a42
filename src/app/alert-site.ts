import { stat, statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Config } from '../config/settings.ts'
import { now } from '../platform/host.ts'
import { provenOf } from '../runs/scrub/proven.ts'
import { FailureLog } from '../state/failure-log.ts'
import { StateFile } from '../state/state-file.ts'
import { firstTriedAt } from '../tracking/alerts/gather-facts.ts'
import { runsLeft } from '../tracking/alerts/runs-left.ts'
import type { StageFacts, WatchFacts } from '../tracking/alerts/watch-rules.ts'
import type { LedgerDatabase } from '../tracking/ledger/schema-types.ts'

/** What a damaged or unreadable file says is left out: the pass itself reports that. */
export const siteFacts = async (
  database: LedgerDatabase,
  app: Config['app'],
): Promise<Pick<WatchFacts, 'stages' | 'disks' | 'logs' | 'damaged'>> => {
  const left = await runsLeft(database, app.workDir)
  const stages = await Promise.all([
    stageFacts(database, 'import', app.importStateFile, app.importFailureLog),
    stageFacts(database, 'migrate', app.migrateStateFile, app.migrateFailureLog),
  ])
  const log = app.logFile === undefined ? undefined : await stat(app.logFile).catch(() => undefined)
  return {
    stages: stages.flatMap((stage) => (stage ? [{ ...stage, left: left.get(stage.stage) ?? [] }] : [])),
    disks: await disksOf([app.workDir, ...(app.logFile === undefined ? [] : [dirname(app.logFile)])]),
    damaged: await damagedOf(app),
    logs: log && app.logFile !== undefined ? [{ path: app.logFile, bytes: log.size }] : [],
  }
}

const damagedOf = async (app: Config['app']): Promise<WatchFacts['damaged']> =>
  provenOf({ config: { app } })
    .load()
    .then(
      ({ damaged }) => damaged,
      () => new Map<number, string>(),
    )

/** Each disk once, under the first folder that is on it. */
const disksOf = async (folders: readonly string[]): Promise<WatchFacts['disks']> => {
  const seen = new Map<number, { readonly path: string; readonly free: number }>()
  for (const path of folders) {
    const found = await Promise.all([stat(path), statfs(path)]).catch(() => undefined)
    if (!found) continue
    const [{ dev }, { bavail, blocks }] = found
    if (blocks > 0 && !seen.has(dev)) seen.set(dev, { path, free: bavail / blocks })
  }
  return [...seen.values()]
}

const stageFacts = async (
  database: LedgerDatabase,
  stage: string,
  stateFile: string,
  failureLog: string,
): Promise<Omit<StageFacts, 'left'> | undefined> => {
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
