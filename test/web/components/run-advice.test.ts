import { describe, expect, it } from 'vitest'
import { RunSet } from '../../../src/common/run-set.ts'
import { stepsFor } from '../../../src/web/components/run-advice.tsx'
import type { RunAttempt } from '../../../src/web/model.ts'

const marks = (runs: readonly number[]) => ({
  known: true as const,
  value: { contiguous: 1, attempted: 9, failed: RunSet.of(runs) },
})
const attempt = (stage: string, code: string): RunAttempt =>
  ({ stage, standing: 'failed', code }) as unknown as RunAttempt
const commands = (failed: 'import' | 'migrate', story: readonly RunAttempt[] = []): readonly string[] =>
  stepsFor({
    ...{ run: 7, state: 3, config: 'c.yaml', story },
    snapshot: {
      import: marks(failed === 'import' ? [7] : []),
      migrate: marks(failed === 'migrate' ? [7] : []),
    },
  }).map(([, command]) => command)

describe('what is advised for a failed run', () => {
  it('is a retry of the stage whose failure log has it, also where the ledger knows nothing or something older', () => {
    const retry = ['run-archiver c.yaml --retry-failed-migrate --runs 7']
    expect(commands('migrate')).toEqual(retry)
    expect(commands('migrate', [attempt('import', 'DISK_FULL')])).toEqual(retry)
    expect(commands('migrate', [attempt('import', 'CONFLICT')])).toEqual(retry)
    expect(commands('import', [attempt('migrate', 'DISK_FULL')])).toEqual([
      'run-archiver c.yaml --retry-failed-import --runs 7',
    ])
  })

  it('overrides a conflict of the archive, and none of artdaqDB: its copy would be archived instead', () => {
    expect(commands('migrate', [attempt('migrate', 'CONFLICT')])[1]).toBe(
      'run-archiver c.yaml --migrate-only --override-conflict 7',
    )
    expect(commands('import', [attempt('import', 'CONFLICT')]).join()).not.toContain('override')
  })
})
