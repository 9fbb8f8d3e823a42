import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from './temporary-folder.ts'

/** Cases that are not part of the project; `RECORDS_CASES` names another folder. */
export const SHARED = process.env['RECORDS_CASES'] ?? '../shared/fixtures/records/cases'

/** A payload with its mapping, and what `records plan --json` must print for it. */
export interface Case {
  readonly name: string
  readonly payload: string
  readonly mapping: string
  readonly sourceKey: string
  readonly sourceKind: string
  /** The rows that stand already. */
  readonly given: unknown
  /** All keys of the expectation that are compared. */
  readonly expected: Readonly<Record<string, unknown>>
}

const casesIn = (root: string): Case[] =>
  existsSync(root) ? readdirSync(root).map((name) => readCase(name, join(root, name))) : []

const readCase = (name: string, folder: string): Case => {
  const files = readdirSync(folder)
  const file = (start: string): string => join(folder, files.find((one) => one.startsWith(start)) ?? start)
  const { given_rows: given, ...expected } = JSON.parse(readFileSync(file('expected.'), 'utf8')) as Record<
    string,
    unknown
  >
  return {
    name,
    payload: file('payload.'),
    mapping: file('mapping.'),
    sourceKey: String(expected['source_key']),
    sourceKind: String(expected['source_kind']),
    given,
    expected,
  }
}

/** A file with the rows that stand before a case, for the test that runs now; undefined where there are none. */
export const givenFile = ({ given }: Case): string | undefined => {
  if (given === undefined) return undefined
  const file = join(temporaryFolder('given'), 'given.json')
  writeFileSync(file, JSON.stringify(given))
  return file
}

/** The project's own cases, and the shared ones where they are. */
export const CASES: readonly Case[] = [...casesIn('test/records/cases'), ...casesIn(SHARED)]
export const isShared: boolean = existsSync(SHARED)

/** Of what was printed, the keys of the expectation; warnings in an order of their own. */
export const compared = (
  printed: Readonly<Record<string, unknown>>,
  { expected }: Case,
): Record<string, unknown> =>
  Object.fromEntries(Object.keys(expected).map((name) => [name, ordered(name, printed[name])]))
export const wanted = ({ expected }: Case): Record<string, unknown> =>
  Object.fromEntries(Object.entries(expected).map(([name, value]) => [name, ordered(name, value)]))

const ordered = (name: string, value: unknown): unknown =>
  name === 'warnings' && Array.isArray(value)
    ? value.map((one) => JSON.stringify(one, Object.keys(one as object).sort())).sort()
    : value
