import { mkdirSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const WORDS =
  'window veto offset gain pedestal threshold delay rate depth mask shaper latency bias ramp clock trigger'.split(
    ' ',
  )

/** A small generator with a seed, so that a benchmark measures the same bytes each time (mulberry32). */
const seeded = (seed: number) => {
  let state = seed >>> 0
  return (below: number): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

const value = (draw: (below: number) => number): string => {
  switch (draw(6)) {
    case 0:
      return String(draw(8192) - 4096)
    case 1:
      return (draw(200_000) / 10_000).toFixed(4)
    case 2:
      return draw(2) ? 'true' : 'false'
    case 3:
      return `"${WORDS[draw(16)]!} ${WORDS[draw(16)]!}"`
    case 4:
      return `[${Array.from({ length: 8 }, () => draw(4096)).join(', ')}]`
    default:
      return `0x${draw(2 ** 31).toString(16)}`
  }
}

/** FHiCL of about `bytes` bytes, three levels deep, as DAQInterface leaves it. */
const fhicl = (draw: (below: number) => number, bytes: number): string => {
  let text = 'daq: {\n  fragment_receiver: {\n'
  for (let block = 0; text.length < bytes; block++) {
    text += `    ${WORDS[draw(16)]!}_${block}: {\n`
    for (let i = 0; i < 9; i++) text += `      ${WORDS[draw(16)]!}_${WORDS[draw(16)]!}_${i}: ${value(draw)}\n`
    text += '    }\n'
  }
  return `${text}  }\n}\n`
}

const metadata = (run: number, labels: readonly string[]): string =>
  [
    'Config name: Physics_General_thr390_Majority',
    ...labels.map((label, i) => `Component #${i}: ${label}`),
    'DAQInterface directory: evb01.daq.example:/home/daq/DAQInterface',
    '',
    'sbndaq commit/version: v1_10_02 "01-Oct-2025 07:07:07 UTC" "v1_10_02"',
    '',
    'process management method: direct',
    '',
    'boardreader logfiles: ',
    ...labels.map((label) => `tpc01.daq.example:/daq/log/${label}-${run}.log`),
    '',
    'routingmanager logfiles: ',
    '',
    'DAQInterface start time: Fri Oct  3 12:00:41 UTC 2025',
    '',
    'DAQInterface stop time: Fri Oct  3 15:42:07 UTC 2025',
    '',
  ].join('\n')

/** Writes ended, settled run records of about `kilobytes` kB in `files` files each. */
export const makeRecords = (
  directory: string,
  options: { first: number; count: number; files: number; kilobytes: number },
): void => {
  const { first, count, files, kilobytes } = options
  const anHourAgo = Date.now() / 1000 - 3600
  const labels = Array.from({ length: files - 6 }, (_, i) => `tpc${String(i + 1).padStart(2, '0')}`)
  const each = (kilobytes * 1000 - 4000) / labels.length
  for (let run = first; run < first + count; run++) {
    const draw = seeded(run)
    const record = join(directory, String(run))
    mkdirSync(record, { recursive: true })
    const put = (name: string, text: string): void => writeFileSync(join(record, name), text)
    for (const label of labels) put(`${label}.fcl`, fhicl(draw, each * (0.5 + draw(1000) / 1000)))
    put(
      'boot.txt',
      'DAQ setup script: /opt/daq/setup.sh\ndebug level: 1\n\nEventBuilder host: evb01\nEventBuilder label: EventBuilder1\n',
    )
    put(
      'settings.txt',
      'log_directory: /daq/log\nboardreader timeout: 120\npackage_hashes_to_save: [ det_artdaq ]\n',
    )
    put('setup.txt', '#!/bin/bash\nsource /opt/daq/products/setup\nexport DAQ=1\n')
    put('environment.txt', `export DAQINTERFACE_PARTITION_NUMBER=1\nexport DAQINTERFACE_NAME=run${run}\n`)
    put(
      'ranks.txt',
      'host                          port      label               subsystem      rank      \n\ntpc01                         11100     tpc01               1              0        \n',
    )
    put('metadata.txt', metadata(run, labels))
    utimesSync(join(record, 'metadata.txt'), anHourAgo, anHourAgo)
    utimesSync(record, anHourAgo, anHourAgo)
  }
}
