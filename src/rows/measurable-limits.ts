import { ArchiverError, messageOf } from '../errors.ts'
import type { Session } from '../sql/session.ts'
import type { Probe } from './probe.ts'
import { troubleOf } from './server-errors.ts'

interface Limits {
  readonly maxLagMs: number | undefined
  readonly maxHll: number | undefined
  readonly maxLoad: ReadonlyMap<string, number>
  readonly criticalLoad: ReadonlyMap<string, number>
  readonly query: string | undefined
  readonly probe: Probe
}

/**
 * Limits that no look could ever measure: a name with a slip of the pen, replicas that nobody named. Held against them, a batch would wait until the run
 * ends, or the limit would never count. Throws CONFIG_INVALID with all of them.
 */
export const assertMeasurable = async (limits: Limits, session: Session): Promise<void> => {
  const lines: string[] = []
  for await (const line of unmeasurable(limits, session)) lines.push(line)
  if (lines.length > 0)
    throw new ArchiverError('CONFIG_INVALID', lines.join('\n'), {
      hint: 'docs/CONFIG.md explains the limits of rows.throttle; leave out what this server cannot measure',
    })
}

async function* unmeasurable(
  { maxLagMs, maxHll, maxLoad, criticalLoad, query, probe }: Limits,
  session: Session,
): AsyncGenerator<string> {
  const limits = [maxLagMs !== undefined && 'max_replica_lag', maxHll !== undefined && 'max_hll']
  const loads = [maxLoad.size > 0 && 'max_load', criticalLoad.size > 0 && 'critical_load']
  const ofOthers = [...limits, ...loads].filter((name) => name !== false)
  if (ofOthers.length > 0 && !(await probe.seesOthers(session)))
    yield `rows.throttle.${ofOthers.join(', ')}: the server hides from this user what other sessions do: GRANT pg_read_all_stats TO the user of the URL`
  if (maxLagMs !== undefined && !(await probe.knowsReplicas(session)))
    yield 'rows.throttle.max_replica_lag (--max-lag) has no replica to look at: name them in rows.throttle.replicas'
  if (maxHll !== undefined && (await probe.hll(session)) === undefined)
    yield 'rows.throttle.max_hll (--max-hll): this user cannot read the length of the history list: GRANT PROCESS ON *.* to the user of the URL'
  for (const [setting, map] of Object.entries({ max_load: maxLoad, critical_load: criticalLoad }))
    for (const name of map.keys())
      if ((await probe.status(session, name)) === undefined)
        yield `rows.throttle.${setting}: ${name} is no status value of this server that is a number (${KNOWN[session.dialect]})`
  const refused = query === undefined ? undefined : await refusalOf(probe.query(session, query))
  if (refused !== undefined)
    yield refused.startsWith('rows.throttle.query') ? refused : `rows.throttle.query: ${refused}`
}

/** Which names a server knows. */
const KNOWN = {
  mysql: 'SHOW GLOBAL STATUS lists them',
  postgres: 'PostgreSQL has Threads_running alone: the sessions that run a statement',
} as const

const refusalOf = (asked: Promise<number>): Promise<string | undefined> =>
  asked.then(
    () => undefined,
    (error: unknown) => {
      if (troubleOf(error) === 'transient') throw error
      return messageOf(error)
    },
  )
