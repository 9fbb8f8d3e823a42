/** How long to wait before attempt `attempt + 1`, in milliseconds: doubled each time, at most 30 s, half of it by chance. */
export const backoff = (attempt: number, firstMilliseconds: number, random: () => number): number => {
  const full = Math.min(firstMilliseconds * 2 ** (attempt - 1), 30_000)
  return full / 2 + (full / 2) * random()
}
