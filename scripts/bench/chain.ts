// The full chain on embedded stores against a bare writer that puts the same output files on disk with the same fsyncs.
//   npx tsx scripts/bench/chain.ts [runs]
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { mkdir, open, rename } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { makeRecords } from './make-records.ts'
import { build, makeSite } from './site.ts'

const RUNS = Number(process.argv[2] ?? 300)
const WORKERS = 2
/** Files between two syncs of the folders of the database: the chain commits every dozen runs or so. */
const COMMIT = 500

const syncFolder = async (path: string): Promise<void> => {
  const folder = await open(path, 'r')
  await folder.sync()
  await folder.close()
}

build()
const site = makeSite({ workers: WORKERS })
makeRecords(site.records, { first: 10_001, count: RUNS, files: 40, kilobytes: 150 })
const chain = (RUNS * 1000) / site.run()

const outputs = [site.database, site.archive].flatMap((root) =>
  readdirSync(root, { recursive: true, encoding: 'utf8' })
    .map((name) => join(root, name))
    .filter((path) => statSync(path).isFile())
    .map((path) => ({ path: path.replace(site.root, join(site.root, 'bare')), bytes: readFileSync(path) })),
)
for (const folder of new Set(outputs.map(({ path }) => dirname(path))))
  await mkdir(folder, { recursive: true })
const queue = outputs.values()
let written = 0
const began = performance.now()
await Promise.all(
  Array.from({ length: WORKERS }, async () => {
    for (const { path, bytes } of queue) {
      const file = await open(`${path}.tmp`, 'wx')
      await file.writeFile(bytes)
      await file.sync()
      await file.close()
      await rename(`${path}.tmp`, path)
      // As the chain does: the archive's folder with each blob, the database's with each commit.
      if (path.endsWith('.sha256')) await syncFolder(dirname(path))
      else if (++written % COMMIT === 0) await syncFolder(dirname(path))
    }
  }),
)
const bare = (RUNS * 1000) / (performance.now() - began)
const megabytes = outputs.reduce((sum, { bytes }) => sum + bytes.length, 0) / 1e6
console.log(
  `full chain: ${chain.toFixed(1)} runs/s; bare writer of the same ${outputs.length} files, ${megabytes.toFixed(0)} MB: ${bare.toFixed(1)} runs/s`,
)
console.log(`ratio ${(chain / bare).toFixed(2)}; must reach 0.85`)
site.remove()
