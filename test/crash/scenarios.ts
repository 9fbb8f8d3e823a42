import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { recordFiles, writeOriginal } from '../original.ts'
import { Site } from '../site.ts'

/** A site before a pass or a recovery, and the flags of the command that is cut short. */
export interface Scenario {
  readonly name: string
  readonly flags: readonly string[]
  /** What is in order from the start, so that it must be in order after a crash. */
  readonly inOrder: 'all' | 'stores' | 'nothing'
  /** Makes the site; it may run the program to its end. */
  prepare(): Site
}

/** Runs 10 and 13 are fine; 11 and 12 have two directories each, so that they fail; 10 and 11 have failed before. */
const mixed = (): Site => {
  const site = new Site()
  for (const run of [10, 11, '011', 12, '012', 13]) site.record(run)
  mkdirSync(site.path('work'))
  writeFileSync(site.path('work', 'import_failures.log'), '10\n11\n')
  return site
}

/** A site after a pass; made once and copied. */
const archived = (): Site => {
  if (!template) {
    template = mixed()
    template.archiver()
  }
  const site = new Site()
  for (const part of ['records', 'work', 'db', 'archive'])
    if (existsSync(template.path(part)))
      cpSync(template.path(part), site.path(part), { recursive: true, preserveTimestamps: true })
  return site
}
let template: Site | undefined

/** Removes what the scenarios share. */
export const removeTemplate = (): void => template?.remove()

/** Run 5 comes when all above it were attempted. */
const withLate = (): Site => {
  const site = archived()
  site.record(5)
  return site
}

const damagedState = (): Site => {
  const site = archived()
  for (const stage of ['importer', 'migrator'])
    writeFileSync(site.path('work', `${stage}_state.json`), '{"last_cont')
  writeFileSync(site.path('work', 'import_failures.log'), '11\n12\n?\n')
  site.record(14)
  return site
}

const forRecovery = (): Site => {
  const site = archived()
  for (const stage of ['importer', 'migrator'])
    writeFileSync(
      site.path('work', `${stage}_state.json`),
      '{"last_contiguous_run": 1, "last_attempted_run": 77}',
    )
  for (const stage of ['import', 'migrate']) writeFileSync(site.path('work', `${stage}_failures.log`), '10\n')
  return site
}

const damagedBlob = (): Site => {
  const site = archived()
  const blob = readdirSync(site.path('archive'), { recursive: true, encoding: 'utf8' }).find((name) =>
    name.endsWith('13.txt'),
  )
  const path = site.path('archive', blob!)
  chmodSync(path, 0o644)
  truncateSync(path, 100)
  rmSync(site.path('work', '.listings.json'), { force: true })
  return site
}

/** Stored by another program before they ended: 20 goes on, 21 has ended since, 22 lacks a document. */
const ofAnotherProgram = (): Site => {
  const site = new Site({ source: '  settle_seconds: 0\n  incomplete_after: 0' })
  const runs = [20, 21, 22]
  for (const run of runs) site.record(run, { files: recordFiles(run, { ended: run === 21 }) })
  const leaveOut = (run: number, entity: string): boolean => run === 22 && entity === 'tpc01'
  writeOriginal(site.path('db'), runs, 'conftoolp', { ended: false, leaveOut })
  return site
}

export const SCENARIOS: readonly Scenario[] = [
  { name: 'a full pass', flags: [], inOrder: 'all', prepare: mixed },
  {
    name: 'a pass that finds its state damaged',
    flags: ['--incremental'],
    inOrder: 'stores',
    prepare: damagedState,
  },
  { name: 'an import recovery', flags: ['--recover-import-state'], inOrder: 'stores', prepare: forRecovery },
  {
    name: 'a migration recovery',
    flags: ['--recover-migrate-state'],
    inOrder: 'stores',
    prepare: forRecovery,
  },
  { name: 'a pass with a late run', flags: [], inOrder: 'stores', prepare: withLate },
  { name: 'a pass over runs of another program', flags: [], inOrder: 'nothing', prepare: ofAnotherProgram },
  { name: 'a pass that finds a damaged blob', flags: [], inOrder: 'nothing', prepare: damagedBlob },
]
