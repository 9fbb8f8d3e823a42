import type { Command } from '../app/context.ts'
import { type MainOptions, modeOf } from './run-options.ts'

/** `run-archiver [config.yaml] [flags]`: a pass, a report or a recovery, as the flags say. Each is loaded only when it is asked for. */
export const mainCommand: Command<MainOptions> = async (options, context) => {
  const mode = modeOf(options)
  switch (mode.type) {
    case 'report':
      return (await import('./report.ts')).status(options, context)
    case 'recover':
      return (await import('./recover-state.ts')).recover({ ...options, stage: mode.stage }, context)
    case 'pass':
      return (await import('./run.ts')).run(mode, options, context)
  }
}
