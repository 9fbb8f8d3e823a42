import { commandLine } from './command-line.ts'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { ArchiverError, CODES, messageOf, type Code } from '../src/errors.ts'

const page = readFileSync('docs/ERRORS.md', 'utf8')
const chapters = new Map(
  page
    .split(/^### /m)
    .slice(1)
    .map((chapter) => [chapter.slice(0, chapter.indexOf('\n')), chapter.slice(chapter.indexOf('\n'))]),
)

describe('docs/ERRORS.md', () => {
  it('has a chapter for each code, and for no other', () => {
    expect([...chapters.keys()].toSorted()).toEqual(Object.keys(CODES).toSorted())
  })
  it.each(Object.keys(CODES) as Code[])('tells the exit code of %s and whether it is tried again', (code) => {
    const chapter = chapters.get(code) ?? ''
    expect(chapter).toMatch(new RegExp(`^\\n\\nExit ${CODES[code].exit}\\. Tried again: `))
    if (CODES[code].retry) expect(chapter).not.toMatch(/Tried again: no/)
  })
  it('explains every exit code', () => {
    for (const { exit } of Object.values(CODES)) expect(page).toMatch(new RegExp(`^\\| ${exit} +\\|`, 'm'))
  })
  it('names only settings, flags and commands that exist', () => {
    const known = readFileSync('docs/CONFIG.md', 'utf8')
    for (const [, name] of page.matchAll(/`(?:app|source_files|artdaq_db|ucon_db|ledger)\.([a-z_]+)/g))
      expect(known, name).toContain(`\`${name}\``)
    const cli = commandLine()
    for (const [flag] of page.matchAll(/--[a-z][a-z-]+[a-z]/g))
      if (!['--help'].includes(flag)) expect(cli, flag).toContain(flag)
  })
})

describe('an error', () => {
  it('tells its cause on the same line, once', () => {
    const cause = new Error('connect ECONNREFUSED\n127.0.0.1')
    expect(messageOf(new ArchiverError('STORE_UNAVAILABLE', 'no answer', { cause }))).toBe(
      'no answer: connect ECONNREFUSED 127.0.0.1',
    )
    expect(messageOf(new Error('no answer: x', { cause: new Error('x') }))).toBe('no answer: x')
  })
  it('carries its exit code and whether another try may help', () => {
    expect(new ArchiverError('CONFIG_INVALID', '')).toMatchObject({ exitCode: 78, retry: false })
    expect(new ArchiverError('RECORD_CHANGING', '', { run: 7 })).toMatchObject({
      exitCode: 1,
      retry: true,
      run: 7,
    })
  })
})
