// Peak of resident memory of an import, a migration and what reads runs back by the size and the number of records, beside what DESIGN 8 allows:
// app.memory_mb (the default) and 150 MB. Records are made sparse or tiny, so that the disk is not what is measured.
//   npx tsx scripts/bench/memory.ts [shape...]     shapes: 4x240MB 1x2GB 100000x1KB; any COUNTxSIZE
import { existsSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { spawnSync } from 'node:child_process'
import { join, resolve } from 'node:path'
import { build, makeSite } from './site.ts'

const BUDGET = 512
const BESIDE = 150
const UNITS: Readonly<Record<string, number>> = { KB: 1e3, MB: 1e6, GB: 1e9 }
const STOP_LINES =
  'Config name: large\nComponent #0: tpc01\n\nDAQInterface start time: Fri Nov 20 10:00:00 2026\n\nDAQInterface stop time: Fri Nov 20 11:00:00 2026\n'

interface Shape {
  readonly count: number
  readonly bytes: number
}

const shapeOf = (text: string): Shape => {
  const [, count, size, unit] = /^(\d+)x(\d+)(KB|MB|GB)$/.exec(text) ?? []
  if (unit === undefined) throw new Error(`"${text}" is not COUNTxSIZE, as 4x240MB`)
  return { count: Number(count), bytes: Number(size) * (UNITS[unit] ?? NaN) }
}

const makeRecords = (folder: string, { count, bytes }: Shape): void => {
  for (let run = 1; run <= count; run++) {
    const record = join(folder, String(run))
    mkdirSync(record, { recursive: true })
    writeFileSync(join(record, 'metadata.txt'), STOP_LINES)
    const file = join(record, 'memory.bin')
    writeFileSync(file, '')
    truncateSync(file, bytes)
  }
}

/** Runs the built program; its peak of resident memory, MB (10^6 bytes). Throws when it fails otherwise than by refusing a record for its size. */
const peakOf = (root: string, ...words: readonly string[]): number => {
  const file = join(root, 'peak')
  const { status, stderr } = spawnSync(process.execPath, ['dist/main.js', ...words], {
    encoding: 'utf8',
    maxBuffer: 1e9,
    env: {
      ...process.env,
      PEAK_FILE: file,
      NODE_OPTIONS: `--import ${resolve('test/runs/peak-memory.mjs')}`,
    },
  })
  const refused = /the record is too large: .*/.exec(stderr)?.[0]
  if (refused) console.log(refused)
  if (status !== 0 && !(refused && status === 1)) throw new Error(`exit ${status}: ${stderr}`)
  return (Number(readFileSync(file, 'utf8')) * 1024) / 1e6
}

const shapes = process.argv.length > 2 ? process.argv.slice(2) : ['4x240MB', '1x2GB', '100000x1KB']
build()
for (const shape of shapes) {
  const site = makeSite()
  try {
    makeRecords(site.records, shapeOf(shape))
    const config = join(site.root, 'config.yaml')
    const measure = (name: string, ...words: string[]): void => {
      const peak = peakOf(site.root, ...words)
      console.log(
        `${shape} ${name}: ${peak.toFixed(0)} MB, ${(peak / (BUDGET + BESIDE)).toFixed(2)} of the ${BUDGET + BESIDE} MB that are allowed`,
      )
    }
    measure('import', config, '--import-only')
    measure('migrate', config, '--migrate-only')
    measure('verify', 'verify', '--config', config)
    measure('audit --deep', 'audit', '--deep', '--config', config)
    if (!existsSync(site.archive)) continue
    measure('diff', 'diff', '1', '--config', config)
    for (const from of ['artdaq', 'archive'])
      measure(
        `extract from ${from}`,
        'extract',
        '1',
        '--from',
        from,
        '--to',
        join(site.root, `from-${from}`),
        '--config',
        config,
      )
  } finally {
    site.remove()
  }
}
