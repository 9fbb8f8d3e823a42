/**
 * What a number is after it was kept in four bytes: the shortest decimal that names the same float, as engines write it. The number
 * itself where nothing is lost by it; 0 or an infinity where it is too small or too large.
 */
export const asSingle = (number: number): number => {
  const single = Math.fround(number)
  for (let digits = 1; digits <= 9; digits++) {
    const short = Number(single.toPrecision(digits))
    if (Math.fround(short) === single) return short
  }
  return single
}
