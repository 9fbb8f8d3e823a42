/** Flags of `track run` that take a value, and those that take none. `--help` and all else is left to the command line's own parser. */
export const VALUE_FLAGS: readonly string[] = [
  '--config',
  '--task-name',
  '--total-subtasks',
  '--stage',
  '--type',
  '--script-path',
  '--script-file',
  '--log-path',
  '--log-file',
  '--parent',
]
export const PLAIN_FLAGS: readonly string[] = ['--json', '--no-log']

/**
 * The command of `track run FLAGS -- COMMAND`, where the command line is one that the parser of the whole command line will take as well; undefined
 * where that is not certain, so that a slip in a flag is refused before anything is started.
 */
export const commandOf = (argv: readonly string[]): readonly string[] | undefined => {
  if (argv[0] !== 'track' || argv[1] !== 'run') return undefined
  let named = false
  for (let at = 2; at < argv.length; at++) {
    const word = argv[at] ?? ''
    if (word === '--') {
      const command = argv.slice(at + 1)
      return named && command.length > 0 ? command : undefined
    }
    if (PLAIN_FLAGS.includes(word)) continue
    const [flag = '', ...value] = word.split('=')
    if (!VALUE_FLAGS.includes(flag)) return undefined
    if (flag === '--task-name') named = true
    if (value.length === 0) at += 1
  }
  return undefined
}
