/** A moment in this machine's zone: `2025-08-17 14:30:46`. */
export const localTime = (ms: number): string => {
  const at = new Date(ms)
  const two = (part: number): string => String(part).padStart(2, '0')
  const date = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`
  return `${date} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`
}

/** The same as earlier row movers wrote it: `17_08_2025_14_30_46`. */
export const localStamp = (ms: number): string => {
  const [date = '', clock = ''] = localTime(ms).split(' ')
  return `${date.split('-').reverse().join('_')}_${clock.replaceAll(':', '_')}`
}

/** The plain log of a day that operators grep, by the name that earlier row movers gave it. */
export const dayLogName = (ms: number): string =>
  `DataProcessingAllDetails_${localStamp(ms).slice(0, 10)}.txt`
