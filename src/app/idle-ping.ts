import { randomUUID } from 'node:crypto'
import { identity, now } from '../platform/host.ts'
import type { Archiver } from '../runs/archiver.ts'
import type { Context } from './context.ts'

/** Milliseconds between two pings of a daemon that finds nothing to do. */
const EVERY = 60_000
/** Milliseconds that a ping may take. */
const PATIENCE = 5000

let pingedAt = -Infinity

/** Whether idle passes have somebody who must hear of them: they then leave no stamp by which the next one would end unheard. */
export const isPinged = ({ config }: Archiver): boolean => config.reporting.ping.enabled

/** Pings the dead man's switch for a pass that found nothing to do: to be idle is to be well. At most once a minute. Never throws. */
export const pingIdle = async (archiver: Archiver, context: Context): Promise<void> => {
  const { url } = archiver.config.reporting.ping
  if (!isPinged(archiver) || !url || Math.abs(now() - pingedAt) < EVERY) return
  pingedAt = now()
  const { pingWatcher } = await import('../tracking/alerts/ping.ts')
  const pass = {
    runId: randomUUID(),
    task: 'idle',
    host: identity().host,
    time: new Date(now()).toISOString(),
  }
  const text = 'nothing to do\n'
  await pingWatcher(url)
    .ended({ ...pass, exitCode: 0, signal: undefined, text }, AbortSignal.timeout(PATIENCE))
    .catch((error: unknown) =>
      context.err(`The ping was not reached: ${error instanceof Error ? error.message : ''}\n`),
    )
}
