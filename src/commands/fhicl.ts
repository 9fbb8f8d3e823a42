import { isUtf8 } from 'node:buffer'
import { readJson } from '../fhicl/json/parser.ts'
import { artdaqStamp } from '../stores/artdaqdb/format/timestamp.ts'
import { FhiclError } from '../fhicl/error.ts'
import { faithfulText } from '../fhicl/faithful-text.ts'
import { fhiclFromJson } from '../fhicl/from-json.ts'
import { parseFhicl } from '../fhicl/parser.ts'
import { fhiclToJsonText } from '../fhicl/to-json.ts'
import { ArchiverError, errnoOf, messageOf } from '../errors.ts'
import { now } from '../platform/host.ts'
import { readInput } from '../platform/input.ts'
import { type Context, untilStopped } from '../app/context.ts'

export interface FhiclToJsonOptions {
  /** A path, or `-` for standard input. */
  readonly file: string
  /** The document's name in `origin`. */
  readonly name?: string | undefined
  /** The stamp in `origin`, taken as it is; the time of day unless given. */
  readonly stamp?: string | undefined
}

export interface FhiclFromJsonOptions {
  /** A path, or `-` for standard input. */
  readonly file: string
  /** Prints artdaq's export whatever it reads back as. */
  readonly asArtdaq?: boolean | undefined
}

/** Prints the JSON that artdaq makes of a FHiCL file, and nothing else, not even a newline. Exit 1 where artdaq refuses it. */
export const fhiclToJsonCommand = untilStopped<FhiclToJsonOptions>(async ({ file, name, stamp }, context) => {
  const bytes = await readText(file)
  try {
    const origin = { name: name ?? 'notprovided', stamp: stamp ?? artdaqStamp(now()) }
    context.out(fhiclToJsonText(parseFhicl(bytes), origin))
    return 0
  } catch (error) {
    return report(error, file, context)
  }
})

/**
 * Prints the FHiCL that artdaq exports of a JSON file, byte for byte. Exit 1 where artdaq's export fails, and where it would read back as
 * something else (unless `asArtdaq`). A text of comments only comes back.
 */
export const fhiclFromJsonCommand = untilStopped<FhiclFromJsonOptions>(
  async ({ file, asArtdaq }, context) => {
    const bytes = await readText(file)
    try {
      if (!isUtf8(bytes)) throw new ArchiverError('STORE_CORRUPT', 'the JSON is not UTF-8')
      const json = readJson(bytes.toString('utf8'))
      if (asArtdaq) context.out(fhiclFromJson(json))
      else {
        const { text, commentsMoved } = faithfulText(json)
        if (commentsMoved)
          context.err(`${file}: not every comment is where it was: artdaq's export moves it\n`)
        context.out(text)
      }
      return 0
    } catch (error) {
      return report(error, file, context)
    }
  },
)

/** Bytes. The largest text of a run record that is archived is smaller (`source_files.max_record_mb`). */
const MOST = 256_000_000

const readText = async (file: string): Promise<Buffer> => {
  try {
    const bytes = await readInput(file, MOST)
    if (bytes !== 'large') return bytes
  } catch (error) {
    const code = errnoOf(error) === 'ENOENT' ? 'NOT_FOUND' : 'RECORD_INVALID'
    throw new ArchiverError(code, `cannot read ${file}: ${messageOf(error)}`, { cause: error })
  }
  throw new ArchiverError('RECORD_INVALID', `${file} has more than ${MOST / 1e6} MB`)
}

/** Says what is wrong, with file and place, on standard error. */
const report = (error: unknown, file: string, context: Context): number => {
  if (!(error instanceof ArchiverError)) throw error
  const shown = file === '-' ? 'standard input' : file
  const text = error instanceof FhiclError ? error.caret(shown) : `${shown}: ${error.message}`
  context.err(`${text}\n${error.hint === undefined ? '' : `${error.hint}\n`}`)
  return error.exitCode
}
