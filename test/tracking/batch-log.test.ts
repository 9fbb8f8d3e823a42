import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { redact } from '../../src/common/redact.ts'
import { BatchLog } from '../../src/tracking/batch-log.ts'
import { passEvents, series } from './events.ts'

describe('the plain batch log', () => {
  it('has the lines that greps of operators find', () => {
    const folder = mkdtempSync(join(tmpdir(), 'batch-log-'))
    const now = (): number => new Date(2025, 7, 17, 14, 30, 45).getTime()
    const log = new BatchLog({ folder, pid: 12345, now, redact })
    for (const event of passEvents('import', series(1, 7), { failing: [2], conflict: [6, 7] }))
      log.listener(event)
    log.killed('SIGTERM')
    const text = readFileSync(join(folder, 'DataProcessingAllDetails_17_08_2025.txt'), 'utf8')
    expect(text).toBe(
      [
        '=== Archiver starts at: 17_08_2025_14_30_45 (PID: 12345) ===',
        'STARTING: import (7 runs, 0 not ready)',
        '[2025-08-17 14:30:45] STAGE: import | BATCH: 1 | STATUS: PROCESSING | PID: 12345',
        'ERROR: Error processing run 2 in import: run 2 was refused',
        '[2025-08-17 14:30:45] STAGE: import | BATCH: 1 | STATUS: COMPLETED | PID: 12345 | RUNS: 1-5',
        '[2025-08-17 14:30:45] STAGE: import | BATCH: 2 | STATUS: PROCESSING | PID: 12345',
        'DUPLICATE_KEY_ERROR: Run 6 in import: run 6 was refused',
        'DUPLICATE_KEY_ERROR: Run 7 in import: run 7 was refused',
        '[2025-08-17 14:30:45] STAGE: import | BATCH: 2 | STATUS: FAILED | PID: 12345 | RUNS: 6-7',
        '',
        'Process terminated by SIGTERM signal (PID: 12345)',
        '[2025-08-17 14:30:45] Process terminated by SIGTERM signal (PID: 12345)',
        '',
      ].join('\n'),
    )
    rmSync(folder, { recursive: true })
  })

  it('does not mind a folder that cannot be made', () => {
    const log = new BatchLog({ folder: '/dev/null/logs', pid: 1, now: () => 0, redact })
    for (const event of passEvents('import', [1])) log.listener(event)
  })
})
