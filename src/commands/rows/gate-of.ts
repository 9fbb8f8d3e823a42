import type { SessionOptions } from '../../sql/session.ts'
import { databasePassword } from '../../sql/fresh-password.ts'
import { ArchiverError } from '../../errors.ts'
import { monotonic, now } from '../../platform/host.ts'
import type { Gate } from '../../rows/gate.ts'
import { ServerProbe } from '../../rows/probes.ts'
import { Throttle } from '../../rows/throttle.ts'
import { readWindow } from '../../rows/windows.ts'
import type { RowsConfig } from './rows-config.ts'

/** The gate that a configuration describes; the command line may set two of its limits. */
export const gateOf = (
  { rows }: RowsConfig,
  source: SessionOptions,
  over: { maxLagMs: number | undefined; maxHll: number | undefined },
): Gate => {
  const { throttle } = rows
  const replicas = throttle.replicas.map((url): SessionOptions => ({
    url: url.reveal(),
    timeout: 5000,
    get password() {
      return databasePassword({ url, password: undefined })?.current() ?? source.password
    },
  }))
  return new Throttle({
    maxLagMs:
      over.maxLagMs ??
      (throttle.maxReplicaLagSeconds === undefined ? undefined : throttle.maxReplicaLagSeconds * 1000),
    maxHll: over.maxHll ?? throttle.maxHll,
    maxLoad: limitsOf('rows.throttle.max_load', throttle.maxLoad),
    criticalLoad: limitsOf('rows.throttle.critical_load', throttle.criticalLoad),
    query: throttle.query,
    flagFile: throttle.flagFile,
    niceRatio: throttle.niceRatio,
    checkIntervalMs: throttle.checkIntervalSeconds * 1000,
    maxPauseMs: throttle.maxPauseSeconds * 1000,
    windows: throttle.windows.map(readWindow),
    probe: new ServerProbe(replicas, 'archiver_heartbeat'),
    now,
    monotonic,
  })
}

const limitsOf = (setting: string, map: ReadonlyMap<string, string>): ReadonlyMap<string, number> =>
  new Map(
    [...map].map(([name, text]) => {
      if (!/^\d+$/.test(text))
        throw new ArchiverError('CONFIG_INVALID', `${setting}: ${name}: "${text}" is not a whole number`)
      return [name, Number(text)]
    }),
  )
