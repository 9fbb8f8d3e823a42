import { textFiles } from './sample-text-files.ts'

/** One made-up run record, in a state that an archiver meets. */
export interface SampleRecord {
  /** The directory's name; with `late`, it stands beside the run record directory at first. */
  readonly name: string
  readonly late: boolean
  /** One clause: what is special about it, and what the archiver will do with it. */
  readonly about: string
  /** Names are bytes, one character each (Latin-1). */
  readonly files: Readonly<Record<string, string | Buffer>>
  /** Days since its files were last written. */
  readonly age: number
  /** Whether DAQInterface has finished copying: files 0444, directory 0555. */
  readonly closed: boolean
}

const START = 'Fri Oct  3 12:00:41 UTC 2025'
const STOP = 'Fri Oct  3 15:42:07 UTC 2025'
const COMPONENTS = ['pmt01', 'tpc01', 'tpc02']
const times = { startedAt: START, stoppedAt: STOP }

/** The sample run records of `run-archiver init`. Everything in them is made up. */
export const sampleRecords = (): SampleRecord[] => {
  const closed = { late: false, age: 2, closed: true }
  const running = textFiles({ run: 1003, config: 'beam_majority', components: COMPONENTS, startedAt: START })
  const copying = Object.entries(textFiles({ run: 1004, config: 'beam_majority', components: COMPONENTS }))
  return [
    {
      ...closed,
      name: '1001',
      about: 'an ordinary run that has ended',
      files: textFiles({ run: 1001, config: 'beam_majority', components: COMPONENTS, ...times }),
    },
    {
      ...closed,
      name: '1002',
      about: 'several sub-configurations, and the files of an outer run control',
      files: {
        ...textFiles({ run: 1002, config: 'beam_majority laser', components: COMPONENTS, ...times }),
        'rc_info_start.txt': 'Shifter: A. Person\nRun type: test\n',
        'rc_info_stop.txt': 'Reason: end of shift\n',
      },
    },
    { ...closed, name: '1003', about: 'still running: waits for its stop time', files: running },
    {
      ...closed,
      name: '1004',
      about: 'being copied by DAQInterface: waits for its metadata.txt',
      files: Object.fromEntries(copying.filter(([name]) => name < 'm')),
      age: 0,
      closed: false,
    },
    {
      ...closed,
      name: '1005',
      about: 'odd bytes: not UTF-8, \\r\\n, names that differ in case, a file that is no FHiCL',
      files: {
        ...textFiles({ run: 1005, config: 'cosmics', components: ['tpc01'], ...times }),
        'Tpc01.fcl': 'gain: 2.0\r\n',
        'settings.txt': Buffer.from('temperature: 20\xb0C\r\nnames: [ a-b, "c d" ] # list\r\n', 'latin1'),
        'notes \xe9.bin': Buffer.from([0, 1, 2, 0xff]),
        'broken.fcl': 'this is no: [FHiCL\n',
      },
    },
    {
      ...closed,
      name: '1006',
      about: 'as DAQInterface wrote it in 2018',
      age: 60,
      files: oldRecord,
    },
    {
      ...closed,
      name: '1007',
      late: true,
      about: 'arrives late: copy it in after the first pass',
      files: textFiles({ run: 1007, config: 'beam_majority', components: COMPONENTS, ...times }),
    },
    {
      ...closed,
      name: '1008',
      about: 'never ended, ten days ago: archived as incomplete',
      age: 10,
      files: textFiles({ run: 1008, config: 'noise', components: ['tpc01'], startedAt: START }),
    },
  ]
}

const oldRecord: SampleRecord['files'] = {
  'boot.txt': 'DAQ setup script: $HOME/setup\ndebug level: 3\n\nEventBuilder host: localhost\nEventBuilder port: 5235\nEventBuilder label: EventBuilder1\n', // prettier-ignore
  'component01.fcl': 'generator: "MadeUp"\nfragment_id: 1\n',
  'EventBuilder1.fcl': 'expected_fragments: 1\n',
  'metadata.txt':
    'Config name: demo\nComponent #0: component01\nDAQInterface directory: /home/daq/DAQInterface\nDAQInterface commit: 00112233445566778899aabbccddeeff00112233\n\n\npmt logfile(s): node1:/tmp/pmt/pmt-*.log\n\nboardreader logfiles: \nnode1:/tmp/component01.log\n\neventbuilder logfiles: \nnode1:/tmp/eb1.log\n\naggregator logfiles: \n\nStart time: Tue Feb 13 09:08:07 UTC 2018\n\nStop time: Tue Feb 13 09:18:00 UTC 2018\n\nTotal events: 5417\n', // prettier-ignore
  'ranks.txt': '        host   port         label  rank\n\nlocalhost\t5205\tcomponent01\t0\nlocalhost\t5235\tEventBuilder1\t1\n', // prettier-ignore
  'setup.txt': "# an old setup\nexport X='y'\n",
}
