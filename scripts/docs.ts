// Writes the generated pages: `npm run docs`. A test compares them with what this writes.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { format, resolveConfig } from 'prettier'
import { bashCompletion, fishCompletion, zshCompletion } from './docs/completions.ts'
import { configReference } from './docs/config-reference.ts'
import { configSchema } from './docs/config-schema.ts'
import { manPage } from './docs/man-page.ts'

/** Every generated page by its path, as it stands in the repository. */
export const pages = async (): Promise<ReadonlyMap<string, string>> =>
  new Map([
    ['docs/CONFIG.md', await formatted('docs/CONFIG.md', configReference())],
    ['docs/config.schema.json', await formatted('docs/config.schema.json', configSchema())],
    ['docs/run-archiver.1', manPage(version())],
    ['docs/completions/run-archiver.bash', bashCompletion()],
    ['docs/completions/run-archiver.fish', fishCompletion()],
    ['docs/completions/_run-archiver', zshCompletion()],
  ])

const formatted = async (path: string, text: string): Promise<string> =>
  format(text, { ...(await resolveConfig(path)), filepath: path })

const version = (): string =>
  (JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }).version

if (process.argv[1] !== undefined && import.meta.filename === process.argv[1])
  for (const [path, text] of await pages()) {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
  }
