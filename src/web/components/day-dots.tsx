import { plural } from '../text.ts'

/** A mark for each UTC day on which a rule began to fire. */
export const Dots = ({ days }: { days: readonly number[] }) => {
  const sum = days.reduce((all, day) => all + day, 0)
  return (
    <svg
      class="dots"
      viewBox={`0 0 ${days.length * 4} 12`}
      role="img"
      aria-label={`${plural(sum, 'time')} in ${days.length} days`}
    >
      {days.map((day, at) => (
        <rect
          x={at * 4}
          y={day > 0 ? 1 : 5}
          width="2.6"
          height={day > 0 ? 10 : 2}
          rx="1"
          class={day > 0 ? 'on' : 'off'}
        />
      ))}
    </svg>
  )
}
