import { counted } from '../common/counted.ts'
import { readdir } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import type { Command, Context } from '../app/context.ts'
import { openArchiver } from '../app/open-archiver.ts'
import { withSession } from '../app/session.ts'
import type { RunSet } from '../common/run-set.ts'
import { fileOfShare, type Share, shareOf } from '../common/share.ts'
import type { StageName } from '../common/stage-name.ts'
import { ArchiverError } from '../errors.ts'
import type { Archiver } from '../runs/archiver.ts'
import { stageRuns } from '../runs/plan-pass.ts'
import { joinStates } from '../state/join-states.ts'
import type { Remembered } from '../state/stage-state.ts'
import { waitOf } from './run-options.ts'

interface Options {
  readonly config: string
  readonly wait?: string
  readonly json?: boolean
}

const STAGES: readonly StageName[] = ['import', 'migrate']

/**
 * `state merge`: writes the state files and failure logs of a single archiver from those of the instances, and from what the stores hold.
 * The instances' files stay. Safe twice; waits for no instance, and ends with LOCK_HELD while one works.
 */
export const mergeState: Command<Options> = async (options, context) => {
  const wait = waitOf(options)
  const archiver = await openArchiver(options.config, context)
  const session = {
    mode: 'state-merge',
    waitSeconds: wait(archiver.config.app.waitSeconds),
    verbose: false,
    json: options.json ?? false,
  }
  return withSession(archiver, session, context, async (conditions) => {
    const shares = await sharesOf(archiver.config.app.importStateFile, archiver.config.app.migrateStateFile)
    if (shares.length === 0)
      throw new ArchiverError('NOT_FOUND', 'there is no state file of an instance', {
        hint: 'Instances leave files such as importer_state.0-of-2.json in app.work_dir.',
      })
    const joined: Record<string, unknown> = {}
    for (const stage of STAGES) {
      const memory = archiver.memory(stage, conditions)
      const before = await memory.load('stop', () => stageRuns(archiver, stage))
      const remembered = [before, ...(await readAll(options.config, context, stage, shares))]
      const { source, stored } = await stageRuns(archiver, stage)
      const result = joinStates(remembered, { source, stored })
      await memory.checkpoint({
        failed: result.failed,
        resolved: before.failed.minus(result.failed),
        attemptedUpTo: result.attemptedUpTo,
        lastContiguous: stored.lastContiguous,
      })
      joined[stage] = asJson(await archiver.peek(stage))
      if (!options.json) context.out(lineOf(archiver, stage, result.failed, shares))
    }
    if (options.json) context.out(`${JSON.stringify(joined, null, 2)}\n`)
    return 0
  })
}

const asJson = ({ state, failed }: Remembered) => ({
  last_contiguous_run: state.lastContiguousRun,
  last_attempted_run: state.lastAttemptedRun,
  failed: failed.size,
})

const lineOf = ({ config }: Archiver, stage: StageName, failed: RunSet, shares: readonly Share[]): string => {
  const file = stage === 'import' ? config.app.importStateFile : config.app.migrateStateFile
  return `${stage}: ${file} joins ${counted(shares.length, 'instance')}; ${failed.size} failed\n`
}

/** The instances that have left a state file. Throws USAGE where they split the runs in different ways. */
const sharesOf = async (...stateFiles: readonly string[]): Promise<readonly Share[]> => {
  const found = new Map<string, Share>()
  for (const path of stateFiles)
    for (const name of await readdir(dirname(path)).catch(() => [])) {
      const [, id, count] = /\.(\d+)-of-(\d+)(?:\.[^.]+)?$/.exec(name) ?? []
      const share = id === undefined ? undefined : shareOf(id, count)
      if (share && name === basename(fileOfShare(path, share))) found.set(`${share.id}/${share.count}`, share)
    }
  const shares = [...found.values()].sort((a, b) => a.id - b.id)
  const counts = new Set(shares.map(({ count }) => count))
  if (counts.size > 1)
    throw new ArchiverError(
      'USAGE',
      `the instances split the runs in different ways: ${[...counts].join(', ')}`,
      {
        hint: 'Move the state files of the older split away; what they say is found again in the stores.',
      },
    )
  return shares
}

const readAll = async (
  config: string,
  context: Context,
  stage: StageName,
  shares: readonly Share[],
): Promise<readonly Remembered[]> =>
  Promise.all(
    shares.map(async (share) => {
      const instance = await openArchiver(config, { ...context, err: () => undefined }, { share })
      return instance.peek(stage)
    }),
  )
