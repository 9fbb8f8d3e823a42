import { describe, expect, it } from 'vitest'
import { Entities } from '../../../../src/stores/run-records/fhiclize/document-names.ts'
import { ORIGINAL_FORMS } from '../../../../src/stores/run-records/original-forms/original-forms.ts'
import { toDocuments } from '../../../../src/stores/run-records/fhiclize/fhiclize.ts'
import { isFhicl } from '../../../../src/fhicl/try-parse.ts'
import { parseMetadata } from '../../../../src/stores/run-records/metadata-file.ts'
import { safeConfigName } from '../../../../src/stores/run-records/fhiclize/safe-name.ts'
import { isSafeName } from '../../../../src/stores/artdaqdb/names.ts'
import { convert, documentOf, fhiclOf, options, recordOf } from './record.ts'
import { sized } from '../../../sized.ts'

const STOPPED = 'DAQInterface start time: Fri Oct  3 12:00:41 UTC 2025\n\nDAQInterface stop time: Fri Oct  3 15:42:07 UTC 2025\n' // prettier-ignore

describe('files that are not .fcl', () => {
  it('are attached, whatever they hold', () => {
    const { attached } = convert({
      'rc_info_start.txt': 'a: b\n',
      README: 'x',
      'data.bin': Buffer.from([0, 255]),
    })
    expect(attached.map(({ name }) => name)).toEqual(['README', 'data.bin', 'rc_info_start.txt'])
  })
  it('are attached, too, when their conversion is switched off', () => {
    const documents = toDocuments(recordOf({ 'boot.txt': 'a: 1\n' }), { ...options, generate: new Set() })
    expect(documents.attached.map(({ name }) => name)).toEqual(['boot.txt'])
    expect(documents.documents.map(({ entity }) => entity)).toEqual(['schema'])
  })
})

describe('documents of any name', () => {
  it('are all there, whatever the schema foresees', () => {
    const { documents } = convert({
      'unforeseen9.fcl': 'a: 1\n',
      'settings.txt': 'a: 1\n',
      'ranks.txt': 'a b\n',
    })
    expect(documents.map(({ entity }) => entity)).toEqual(['ranks', 'settings', 'unforeseen9', 'schema'])
  })
})

describe('names that collide', () => {
  it('in letter case or folder become documents of different names', () => {
    const { documents } = convert({
      'Tpc01.fcl': 'a: 1',
      'tpc01.fcl': 'a: 2',
      'a/x.fcl': 'a: 3',
      'a.x.fcl': 'a: 4',
    })
    const named = documents.map(({ entity, original }) => [entity, original?.name])
    expect(named).toEqual([['Tpc01', 'Tpc01.fcl'], ['a.x', 'a.x.fcl'], ['a.x.2', 'a/x.fcl'], ['tpc01', 'tpc01.fcl'], ['schema', undefined]]) // prettier-ignore
  })
  it('with those that the archiver makes leave those alone', () => {
    const { documents, attached } = convert({
      'boot.txt': 'a: 1\n',
      'boot.fcl': 'b: 2\n',
      'schema.fcl': 'c: 3\n',
    })
    expect(documents.map(({ entity }) => entity)).toEqual(['boot', 'boot.2', 'schema'])
    expect(attached.map(({ name }) => name)).toEqual(['schema.fcl'])
  })
  it('or that are no safe names are changed, and the true name is kept', () => {
    const names = ['-rf.fcl', '.fcl', '../x.fcl', 'a b;c.fcl', 'a..b.fcl', '+x.fcl', 'old./x.fcl', 'été.fcl']
    const { documents } = convert(Object.fromEntries(names.map((name) => [name, 'a: 1'])))
    const entities = documents.map(({ entity }) => entity)
    expect(entities).toEqual(['_x', '_rf', '__.x', '_', 'a_b_c', 'a_.b', 'old_.x', '_t_', 'schema'])
    expect(entities.filter((entity) => !isSafeName(entity))).toEqual([])
  })
  it('get a number that leaves them safe', () => {
    const { documents } = convert({ 'a./b.fcl': 'a: 1', 'x..fcl': 'a: 2', 'x/.fcl': 'a: 3' })
    const entities = documents.map(({ entity }) => entity)
    expect(entities).toEqual(['a_.b', 'x.', 'x_.2', 'schema'])
    expect(entities.filter((entity) => !isSafeName(entity))).toEqual([])
  })
})

describe('bytes that are not UTF-8', () => {
  it('in a text file are taken as Latin-1, and kept', () => {
    const documents = convert({ 'settings.txt': Buffer.from('temperature: 20\xb0C\n', 'latin1') })
    const { fhicl, text, original } = documentOf(documents, 'settings')
    expect(fhicl).toBe('temperature: "20.C"\n')
    expect(text.toString()).toBe('temperature: "20°C"\n')
    expect(original?.content.toString('latin1')).toBe('temperature: 20\xb0C\n')
  })
  it('in a .fcl file, even in a remark, become dots for artdaqDB, and stay for the archive', () => {
    const content = Buffer.from('a: 1 # 20\xb0C\r\n', 'latin1')
    const document = documentOf(convert({ 'tpc01.fcl': content }), 'tpc01')
    expect(document.fhicl).toBe('a: 1 # 20.C\r\n')
    expect(document.text.equals(content)).toBe(true)
  })
  it('as characters outside of ASCII, too', () => {
    const document = documentOf(convert({ 'tpc01.fcl': 'a: "é🚀"\n' }), 'tpc01')
    expect(document.fhicl).toBe('a: ".."\n')
    expect(document.text.toString()).toBe('a: "é🚀"\n')
  })
})

describe('a file that cannot be said in FHiCL', () => {
  it.each([
    ['empty', ''],
    ['no FHiCL at all', 'a: [1,\n'],
    ['a table reference', '@table::x\n'],
    ['binary', Buffer.from([0, 1, 2, 255])],
  ])(
    // prettier-ignore
    'because it is %s becomes an empty table, beside its own bytes',
    (_, content) => {
      const { fhicl, original, text } = documentOf(convert({ '9-tpc.fcl': content }), '9-tpc')
      expect(fhicl).toBe('_9_tpc: {}\n')
      expect(isFhicl(fhicl)).toBe(true)
      expect(original?.content.equals(Buffer.from(content))).toBe(true)
      expect(text.equals(Buffer.from(content))).toBe(true)
    },
  )
})

describe('the "pmt logfile(s)" of before December 2018', () => {
  it('has the key that DAQInterface’s own converter gave it', () => {
    expect(fhiclOf('metadata.txt', 'pmt logfile(s): n1:/tmp/pmt-*.log\n')).toBe('pmt_logfiles_wildcard: "n1:/tmp/pmt-*.log"\n') // prettier-ignore
  })
})

describe('quotes, backslashes and odd keys', () => {
  it.each([
    [
      'metadata.txt',
      'Component #0: a"b\nback: a\\\nodd key (x)/y: z\nnames: [a] b: [c]\nlone: "\n',
      'components: ["a\\"b"]\nback: \'a\\\'\nodd_key_x_y: "z"\nnames: "[a] b: [c]"\nlone: "\\""\n',
    ],
    [
      'known_boardreaders_list.txt',
      'tpc-02 h -1\n9th h\ntpc/02 "a\n',
      'tpc_02: ["h", "-1"]\n_9th: ["h"]\ntpc_02_2: ["\\"a"]\n',
    ],
    ['settings.txt', 'list: [ a b, c/d, x ]\n(key): v\n', 'list: [ "a b", "c/d", x ]\n_key_: "v"\n'],
    [
      'boot.txt',
      'DataLogger label: D "1"\nDataLogger port: -x\n',
      '\nartdaq_process_settings: [\n{\nname: "DataLogger"\nlabel: "D \\"1\\""\nhost: "not set"\nport: "-x"\n}\n]\n',
    ],
    [
      'ranks.txt',
      'host port label subsystem rank\nh"q 1 l 1 -1\n',
      'ranks: {\n  header: ["host", "port", "label", "subsystem", "rank"]\n  rank_1: ["h\\"q", "1", "l", "1", "-1"]\n}\n',
    ],
  ])('in %s are FHiCL', (file, content, fhicl) => {
    // prettier-ignore
    expect(fhiclOf(file, content)).toBe(fhicl)
    expect(isFhicl(fhicl)).toBe(true)
  })
})

describe('text files without anything to say', () => {
  it.each(['known_boardreaders_list', 'settings', 'environment', 'ranks', 'metadata'])(
    'still give a document: %s',
    (name) => {
      for (const content of ['', '\n\n', '  \n']) {
        const { fhicl, text } = documentOf(convert({ [`${name}.txt`]: content }), name)
        expect(fhicl).toBe(`${name}: {}\n`)
        expect(text.length).toBe(0)
      }
    },
  )
})

describe('the time lines of 2017 to 2019, and of Mu2e', () => {
  it.each([
    'Start time: A 1\n\nStop time: B 2\n\nTotal events: 5\n',
    'FarmManager start time: A 1\nFarmManager stop time: B 2\n',
    'DAQInterface start time: A 1\r\nDAQInterface stop time: B 2\r\n',
  ])('are in RunHistory2: %j', (text) => {
    const converted = convert({ 'metadata.txt': text })
    expect(documentOf(converted, 'RunHistory2').fhicl).toBe('DAQInterface_start_time: "A 1"\nDAQInterface_stop_time: "B 2"') // prettier-ignore
    expect(converted.manifest?.ended).toBe(true)
  })
  it('are none where a word only begins so, or nothing follows', () => {
    const { times, ended } = parseMetadata(
      Buffer.from(' Stop time: x\nStop times: x\nDAQInterface stop time: \n'),
    )
    expect(times).toEqual([{ what: 'stop', text: '' }])
    expect(ended).toBe(false)
  })
})

describe('ranks without a subsystem', () => {
  it('of 2018 and 2019, in four columns, keep their rows', () => {
    expect(fhiclOf('ranks.txt', '        host   port         label  rank\n\nh1\t5205\tcomponent01\t0\n')).toContain('  rank0: ["h1", "5205", "component01", "0"]\n') // prettier-ignore
  })
  it('keep their place in the row', () => {
    const header = 'host                          port      label               subsystem      rank      \n\n'
    const row = 'h1                            11100     tpc01                              7        \n'
    expect(fhiclOf('ranks.txt', header + row)).toContain('  rank7: ["h1", "11100", "tpc01", "", "7"]\n')
  })
})

describe('ranks under a header of fewer than five words', () => {
  it('are called by their fifth word where they have one, and by that under the last of the header else', () => {
    const fhicl = fhiclOf('ranks.txt', 'a b\nh1 11100 tpc01 1 88\n')
    expect(fhicl).toBe('ranks: {\n  header: ["a", "b"]\n  rank88: ["h1", "11100", "tpc01", "1", "88"]\n}\n')
    expect(fhiclOf('ranks.txt', 'host port label rank\nh1 1 x 0\nh2 2 y 1 7\n')).toContain('  rank0: ["h1", "1", "x", "0"]\n  rank7: ["h2", "2", "y", "1", "7"]\n') // prettier-ignore
  })
})

describe('boot files', () => {
  it('keep every source of a subsystem', () => {
    expect(fhiclOf('boot.txt', 'Subsystem id: 2\nSubsystem source: 1\nSubsystem source: 3\n')).toContain('{\nid: "2"\nsource: ["1", "3"]\n}') // prettier-ignore
  })
  it('keep repeated fields of blocks in their blocks', () => {
    const fhicl = fhiclOf('boot.txt', 'EventBuilder label: E1\nEventBuilder prepend: "a 1"\n\nEventBuilder label: E2\nEventBuilder prepend: b\n') // prettier-ignore
    expect(fhicl).toBe('\nartdaq_process_settings: [\n{\nname: "EventBuilder"\nlabel: "E1"\nhost: "not set"\nprepend: "a 1"\n},\n{\nname: "EventBuilder"\nlabel: "E2"\nhost: "not set"\nprepend: "b"\n}\n]\n') // prettier-ignore
  })
  it('take whole keys: "Subsystem idle" is no id', () => {
    expect(fhiclOf('boot.txt', 'Subsystem id: 1\nSubsystem idle: 7\n')).toContain('Subsystem_idle: 7\n\nsubsystem_settings: [\n{\nid: "1"\n}\n]') // prettier-ignore
  })
  it('take remarks for remarks, and what is in quotes for no remark', () => {
    const fhicl = fhiclOf('boot.txt', 'debug level: 1   # chatty\nurl: http://h/#x\nprepend: "a # b"\nSubsystem id: 1 # one\n') // prettier-ignore
    expect(fhicl).toContain('debug_level: 1\nurl: "http://h/#x"\nprepend: "a # b"\n')
    expect(fhicl).toContain('id: "1"\n')
  })
  it('keep a block without a label to itself', () => {
    const fhicl = fhiclOf('boot.txt', 'EventBuilder host: h1\nEventBuilder port: 5\n\nDataLogger label: D1\n')
    expect(fhicl).toContain('label: "not set"\nhost: "h1"\nport: 5\n},\n{\nname: "DataLogger"\nlabel: "D1"\nhost: "not set"\n}') // prettier-ignore
  })
})

describe('settings', () => {
  it('keep the minus of list items', () => {
    expect(fhiclOf('settings.txt', 'hashes: [ sbndaq-artdaq, "artdaq-core", sbndaq ]\noffsets: [ -5, 7 ] # mm\n')).toBe('hashes: [ "sbndaq-artdaq", "artdaq-core", sbndaq ]\noffsets: [ -5, 7 ]\n') // prettier-ignore
  })
  it('with remarks keep their kind', () => {
    expect(fhiclOf('settings.txt', 'a: 30 # seconds\nb: True # yes\nc: [ x ] # [y]\nd: /x # y\n')).toBe('a: 30\nb: true\nc: [ x ]\nd: "/x"\n') // prettier-ignore
  })
  it('whose list is not closed keep all of it', () => {
    expect(fhiclOf('settings.txt', 'open: [ a, b\nnone: []\nquoted: [ "a, b", \'c\' ]\n')).toBe('open: [ a, b ]\nnone: [  ]\nquoted: [ "a, b", c ]\n') // prettier-ignore
  })
})

describe('metadata', () => {
  it('keeps a section, and a component list, that the file ends in', () => {
    expect(fhiclOf('metadata.txt', 'Component #0: a\n')).toBe('components: ["a"]\n')
    expect(fhiclOf('metadata.txt', 'routingmanager logfiles: \nh1:/log/rm1.log')).toBe('\nroutingmanager_logfiles: ["h1:/log/rm1.log"]\n') // prettier-ignore
  })
  it('keeps sections of the time before routing managers', () => {
    expect(fhiclOf('metadata.txt', 'aggregator logfiles: \nh1:/a\nh1:/b\n\nroutingmaster logfiles: \n\n')).toBe('\naggregator_logfiles: ["h1:/a", "h1:/b"]\nroutingmaster_logfiles: ""\n') // prettier-ignore
  })
  it('names configurations by text, also by digits', () => {
    expect(fhiclOf('metadata.txt', 'Config name: 20251003\nTotal events: 0012\n')).toBe('config_name: "20251003"\ntotal_events: 0012\n') // prettier-ignore
  })
  it('has each list once, with each item once', () => {
    const text =
      'Component #0: a\nx: 1\nComponent #1: b\nboardreader logfiles: \nh:/1\n\nboardreader logfiles: \nh:/2\n'
    expect(fhiclOf('metadata.txt', text)).toBe('components: ["a", "b"]\nx: 1\n\nboardreader_logfiles: ["h:/1", "h:/2"]\n') // prettier-ignore
  })
  it('carries a commit text on, whose build time stands on a line of its own', () => {
    expect(fhiclOf('metadata.txt', 'det commit/version: v1 "x"\n"08-Oct-2025 11:03:10 UTC" "v2"\n')).toBe('det_commit_or_version: "v1  x   08-Oct-2025 11:03:10 UTC   v2 "\n') // prettier-ignore
  })
})

describe('environment', () => {
  it('ends a value in a backslash, though it holds a single quote, and in a blank then', () => {
    expect(fhiclOf('environment.txt', "export A=it's C:\\\n")).toBe('A: "it\'s C:\\\\ "\n')
  })
  it('keeps values with line ends, and backslashes', () => {
    const text =
      'export A=line one\nline two\n\nline four\nexport B=C:\\temp\\\n# remark\nC=not exported\nexport D\n\n'
    expect(fhiclOf('environment.txt', text)).toBe(
      'A: "line one\\nline two\\n\\nline four"\nB: \'C:\\temp\\\'\n',
    )
  })
})

describe('several sub-configurations', () => {
  it('have one name, the one DAQInterface gives them, and the text in the documents', () => {
    const converted = convert({
      'metadata.txt': `Config name: beam_a laser/b common_code\nConfig name: other\n${STOPPED}`,
    })
    expect(converted.configName).toBe('beam_a_laser_b_common_code')
    expect(documentOf(converted, 'RunHistory').fhicl).toBe('run_number: 20007\n\nconfig_name: "beam_a laser/b common_code"\n\n') // prettier-ignore
  })
  it.each([
    ['Config name  : mu2e_cosmics\n', 'mu2e_cosmics'],
    ['Config name:x\n', 'x'],
    ['Config name: \nConfig name: y\n', 'y'],
    ['Config names: z\n', 'standard'],
  ])('are found in %j: %s', (text, name) => {
    expect(convert({ 'metadata.txt': text }).configName).toBe(name)
  })
  it('of a record without metadata are "standard"', () => {
    expect(convert({ 'a.fcl': 'a: 1' }).configName).toBe('standard')
  })
})

describe('a configuration name', () => {
  it.each([
    'beam; touch MARKER; echo',
    '$(reboot)',
    '../../etc',
    '-rf',
    '.',
    '..',
    'a..b',
    '+ok',
    'a\u0000b',
    "x' y",
    'é',
    'x'.repeat(5000),
  ])(
    // prettier-ignore
    '%j is harmless to a shell and to a file system',
    (name) => {
      expect(safeConfigName(name)).toMatch(/^[A-Za-z0-9_][A-Za-z0-9_.+-]{0,127}$/)
      expect(isSafeName(safeConfigName(name))).toBe(true)
    },
  )
  it('that is long differs from another that is long', () => {
    expect(safeConfigName(`${'x'.repeat(300)}a`)).not.toBe(safeConfigName(`${'x'.repeat(300)}b`))
  })
})

describe('what the original writes and FHiCL takes, though it means something else', () => {
  it.each([
    ['boot.txt', 'path: C:\\new\\temp\ndot: .\n', 'path: "C:\\new\\temp"\ndot: .\n'],
    ['environment.txt', 'export A=say "a\\tb" now\n', 'A: "say \\"a\\tb\\" now"\n'],
    ['metadata.txt', 'Component #0: a\\nb\n', 'components: ["a\\nb"]\n'],
  ])('is kept byte for byte in %s', (name, text, fhicl) => {
    expect(fhiclOf(name, text)).toContain(fhicl)
  })
  it('but not where an escape would swallow a quote or is none', () => {
    expect(fhiclOf('environment.txt', 'export A=a\\"b\\dc\n')).toBe('A: "a\\\\\\"b\\\\dc"\n')
  })
})

describe('a setup script', () => {
  it.each([
    ['a line end in words', "echo 'a\\nb'\n", 'setup_script: "echo \'a\\\\nb\'\\n"'],
    ['a tab in words', 'printf "a\\tb"\n', 'setup_script: "printf \\"a\\\\tb\\"\\n"'],
    ['a backslash before a quote', 'echo \\\'x\\"\n', 'setup_script: "echo \\\\\'x\\\\\\"\\n"'],
    ['two backslashes', 'a\\\\b\n', 'setup_script: "a\\\\\\\\b\\n"'],
    ['any other backslash', 'a \\\nb \\d\n', 'setup_script: "a \\\\\\nb \\\\d\\n"'],
  ])('with %s has each backslash escaped, as the original has it', (_, script, fhicl) => {
    expect(fhiclOf('setup.txt', script)).toBe(fhicl)
  })
  it('that ends in a backslash, which would hide the closing quote, stands between single quotes, or has a blank behind it', () => {
    expect(fhiclOf('setup.txt', 'a \\n \\')).toBe("setup_script: 'a \\n \\'")
    expect(fhiclOf('setup.txt', "a '\\n' \\")).toBe('setup_script: "a \'\\\\n\' \\\\ "')
  })
})

describe('names that repeat thousands of times', () => {
  const MANY = sized(20_000, 100_000)
  it.each([
    ['settings.txt', '9k: v\n'.repeat(MANY), `_9k_${MANY}: "v"\n`],
    ['ranks.txt', `host port label subsystem rank\n${'h 1 l 1 0\n'.repeat(MANY)}`, `  rank0_${MANY}: [`],
  ])('are numbered in a time that grows as the file does: %s', (file, text, last) => {
    expect(fhiclOf(file, text)).toContain(last)
  })
  it.each([
    ['boot.txt', 'Subsystem source: 1\n'.repeat(MANY), '"1", "1"]\n}\n]\n\nartdaq'],
    ['metadata.txt', Array.from({ length: MANY }, (_, n) => `${n} logfiles:\nh:/x\n\n`).join(''), `_${MANY - 1}_logfiles: ["h:/x"]\n`], // prettier-ignore
  ])('are gathered so, too: %s', (file, text, part) => {
    expect(fhiclOf(file, text)).toContain(part)
  })
  it('are numbered so in documents, too', () => {
    const entities = new Entities(['a'])
    const names = entities.of(Array.from({ length: MANY }, () => '../a.fcl'))
    expect([names[0], names.at(-1), new Set(names).size]).toEqual(['__.a', `__.a.${MANY}`, MANY])
  })
  it('pass over the numbers that others have already', () => {
    expect(fhiclOf('settings.txt', 'a b: 1\n9: 1\n9: 2\n_9_3: 3\n9: 4\n9: 5\n')).toBe('a_b: 1\n_9: 1\n_9_2: 2\n_9_3: 3\n_9_4: 4\n_9_5: 5\n') // prettier-ignore
  })
})

describe('a text file of many megabytes', () => {
  // A repeated group ends the stack at 8.4 million characters.
  const MANY = sized(9_000_000, 16_000_000)
  it.each([
    ['setup.txt', 'echo hello\n'.repeat(MANY / 10)],
    ['environment.txt', `export A=${'\\n'.repeat(MANY / 2)}`],
    ['metadata.txt', `Component #0: "${'a'.repeat(MANY)}`],
    ['boot.txt', `list: ["${'x'.repeat(MANY)}"]`],
    ['boot.txt', `open: ["${'\\"'.repeat(MANY / 2)}]`],
    ['settings.txt', `${'a.'.repeat(MANY / 2)}b: 1`],
    ['metadata.txt', `${'a.'.repeat(MANY / 2)}b: 1`],
  ])('is converted as a small one is: %s', (file, text) => {
    expect(fhiclOf(file, text).length).toBeGreaterThan(MANY)
  })
})

describe('a line of very many digits', () => {
  const MANY = sized(300_000, 3_000_000)
  it.each([
    ['metadata.txt', 'odd key: #', '"#"'],
    ['boot.txt', 'odd key: #', '"#"'],
    ['boot.txt', 'EventBuilder port: #', 'port: #'],
    ['settings.txt', 'odd: #', '"#"'],
    ['settings.txt', 'odd: [ #-1 ]', '"#-1"'],
  ])('is converted in time that grows with it: %s, %s', (file, text, part) => {
    const digits = `${'1'.repeat(MANY)}x`
    expect(fhiclOf(file, text.replace('#', digits))).toContain(part.replace('#', digits))
  })
  it.each(['metadata', 'boot', 'settings'])('is so by the original rules, too: %s', (name) => {
    const digits = `${'1'.repeat(MANY)}x`
    expect(ORIGINAL_FORMS.get(name)?.(Buffer.from(`odd: ${digits}\n`))).toContain(`odd: "${digits}"`)
  })
  it('and of very many quotes, too', () => {
    const text = `a${"'".repeat(MANY)}b`
    expect(ORIGINAL_FORMS.get('environment')?.(Buffer.from(`export A=${text}'\n`))).toBe(`A: "${text}"\n`)
  })
})
