/** Writes ever newer states to a file, and says after each that it is durable: as the archiver does, or in place as its original did. */
import { writeFileSync, writeSync } from 'node:fs'
import { replaceFile } from '../../src/platform/atomic-file.ts'

const [path = '', how = ''] = process.argv.slice(2)
const filler = 'x'.repeat(1_000_000)

const write = async (count: number): Promise<void> => {
  const text = JSON.stringify({ count, filler })
  if (how === 'replaced') await replaceFile(path, text)
  else writeFileSync(path, text)
}

const writeForEver = async (): Promise<void> => {
  for (let count = 1; ; count++) {
    await write(count)
    writeSync(1, `${count}\n`)
  }
}
void writeForEver()
