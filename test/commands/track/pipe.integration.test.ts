import { spawnSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openFile } from '../../../src/sql/libsql-database.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'archiver-track-pipe.'))
  writeFileSync(
    join(folder, 'config.yaml'),
    `app: { work_dir: ${folder} }\nledger: { url: "sqlite:ledger.db" }\n`,
  )
})
afterEach(() => {
  rmSync(folder, { recursive: true })
})

const env = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(MONITOR|TASKER)_/.test(name)),
)
const pipe = (input: string | number) =>
  spawnSync(
    process.execPath,
    [resolve('dist/main.js'), 'track', 'pipe', '--config', join(folder, 'config.yaml')],
    {
      env,
      encoding: 'utf8',
      timeout: 60_000,
      ...(typeof input === 'string' ? { input } : { stdio: [input, 'pipe', 'pipe'] }),
    },
  )
const rows = (statement: string): unknown[] => {
  const database = openFile(join(folder, 'ledger.db'), 5000)
  try {
    return database.prepare(statement).all([])
  } finally {
    database.close()
  }
}

describe('track pipe', () => {
  it('goes on after a line that is longer than any operation, and says so once', () => {
    const long = JSON.stringify({ op: 'message', message: 'x'.repeat(3_000_000) })
    const lines = ['{"op":"init","task_name":"long"}', long, long, '{"op":"finish","message":"all"}']
    const { status, stderr } = pipe(lines.join('\r\n'))
    expect(status).toBe(0)
    expect(stderr.match(/a line of more than 1 MB is left out/g)).toHaveLength(1)
    expect(rows('SELECT task_name, execution_status, overall_progress_message FROM executions')).toEqual([
      { task_name: 'long', execution_status: 'FINISHED', overall_progress_message: 'all' },
    ])
  })
  it('ends with 0 where its input cannot be read', () => {
    const input = openSync(join(folder, 'written'), 'w')
    try {
      const { status, stderr } = pipe(input)
      expect(status).toBe(0)
      expect(stderr).toMatch(/standard input: EBADF/)
    } finally {
      closeSync(input)
    }
  })
})
