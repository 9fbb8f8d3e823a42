import type { Command as Program } from 'commander'
import { describe, expect, it } from 'vitest'
import { programFor } from '../../src/cli.ts'
import {
  COMMAND_NAMES,
  completeCommands,
  passCommand,
  shellWord,
  subcommand,
} from '../../src/common/own-command.ts'
import { contextOf } from '../context.ts'

const started = { program: './run_archiver.sh', config: '/etc/my site/config.yaml' }

describe('a command that is recommended', () => {
  it('begins as the program was started, and names the configuration', () => {
    expect(passCommand(started, '--incremental')).toBe(
      "./run_archiver.sh '/etc/my site/config.yaml' --incremental",
    )
    expect(subcommand(started, 'diff 5')).toBe("./run_archiver.sh diff 5 --config '/etc/my site/config.yaml'")
  })
  it('leaves out the configuration that is read anyway', () => {
    expect(subcommand({ program: 'run-archiver', config: 'config.yaml' }, 'diff 5')).toBe(
      'run-archiver diff 5',
    )
  })
  it('never takes a path for a flag', () => {
    expect(passCommand({ program: 'run-archiver', config: '-x.yaml' }, '--check')).toBe(
      'run-archiver ./-x.yaml --check',
    )
  })
})

describe('a word for a shell', () => {
  it.each([
    ['plain/path-1.yaml', 'plain/path-1.yaml'],
    ["it's", `'it'\\''s'`],
    ['$(rm)', "'$(rm)'"],
    ['', "''"],
    ['a\nb', "'a\nb'"],
  ])('%j is %s', (word, quoted) => expect(shellWord(word)).toBe(quoted))
})

describe('the commands in a text', () => {
  const short = { program: 'P', config: 'C' }
  it.each([
    ['compare: run-archiver diff 5', 'compare: P diff --config C 5'],
    ['"run-archiver artdaq check" names them', '"P artdaq check --config C" names them'],
    ['run-archiver CONFIG --recover-import-state (kept)', 'P C --recover-import-state (kept)'],
    [
      'look: "run-archiver diff 7". Then: "run-archiver --migrate-only --override-conflict 7".',
      'look: "P diff --config C 7". Then: "P C --migrate-only --override-conflict 7".',
    ],
    ['run-archiver --help lists commands', 'P --help lists commands'],
    ['A newer run-archiver made this archive', 'A newer run-archiver made this archive'],
    ['run-archiver diffuse is no command', 'run-archiver diffuse is no command'],
    ['name the file: run-archiver FILE.yaml', 'name the file: run-archiver FILE.yaml'],
  ])('%s', (text, complete) => expect(completeCommands(text, short)).toBe(complete))

  it('are all that read a configuration by --config', () => {
    const leaves = (program: Program, words: readonly string[]): string[] =>
      program.commands.flatMap((command) => {
        const name = [...words, command.name()]
        const own = command.options.some(({ long }) => long === '--config') ? [name.join(' ')] : []
        return [...own, ...leaves(command, name)]
      })
    const known = new RegExp(`^(?:${COMMAND_NAMES.join('|')})(?: (?:show|stats|prune))?$`)
    // Reports of a pipeline, the old name of notify, and a plan of a key are not recommended by anything.
    const left = leaves(
      programFor(contextOf(), () => undefined),
      [],
    ).filter((name) => !known.test(name))
    expect(left.filter((name) => !/^(track|tell|records plan)\b/.test(name))).toEqual([])
  })
})
