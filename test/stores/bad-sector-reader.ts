/** Reads two stores in a folder, and prints what became of each: for a file of them to be made unreadable (shim.c). */
import { join } from 'node:path'
import { checkDatabase } from '../../src/stores/artdaqdb/check.ts'
import { DirectoryArchive } from '../../src/stores/ucondb/directory/archive.ts'
import { never, openDb } from './artdaqdb/runs.ts'

const [folder = ''] = process.argv.slice(2)
const archive = new DirectoryArchive({
  root: join(folder, 'archive'),
  folder: 'f',
  object: 'o',
  now: Date.now,
})
const codeOf = (error: unknown): string => (error as { code?: string }).code ?? String(error)

const look = async (): Promise<void> => {
  const [database] = openDb(join(folder, 'db')).databases
  const kinds = checkDatabase(database!, new Set()).then((found) => found.map(({ kind }) => kind))
  const checked = await kinds.catch(codeOf)
  const got = await archive.get(1, 0, never).then(() => 'whole', codeOf)
  console.log(JSON.stringify({ checked, got }))
}
void look()
