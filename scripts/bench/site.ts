import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A site in a temporary folder: record directory, work_dir, artdaqDB, directory archive, and the built program to run on it. */
export interface Site {
  readonly root: string
  readonly records: string
  readonly database: string
  readonly archive: string
  /** Runs the built program; answers with the milliseconds it took, whole process. Throws when it fails. */
  run(...flags: string[]): number
  /** What it has written to its log since it was last run, at level INFO. */
  log(): string
  remove(): void
}

export const makeSite = (settings: { workers?: number; base?: string; records?: string } = {}): Site => {
  const root = mkdtempSync(join(settings.base ?? process.env['BENCH_DIR'] ?? tmpdir(), 'run-archiver-bench.'))
  const at = (name: string): string => join(root, name)
  const records = settings.records ?? at('records')
  const config = [
    `app: { work_dir: ${at('work')}, batch_size: 0, parallel_workers: ${settings.workers ?? 2}, log_level: INFO, log_file: ${at('log')} }`,
    `source_files: { run_records_dir: ${records}, settle_seconds: 0 }`,
    `artdaq_db: { database_uri: "filesystemdb://${at('db')}" }`,
    `ucon_db: { server_url: "file://${at('archive')}" }`,
    '',
  ].join('\n')
  writeFileSync(at('config.yaml'), config)
  return {
    root,
    records,
    database: at('db'),
    archive: at('archive'),
    log: () => readFileSync(at('log'), 'utf8'),
    run: (...flags) => {
      rmSync(at('log'), { force: true })
      const began = performance.now()
      const { status, stderr } = spawnSync(process.execPath, ['dist/main.js', at('config.yaml'), ...flags], {
        encoding: 'utf8',
      })
      if (status !== 0) throw new Error(`exit ${status}: ${stderr}`)
      return performance.now() - began
    },
    remove: () => rmSync(root, { recursive: true, force: true }),
  }
}

export const build = (): void =>
  void execFileSync(process.execPath, ['scripts/build.mjs'], { stdio: 'inherit' })

export const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN
