import { readdir, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { readText } from '../platform/read-file.ts'
import type { Archiver } from '../runs/archiver.ts'
import { ledgerMetrics } from '../tracking/metrics/gather-served.ts'
import type { Standing } from '../tracking/metrics/prometheus-textfile.ts'
import { servedMetrics } from '../tracking/metrics/served-metrics.ts'
import type { RunReads, RunsSnapshot } from '../web/model.ts'
import { proofCounts } from './stage-standings.ts'
import type { PageLedger } from './page-ledger.ts'
import type { PageQueue } from './page-queue.ts'
import { queueFacts, type QueueFacts } from './queue-metrics.ts'

interface MetricsParts {
  readonly archiver: Archiver | undefined
  readonly queue: PageQueue | undefined
  readonly ledger: PageLedger | undefined
  readonly runs: RunReads | undefined
  readonly version: string
  readonly commit: string
}

const SPOOLS = ['ledger-spool.jsonl', 'tracking-spool.jsonl']
const NO_LEDGER = { tasks: [], executions: [], alerts: [] } as const
const NO_QUEUE: QueueFacts = {
  instances: {},
  claims: {},
  claimed: undefined,
  fenced: undefined,
  recovered: undefined,
  rate: undefined,
}

/** The text of `/metrics`. A part that is away leaves its metrics out, and never the others. */
export const pageMetrics =
  ({ archiver, queue, ledger, runs, version, commit }: MetricsParts) =>
  async (): Promise<string> => {
    const read = ledger?.use((database) => ledgerMetrics(database)).catch(() => undefined)
    const [fromLedger, snapshot, fromQueue] = await Promise.all([
      read,
      runs?.snapshot().catch(() => undefined),
      queue?.overview().then(queueFacts, () => NO_QUEUE),
    ])
    const workDir = archiver?.config.app.workDir
    const sizes = await Promise.all(
      workDir === undefined ? [] : SPOOLS.map((name) => sizeOf(join(workDir, name))),
    )
    const file = archiver?.config.metrics.textfile
    return servedMetrics({
      ...(fromLedger ?? NO_LEDGER),
      ...(fromQueue ?? NO_QUEUE),
      standings: snapshot ? standingsOf(snapshot) : [],
      proof: snapshot?.proof && proofCounts(snapshot.proof),
      spoolBytes: sizes.reduce((sum, size) => sum + size, 0),
      ledgerUp: fromLedger !== undefined,
      version,
      commit,
      textfiles: file === undefined ? [] : await textfilesOf(file),
    })
  }

/** The text file of passes, and those of tasks beside it: rows, records. */
const textfilesOf = async (file: string): Promise<string[]> => {
  const stem = `${basename(file).replace(/\.prom$/, '')}_`
  const names = await readdir(dirname(file)).catch(() => [])
  const others = names.filter((name) => name.startsWith(stem) && name.endsWith('.prom')).sort()
  const paths = [file, ...others.map((name) => join(dirname(file), name))]
  return Promise.all(paths.map((path) => readText(path).catch(() => '')))
}

const sizeOf = (file: string): Promise<number> =>
  stat(file).then(
    ({ size }) => size,
    () => 0,
  )

/** The marks of both stages, and what is left to do: source − destination − failure log. */
const standingsOf = (snapshot: RunsSnapshot): Standing[] => {
  const { records, artdaq, archive } = snapshot
  const stages = [
    ['import', records, artdaq, snapshot.import],
    ['migrate', artdaq, archive, snapshot.migrate],
  ] as const
  return stages.map(([stage, source, sink, marks]) => ({
    stage,
    lastContiguousRun: marks.known ? marks.value.contiguous : undefined,
    lastAttemptedRun: marks.known ? marks.value.attempted : undefined,
    failed: marks.known ? marks.value.failed.size : undefined,
    sourceHighestRun: source.known ? source.value.last : undefined,
    pending:
      source.known && sink.known && marks.known
        ? source.value.minus(sink.value).minus(marks.value.failed).size
        : undefined,
  }))
}
