import { describe, expect, it } from 'vitest'
import { passJson, passLines } from '../../src/commands/run-output.ts'
import { RunSet } from '../../src/common/run-set.ts'
import { ArchiverError } from '../../src/errors.ts'
import type { StageReport } from '../../src/runs/pass.ts'

const conflict = (run: number): Error =>
  new ArchiverError('CONFLICT', `run ${run}: the key is taken`, {
    hint: `Compare them with "run-archiver diff ${run}".`,
  })
const large = new ArchiverError('RECORD_INVALID', 'the record is too large', { hint: 'Raise the limit.' })

const report = (errors: ReadonlyMap<number, Error>): StageReport =>
  ({
    stage: 'migrate',
    plan: { runs: RunSet.of(errors.keys()), waiting: new Map(), beyond: 0 },
    outcome: {
      succeeded: RunSet.EMPTY,
      failed: RunSet.of(errors.keys()),
      pending: RunSet.EMPTY,
      errors,
      bytes: 0,
      milliseconds: 1,
      stopped: undefined,
    },
  }) as unknown as StageReport
const started = { program: './run_archiver.sh', config: 'site.yaml' }

describe('what a pass says of runs that failed', () => {
  it('has what helps below each, with the command as it has to be typed here', () => {
    expect(passLines([report(new Map([[7, conflict(7)]]))], started)).toEqual([
      'Migrate: 0 archived, 1 failed, 0 over the limit, 0 not ready',
      '  run 7 failed: the key is taken [CONFLICT]',
      '    Compare them with "./run_archiver.sh diff --config site.yaml 7".',
      '  to try them again: ./run_archiver.sh site.yaml --retry-failed-migrate',
    ])
  })
  it('has it once for runs that it is the same for, and none where nothing is known', () => {
    const lines = passLines(
      [
        report(
          new Map([
            [1, large],
            [2, large],
            [3, new Error('a bug')],
          ]),
        ),
      ],
      started,
    )
    expect(lines.slice(1, 5)).toEqual([
      '  run 1 failed: the record is too large [RECORD_INVALID]',
      '  run 2 failed: the record is too large [RECORD_INVALID]',
      '    Raise the limit.',
      expect.stringContaining('  run 3 failed: a bug') as string,
    ])
    expect(lines).toHaveLength(6)
  })
  it('has it in JSON too', () => {
    const { stages } = JSON.parse(passJson([report(new Map([[1, large]]))], [], 1)) as {
      stages: { failed: unknown }[]
    }
    expect(stages[0]?.failed).toEqual([
      { run: 1, reason: 'the record is too large [RECORD_INVALID]', hint: 'Raise the limit.' },
    ])
  })
})
