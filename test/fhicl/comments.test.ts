import { describe, expect, it } from 'vitest'
import { scanComments } from '../../src/fhicl/comments.ts'

const found = (text: string): [number, string][] =>
  scanComments(text).map(({ line, text: one }) => [line, one])

describe('the comment scan', () => {
  it.each<[string, string, [number, string][]]>([
    [
      'both kinds',
      '# a\nx // b\n',
      [
        [1, '# a'],
        [2, '// b'],
      ],
    ],
    ['one a line', 'x # a # b // c', [[1, '# a # b // c']]],
    ['trailing blanks, but no line end', 'x # a \t\r\n', [[1, '# a \t']]],
    [
      'lines that end in any way',
      '\n#1\r\n\r\n#2\r\r#3\n\n#4',
      [
        [2, '#1'],
        [4, '#2'],
        [6, '#3'],
        [8, '#4'],
      ],
    ],
    ['nothing in quotes', 'a: "#1" b: \'//2\' // 3', [[1, '// 3']]],
    ['nothing in quotes over lines', 'a: "x\n#1\n" # 2', [[3, '# 2']]],
    ['quotes of the other kind as they are', `a: "it's #1" # 2`, [[1, '# 2']]],
    ['a slash alone as it is', 'a / b /# c', [[1, '# c']]],
    ['a comment behind an empty string', 'a: "" # 1', [[1, '# 1']]],
    [
      'comments inside strings behind an empty one',
      'a: ""\nb: "x # y"\nc: 1 # z',
      [
        [2, '# y"'],
        [3, '# z'],
      ],
    ],
    [
      'quotes again after the next comment',
      'a: \'\' # 1\nb: "#2" #3',
      [
        [1, '# 1'],
        [2, '#3'],
      ],
    ],
    ['an escaped quote as the end of a string', 'a: "x\\"y" # 1\nb: "p" # 2', [[2, '# 2']]],
    [
      'comments as such where a quote is never closed',
      "# it's\na: 'x # y",
      [
        [1, "# it's"],
        [2, '# y'],
      ],
    ],
    ['nothing behind a foreign character', '# a\n\u00e9 # b', [[1, '# a']]],
    ['no comment behind one with a foreign character', '# a\u00e9\n# b', [[1, '# a']]],
    ['comments inside quotes around a foreign character', 'a: "#1 \u00e9" # 2', [[1, '#1 ']]],
    ['nothing at all', 'a: 1', []],
  ])('finds %s', (_what, text, expected) => {
    expect(found(text)).toEqual(expected)
  })

  it.each([
    ['open quotes', "a: 'x # y\n"],
    ['open quotes of both kinds', `a: "x ' # y\n`],
    ['empty strings', 'a: "" # y\n'],
    ['quotes round foreign characters', "a: '\u00e9' # y\n"],
  ])('takes linear time over %s', (_what, line) => {
    // The same lines in many texts and in one. By turns, and the least of each, so that a busy machine slows down both.
    const [few, many] = [line.repeat(1000), line.repeat(200_000)]
    let [apart, together] = [Infinity, Infinity]
    for (let round = 0; round < 3; round++) {
      apart = Math.min(
        apart,
        measure(() => Array.from({ length: 200 }, () => scanComments(few))),
      )
      together = Math.min(
        together,
        measure(() => scanComments(many)),
      )
    }
    // Linear takes as long for both; quadratic would be about a hundredfold.
    expect(together).toBeLessThan(20 * Math.max(1, apart))
  })
})

const measure = (work: () => unknown): number => {
  const start = performance.now()
  work()
  return performance.now() - start
}
