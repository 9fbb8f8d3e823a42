import { describe, expect, it } from 'vitest'
import { interpret } from '../../src/config/load-config.ts'
import { parseIniTree } from '../../src/config/ini-tree.ts'
import type { Node } from '../../src/config/yaml-tree.ts'

const plain = (node: Node): unknown => {
  if (node.type === 'text') return node.text
  if (node.type === 'list') return node.items.map(plain)
  return node.type === 'map'
    ? Object.fromEntries(node.entries.map(({ name, value }) => [name, plain(value)]))
    : null
}
const read = (text: string): unknown => plain(parseIniTree(text).root)

describe('an INI file', () => {
  it('has sections, sections in sections, settings and lists', () => {
    const text =
      '\uFEFF; the site\r\n[rows] # here\r\ntable=r\r\nbatch_size: 7\r\nfiles[] = a\r\nfiles[]= b\r\n\r\n[rows.throttle]\r\nmax_lag =1s\r\n[app]\n\t\n[rows]\nwhere =\n'
    expect(read(text)).toEqual({
      rows: { table: 'r', batch_size: '7', files: ['a', 'b'], throttle: { max_lag: '1s' }, where: '' },
      app: {},
    })
  })
  it.each([
    ['pass#word;1', 'pass#word;1'],
    ['7 ; ids of a batch', '7'],
    ['7\t# ids', '7'],
    ['"7 # ids"', '7 # ids'],
    [String.raw`a \; b \# c \n`, String.raw`a ; b # c \n`],
    [String.raw`"say \"a\" \\ b"`, String.raw`say "a" \ b`],
    ["'single #1'", 'single #1'],
    ["t <> 'a #b' AND u = 'c'", "t <> 'a #b' AND u = 'c'"],
    ["'x' = kind OR kind = 'y'", "'x' = kind OR kind = 'y'"],
    ['true', 'true'],
    ['mysql://root@127.0.0.1:3306/shop?a=b', 'mysql://root@127.0.0.1:3306/shop?a=b'],
  ])('has the value %s', (written, value) => {
    expect(read(`[rows]\nkey = ${written}\n`)).toEqual({ rows: { key: value } })
  })
  it('has names with a colon in quotes, as rules of alerts have them', () => {
    expect(read('[a]\n"failed:DAILY=1" = warning\n"duration:X": 3\n')).toEqual({
      a: { 'failed:DAILY=1': 'warning', 'duration:X': '3' },
    })
  })
  it('goes on with a value on lines that are indented deeper', () => {
    const text =
      "[rows]\n  where = created < NOW()\n     AND status <> 'open' ; not these\n# a comment\n    AND id > 5\n  table = r\n"
    expect(read(text)).toEqual({
      rows: { where: "created < NOW()\nAND status <> 'open'\nAND id > 5", table: 'r' },
    })
  })
  it('names each line that is wrong, and quotes no value', () => {
    const { problems } = parseIniTree(
      '[rows]\ntable = a\n\ntable = geheim\nnothing\n = geheim\n[rows.table]\nx=1\n',
    )
    expect(problems.map(({ at, message }) => [at.line, message])).toEqual([
      [4, 'table is set twice in this section'],
      [5, 'is neither [section] nor key = value'],
      [6, 'is neither [section] nor key = value'],
      [7, 'table is a setting and a section'],
    ])
  })
  it('is a configuration whose lists may be one line', () => {
    const { config } = interpret('[reporting.email]\nrecipient_email: "a@example.org, b@example.org"\n', {
      env: {},
      path: '/etc/config.ini',
      mode: 0o600,
      needs: ['rows'],
      readFile: () => {
        throw new Error('no file')
      },
    })
    expect(config.reporting.email.recipientEmails).toEqual(['a@example.org', 'b@example.org'])
  })
  it('is a configuration whose problems have its own lines, and whose secrets others must not read', () => {
    const of = (text: string, mode = 0o600) =>
      interpret(text, {
        env: {},
        path: '/etc/config.ini',
        mode,
        needs: ['rows'],
        readFile: () => {
          throw new Error('no file')
        },
      })
    const wrong = '[app]\nwork_dir = /tmp/w\n\n# rows\n[rows]\n\nbatch_size = many\n'
    expect(() => of(wrong)).toThrow(/^\/etc\/config\.ini:7:1 rows\.batch_size/m)
    const open = of('[rows]\nsource = mysql://app:geheim@127.0.0.1/shop\n', 0o644)
    expect(open.warnings.join('\n')).toMatch(
      /^\/etc\/config\.ini:2:1 rows\.source: stands in a file that others can read/,
    )
    expect(open.config.rows.source?.current()).toContain('geheim')
  })
})
