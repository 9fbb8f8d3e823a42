import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import { RunSet } from '../../src/common/run-set.ts'
import type { StageName } from '../../src/common/stage-name.ts'
import { Site } from '../site.ts'
import { auditOf, killAfter, stepsTaken, troubleOf } from './harness.ts'

/** How many kills a test makes; `npm run test:kills` sets more. */
export const KILLS = Number(process.env['ARCHIVER_KILLS'] ?? 60)

const GOOD = RunSet.parse('1-4,6-9,11-12')
/** Two directories claim each, so that its import fails. */
const BAD = RunSet.parse('5,10')

export interface KillCount {
  readonly kills: number
  /** Kills in the middle of writing: there were more files at the destination than before, and runs still to do. */
  readonly midway: number
  /** Passes that ended before the kill came. */
  readonly ended: number
  /** What went wrong, one sentence each. */
  readonly trouble: readonly string[]
}

/**
 * Kills passes of a stage with SIGKILL at random moments until there were `kills`, and looks at the site after each: the invariant, state
 * and failure log, and that what was archived is archived still. A site is used until all its runs are done; then it is looked at
 * once more and a new one made.
 */
export async function killLoop(stage: StageName, kills: number, random: () => number): Promise<KillCount> {
  const count = { kills: 0, midway: 0, ended: 0, trouble: [] as string[] }
  const trial = prepare(stage)
  const steps = stepsTaken(trial, flagsOf(stage, 0)).length
  trial.remove()
  while (count.kills < kills) {
    const site = prepare(stage)
    let archived = RunSet.EMPTY
    for (let pass = 0, done = false; !done && count.kills < kills; pass++) {
      const files = filesAt(site)
      // One in ten falls anywhere from the start of the process, the others somewhere behind one of its durable steps.
      const [step, delay] =
        random() < 0.1 ? [0, random() * 300] : [1 + Math.floor(random() * steps), random() * 10]
      const { signal, status, stdout, stderr } = killAfter(site, flagsOf(stage, pass), step, delay)
      if (signal === 'SIGKILL') count.kills++
      else count.ended++
      // What the pass said is part of what went wrong: a rare one may not come again.
      const label = `${stage}, kill ${count.kills}, pass ${pass}, ${step}#${delay}, ${signal ?? status ?? '?'} ${stdout}${stderr}`
      const audited = await auditOf(site)
      for (const what of await troubleOf(site, audited)) count.trouble.push(`${label}: ${what}`)
      const now = audited.stages.find((one) => one.stage === stage)
      const stored = now?.archived ? RunSet.parse(now.archived) : RunSet.EMPTY
      const gone = archived.minus(stored)
      if (!gone.isEmpty) count.trouble.push(`${label}: ${gone.toString()} were archived and are not any more`)
      archived = stored
      done = now?.pending === ''
      if (signal === 'SIGKILL' && filesAt(site) > files && !done) count.midway++
    }
    await settle(site, stage, count.trouble)
    site.remove()
  }
  return count
}

const flagsOf = (stage: StageName, pass: number): string[] => [
  stage === 'import' ? '--import-only' : '--migrate-only',
  ...(pass % 3 === 2 ? ['--incremental'] : []),
]

const filesAt = (site: Site): number =>
  ['db', 'archive']
    .map((name) => site.path(name))
    .filter((path) => existsSync(path))
    .flatMap((path) => readdirSync(path, { recursive: true, encoding: 'utf8' })).length

/** Undisturbed to the end: everything is where it belongs, whatever happened before. */
async function settle(site: Site, stage: StageName, trouble: string[]): Promise<void> {
  site.archiver(...flagsOf(stage, 0))
  const audited = await auditOf(site)
  const audit = audited.stages.find((one) => one.stage === stage)
  const found = { archived: audit?.archived, failed: audit?.failed, pending: audit?.pending }
  const failed = stage === 'import' ? BAD.toString() : ''
  if (!isDeepStrictEqual(found, { archived: GOOD.toString(), failed, pending: '' }))
    trouble.push(`in the end ${JSON.stringify(found)}`)
  for (const what of await troubleOf(site, audited)) trouble.push(`in the end: ${what}`)
}

function prepare(stage: StageName): Site {
  const site = new Site({ app: '  batch_size: 0\n  run_process_retries: 0', more: 'ledger:\n  url: off' })
  for (const run of GOOD) site.record(run)
  if (stage === 'import') {
    for (const run of BAD) for (const name of [run, `0${run}`]) site.record(name)
    return site
  }
  site.archiver('--import-only')
  writeFileSync(site.path('work', 'migrate_failures.log'), '3\n11\n') // failed before, and will be well
  return site
}
