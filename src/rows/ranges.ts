/** Whole numbers from `from` to `to`, both with it: every one of them was in the list. */
export interface Range {
  readonly from: string
  readonly to: string
}

/** Numbers up to this many characters are exact as a Number. */
const EXACT = 15

/** The ranges without gaps that hold exactly these whole numbers, in their order. Pure. The numbers are of any size, in any order. */
export const rangesOf = (numbers: readonly string[]): readonly Range[] =>
  numbers.every(({ length }) => length <= EXACT)
    ? joined(
        numbers.map(Number).sort((a, b) => a - b),
        1,
      )
    : joined(
        numbers.map(BigInt).sort((a, b) => (a < b ? -1 : a > b ? 1 : 0)),
        1n,
      )

const joined = <N extends number | bigint>(sorted: readonly N[], one: N): readonly Range[] => {
  const ranges: Range[] = []
  const [first] = sorted
  if (first === undefined) return ranges
  let from = first
  let to = first
  for (const number of sorted) {
    const gap = (number - to) as N
    if (gap > one) {
      ranges.push({ from: String(from), to: String(to) })
      from = number
    }
    to = number
  }
  ranges.push({ from: String(from), to: String(to) })
  return ranges
}
