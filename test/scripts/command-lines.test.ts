import { readdirSync, readFileSync } from 'node:fs'
import { type Command, CommanderError } from 'commander'
import { describe, expect, it } from 'vitest'
import { programFor } from '../../src/cli.ts'

// Every command line that a reader may copy, parsed by the program itself: its command and each of its flags must exist.
const PAGES = [
  'README.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  ...readdirSync('docs', { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md') && !name.startsWith('changes'))
    .map((name) => `docs/${name}`),
]

/** What begins like a command line and is none: kinds of documents, and a placeholder. */
const NO_COMMANDS = ['manifest', 'file', 'COMMAND --help']
/** In a sentence a command may be named without what it needs. */
const NAMED_ONLY = ['commander.missingArgument', 'commander.missingMandatoryOptionValue', 'commander.help']

interface Line {
  readonly page: string
  readonly words: string
  /** In a block, which is copied whole; else in a sentence. */
  readonly block: boolean
}

const linesOf = (page: string): Line[] => {
  const found: Line[] = []
  let fenced = false
  for (const text of readFileSync(page, 'utf8').split('\n')) {
    if (text.startsWith('```')) fenced = !fenced
    const block = fenced || text.startsWith('    ')
    const pattern = block
      ? /(?:^|[\s;&])(?:\S*run_archiver\.sh|\S*run-archiver) ([^#|;&>`]+)/g
      : /`(?:scripts\/run_archiver\.sh|run-archiver) ([^`#|;&>]+)/g
    for (const [, words = ''] of text.matchAll(pattern)) found.push({ page, words: words.trim(), block })
  }
  return found
}

/** Words as a shell splits them. */
const split = (text: string): string[] =>
  [...text.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)]
    .map(([, double, single, plain]) => double ?? single ?? plain ?? '')
    .filter((word) => word !== '...' && word !== '…' && word !== '\\')

/** The program with nothing behind its commands. */
const parse = (words: readonly string[]): void => {
  const silent = { out: () => undefined, err: () => undefined, argv: [], env: {}, version: '0' }
  const program = programFor(silent as unknown as Parameters<typeof programFor>[0], () => undefined)
  const disarm = (command: Command): void => {
    // A group has neither options nor an action; `history` has both, and commands below it.
    if (command.commands.length === 0 || command.options.length > 0) command.action(() => undefined)
    command.exitOverride()
    command.configureOutput({ writeOut: () => undefined, writeErr: () => undefined })
    for (const below of command.commands) disarm(below)
  }
  disarm(program)
  const [first = ''] = words
  // The first word of the program is a configuration file, so that a command that is not there would pass as one.
  if (
    !/^-|[./]/.test(first) &&
    !program.commands.some((command) => [command.name(), ...command.aliases()].includes(first))
  )
    throw new CommanderError(64, 'commander.unknownCommand', `there is no command ${first}`)
  program.parse([...words], { from: 'user' })
}

const LINES = PAGES.flatMap(linesOf).filter(({ words }) => !NO_COMMANDS.includes(words))

describe('a command line in the docs', () => {
  it.each(LINES)('is one that the program takes ($page: $words)', ({ words, block }) => {
    try {
      parse(split(words))
    } catch (error) {
      if (!(error instanceof CommanderError)) throw error
      if (!block && NAMED_ONLY.includes(error.code)) return
      if (error.code === 'commander.helpDisplayed') return
      expect.fail(error.message)
    }
  })
  it('is found at all, in blocks and in sentences', () => {
    expect(LINES.filter(({ block }) => block).length).toBeGreaterThan(10)
    expect(LINES.filter(({ block }) => !block).length).toBeGreaterThan(10)
  })
  it('with a flag or a command that is not there is refused (the control)', () => {
    expect(() => parse(['config.yaml', '--no-such-flag'])).toThrow('no-such-flag')
    expect(() => parse(['no-such-command'])).toThrow('no command')
    expect(() => parse(['verify', '--no-such-flag'])).toThrow('no-such-flag')
  })
})
