/** As people write it: 7 d, 1 h 30 min, 0.5 s. Seconds in. */
export const durationText = (seconds: number): string => {
  const whole = [
    ['d', 86_400],
    ['h', 3600],
    ['min', 60],
  ] as const
  let rest = seconds
  const words: string[] = []
  for (const [unit, size] of whole) {
    const count = Math.floor(rest / size)
    if (count > 0) words.push(`${count} ${unit}`)
    rest -= count * size
  }
  if (rest > 0 || words.length === 0) words.push(`${Math.round(rest * 1000) / 1000} s`)
  return words.join(' ')
}

/** `2 d 3 h`, `5 min`, `12 s`: an age, rounded down. Milliseconds in. Never negative: clocks are set back. */
export const ageText = (milliseconds: number): string => {
  const seconds = Math.max(0, Math.round(milliseconds / 1000))
  const step = seconds < 60 ? 1 : seconds < 86_400 ? 60 : 3600
  return durationText(seconds - (seconds % step))
}
