import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createHash } from 'node:crypto'
import { parseFhicl } from '../src/fhicl/parser.ts'
import { printedParts } from '../src/fhicl/to-json.ts'
import { factsOf, unsealedText } from '../src/stores/artdaqdb/format/document-printer.ts'
import { indexText } from '../src/stores/artdaqdb/format/index-text.ts'
import { CollectionIndex } from '../src/stores/artdaqdb/format/search-index.ts'
import { artdaqStamp } from '../src/stores/artdaqdb/format/timestamp.ts'

/** The two ways in which the Python original stores runs: through `conftoolp`, or with bulkloader (`use_tools`). */
export type Mode = 'conftoolp' | 'tools'

const CONFIG = 'beam_a'
const START = 'Fri Oct  3 12:00:41 UTC 2025'
const STOP = 'Fri Oct  3 15:42:07 UTC 2025'

/** A record's files, of which the original converts two otherwise than we do. */
export const recordFiles = (run: number, { ended = true } = {}): Readonly<Record<string, string>> => ({
  'metadata.txt': `Config name: ${CONFIG}\nComponent #0: tpc01\n\nDAQInterface start time: ${START}\n${ended ? `\nDAQInterface stop time: ${STOP}\n` : ''}`,
  'boot.txt': 'debug level: 1\n\nSubsystem id: 1\nSubsystem source: 2\nSubsystem source: 3\n',
  'settings.txt': 'package_hashes_to_save: [ sbndaq-artdaq, "artdaq-core" ]\n',
  'setup.txt': '#!/bin/bash\nexport A=1\n',
  'tpc01.fcl': `daq: {\n  run: ${run} # which\n}\n`,
  'EventBuilder1.fcl': 'source: "x"\n',
})

/** What the original makes of them, written down by hand from its rules. */
const originalTexts = (run: number, ended: boolean): ReadonlyMap<string, string> =>
  new Map([
    ['EventBuilder1', 'source: "x"\n'],
    ['tpc01', `daq: {\n  run: ${run} # which\n}\n`],
    [
      'boot',
      'debug_level: 1\n\nsubsystem_settings: [\n{\nid: "1"\nsource: "3"\n}\n]\n\nartdaq_process_settings: [\n]\n',
    ],
    ['setup', 'setup_script: "#!/bin/bash\\nexport A=1\\n"'],
    [
      'metadata',
      `config_name: "${CONFIG}"\ncomponents: ["tpc01"]\ndaqinterface_start_time: "${START}"\n${ended ? `daqinterface_stop_time: "${STOP}"\n` : ''}`,
    ],
    ['settings', 'package_hashes_to_save: [ sbndaq_artdaq, artdaq_core ]\n'],
    ['RunHistory', `run_number: ${run}\n\nconfig_name: "${CONFIG}"\n\ncomponents: ["tpc01"]\n\n`],
  ])

/** In conftoolp mode, what no pattern of the site's schema matches is left out; here `settings` and `setup`. */
const LEFT_OUT = ['settings', 'setup']

const md5 = (text: string): string => createHash('md5').update(text).digest('hex')

interface Written {
  readonly leaveOut?: ((run: number, entity: string) => boolean) | undefined
  /** Whether the runs had ended. */
  readonly ended?: boolean
  /** Changes what is stored of a document. */
  readonly change?: (entity: string, text: string, run: number) => string
}

/**
 * A database as the original leaves it. Each document takes the clock for itself, so that no two of them have the same stamp; the update with the
 * times of the run is a version `...v1` in one mode, and of the same version in the other, with a second `schema` in both.
 */
export const writeOriginal = (
  path: string,
  runs: readonly number[],
  mode: Mode,
  { leaveOut = () => false, ended = true, change = (_entity, text) => text }: Written = {},
): void => {
  let clock = Date.parse('2025-10-03T16:00:00Z')
  let count = 0
  const indexes = new Map<string, CollectionIndex>()
  const store = (run: number, collection: string, entity: string, fhicl: string, version: string): void => {
    if (leaveOut(run, entity)) return
    const digits = (++count).toString(16).padStart(4, '0')
    const facts = {
      oid: `${md5(String(count)).slice(0, 12)}4${digits.slice(0, 3)}8${md5(digits).slice(0, 7)}`,
      collection,
      entity,
      configuration: `${run}/${CONFIG}`,
      version,
      run: String(run),
      time: (clock += 7),
      rawdata: [],
      attachments: [],
    }
    const text = unsealedText(printedParts(parseFhicl(change(entity, fhicl, run))), {
      ...facts,
      stamp: artdaqStamp(clock),
    })
    mkdirSync(join(path, collection), { recursive: true })
    writeFileSync(join(path, collection, `${facts.oid}.json`), Buffer.concat([...text]))
    indexes.set(collection, (indexes.get(collection) ?? CollectionIndex.EMPTY).plus([factsOf(facts)]))
  }
  for (const run of runs) {
    const version = `${run}/${CONFIG}`
    const texts = [...originalTexts(run, ended)].filter(
      ([name]) => mode === 'tools' || !LEFT_OUT.includes(name),
    )
    for (const [entity, text] of texts) store(run, 'RunHistory', entity, text, version)
    if (mode === 'conftoolp') {
      const lines = texts.map(([entity, text]) => `${entity}:${md5(text)}`).sort()
      const whole = md5(lines.join(','))
      store(run, 'RunHistory', 'hashes', `${lines.join('\n')}\nconfiguration:${whole}\n`, version)
    }
    store(run, 'SystemLayout', 'schema', SCHEMA, version)
    const update = mode === 'conftoolp' ? `${version}v1` : version
    const times = `DAQInterface_start_time: "${START}"${ended ? `\nDAQInterface_stop_time: "${STOP}"` : ''}`
    store(run, 'RunHistory', 'RunHistory2', times, update)
    store(run, 'SystemLayout', 'schema', SCHEMA, update)
  }
  for (const [collection, index] of indexes)
    writeFileSync(
      join(path, collection, 'index.json'),
      Buffer.concat([...indexText(index)].map((part) => Buffer.from(part))),
    )
}

/** The site's own schema, which is not ours. */
const SCHEMA = "run_history: [{\n collection: RunHistory\n pattern: '(.*)(tpc01|boot|metadata)(.fcl)'\n}]\n"

/** The sections of a blob in the original's order. */
const LAST = ['boot', 'setup', 'environment', 'metadata', 'settings', 'ranks', 'RunHistory', 'RunHistory2']

/** The blob that the original uploads: what artdaq's export gave it, by name. */
export const originalBlob = (run: number, exported: ReadonlyMap<string, string>): Buffer => {
  const stamp = `Run Number: ${run}\nPacked on Oct 03 16:10 UTC\n`
  const others = [...exported.keys()].filter((name) => !LAST.includes(name))
  const byName = others.sort((a, b) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1))
  const sections = [...byName, ...LAST.filter((name) => exported.has(name))].map(
    (name) => `\n#####\n${name}.fcl:\n#####\n${exported.get(name) ?? ''}`,
  )
  return Buffer.from(`Start of Record\n${stamp}${sections.join('')}\nEnd of Record\n${stamp}`)
}
