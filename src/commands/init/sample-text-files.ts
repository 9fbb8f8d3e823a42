/** What a made-up run looks like; the files of its record follow from it. */
export interface SampleRun {
  readonly run: number
  readonly config: string
  readonly components: readonly string[]
  /** Undefined: the run never began, or has not ended. In DAQInterface's form. */
  readonly startedAt?: string
  readonly stoppedAt?: string
}

const HOST = 'evb01.daq.example'

/** The files that DAQInterface writes for a run since October 2019, in the order of their names. Everything in them is made up. */
export const textFiles = (sample: SampleRun): Record<string, string> => ({
  'boot.txt': boot,
  'environment.txt': environment,
  'known_boardreaders_list.txt': `# Name Host [Port [Subsystem]]\n${sample.components.map((name) => `${name} ${name}.daq.example -1 1\n`).join('')}`,
  'metadata.txt': metadata(sample),
  'ranks.txt': ranks(sample),
  'settings.txt': settings,
  'setup.txt': setup,
  ...Object.fromEntries(processesOf(sample).map((label, rank) => [`${label}.fcl`, fcl(label, rank)])),
})

const processesOf = ({ components }: SampleRun): string[] => [...components, 'EventBuilder1', 'DataLogger1']

const metadata = ({ config, components, startedAt, stoppedAt }: SampleRun): string =>
  [
    `Config name: ${config}`,
    ...components.map((name, n) => `Component #${n}: ${name}`),
    `DAQInterface directory: ${HOST}:/home/daq/DAQInterface`,
    `DAQInterface logfile: ${HOST}:/daq/log/DAQInterface_partition1.log`,
    '',
    '# Two possible sets of fields provided below for code info, depending on if a git repo was available: ',
    '# <git commit hash> <git commit comment> <git branch> <BuildInfo build time (if available)>',
    '',
    'DAQInterface commit/version: v3_14_00 "time from BuildInfo undetermined" "version from BuildInfo undetermined"',
    '',
    'sbndaq commit/version: v1_10_02 "01-Oct-2025 07:07:07 UTC" "v1_10_02"',
    '',
    '',
    'process management method: direct',
    '',
    '',
    'process manager logfiles: ',
    '',
    'boardreader logfiles: ',
    ...components.map((name) => `${name}.daq.example:/daq/log/${name}.log`),
    '',
    'eventbuilder logfiles: ',
    `${HOST}:/daq/log/EventBuilder1.log`,
    '',
    'datalogger logfiles: ',
    `${HOST}:/daq/log/DataLogger1.log`,
    '',
    'dispatcher logfiles: ',
    '',
    'routingmanager logfiles: ',
    '',
  ].join('\n') +
  (startedAt === undefined ? '' : `\nDAQInterface start time: ${startedAt}\n`) +
  (stoppedAt === undefined ? '' : `\nDAQInterface stop time: ${stoppedAt}\n`)

const boot = `DAQ setup script: /home/daq/setup_daq.sh

PMT host: localhost
PMT port: 5400

# 0 to 4, more and more words
debug level: 1

Subsystem id: 1
Subsystem source: 2
Subsystem source: 3

EventBuilder host: ${HOST}
EventBuilder label: EventBuilder1
EventBuilder subsystem: 1

DataLogger host: ${HOST}
DataLogger label: DataLogger1
`

const environment = `export DAQINTERFACE_FHICL_DIRECTORY=IGNORED
export DAQINTERFACE_LOGDIR=/daq/log
export DAQINTERFACE_PARTITION_NUMBER=1
export DAQINTERFACE_TTY=
`

const settings = `# settings of a made-up detector
log_directory: /daq/log
record_directory: /daq/run_records
package_hashes_to_save: [ sbndaq-artdaq, artdaq-core ]

boardreader timeout: 120
max_fragment_size_bytes: 8000000
advanced_memory_usage: true
`

const setup = `#!/bin/bash
source /daq/products/setup
export ARTDAQ_BASE_PORT="11000"
echo "set up on $(hostname -s)"
`

const ranks = (sample: SampleRun): string => {
  const row = (cells: readonly (string | number)[], widths: readonly number[]): string =>
    `${cells.map((cell, i) => String(cell).padEnd(widths[i] ?? 0)).join('')}\n`
  const widths = [30, 10, 20, 15, 10]
  const rows = processesOf(sample).map((label, rank) => row([HOST, 11100 + rank, label, 1, rank], widths))
  return `${row(['host', 'port', 'label', 'subsystem', 'rank'], widths)}\n${rows.join('')}`
}

const fcl = (label: string, rank: number): string => `# what was sent to ${label}
daq: {
  fragment_receiver: {
    fragment_id: ${rank + 1}
    generator: "MadeUp"
    threshold: 0x10${rank}a
    gains: [1.0, 2.5, ${rank}.75]
  }
}
process_name: "${label}"
`
