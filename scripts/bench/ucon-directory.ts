import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { monotonic, now } from '../../src/platform/host.ts'
import { DirectoryArchive } from '../../src/stores/ucondb/directory/archive.ts'
import { placeOf } from '../../src/stores/ucondb/directory/layout.ts'

/**
 * Measures how the directory archive lists: `npx tsx scripts/bench/ucon-directory.ts [--keys N]`. Makes so many keys (files
 * without content, nobody syncs them), lists them, and asks whether anything changed.
 */
const { values } = parseArgs({ options: { keys: { type: 'string', default: '1000000' } } })
const root = mkdtempSync(join(tmpdir(), 'ucon-directory-'))
try {
  const object = join(root, 'run_records', 'configuration')
  let folder = ''
  for (let run = 1; run <= Number(values.keys); run++) {
    const place = placeOf(object, run, 0)
    if (dirname(place.blob) !== folder) mkdirSync((folder = dirname(place.blob)), { recursive: true })
    writeFileSync(place.blob, '')
    writeFileSync(place.checksum, '')
  }
  const archive = new DirectoryArchive({ root, folder: 'run_records', object: 'configuration', now })
  const times = { list: [] as number[], fingerprint: [] as number[] }
  for (let round = 0; round < 5; round++)
    for (const call of ['list', 'fingerprint'] as const) {
      const began = monotonic()
      await archive[call]()
      times[call].push(monotonic() - began)
    }
  const best = (all: readonly number[]): string => Math.min(...all).toFixed(0)
  console.log(
    `${values.keys} keys: list ${best(times.list)} ms, fingerprint ${best(times.fingerprint)} ms, ` +
      `${(process.memoryUsage.rss() / 1e6).toFixed(0)} MB`,
  )
} finally {
  rmSync(root, { recursive: true })
}
