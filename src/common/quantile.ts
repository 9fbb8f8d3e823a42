/** By the nearest rank, of numbers in ascending order; undefined where there are none. */
export const quantileOfSorted = (sorted: readonly number[], share: number): number | undefined =>
  sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(sorted.length * share) - 1))]

/** The same of numbers in any order. */
export const quantile = (values: readonly number[], share: number): number | undefined =>
  quantileOfSorted(
    [...values].sort((a, b) => a - b),
    share,
  )
