// Writes the generated pages: `npm run docs`. A test compares them with what this writes.
import { writeFileSync } from 'node:fs'
import { format, resolveConfig } from 'prettier'
import { configReference } from './docs/config-reference.ts'

/** Every generated page by its path, as it stands in the repository. */
export const pages = async (): Promise<ReadonlyMap<string, string>> =>
  new Map([['docs/CONFIG.md', await formatted('docs/CONFIG.md', configReference())]])

const formatted = async (path: string, text: string): Promise<string> =>
  format(text, { ...(await resolveConfig(path)), filepath: path })

if (process.argv[1] !== undefined && import.meta.filename === process.argv[1])
  for (const [path, text] of await pages()) writeFileSync(path, text)
