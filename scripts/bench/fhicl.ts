/** How fast FHiCL is read and printed, beside JSON.parse of the same documents: npx tsx scripts/bench/fhicl.ts */
import { readJson } from '../../src/fhicl/json/parser.ts'
import { writeJsonBytes } from '../../src/fhicl/json/printer.ts'
import { fhiclFromJson } from '../../src/fhicl/from-json.ts'
import { parseFhicl } from '../../src/fhicl/parser.ts'
import { fhiclToJson, fhiclToJsonText } from '../../src/fhicl/to-json.ts'

const ORIGIN = { name: 'bench', stamp: '2017-07-18T12:48:10.123-0500' }
const ROUNDS = 15

/** A configuration in the manner of a board reader's, of about so many bytes. */
const configuration = (size: number): string => {
  const parts: string[] = []
  for (let board = 0, length = 0; length < size; board++) {
    const part = `# board reader ${board}
board_${board}: {
  fragment_id: ${board}            // unique in the run
  generator: "TpcReceiver_${board % 16}"
  host: 'icarus-tpc${board % 64}.fnal.gov'
  enabled: true
  pedestals: [${Array.from({ length: 16 }, (_, channel) => 2000 + channel).join(', ')}]
  calibration: { gain: 1.${board} offset: -0.${board} reference: @local::standard }
}
`
    parts.push(part)
    length += part.length
  }
  return parts.join('')
}

/** Seconds of the fastest of some rounds: other work on the machine only ever adds. */
const fastest = (work: () => unknown): number => {
  let least = Infinity
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now()
    work()
    least = Math.min(least, performance.now() - start)
  }
  return least / 1000
}

const show = (what: string, bytes: number, seconds: number, baseline: number): void =>
  console.log(
    `  ${what.padEnd(34)} ${(bytes / 1e6 / seconds).toFixed(1).padStart(7)} MB/s   ${(seconds / baseline).toFixed(2)} × JSON.parse`,
  )

for (const size of [1e6, 8e6]) {
  const text = configuration(size)
  const document = parseFhicl(text)
  const json = fhiclToJson(document, ORIGIN)
  const jsonText = writeJsonBytes(json).toString('utf8')
  // The same parameters, without metadata, as JSON: what any parser of such a text has to do at least.
  const data = writeJsonBytes(document.data).toString('utf8')
  const baseline = fastest(() => JSON.parse(data))
  console.log(
    `${(text.length / 1e6).toFixed(1)} MB of FHiCL, ${(jsonText.length / 1e6).toFixed(1)} MB as a document`,
  )
  show('JSON.parse of the parameters', data.length, baseline, baseline)
  show(
    'FHiCL to data and metadata',
    text.length,
    fastest(() => parseFhicl(text)),
    baseline,
  )
  show(
    'FHiCL to the JSON text',
    text.length,
    fastest(() => fhiclToJsonText(parseFhicl(text), ORIGIN)),
    baseline,
  )
  show(
    'data and metadata to FHiCL',
    text.length,
    fastest(() => Buffer.from(fhiclFromJson(json))),
    baseline,
  )
  const whole = fastest(() => JSON.parse(jsonText))
  console.log('  of the whole document (MB of JSON):')
  show('JSON.parse', jsonText.length, whole, whole)
  show(
    'our reader',
    jsonText.length,
    fastest(() => readJson(jsonText)),
    whole,
  )
  show(
    'our writer',
    jsonText.length,
    fastest(() => writeJsonBytes(json)),
    whole,
  )
}
