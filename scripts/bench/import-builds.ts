// Import of the same records by several builds of the program, turn by turn, whole processes: processor time, clock, memory.
//   npx tsx scripts/bench/import-builds.ts ROUNDS RUNS DIST [DIST ...]      each DIST holds a main.js; the first is what the others are compared with
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeRecords } from './make-records.ts'
import { median } from './site.ts'

const [rounds = '3', runs = '400', ...builds] = process.argv.slice(2)
const MEASURES = ['user', 'system', 'clock', 'kB'] as const
const root = mkdtempSync(join(process.env['BENCH_DIR'] ?? tmpdir(), 'run-archiver-bench.'))
makeRecords(join(root, 'records'), { first: 10_001, count: Number(runs), files: 40, kilobytes: 150 })
const config = join(root, 'config.yaml')
writeFileSync(
  config,
  [
    `app: { work_dir: ${root}/work, batch_size: 0, parallel_workers: 2, log_level: INFO, log_file: ${root}/log }`,
    `source_files: { run_records_dir: ${root}/records, settle_seconds: 0 }`,
    `artdaq_db: { database_uri: "filesystemdb://${root}/db" }`,
    `ucon_db: { server_url: "file://${root}/archive" }`,
    '',
  ].join('\n'),
)

/** Seconds, and the last of `MEASURES`. */
const imported = (build: string): readonly number[] => {
  for (const name of ['work', 'db', 'archive', 'log'])
    rmSync(join(root, name), { recursive: true, force: true })
  const words = ['-f', '%U %S %e %M', process.execPath, join(build, 'main.js'), config, '--import-only']
  const { status, stderr } = spawnSync('/usr/bin/time', words, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`exit ${status}: ${stderr}`)
  return (stderr.trim().split('\n').at(-1) ?? '').split(' ').map(Number)
}

const took = new Map<string, (readonly number[])[]>(builds.map((build) => [build, []]))
for (let round = 0; round < Number(rounds); round++)
  for (const build of round % 2 === 0 ? builds : builds.toReversed()) took.get(build)?.push(imported(build))
const share = (build: string, of: (values: readonly number[]) => number, measure: number): string => {
  const value = (one: string): number => of((took.get(one) ?? []).map((all) => all[measure] ?? NaN))
  return `${value(build).toFixed(2)} (${(value(build) / value(builds[0] ?? '')).toFixed(2)})`
}
for (const build of builds)
  for (const [position, name] of MEASURES.entries())
    console.log(
      `${build}: ${name} least ${share(build, (values) => Math.min(...values), position)}, median ${share(build, median, position)}`,
    )
rmSync(root, { recursive: true, force: true })
