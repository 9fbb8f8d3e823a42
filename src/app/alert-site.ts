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

/** What a damaged or unreadable file says is not known: the pass itself reports that, and no alert ends by it. */
export const siteFacts = async (
  database: LedgerDatabase,
  app: Config['app'],
): Promise<Pick<WatchFacts, 'stages' | 'disks' | 'logs' | 'damaged' | 'notKnown'>> => {
  const left = await runsLeft(database, app.workDir)
  const stages = await Promise.all([
    stageFacts(database, 'import', app.importStateFile, app.importFailureLog),
    stageFacts(database, 'migrate', app.migrateStateFile, app.migrateFailureLog),
  ])
  const damaged = await damagedOf(app)
  const log = app.logFile === undefined ? undefined : await stat(app.logFile).catch(() => undefined)
  return {
    stages: stages.flatMap((stage) => (stage ? [{ ...stage, left: left.get(stage.stage) ?? [] }] : [])),
    disks: await disksOf([app.workDir, ...(app.logFile === undefined ? [] : [dirname(app.logFile)])]),
    damaged: damaged ?? new Map<number, string>(),
    notKnown: [
      ...['import', 'migrate'].flatMap((subject, at) =>
        stages[at] ? [] : OF_A_STAGE.map((rule) => ({ rule, subject })),
      ),
      ...(damaged ? [] : [{ rule: 'damaged' as const }]),
    ],
    logs: log && app.logFile !== undefined ? [{ path: app.logFile, bytes: log.size }] : [],
  }
}

/** Rules that look at a stage's state file and failure log. */
const OF_A_STAGE = ['failure_log', 'gap', 'backlog_growing', 'distance'] as const

/** Undefined where it is not known. */
const damagedOf = async (app: Config['app']): Promise<WatchFacts['damaged'] | undefined> =>
  provenOf({ config: { app } })
    .load()
    .then(
      ({ damaged }) => damaged,
      () => undefined,
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
