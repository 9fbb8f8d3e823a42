import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Context } from '../../src/app/context.ts'
import { planCommand } from '../../src/commands/records/plan.ts'

const SHARED = '../shared/fixtures/records/cases'
const OWN = 'test/records/cases'

interface Expected {
  readonly source_key: number | string
  readonly source_kind: string
  readonly given_rows?: unknown
  readonly warnings?: readonly unknown[]
}

/** What the command prints for one case, and its exit code. */
const plan = async (folder: string, expected: Expected, given: string | undefined) => {
  const files = readdirSync(folder)
  const file = (start: string): string =>
    join(
      folder,
      files.find((name) => name.startsWith(start))!,
    )
  let printed = ''
  const context = { out: (text: string) => (printed += text) } as unknown as Context
  const code = await planCommand(
    {
      item: file('payload.'),
      mapping: file('mapping.'),
      sourceKey: String(expected.source_key),
      sourceKind: expected.source_kind,
      json: true,
      showValues: true,
      ...(given === undefined ? {} : { given }),
    },
    context,
  )
  return { code, result: JSON.parse(printed) as Record<string, unknown> }
}

const casesOf = (root: string): string[] =>
  existsSync(root) ? readdirSync(root).map((name) => join(root, name)) : []

describe.each([...casesOf(OWN), ...casesOf(SHARED)])('the case %s', (folder) => {
  it('becomes what its expectation says', async () => {
    const { given_rows: given, ...expected } = JSON.parse(
      readFileSync(join(folder, 'expected.json'), 'utf8'),
    ) as Expected & Record<string, unknown>
    const given_file = given === undefined ? undefined : writeGiven(given)
    const { code, result } = await plan(folder, expected, given_file)
    expect(code).toBe(expected['status'] === 'success' ? 0 : 1)
    for (const [name, value] of Object.entries(expected))
      expect({ [name]: sorted(name, result[name]) }).toEqual({ [name]: sorted(name, value) })
  })
})

const sorted = (name: string, value: unknown): unknown =>
  name === 'warnings' && Array.isArray(value)
    ? value.map((one) => JSON.stringify(one, Object.keys(one as object).sort())).sort()
    : value

const writeGiven = (rows: unknown): string => {
  const file = join(mkdtempSync(join(tmpdir(), 'records-given-')), 'given.json')
  writeFileSync(file, JSON.stringify(rows))
  return file
}

if (!existsSync(SHARED)) console.warn(`skipped: the cases of ${SHARED} are not there`)
