import leven from 'leven'

/** The candidate that was probably meant: at most a third of its letters differ. */
export const suggest = (wrong: string, candidates: Iterable<string>): string | undefined => {
  let best: string | undefined
  let least = Infinity
  for (const candidate of candidates) {
    const distance = leven(wrong.slice(0, 60).toLowerCase(), candidate.toLowerCase())
    if (distance < least && distance <= Math.max(1, Math.floor(candidate.length / 3))) {
      best = candidate
      least = distance
    }
  }
  return best
}
