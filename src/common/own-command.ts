/** How this program was started. A command that we recommend is written the same way, so that it works where it is read. */
export interface Started {
  /** Words of a shell that start the program: `run-archiver`, `./run_archiver.sh`, `node '/opt/my archiver/dist/main.js'`. */
  readonly program: string
  /** The configuration's path, as it was given. */
  readonly config: string
}

/** The configuration that is read where none is named. */
const DEFAULT_CONFIG = 'config.yaml'

/** The names of the commands; of a group, those below it. A test holds them and the command line together. */
export const COMMAND_NAMES: readonly string[] = [
  'alerts (?:check|list|silence)',
  'artdaq (?:check|export|list|repair|show|split)',
  'audit',
  'bundle',
  'config check',
  'daemon',
  'diff',
  'doctor',
  'extract',
  'history',
  'notify',
  'page',
  'queue (?:drain|list|migrate|pause|resume|retry|show|status)',
  'records (?:audit|check|dead-letter|report|retry|run)',
  'rows (?:cancel|cleanup|conflicts|pause|plan|restore|resume|run|stats|status|verify)',
  'scrub',
  'serve',
  'state merge',
  'track (?:archive|cancel|current|export|history|list|migrate-schema|show|stats|tail)',
  'verify',
  'worker',
]

/** A word as a shell reads it back. */
export const shellWord = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`

/** A path as an argument: never taken for a flag. */
const fileWord = (path: string): string => shellWord(path.startsWith('-') ? `./${path}` : path)

/** The main command with flags: `run-archiver config.yaml --incremental`. */
export const passCommand = ({ program, config }: Started, flags: string): string =>
  `${program} ${fileWord(config)} ${flags}`

/** A command of the program: `run-archiver diff 5 --config config.yaml`. */
export const subcommand = ({ program, config }: Started, words: string): string =>
  `${program} ${words}${config === DEFAULT_CONFIG ? '' : ` --config ${fileWord(config)}`}`

const COMMANDS = new RegExp(`^(?:${COMMAND_NAMES.join('|')})(?![\\w-])`)

/**
 * Completes the commands in a text for people: `run-archiver diff 5` becomes what has to be typed here, with the program as it was started and the
 * configuration that it was given.
 */
export const completeCommands = (text: string, started: Started): string =>
  text.replace(/\brun-archiver (?!FILE|COMMAND)([^\n]*)/g, (whole, rest: string) => {
    const next = rest.indexOf('run-archiver ')
    const own = next < 0 ? rest : rest.slice(0, next)
    const more = next < 0 ? '' : completeCommands(rest.slice(next), started)
    return completed(own, started, whole) + more
  })

const completed = (rest: string, started: Started, whole: string): string => {
  const { program, config } = started
  const flags = /^(?:CONFIG )?(--(?!help)[a-z].*)$/s.exec(rest)?.[1]
  if (flags !== undefined) return passCommand(started, flags)
  const name = COMMANDS.exec(rest)?.[0]
  if (name !== undefined) {
    const given = config === DEFAULT_CONFIG ? '' : ` --config ${fileWord(config)}`
    return `${program} ${name}${given}${rest.slice(name.length)}`
  }
  return /^(?:--help|rows run|init|fhicl|records plan)\b/.test(rest)
    ? `${program} ${rest}`
    : whole.slice(0, 13) + rest
}
