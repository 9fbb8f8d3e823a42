import { existsSync } from 'node:fs'
import type { Context } from '../../app/context.ts'
import type { Log } from '../../common/log.ts'
import { messageOf } from '../../errors.ts'
import { now } from '../../platform/host.ts'
import { configuredTracking, trackingPlace, type TrackingSettings } from '../../tracking/client/place.ts'
import type { WriterSettings } from '../../tracking/client/open-writer.ts'

/** The options that every `track` command has. */
export interface TrackOptions {
  /** Only where it was given, or where there is a `config.yaml`: `MONITOR_DB_*` alone is enough. */
  readonly config?: string
  readonly json?: boolean
}

export interface TrackSettings extends WriterSettings {
  readonly heartbeatEvery: number
  readonly foreignSilence: number
  readonly stagePatterns?: ReadonlyMap<string, string>
  readonly envAllow?: readonly string[]
}

/**
 * Where this command reports to or reads from. A configuration that cannot be used costs a warning where there is another way, because
 * a pipeline must not end for it; `strict` throws instead, for commands that a person reads.
 */
export const trackSettings = async (
  { config }: TrackOptions,
  context: Context,
  { strict = false } = {},
): Promise<TrackSettings> => {
  const log = warnings(context)
  // `config.yaml` is what the command line says where nobody said anything.
  const named = config === 'config.yaml' ? undefined : config
  const file = named ?? context.env['RUN_ARCHIVER_CONFIG'] ?? 'config.yaml'
  const asked = file !== 'config.yaml'
  let settings: TrackingSettings | undefined
  let tuning = {}
  let heartbeatEvery = 15_000
  let foreignSilence = 3_600_000
  if (asked || existsSync(file))
    try {
      const { loadConfig } = await import('../../config/load-config.ts')
      const config = await loadConfig(file, context.env, ['app', 'ledger', 'tracking'])
      const { ledger } = config
      ;({ settings, tuning } = configuredTracking(config))
      heartbeatEvery = ledger.heartbeatSeconds * 1000
      foreignSilence = ledger.foreignHostTimeoutSeconds * 1000
    } catch (error) {
      if (strict) throw error
      log.warn(messageOf(error))
    }
  const place = trackingPlace(context.env, settings)
  return { ...tuning, place, now, log, version: context.version, heartbeatEvery, foreignSilence }
}

/** Warnings to standard error, as the clients of all languages write them. */
export const warnings = (context: Context): Log => ({
  debug: () => undefined,
  info: () => undefined,
  warn: (message) => context.err(`Warning: ${message}\n`),
  error: (message) => context.err(`Warning: ${message}\n`),
})
