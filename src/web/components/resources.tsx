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

/** CPU, memory, input and output of an execution, with synced cursors. */
export const Resources = ({ metrics }: { metrics: readonly Metric[] }) => {
  if (metrics.length === 0) return <Empty what="No CPU or memory was recorded." />
  const t = metrics.map(({ at }) => Math.round(at / 1000))
  const cpu = of(metrics, (metric) => metric.cpuPercent)
  const memory = of(metrics, (metric) => metric.memoryMb)
  const read = rates(metrics, (metric) => metric.readBytes)
  const written = rates(metrics, (metric) => metric.writeBytes)
  const received = rates(metrics, (metric) => metric.receivedBytes)
  const sent = rates(metrics, (metric) => metric.sentBytes)
  const hasNetwork = [...received, ...sent].some((value) => value !== null)
  const connections = of(metrics, (metric) => metric.databaseConnections)
  const hasConnections = connections.some((value) => value !== null)
  const hasIo = [...read, ...written].some((value) => value !== null)
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
      {hasIo && (
        <Chart
          id="io"
          height={104}
          spec={{
            t,
            sync: 'ex',
            s: [
              { k: 'Read', c: 1, unit: 'MB/s', d: read },
              { k: 'Written', c: 3, unit: 'MB/s', d: written },
            ],
          }}
          legend={[
            ['c1', 'Read, MB/s'],
            ['c3', 'Written, MB/s'],
          ]}
          say={`Read ${summary(read, 'MB/s')}; written ${summary(written, 'MB/s')}.`}
        />
      )}
      {hasNetwork && (
        <Chart
          id="network"
          height={104}
          spec={{
            t,
            sync: 'ex',
            s: [
              { k: 'Received', c: 1, unit: 'MB/s', d: received },
              { k: 'Sent', c: 3, unit: 'MB/s', d: sent },
            ],
          }}
          legend={[
            ['c1', 'Received over HTTP and SQL, MB/s'],
            ['c3', 'Sent, MB/s'],
          ]}
          say={`Received ${summary(received, 'MB/s')}; sent ${summary(sent, 'MB/s')}.`}
        />
      )}
      {hasConnections && (
        <Chart
          id="connections"
          height={104}
          spec={{ t, sync: 'ex', s: [{ k: 'Connections', c: 2, fill: true, unit: '', d: connections }] }}
          legend={[['c2', 'Connections to databases']]}
          say={`Connections to databases: ${summary(connections, '')}.`}
        />
      )}
    </>
  )
}
