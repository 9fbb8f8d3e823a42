import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { temporaryFolder } from './temporary-folder.ts'

const page = readFileSync('docs/RECORDS.md', 'utf8')
const chapter = page.slice(page.indexOf('## In ten minutes'), page.indexOf('## The mapping file'))
const blocks = [...chapter.matchAll(/```(\w+)\n([\s\S]*?)```/g)].map(([, language, text]) => ({
  language: language!,
  text: text!,
}))
const hasSqlite = spawnSync('sqlite3', ['--version']).status === 0
if (!hasSqlite) console.warn('skipped: the tutorial of records needs the sqlite3 command')

describe.skipIf(!hasSqlite)('the tutorial of docs/RECORDS.md', () => {
  it('does what it says, word by word', () => {
    const folder = temporaryFolder('tutorial')
    const bin = join(folder, 'bin')
    mkdirSync(bin)
    writeFileSync(
      join(bin, 'run-archiver'),
      `#!/bin/sh\nexec '${process.execPath}' '${resolve('dist/main.js')}' "$@"\n`,
    )
    chmodSync(join(bin, 'run-archiver'), 0o755)
    const shell = (text: string, cwd: string) => {
      const { stdout, stderr, status } = spawnSync('sh', ['-c', text], {
        cwd,
        encoding: 'utf8',
        env: { ...process.env, PATH: `${bin}:${process.env['PATH'] ?? ''}` },
      })
      return { text: stdout + stderr, status }
    }
    const inside = join(folder, 'try')
    let said = ''
    for (const [index, { language, text }] of blocks.entries())
      if (language === 'yaml') writeFileSync(join(inside, 'batches.yaml'), text)
      else said += shell(text, index === 0 ? folder : inside).text
    expect(said).toContain('the mapping can be used: batches, sensors')
    expect(said).toContain('VALUE_NOT_VALID')
    expect(said).toContain('the tables of the target fit')
    expect(said).toContain('records batches: 1 stored, 1 failed, 3 rows')
    expect(said).toMatch(/item 2: VALUE_NOT_VALID/)
    expect(said).toContain('records batches: 1 stored, 0 failed, 1 row')
    expect(said).toMatch(/archived: 2\nfailed: 0/)
    const again = shell('run-archiver records run batches', inside)
    expect(again).toMatchObject({ status: 0, text: expect.stringContaining('0 stored, 0 failed') as string })
  })
})
