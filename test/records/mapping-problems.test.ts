import { describe, expect, it } from 'vitest'
import { problemsOf } from './problems-of.ts'

const withColumn = (column: string): string =>
  `version: 1\nrecord: { root: r, key: /r/@id }\ntables:\n  - table: t\n    key: [id]\n    columns:\n      id: $key\n      v: ${column}\n`

describe('a mapping', () => {
  it('is read where it is sound', () => {
    expect(problemsOf(withColumn('{ from: /r/@v, type: text }'))).toEqual([])
  })
  it.each([
    ['{ fron: /r/@v }', 'm.yaml:8:12: table t, column v: fron is no setting here; did you mean from?'],
    ['{ from: "/r//@v" }', 'path "/r//@v": has an empty step (//)'],
    ['{ from: "/r/a[1]/@v" }', 'conditions and wildcards are not taken'],
    ['{ from: /r/a }', 'must end in @attribute or text()'],
    ['{ expr: "r.a +" }', 'expression, character 6: ends where a value should stand'],
    ['{ from: /r/@v, type: int }', 'type must be text'],
    ['{ from: /r/@v, enum: states }', 'enum states is not among enums'],
    ['{ from: /r/@v, type: date, formats: ["DD/MM/YY"] }', 'has "Y", which is no part of a date'],
    ['{ from: /r/@v, type: text, scale: 2 }', 'scale needs type: decimal or datetime'],
    ['{ from: /r/@v, expr: "1" }', 'has from and expr: one is needed'],
    ['{ from: "/p:r/@v" }', 'the prefix p is not declared under namespaces'],
  ])('with the column %s has a problem with its place', (column, message) => {
    const problems = problemsOf(withColumn(column))
    expect(problems.join('\n')).toContain(message)
    expect(problems[0]).toMatch(/^m\.yaml:8:\d+: /)
  })
  it.each(['513MiB', '1GB', '0', '64 Mib', '64toString', '-1'])(
    'with limits.bytes %s has a problem',
    (bytes) => {
      const sound = withColumn('{ from: /r/@v, type: text }')
      expect(problemsOf(`${sound}limits: { bytes: ${bytes} }\n`).join('\n')).toContain(
        'limits: bytes must be a size such as 64MiB, 512MiB at most',
      )
      expect(problemsOf(`${sound}limits: { bytes: 512MiB }\n`)).toEqual([])
    },
  )
  it('names all its problems at once', () => {
    expect(
      problemsOf('version: 2\nrecord: { root: r, key: r }\ntables: []\nlitss: {}\n').length,
    ).toBeGreaterThanOrEqual(4)
  })
})
