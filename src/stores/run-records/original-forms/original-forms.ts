import { ascii } from '../../../fhicl/accepted-text.ts'
import { unquoted } from '../fhiclize/environment.ts'
import { decodeWithMark, python, splitLines, strip } from '../fhiclize/python-text.ts'
import { originalBoot } from './boot.ts'
import { originalKnownBoardreaders, originalRanks, originalSettings } from './lists.ts'
import { originalMetadata } from './metadata.ts'

/**
 * What the Python original makes of a text file of a record, its slips included (docs/FORMATS.md, "Runs of other programs"). Not for writing: runs that
 * it stored are compared with it. Bytes that are not UTF-8, which it refuses, are taken as Latin-1.
 */
export const ORIGINAL_FORMS: ReadonlyMap<string, (bytes: Uint8Array) => string> = new Map([
  ['boot', originalBoot],
  ['metadata', originalMetadata],
  ['known_boardreaders_list', originalKnownBoardreaders],
  ['settings', originalSettings],
  ['setup', (bytes: Uint8Array): string => `setup_script: "${setupText(decodeWithMark(bytes))}"`],
  ['environment', (bytes: Uint8Array): string => originalEnvironment(bytes)],
  ['ranks', originalRanks],
])

const setupText = (script: string): string => ascii(script).replace(/[\\"]/g, '\\$&').replaceAll('\n', '\\n')

const EXPORT = python('^export\\s+([A-Za-z_][A-Za-z0-9_]*)\\s*=\\s*(.*)$')

/** Values end with their line; backslashes stay. */
const originalEnvironment = (bytes: Uint8Array): string =>
  splitLines(decodeWithMark(bytes))
    .flatMap((line) => {
      const [, name, value] = EXPORT.exec(strip(line)) ?? []
      if (name === undefined || value === undefined) return []
      return [`${name}: "${ascii(unquoted(strip(value))).replaceAll('"', '\\"')}"\n`]
    })
    .join('')

const CONFIG_NAME = python('^Config name:\\s*(.+)')
const COMPONENT = python('^Component #\\d+:\\s*(.+)')
const TIME = python('^DAQInterface (stop|start) time:\\s+(.*)')

/** RunHistory.fcl, from metadata.txt: the last configuration name counts, nothing is escaped. */
export const originalRunHistory = (run: number, metadata: Uint8Array): string => {
  const lines = splitLines(decodeWithMark(metadata))
    .map(strip)
    .filter((line) => !line.startsWith('#'))
  const name = lines.map((line) => CONFIG_NAME.exec(line)?.[1]).findLast((found) => found !== undefined)
  const components = lines.flatMap((line) => COMPONENT.exec(line)?.[1] ?? [])
  return [
    `run_number: ${run}`,
    ...(name === undefined ? [] : [`config_name: "${name}"`]),
    ...(components.length === 0 ? [] : [`components: [${components.map((one) => `"${one}"`).join(', ')}]`]),
  ]
    .map((line) => `${line}\n\n`)
    .join('')
}

/** RunHistory2.fcl, which it stores as an update; undefined where there is neither time. */
export const originalRunHistory2 = (metadata: Uint8Array): string | undefined => {
  const times = splitLines(decodeWithMark(metadata)).flatMap((line) => {
    const [, what, text] = TIME.exec(line) ?? []
    return what === undefined || text === undefined ? [] : [`DAQInterface_${what}_time: "${ascii(text)}"`]
  })
  return times.length === 0 ? undefined : times.join('\n')
}
