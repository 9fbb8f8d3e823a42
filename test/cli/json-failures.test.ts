import type { Command as Program } from 'commander'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { programFor, runCli } from '../../src/cli.ts'
import { asksForJson, documentOutput } from '../../src/cli/failure-document.ts'
import { ArchiverError, CODES } from '../../src/errors.ts'
import { contextOf } from '../context.ts'

const folder = mkdtempSync(join(tmpdir(), 'json-failures-'))
afterAll(() => rmSync(folder, { recursive: true }))
const broken = join(folder, 'broken.yaml')
writeFileSync(broken, 'app: [\n')
const unknownSetting = join(folder, 'unknown.yaml')
writeFileSync(unknownSetting, 'nonsense:\n  more: 1\n')

/** Every command that has no commands below it, with the words that name it. */
const leaves = (program: Program, words: readonly string[] = []): { words: string[]; command: Program }[] => [
  ...(program.commands.length === 0 || words.length === 0 ? [{ words: [...words], command: program }] : []),
  ...program.commands.flatMap((command) => leaves(command, [...words, command.name()])),
]
const has = (command: Program, flag: string): boolean => command.options.some(({ long }) => long === flag)
const all = leaves(programFor(contextOf(), () => undefined)).filter(({ command }) => has(command, '--json'))

/** The words of a command line that names a configuration and gives everything else that is required. */
const lineOf = ({ words, command }: (typeof all)[number], config: string): string[] => [
  ...words,
  ...command.registeredArguments.flatMap((argument) =>
    argument.name() === 'config' ? [config] : argument.required ? ['1'] : [],
  ),
  ...command.options.flatMap(({ mandatory, long }) => (mandatory && long ? [long, '1'] : [])),
  ...(has(command, '--config') ? ['--config', config] : []),
]

interface Ran {
  readonly code: number
  readonly out: string
  readonly thrown: unknown
}
const ran = async (...argv: string[]): Promise<Ran> => {
  let out = ''
  const context = contextOf({ out: (text) => void (out += text), argv, env: { PATH: process.env['PATH'] } })
  try {
    return { code: await runCli(argv, context), out, thrown: undefined }
  } catch (thrown) {
    return { code: thrown instanceof ArchiverError ? thrown.exitCode : 2, out, thrown }
  }
}
const errorIn = (out: string): { code: string; message: string; hint: string | null } => {
  const document = JSON.parse(out) as Record<string, unknown>
  expect(Object.keys(document)).toEqual(['error'])
  const error = document['error'] as { code: string; message: string; hint: string | null }
  expect(Object.keys(error)).toEqual(['code', 'message', 'hint'])
  expect(error.message).not.toBe('')
  return error
}

const named = all.map((leaf) => ({ ...leaf, name: leaf.words.join(' ') || '(a pass)' }))

describe.each(named)('run-archiver $name --json', (leaf) => {
  it('gives the usage error as the one document, with exit code 64', async () => {
    const { code, out } = await ran(...lineOf(leaf, broken), '--json', '--no-such-flag')
    expect(code).toBe(64)
    expect(errorIn(out)).toMatchObject({ code: 'USAGE', hint: expect.stringContaining('--help') as string })
    expect(errorIn(out).message).toContain('--no-such-flag')
  })
})

/** Those that read a configuration. `track pipe` reads standard input first, and reports what it can without one. */
const configured = named.filter(
  ({ name, command }) =>
    name !== 'track pipe' &&
    (has(command, '--config') || command.registeredArguments[0]?.name() === 'config'),
)

describe.each(configured)('run-archiver $name --json, with a configuration', (leaf) => {
  it.each([
    ['is missing', join(folder, 'missing', 'config.yaml')],
    ['cannot be parsed', broken],
    ['has an unknown setting', unknownSetting],
  ])('that %s gives its error, with the exit code that it has without', async (_, file) => {
    const line = lineOf(leaf, file)
    const [plain, json] = [await ran(...line), await ran(...line, '--json')]
    expect(json.code).toBe(plain.code)
    if (json.code === 0) return void JSON.parse(json.out)
    const { code, hint } = errorIn(json.out)
    expect(CODES).toHaveProperty(code)
    expect(json.thrown ?? json.code).toBeTruthy()
    expect(hint).not.toBe('')
  })
})

describe('the commands that take --json', () => {
  it('are found in the tree', () => {
    expect(all.length).toBeGreaterThan(50)
  })
})

describe('a command that was stopped by a signal', () => {
  it('says so in its document', async () => {
    const stop = new AbortController()
    stop.abort('SIGTERM')
    let out = ''
    const context = contextOf({ signal: stop.signal, out: (text) => void (out += text) })
    expect(await runCli(['verify', '--json'], context)).toBe(143)
    expect(errorIn(out).code).toBe('INTERRUPTED')
  })
})

describe('the output of a command with --json', () => {
  const written = (argv: string[], work: (output: ReturnType<typeof documentOutput>) => void): string => {
    let text = ''
    work(documentOutput(argv, (more) => void (text += more)))
    return text
  }
  it('has no second document after the first', () => {
    expect(
      written(['--json'], (output) => {
        output.out('{}\n')
        output.fail(new Error('late'))
      }),
    ).toBe('{}\n')
  })
  it('has one error, the first', () => {
    const text = written(['--json'], (output) => {
      output.fail(new Error('first'))
      output.fail(new Error('second'))
    })
    expect(errorIn(text)).toEqual({ code: 'BUG', message: 'first', hint: null })
  })
  it('has no document that was not asked for', () => {
    expect(written(['history'], (output) => output.fail(new Error('plain')))).toBe('')
    expect(asksForJson(['track', 'run', '--task-name', 'x', '--', 'jq', '--json'])).toBe(false)
  })
})
