/** Writes ever newer states to a file, and says after each that it is durable: as the archiver does, or in place as its original did. */
import { closeSync, openSync, writeSync } from 'node:fs'
import { replaceFile } from '../../src/platform/atomic-file.ts'

const [path = '', how = ''] = process.argv.slice(2)
/** Bytes: the buffer of a Python file. */
const BUFFER = 8192
const filler = 'x'.repeat(1_000_000)

const write = async (count: number): Promise<void> => {
  const text = JSON.stringify({ count, filler })
  if (how === 'replaced') await replaceFile(path, text)
  else writeInPlace(path, text)
}

/** As Python's `json.dump` does: the file is cut, then grows by one buffer after the other. Most of its time it is no whole JSON. */
const writeInPlace = (path: string, text: string): void => {
  const file = openSync(path, 'w')
  for (let from = 0; from < text.length; from += BUFFER) writeSync(file, text.slice(from, from + BUFFER))
  closeSync(file)
}

const writeForEver = async (): Promise<void> => {
  for (let count = 1; ; count++) {
    await write(count)
    writeSync(1, `${count}\n`)
  }
}
void writeForEver()
