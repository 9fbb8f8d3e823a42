import type { RunMetadata } from '../metadata-file.ts'
import { ascii } from '../../../fhicl/accepted-text.ts'
import { list, nameValue, quoted } from './fhicl-printer.ts'

/** RunHistory.fcl: the run's number, its configuration's name, its components. */
export const runHistory = (run: number, { configName, components }: RunMetadata): string =>
  [
    `run_number: ${run}`,
    ...(configName === undefined ? [] : [`config_name: ${nameValue(configName)}`]),
    ...(components.length === 0 ? [] : [`components: ${list(components)}`]),
  ]
    .map((line) => `${line}\n\n`)
    .join('')

/**
 * RunHistory2.fcl: start and stop times, in the order of the file, under DAQInterface's present keys whatever their form was.
 * Undefined where there is none: the run never started.
 */
export const runHistory2 = ({ times }: RunMetadata): string | undefined =>
  times.length === 0
    ? undefined
    : times.map(({ what, text }) => `DAQInterface_${what}_time: ${quoted(ascii(text))}`).join('\n')
