import type { Metric } from '../model.ts'
import { Chart } from './chart.tsx'
import { Empty } from './parts.tsx'

const of = (metrics: readonly Metric[], pick: (metric: Metric) => number | undefined): (number | null)[] =>
  metrics.map((metric) => pick(metric) ?? null)

/** Bytes a second between two readings of a counter, in MB. */
const rates = (metrics: readonly Metric[], pick: (metric: Metric) => number | undefined): (number | null)[] =>
  metrics.map((metric, i) => {
    const before = metrics[i - 1]
    const [a, b] = [before && pick(before), pick(metric)]
    if (!before || a === undefined || b === undefined || metric.at <= before.at || b < a) return null
    return Math.round((b - a) / (metric.at - before.at) / 10) / 100
  })

const summary = (values: readonly (number | null)[], unit: string): string => {
  const known = values.filter((value) => value !== null)
  if (known.length === 0) return 'not recorded'
  const last = known.at(-1) ?? 0
  return `${last} ${unit} at last, ${Math.max(...known)} ${unit} at most`
}

interface Line {
  readonly name: string
  /** What the legend says more than the name. */
  readonly more: string
  readonly values: readonly (number | null)[]
}

const lineOf = (name: string, values: readonly (number | null)[], more = ''): Line => ({ name, more, values })

/** How fast bytes went one way and the other; nothing where neither is known. */
const Rates = ({ id, t, lines }: { id: string; t: readonly number[]; lines: readonly [Line, Line] }) => {
  if (lines.every(({ values }) => values.every((value) => value === null))) return null
  const [one, other] = lines
  return (
    <Chart
      id={id}
      height={104}
      spec={{
        t,
        sync: 'ex',
        s: [
          { k: one.name, c: 1, unit: 'MB/s', d: one.values },
          { k: other.name, c: 3, unit: 'MB/s', d: other.values },
        ],
      }}
      legend={[
        ['c1', `${one.name}${one.more}, MB/s`],
        ['c3', `${other.name}${other.more}, MB/s`],
      ]}
      say={`${one.name} ${summary(one.values, 'MB/s')}; ${other.name.toLowerCase()} ${summary(other.values, 'MB/s')}.`}
    />
  )
}

/** A number that is counted; nothing where it is not known. */
const Count = ({ id, t, lines }: { id: string; t: readonly number[]; lines: readonly Line[] }) => {
  const known = lines.filter(({ values }) => values.some((value) => value !== null))
  if (known.length === 0) return null
  const color = (at: number): 1 | 2 => (at === 0 ? 2 : 1)
  return (
    <Chart
      id={id}
      height={104}
      spec={{
        t,
        sync: 'ex',
        s: known.map(({ name, values }, at) => ({
          k: name,
          c: color(at),
          fill: known.length === 1,
          unit: '',
          d: values,
        })),
      }}
      legend={known.map(({ name, more }, at) => [`c${color(at)}`, `${name}${more}`] as const)}
      say={known.map(({ name, more, values }) => `${name}${more}: ${summary(values, '')}.`).join(' ')}
    />
  )
}

/** CPU, memory, input and output, network, connections, open files, threads and rows of an execution, with synced cursors. */
export const Resources = ({ metrics }: { metrics: readonly Metric[] }) => {
  if (metrics.length === 0) return <Empty what="No CPU or memory was recorded." />
  const t = metrics.map(({ at }) => Math.round(at / 1000))
  const cpu = of(metrics, (metric) => metric.cpuPercent)
  const memory = of(metrics, (metric) => metric.memoryMb)
  const read = rates(metrics, (metric) => metric.readBytes)
  const written = rates(metrics, (metric) => metric.writeBytes)
  const received = rates(metrics, (metric) => metric.receivedBytes)
  const sent = rates(metrics, (metric) => metric.sentBytes)
  const connections = of(metrics, (metric) => metric.databaseConnections)
  const files = of(metrics, (metric) => metric.openFiles)
  const threads = of(metrics, (metric) => metric.threads)
  const rows = of(metrics, (metric) => metric.rowsProcessed)
  return (
    <>
      <Chart
        id="cpu"
        height={104}
        spec={{ t, sync: 'ex', s: [{ k: 'CPU', c: 1, fill: true, unit: '%', d: cpu }] }}
        legend={[['c1', 'CPU, %']]}
        say={`CPU ${summary(cpu, '%')}.`}
      />
      <Chart
        id="memory"
        height={104}
        spec={{ t, sync: 'ex', s: [{ k: 'Memory', c: 2, fill: true, unit: 'MB', d: memory }] }}
        legend={[['c2', 'Memory, MB']]}
        say={`Memory ${summary(memory, 'MB')}.`}
      />
      <Rates id="io" t={t} lines={[lineOf('Read', read), lineOf('Written', written)]} />
      <Rates
        id="network"
        t={t}
        lines={[lineOf('Received', received, ' over HTTP and SQL'), lineOf('Sent', sent)]}
      />
      <Count id="connections" t={t} lines={[lineOf('Connections', connections, ' to databases')]} />
      <Count id="files" t={t} lines={[lineOf('Open files', files), lineOf('Threads', threads)]} />
      <Count id="rows" t={t} lines={[lineOf('Rows processed', rows)]} />
    </>
  )
}
