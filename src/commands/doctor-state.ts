import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import type { Config } from '../config/load-config.ts'
import { ArchiverError, errnoOf, messageOf } from '../errors.ts'
import type { Check } from '../platform/host-checks.ts'
import { comparedOf } from '../runs/foreign-runs.ts'
import { provenOf } from '../runs/scrub/proven.ts'
import { FLOCK_FILE } from '../state/lock.ts'
import { WatchList } from '../state/recheck-list.ts'
import { StateFile } from '../state/state-file.ts'

/** What `doctor` says of the files in which passes leave something for the next one. Reads only. */
export const stateChecks = async (config: Config): Promise<readonly Check[]> => {
  const { app } = config
  const states = [
    ['import', app.importStateFile],
    ['migrate', app.migrateStateFile],
  ] as const
  return [
    ...(await Promise.all(states.map(([stage, file]) => stateOf(stage, file, app.onCorruptState)))),
    await notesOf(config),
    ...(await ownFiles(config)),
  ]
}

const stateOf = async (
  stage: string,
  path: string,
  onCorrupt: Config['app']['onCorruptState'],
): Promise<Check> => {
  const name = `${stage} state`
  const file = new StateFile(path)
  try {
    const { lastContiguousRun, lastAttemptedRun } = await file.read()
    const message = (await file.exists())
      ? `contiguous to run ${lastContiguousRun}, attempted to run ${lastAttemptedRun}`
      : 'none yet'
    return { name, level: 'ok', message }
  } catch (error) {
    if (!(error instanceof ArchiverError) || error.code !== 'STATE_CORRUPT')
      return { name, level: 'problem', message: withHint(error) }
    return onCorrupt === 'recover'
      ? {
          name,
          level: 'warning',
          message: `${messageOf(error)}; the next pass keeps it aside and rebuilds it`,
        }
      : { name, level: 'problem', message: `${messageOf(error)}; --recover-${stage}-state rebuilds it` }
  }
}

/** Lists that a pass can do without, though not with one that the system does not give. */
const notesOf = async (config: Config): Promise<Check> => {
  const name = 'notes'
  const readings = await Promise.allSettled([
    provenOf({ config }).load(),
    comparedOf({ config }).load(),
    new WatchList(join(config.app.workDir, '.watched-records.json')).read(),
  ])
  const reasons = readings.flatMap((reading) =>
    reading.status === 'rejected' ? [withHint(reading.reason)] : [],
  )
  return reasons.length === 0
    ? { name, level: 'ok', message: 'can be read' }
    : { name, level: 'problem', message: reasons.join('; ') }
}

/** Files that a pass opens for writing where they are there: a pass that another user started may have left them. */
const ownFiles = async ({ app }: Config): Promise<readonly Check[]> => {
  const name = 'own files'
  const lock = await whyNotWritable(join(app.workDir, FLOCK_FILE))
  const log = app.logFile === undefined ? undefined : await whyNotWritable(app.logFile)
  const checks: readonly Check[] = [
    ...(lock === undefined
      ? []
      : [
          {
            name,
            level: 'problem',
            message: `${lock}; no pass starts; chown it to the user that the archiver runs as`,
          } as const,
        ]),
    ...(log === undefined
      ? []
      : [{ name, level: 'warning', message: `${log}; work goes on without it` } as const]),
  ]
  return checks.length === 0 ? [{ name, level: 'ok', message: 'can be written' }] : checks
}

/** Why a file that is there cannot be opened for writing; undefined where it can, or is not there. */
const whyNotWritable = async (path: string): Promise<string | undefined> => {
  try {
    const file = await open(path, constants.O_RDWR | constants.O_NONBLOCK)
    await file.close()
    return undefined
  } catch (error) {
    return errnoOf(error) === 'ENOENT' ? undefined : `${path}: ${messageOf(error)}`
  }
}

const withHint = (error: unknown): string =>
  error instanceof ArchiverError && error.hint !== undefined
    ? `${messageOf(error)}. ${error.hint}`
    : messageOf(error)
