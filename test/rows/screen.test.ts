import { expect, it } from 'vitest'
import type { RowsEvent } from '../../src/rows/events.ts'
import { screen } from '../../src/rows/screen.ts'

const FILE = 'data_2025-08-17.csv'
const batch = (number: number, first: string, last: string): RowsEvent => ({
  ...{ type: 'batch-started', file: FILE, batch: number, batches: 50, first, last, ids: 2200 },
})
const shown = (...events: RowsEvent[]): string[] => {
  const lines: string[] = []
  const listener = screen((line) => lines.push(line))
  for (const event of events) listener(event)
  return lines
}

// The lines of the guide that the rows grew from, as its examples print them.
it('a move shows each file and batch, and how many records a file had, as the original did', () => {
  expect(
    shown(
      { type: 'file-started', file: FILE, size: 1_024_000, ids: 110_000, batches: 50, isResumed: false },
      batch(1, '1', '2200'),
      { type: 'file-done', file: FILE, records: 110_000 },
    ),
  ).toEqual([
    'Processing file: data_2025-08-17.csv',
    'Processing batch 1/50 - IDs: 1 to 2200 (2200 records)',
    'File data_2025-08-17.csv completed successfully. Total records processed: 110000',
  ])
})

it('a move that goes on after a kill shows who died, and from where it goes on, as the original did', () => {
  expect(
    shown(
      { type: 'closed-dead', pid: 12_345, word: 'TERMINATED' },
      { type: 'file-started', file: FILE, size: 1_024_000, ids: 110_000, batches: 50, isResumed: true },
      { type: 'file-resumed', file: FILE, batch: 16, records: 33_000 },
      { type: 'batch-skipped', file: FILE, batch: 15 },
      batch(16, '33001', '35200'),
      { type: 'stopping', signal: 'SIGTERM', pid: 12_456 },
      { type: 'killed', signal: 'SIGTERM' },
    ),
  ).toEqual([
    'Marked incomplete process 12345 as TERMINATED',
    'Resuming file data_2025-08-17.csv from batch 16',
    'Records already processed: 33000',
    'Skipping already processed batch 15',
    'Processing batch 16/50 - IDs: 33001 to 35200 (2200 records)',
    'Process terminated by SIGTERM signal (PID: 12456)',
    'Graceful shutdown initiated...',
  ])
})
