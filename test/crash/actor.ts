/** Does one durable thing in a folder, and says `ok` or why not: for the system calls of it to be made to fail (shim.c). */
import { writeSync } from 'node:fs'
import { act, type Deed } from './deeds.ts'

const [deed = '', folder = ''] = process.argv.slice(2)

act(deed as Deed, folder).then(
  () => writeSync(1, 'ok'),
  (error: unknown) => writeSync(1, (error as { code?: string }).code ?? String(error)),
)
