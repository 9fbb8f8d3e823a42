/**
 * CPU time of reading and mapping payloads, against the bare XML parser on the same texts in the same run.
 *
 *   npx tsx scripts/bench/records.ts MAPPING FOLDER [ROUNDS]
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { SaxesParser } from 'saxes'
import { mapPayload } from '../../src/records/map-payload.ts'
import { ItemError } from '../../src/records/item-error.ts'
import { readMapping } from '../../src/records/mapping/read-mapping.ts'

const [mappingFile = '', folder = '', rounds = '5'] = process.argv.slice(2)
const mapping = readMapping(readFileSync(mappingFile, 'utf8'), mappingFile)
const payloads = readdirSync(folder)
  .filter((name) => name.endsWith('.xml'))
  .map((name) => ({ key: name.slice(0, -4), text: readFileSync(join(folder, name), 'utf8') }))

const bare = (text: string): void => {
  const parser = new SaxesParser({ xmlns: false })
  parser.write(text).close()
}

let rows = 0
const codes = new Map<string, number>()
const ours = ({ key, text }: { key: string; text: string }): void => {
  try {
    const record = mapPayload(text, mapping, { sourceKey: key, now: 0, strict: false })
    for (const made of record.rows.values()) rows += made.length
  } catch (error) {
    if (!(error instanceof ItemError)) throw error
    codes.set(error.code, (codes.get(error.code) ?? 0) + 1)
  }
}

/** CPU milliseconds a payload. */
const measured = (work: () => void): number => {
  const before = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000 / payloads.length
}

for (let round = 1; round <= Number(rounds); round++) {
  rows = 0
  codes.clear()
  const parser = measured(() => payloads.forEach(({ text }) => bare(text)))
  const mapped = measured(() => payloads.forEach(ours))
  console.log(
    `round ${round}: ${payloads.length} payloads, bare parser ${parser.toFixed(2)} ms, read and map ${mapped.toFixed(2)} ms, ratio ${(mapped / parser).toFixed(2)}, ${rows} rows, failed ${JSON.stringify(Object.fromEntries(codes))}`,
  )
}
