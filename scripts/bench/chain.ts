// The full chain on embedded stores against a bare writer that puts the same output files on disk with the same fsyncs. They take turns, each into
// folders of its own, and the disk has nothing left to write when a turn begins.
//   npx tsx scripts/bench/chain.ts [runs] [rounds]
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { mkdir, open, rename } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { makeRecords } from './make-records.ts'
import { build, makeSite, median } from './site.ts'

const RUNS = Number(process.argv[2] ?? 300)
const ROUNDS = Number(process.argv[3] ?? 5)
const WORKERS = 2
/** Files between two syncs of the folders of the database: the chain commits every dozen runs or so. */
const COMMIT = 500

interface Output {
  /** Below the folder of its writer. */
  readonly path: string
  readonly bytes: Buffer
}

const syncFolder = async (path: string): Promise<void> => {
  const folder = await open(path, 'r')
  await folder.sync()
  await folder.close()
}

/** Runs a second, written as the chain writes: the archive's folder is synced with each blob, the database's with each commit. */
const writeBare = async (root: string, outputs: readonly Output[]): Promise<number> => {
  for (const folder of new Set(outputs.map(({ path }) => dirname(join(root, path)))))
    await mkdir(folder, { recursive: true })
  execFileSync('sync')
  const queue = outputs.values()
  let written = 0
  const began = performance.now()
  await Promise.all(
    Array.from({ length: WORKERS }, async () => {
      for (const { path: name, bytes } of queue) {
        const path = join(root, name)
        const file = await open(`${path}.tmp`, 'wx')
        await file.writeFile(bytes)
        await file.sync()
        await file.close()
        await rename(`${path}.tmp`, path)
        if (path.endsWith('.sha256')) await syncFolder(dirname(path))
        else if (++written % COMMIT === 0) await syncFolder(dirname(path))
      }
    }),
  )
  return (RUNS * 1000) / (performance.now() - began)
}

build()
// Nothing is deleted before the end: ext4 looks at each inode that was freed in the last minutes whenever it wants a new one.
const first = makeSite({ workers: WORKERS })
makeRecords(first.records, { first: 10_001, count: RUNS, files: 40, kilobytes: 150 })
const sites = [first]

/** Runs a second of the whole process, into stores of its own. */
const runChain = (): number => {
  const site = makeSite({ workers: WORKERS, records: first.records })
  sites.push(site)
  execFileSync('sync')
  return (RUNS * 1000) / site.run()
}

first.run() // Reads the records from the disk, and gives the bare writer its files: it does not count.
const outputs = [first.database, first.archive].flatMap((root) =>
  readdirSync(root, { recursive: true, encoding: 'utf8' })
    .map((name) => join(root, name))
    .filter((path) => statSync(path).isFile())
    .map((path): Output => ({ path: relative(first.root, path), bytes: readFileSync(path) })),
)
const megabytes = outputs.reduce((sum, { bytes }) => sum + bytes.length, 0) / 1e6
console.log(`${RUNS} runs, ${outputs.length} files, ${megabytes.toFixed(0)} MB`)
const rounds: { readonly chain: number; readonly bare: number }[] = []
for (let round = 1; round <= ROUNDS; round++) {
  const bareFirst = round % 2 === 0
  const early = bareFirst ? await writeBare(join(first.root, `bare-${round}`), outputs) : undefined
  const chain = runChain()
  const bare = early ?? (await writeBare(join(first.root, `bare-${round}`), outputs))
  rounds.push({ chain, bare })
  console.log(
    `round ${round}: full chain ${chain.toFixed(1)} runs/s, bare writer ${bare.toFixed(1)} runs/s: ${(chain / bare).toFixed(2)}`,
  )
}
const chain = median(rounds.map((round) => round.chain))
const bare = median(rounds.map((round) => round.bare))
const ratio = median(rounds.map((round) => round.chain / round.bare))
console.log(`medians: full chain ${chain.toFixed(1)} runs/s, bare writer ${bare.toFixed(1)} runs/s`)
console.log(`ratio ${ratio.toFixed(2)} (median of the rounds); must reach 0.85`)
for (const site of sites) site.remove()
