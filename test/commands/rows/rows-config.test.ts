import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { placesOf, rowsConfig } from '../../../src/commands/rows/rows-config.ts'
import { contextOf } from '../../context.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rows-config-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const places = (...lines: readonly string[]) => {
  const file = join(folder, 'config.yaml')
  const rows = ['table: r', 'archive_table: ra', ...lines].map((line) => `  ${line}\n`).join('')
  writeFileSync(file, `app: { work_dir: ${folder} }\nrows:\n${rows}`, { mode: 0o600 })
  return placesOf(rowsConfig(file, contextOf({})))
}

describe('the password of a connection of rows', () => {
  it('is that of its URL, else its own, else that of the source', () => {
    const { source, archive, log } = places(
      'source: mysql://a@here/live',
      'password: of-the-source',
      'archive: { url: "mysql://a:in-url@there/kept", password: of-the-archive }',
      'log: mysql://a@there/log',
    )
    expect([source, archive, log].map((one) => one?.password)).toEqual([
      'of-the-source',
      'in-url',
      'of-the-source',
    ])
  })

  it('is read again for each connection that is made', () => {
    const secret = join(folder, 'secret')
    writeFileSync(secret, 'first', { mode: 0o600 })
    const { source } = places('source: mysql://a@here/live', `password_file: ${secret}`)
    expect(source.password).toBe('first')
    writeFileSync(secret, 'second')
    expect(source.password).toBe('second')
  })
})
