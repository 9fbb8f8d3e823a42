import { parentPort, workerData } from 'node:worker_threads'
import { randomFrom } from '../crash/random.ts'
import { type Commands, commandLine, findsNothing, functions, readsUnchecked } from './commands.ts'
import { DamagedSite } from './damaged-site.ts'
import type { Kind } from './damages.ts'
import type { Site } from '../site.ts'
import { Trial } from './try-damages.ts'

/** How the commands are called. The last two are controls. */
export type Way = 'functions' | 'command line' | 'reads unchecked' | 'finds nothing'

/** One damage to try. What is done depends on the seed and the site alone. */
export interface Order {
  readonly seed: number
  readonly way: Way
  /** Any, unless given. */
  readonly kind?: Kind | undefined
  /** Below artdaqDB only. */
  readonly inDocuments?: boolean
}

const COMMANDS: Readonly<Record<Way, (site: Site) => Commands>> = {
  functions,
  'command line': commandLine,
  'reads unchecked': readsUnchecked,
  'finds nothing': findsNothing,
}

/**
 * A thread with a site of its own, which takes one order after the other and answers with the wrong answers. In a thread the program calls the file
 * system itself (src/platform/fs-calls.ts), which is half of the processor time; the command line tries the other way.
 */
const site = new DamagedSite({ ledger: (workerData as { readonly ledger: boolean }).ledger })
const trials = new Map<Way, Trial>()

const trialOf = async (way: Way): Promise<Trial> => {
  const known = trials.get(way)
  if (known) return known
  const commands = COMMANDS[way](site.site)
  const trial =
    way === 'command line' ? (await trialOf('functions')).through(commands) : await Trial.on(site, commands)
  trials.set(way, trial)
  return trial
}

const tryOne = async ({ seed, way, kind, inDocuments }: Order): Promise<string[]> => {
  try {
    const trial = await trialOf(way)
    return await trial.try(randomFrom(seed), kind, inDocuments ? [site.site.path('db')] : undefined)
  } catch (error) {
    return [error instanceof Error ? (error.stack ?? error.message) : String(error)]
  }
}

await site.prepare(functions(site.site))
parentPort?.on('message', (order: Order | 'end') => {
  if (order !== 'end') return void tryOne(order).then((wrong) => parentPort?.postMessage(wrong))
  site.site.remove()
  parentPort?.close()
})
parentPort?.postMessage('ready')
