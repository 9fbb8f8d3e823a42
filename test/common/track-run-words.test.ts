import { describe, expect, it } from 'vitest'
import { programFor } from '../../src/cli.ts'
import { commandOf, PLAIN_FLAGS, VALUE_FLAGS } from '../../src/common/track-run-words.ts'
import { contextOf } from '../context.ts'

describe('the command of "track run"', () => {
  it('is known before the command line is parsed', () => {
    expect(commandOf(['track', 'run', '--task-name', 'a', '--', 'sh', '-c', 'x'])).toEqual(['sh', '-c', 'x'])
    expect(commandOf(['track', 'run', '--no-log', '--task-name=a', '--config', '--', '--', 'x'])).toEqual([
      'x',
    ])
  })
  it.each([
    ['a flag with a slip in it', ['track', 'run', '--task-nam', 'a', '--', 'x']],
    ['--help', ['track', 'run', '--task-name', 'a', '--help', '--', 'x']],
    ['no name of a task', ['track', 'run', '--no-log', '--', 'x']],
    ['no command', ['track', 'run', '--task-name', 'a', '--']],
    ['no --', ['track', 'run', '--task-name', 'a', 'x']],
    ['-- in the place of a value', ['track', 'run', '--task-name', '--', 'x']],
    ['another command', ['track', 'list', '--task-name', 'a', '--', 'x']],
    ['nothing', []],
  ])('is left to the parser with %s', (_what, argv) => {
    expect(commandOf(argv)).toBeUndefined()
  })
  it('has the flags that the parser knows, with values where those have', () => {
    const run = programFor(contextOf(), () => undefined)
      .commands.find((command) => command.name() === 'track')
      ?.commands.find((command) => command.name() === 'run')
    const flags = (run?.options ?? []).map(({ long, required }) => ({ long: String(long), required }))
    expect(
      flags
        .filter(({ required }) => required)
        .map(({ long }) => long)
        .sort(),
    ).toEqual([...VALUE_FLAGS].sort())
    expect(
      flags
        .filter(({ required }) => !required)
        .map(({ long }) => long)
        .sort(),
    ).toEqual([...PLAIN_FLAGS].sort())
  })
})
