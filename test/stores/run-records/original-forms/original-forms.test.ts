import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  ORIGINAL_FORMS,
  originalRunHistory,
  originalRunHistory2,
} from '../../../../src/stores/run-records/original-forms/original-forms.ts'

const formOf = (name: string, text: string): string =>
  ORIGINAL_FORMS.get(name)?.(Buffer.from(text)) ?? 'no such form'
const lines = (...all: string[]): string => all.map((line) => `${line}\n`).join('')

describe('what the Python original makes of a text file', () => {
  it.each([
    {
      name: 'metadata',
      from: lines(
        'Config name: 20251003',
        'Component #0: a"b',
        'Total events: 0012',
        `odd key (x)/y: it's "so"`,
        'back: a\\b',
        'routingmanager logfiles: ',
        'h1:/log/rm1.log',
      ),
      to: lines(
        'config_name: 20251003',
        'components: ["a"b"]',
        'total_events: 0012',
        `odd_key_(x)/y: "it's \\"so\\""`,
        'back: "a\\b"',
      ),
    },
    {
      name: 'metadata',
      from: lines('boardreader logfiles: ', 'h1:/a b', '# r', '', 'dispatcher logfiles: ', 'h2:/d'),
      to: lines('# r', '', 'boardreader_logfiles: ["h1:/a"]', '', 'dispatcher_logfiles: ["h2:/d"]'),
    },
    {
      name: 'boot',
      from: lines(
        'debug level: 1   # chatty',
        '',
        'Subsystem id: 1',
        'Subsystem source: 2',
        'Subsystem source: 3',
        'Subsystem fragmentMode: False',
        '',
        'EventBuilder label: EventBuilder1',
        'EventBuilder port: 11710',
        '',
        'Dispatcher label: D1',
      ),
      to: lines(
        'debug_level: "1   # chatty"',
        'Subsystem_fragmentMode: "False"',
        '',
        'subsystem_settings: [',
        '{',
        'id: "1"',
        'source: "3"',
        '}',
        ']',
        '',
        'artdaq_process_settings: [',
        ...['{', 'name: "EventBuilder"', 'label: "EventBuilder1"', 'host: "not set"', 'port: 11710', '},'],
        ...['{', 'name: "Dispatcher"', 'label: "D1"', 'host: "not set"', '}', ']'],
      ),
    },
    {
      name: 'known_boardreaders_list',
      from: lines('# name host', 'tpc-02\thost2\t-1\t1\t0-7\t"numactl -N 0"', 'lonely', 'a b'),
      to: lines('tpc-02: ["host2", "-1", "1", "0-7", "numactl -N 0" ]', 'a: ["b"]'),
    },
    {
      name: 'settings',
      from: lines(
        'package hashes: [ sbndaq-artdaq, "core" ]',
        'offsets: [ -5, 7 ] # mm',
        'x: True',
        'y: 30 # s',
      ),
      to: lines(
        'package_hashes: [ sbndaq_artdaq, core ]',
        'offsets: [ _5, 7 ] # m ]',
        'x: true',
        'y: "30 # s"',
      ),
    },
    {
      name: 'environment',
      from: lines(`export A="it's "so""`, 'export B=C:\\t\\', 'export C=one', 'two'),
      to: lines(`A: "it's \\"so"`, 'B: "C:\\t\\"', 'C: "one"'),
    },
    {
      name: 'ranks',
      from: lines('host port label rank', '', 'h1 5205 c1 0', 'h2 11101 E1 1 7'),
      to: lines(
        'ranks: {',
        '  header: ["host", "port", "label", "rank"]',
        '  rank7: ["h2", "11101", "E1", "1", "7"]',
        '}',
      ),
    },
  ])('$name', ({ name, from, to }) => {
    expect(formOf(name, from)).toBe(to)
  })

  it('takes an empty label and id for a name of their block, and the words "not set" for none', () => {
    const from = lines('Subsystem id:', 'Subsystem source: not set', '', 'EventBuilder label:', 'EventBuilder port:', '', 'DataLogger label: not set', 'DataLogger host: h1', '', 'DataLogger label: D1') // prettier-ignore
    expect(formOf('boot', from)).toBe(
      lines(
        '',
        'subsystem_settings: [',
        '{',
        'id: ""',
        '}',
        ']',
        '',
        'artdaq_process_settings: [',
        '{',
        'name: "EventBuilder"',
        'label: ""',
        'host: "not set"',
        'port: ',
        '},',
        '{',
        'name: "DataLogger"',
        'label: "D1"',
        'host: "h1"',
        '}',
        ']',
      ),
    )
  })
  it('has a byte order mark as a character of the first line', () => {
    expect(formOf('environment', '\ufeffexport A=1\nexport B=2\n')).toBe('B: "2"\n')
    expect(formOf('setup', '\ufeffecho "x\\n"\n')).toBe('setup_script: ".echo \\"x\\\\n\\"\\n"')
    expect(originalRunHistory(7, Buffer.from('\ufeffConfig name: a\n'))).toBe('run_number: 7\n\n')
  })
  it('cuts a whole character off a list that is not closed', () => {
    expect(formOf('settings', 'x: [ a, b😀\n')).toBe('x: [ a, b ]\n')
  })
  it('histories: the last name, nothing escaped, times in the order of the file', () => {
    const metadata = Buffer.from(
      lines(
        'Config name: a',
        'Config name: b"c',
        'Component #0: t1',
        'DAQInterface start time: S',
        'DAQInterface stop time: E',
      ),
    )
    expect(originalRunHistory(7, metadata)).toBe(
      'run_number: 7\n\nconfig_name: "b"c"\n\ncomponents: ["t1"]\n\n',
    )
    expect(originalRunHistory2(metadata)).toBe('DAQInterface_start_time: "S"\nDAQInterface_stop_time: "E"')
    expect(originalRunHistory2(Buffer.from('Config name: a\n'))).toBeUndefined()
  })
})

const fixtures = '../shared/fixtures/run-records'
describe.skipIf(!existsSync(fixtures))('the records that the original converted', () => {
  const runs = existsSync(fixtures) ? readdirSync(join(fixtures, 'inputs')) : []
  it.each(runs)('%s: every text, byte for byte', (run) => {
    const prepared = (part: string): Map<string, Buffer> => {
      const folder = join(fixtures, 'prepared', run, part)
      const names = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.fcl')) : []
      return new Map(names.map((name) => [name.slice(0, -4), readFileSync(join(folder, name))]))
    }
    const input = (name: string): Buffer | undefined => {
      const path = join(fixtures, 'inputs', run, `${name}.txt`)
      return existsSync(path) ? readFileSync(path) : undefined
    }
    const theirs = new Map([...prepared('archive'), ...prepared('update')])
    const metadata = input('metadata')
    for (const [name, convert] of ORIGINAL_FORMS) {
      const bytes = input(name)
      const text = theirs.get(name)?.toString()
      if (bytes && text !== undefined) expect(convert(bytes), name).toBe(text)
    }
    if (!metadata) return
    expect(originalRunHistory(Number(run), metadata)).toBe(theirs.get('RunHistory')?.toString())
    expect(originalRunHistory2(metadata)).toBe(theirs.get('RunHistory2')?.toString())
  })
})
