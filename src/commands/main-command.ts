import type { Command } from './context.ts'
import { type MainOptions, modeOf } from './mode.ts'

/** `run-archiver [config.yaml] [flags]`: a pass, a report or a recovery, as the flags say. Each is loaded only when it is asked for. */
export const mainCommand: Command<MainOptions> = async (options, context) => {
  const mode = modeOf(options)
  switch (mode.type) {
    case 'report':
      return (await import('./status.ts')).status(options, context)
    case 'recover':
      return (await import('./recover-state.ts')).recover({ ...options, stage: mode.stage }, context)
    case 'pass':
      return (await import('./run.ts')).run(mode, options, context)
  }
}
