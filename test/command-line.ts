import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The source of the command line, whole: which flags and commands there are. */
export const commandLine = (): string =>
  ['src/cli.ts', ...readdirSync('src/cli').map((name) => join('src/cli', name))]
    .map((path) => readFileSync(path, 'utf8'))
    .join('\n')
