import type { RowsFile } from '../models/rows.ts'
import { count } from '../text.ts'

/** Marks that one file's row has; a file with more batches has several of them in one mark. */
const MARKS = 120

/** One mark a batch: done, with duplicates (tall), failed, next. Where several share a mark, the worst is shown. */
export const Batches = ({ file }: { file: RowsFile }) => {
  const { batches, batchesDone, duplicates, failed, standing } = file
  const marks = Math.min(MARKS, Math.max(1, batches))
  const markOf = (batch: number): number => Math.floor(((batch - 1) * marks) / Math.max(1, batches))
  const bad = new Set(failed.map(markOf))
  const double = new Set(duplicates.map(markOf))
  const done = Math.floor((batchesDone * marks) / Math.max(1, batches))
  const label = [
    `${count(batchesDone)} of ${count(batches)} batches done`,
    duplicates.length > 0 ? `${count(duplicates.length)} with duplicates` : '',
    failed.length > 0 ? `${count(failed.length)} failed` : '',
  ]
  return (
    <svg
      class="batches"
      viewBox={`0 0 ${marks * 8} 12`}
      preserveAspectRatio="none"
      role="img"
      aria-label={label.filter((part) => part !== '').join(', ')}
    >
      {Array.from({ length: marks }, (_, at) => (
        <rect
          x={at * 8}
          y={double.has(at) ? 0 : 2}
          width="6.6"
          height={double.has(at) ? 12 : 8}
          class={
            bad.has(at)
              ? 'bf'
              : double.has(at)
                ? 'bdup'
                : at < done
                  ? 'bo'
                  : at === done && standing === 'running'
                    ? 'bc'
                    : 'bn'
          }
        />
      ))}
    </svg>
  )
}
