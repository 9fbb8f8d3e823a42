import { existsSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

/** Every feature of the documents, by letter and highest number. */
const FEATURES: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  '004': {
    ...{ c: 32, x: 7, s: 10, p: 5, f: 14, d: 5, m: 13, q: 3, k: 1, v: 5, a: 4 },
    ...{ g: 3, e: 2, h: 3, b: 3, r: 4, t: 4 },
  },
  '000': { c: 30, s: 13, d: 5, r: 3, l: 11, q: 6, a: 3, k: 2, t: 1 },
  '001': { c: 2, s: 4, e: 1, r: 3, n: 5, l: 5, q: 5, g: 3, b: 5 },
  '002': { s: 4, c: 2, n: 4, o: 3, x: 3, k: 9, m: 1, t: 1, v: 2 },
}
const expected = Object.entries(FEATURES).flatMap(([document, letters]) =>
  Object.entries(letters).flatMap(([letter, last]) =>
    Array.from({ length: last }, (_, i) => `${document}-${letter}${i + 1}`),
  ),
)

/** `004-c01..c03, d1` as each of its features. A number without a document is of the one before it. */
const featuresIn = (cell: string): string[] => {
  let document = ''
  return cell.split(',').flatMap((part) => {
    const [, given, letter = '', from = '', to] =
      /^(?:(\d{3})-)?([a-z])(\d+)(?:\.\.[a-z](\d+))?$/.exec(part.trim()) ?? []
    document = given ?? document
    const first = Number(from)
    const count = Number(to ?? from) - first + 1
    return Array.from({ length: count }, (_, i) => `${document}-${letter}${first + i}`)
  })
}

const rows = readFileSync('docs/FEATURES.md', 'utf8')
  .split('\n')
  .filter((line) => /^\| \d{3}-/.test(line))
  .map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  )

it('every feature stands in the table once, and no other', () => {
  const named = rows.flatMap(([features = '']) => featuresIn(features))
  expect(named.filter((one, at) => named.indexOf(one) !== at)).toEqual([])
  expect(expected.filter((one) => !named.includes(one))).toEqual([])
  expect(named.filter((one) => !expected.includes(one))).toEqual([])
})

it('every feature that a page shows is looked for on its page', () => {
  const pages = readFileSync('test/web/demo-pages.integration.test.ts', 'utf8')
  const named = [...pages.matchAll(/\[\s*'(\d{3}-[a-z]\d[^']*)',\s*(?:'\/|RUNNING)/g)].flatMap(
    ([, cell = '']) => featuresIn(cell),
  )
  // 004-m10 to m12 are figures of the kernel, and of connections that the demo has not.
  const shown = expected.filter((one) => /^(?:004-[vgeb]|004-m(?!1[0-2])|000-q|002-v1)/.test(one))
  expect(shown.filter((one) => !named.includes(one))).toEqual([])
})

const tested = rows.filter((row) => row.length === 3)
it.each(tested.map(([features = '', , test = '']) => [features, test] as const))(
  '%s: %s',
  (_features, test) => {
    const [, file = '', words = ''] = /^`(test\/[\w./-]+)` (.+)$/.exec(test) ?? []
    expect([file, existsSync(file)]).toEqual([file, true])
    expect(readFileSync(file, 'utf8').replaceAll("\\'", "'")).toContain(words)
  },
)
it('would miss words that are not in a file (control)', () => {
  expect(tested.length).toBeGreaterThan(40)
  expect(readFileSync('test/tracking/alerts/every-rule.test.ts', 'utf8')).not.toContain('fires thrice')
})
